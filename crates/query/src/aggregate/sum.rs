//! Sums that are exact until they are asked for, so that the order of the numbers does not matter.

use std::collections::BTreeMap;

/// Bits of a digit.
const DIGIT: u32 = 32;

/// A sum of finite numbers.
///
/// Every finite number is a whole multiple of the smallest, 2⁻¹⁰⁷⁴. The sum is a number of these in digits of 32 bits that
/// are not carried before the end: each has 43 bits of room, more than numbers that were ever added.
#[derive(Debug, Default)]
pub(super) struct Sum(BTreeMap<u32, i128>);

impl Sum {
    pub(super) fn add(&mut self, number: f64) {
        let bits = number.to_bits();
        let (exponent, fraction) = ((bits >> 52) as u32 & 0x7ff, bits & ((1 << 52) - 1));
        // Numbers below the smallest normal one have its exponent and no leading bit.
        let (shift, whole) = match exponent {
            0 => (0, fraction),
            _ => (exponent - 1, fraction | 1 << 52),
        };
        if whole != 0 {
            let amount = i128::from(whole) << (shift % DIGIT);
            *self.0.entry(shift / DIGIT).or_default() += if number < 0.0 { -amount } else { amount };
        }
    }

    /// The nearest number, of two the even one; infinite beyond the largest.
    pub(super) fn value(&self) -> f64 {
        match self.digits(1) {
            Some(digits) => rounded(&digits),
            None => -self.digits(-1).map_or(0.0, |digits| rounded(&digits)),
        }
    }

    /// The digits of the sum with a sign, the lowest first; `None` when it is negative.
    fn digits(&self, sign: i128) -> Option<Vec<u32>> {
        let mut digits = Vec::new();
        let mut carry = 0_i128;
        let mut place = 0;
        let last = self.0.last_key_value().map_or(0, |(last, _)| *last);
        while place <= last || carry > 0 {
            carry += sign * self.0.get(&place).copied().unwrap_or_default();
            digits.push(carry as u32);
            carry >>= DIGIT;
            place += 1;
        }
        (carry == 0).then_some(digits)
    }
}

fn rounded(digits: &[u32]) -> f64 {
    let bit = |place: u32| u64::from(digits[(place / DIGIT) as usize] >> (place % DIGIT) & 1);
    let Some(top) = digits.iter().rposition(|digit| *digit != 0) else {
        return 0.0;
    };
    let highest = top as u32 * DIGIT + 31 - digits[top].leading_zeros();
    let lowest = highest.saturating_sub(52);
    let mut whole = (lowest..=highest).rev().fold(0, |whole, place| whole << 1 | bit(place));
    let half = lowest > 0 && bit(lowest - 1) == 1;
    if half && (whole & 1 == 1 || (0..lowest - 1).any(|place| bit(place) == 1)) {
        whole += 1;
    }
    // The bits of a number are in the order of the numbers: a carry goes on into the exponent. The leading bit counts as one.
    let bits = (u64::from(lowest) << 52) + whole;
    f64::from_bits(bits.min(f64::INFINITY.to_bits()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Sum;

    fn sum(numbers: &[f64]) -> f64 {
        let mut sum = Sum::default();
        numbers.iter().for_each(|number| sum.add(*number));
        sum.value()
    }

    #[test]
    fn sums_are_those_of_exact_arithmetic() {
        let tenths = [0.1; 10];
        for (numbers, expected) in [
            (&[][..], 0.0),
            (&tenths, 1.0),
            (&[0.1, 0.2, -0.3], 2.7755575615628914e-17),
            (&[1e308, 1e308, -1e308], 1e308),
            (&[f64::MAX, f64::MAX], f64::INFINITY),
            (&[-f64::MAX, -f64::MAX], f64::NEG_INFINITY),
            (&[f64::MAX, 1e291], f64::MAX),
            (&[1e100, 1.0, -1e100], 1.0),
            (&[5e-324, 5e-324], 1e-323),
            (&[-2.5, 1.0], -1.5),
            (&[9007199254740992.0, 1.0], 9007199254740992.0),
            (&[9007199254740992.0, 1.0, 5e-324], 9007199254740994.0),
            (&[9007199254740991.0, 1.0], 9007199254740992.0),
        ] {
            assert_eq!(sum(numbers).to_bits(), expected.to_bits(), "{numbers:?}");
        }
    }

    proptest! {
        #[test]
        fn one_or_two_numbers_sum_as_the_processor_says(
            one in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL,
            two in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL,
        ) {
            prop_assert_eq!(sum(&[one]), one);
            prop_assert_eq!(sum(&[one, two]), one + two);
            prop_assert_eq!(sum(&[two, one, -two]), one);
        }
    }
}
