//! Numbers: the grammar of RFC 8259, and which of them Trailbook keeps.

use super::{INTEGER_MAX, Reader};

const TOO_LARGE: &str = "This integer is beyond ±9007199254740991 and would lose digits; send it as a string.";
const NOT_FINITE: &str = "This number is too large for a double; send it as a string.";
const BAD_NUMBER: &str = "This is no number as JSON writes them.";

impl Reader<'_> {
    /// Reads the number that is next. The outer error is bad syntax (the reader then stands at the offending byte), the
    /// inner one a number that is not kept.
    pub(super) fn scan_number(&mut self) -> Result<Result<f64, &'static str>, &'static str> {
        let start = self.at;
        let negative = self.take(b'-');
        let (digits, magnitude) = self.integer_digits()?;
        if !matches!(self.peek(), b'.' | b'e' | b'E') {
            if digits > 16 || magnitude > INTEGER_MAX as u64 {
                return Ok(Err(TOO_LARGE));
            }
            // The magnitude is below 2^53, so the conversion is exact.
            let number = magnitude as f64;
            return Ok(Ok(if negative { -number } else { number }));
        }
        self.fraction_and_exponent()?;
        let number: f64 = self.text[start..self.at].parse().map_err(|_| BAD_NUMBER)?;
        Ok(keep(number))
    }

    /// The integer part: how many digits, and its value (only meaningful up to 19 digits).
    fn integer_digits(&mut self) -> Result<(usize, u64), &'static str> {
        let start = self.at;
        let mut magnitude = 0_u64;
        while self.peek().is_ascii_digit() {
            magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(self.peek() - b'0'));
            self.at += 1;
        }
        let digits = self.at - start;
        if digits == 0 {
            return Err("A digit was expected here.");
        }
        if digits > 1 && self.bytes[start] == b'0' {
            self.at = start + 1;
            return Err("A number does not begin with 0 unless it is below 1; remove the zero or send a string.");
        }
        Ok((digits, magnitude))
    }

    fn fraction_and_exponent(&mut self) -> Result<(), &'static str> {
        if self.take(b'.') {
            self.some_digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.some_digits()?;
        }
        Ok(())
    }

    fn some_digits(&mut self) -> Result<(), &'static str> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start {
            Err("A digit was expected here.")
        } else {
            Ok(())
        }
    }
}

/// Whether a number written with a fraction or an exponent is kept: its canonical form must be finite, and not an integer
/// literal beyond the exact range (from 1e21 on the canonical form has an exponent and is no integer literal).
fn keep(number: f64) -> Result<f64, &'static str> {
    if !number.is_finite() {
        return Err(NOT_FINITE);
    }
    let magnitude = number.abs();
    if magnitude > INTEGER_MAX && magnitude < 1e21 {
        return Err(TOO_LARGE);
    }
    Ok(number)
}
