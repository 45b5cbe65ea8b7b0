//! Walking over a value without building it: for values that are too deep or too large to be worth a tree.
//!
//! Depth costs one byte a level on the heap, never stack. The grammar is checked as strictly as when building.

use super::{Error, Path, Reader, Stop};

impl Reader<'_> {
    /// Goes back to `start`, where a value begins, and walks to its end.
    ///
    /// # Errors
    /// Only bad syntax; nothing is refused here.
    pub(crate) fn skip_from(&mut self, start: usize) -> Result<(), Error> {
        self.at = start;
        self.depth_left = self.depth_max;
        self.skip_value().map_err(|stop| match stop {
            Stop::Syntax(error) | Stop::TooDeep(error) => *error,
            Stop::TooLarge => unreachable!("walking has no size limit"),
        })
    }

    fn skip_value(&mut self) -> Result<(), Stop> {
        let mut open = Vec::new();
        loop {
            self.skip_whitespace();
            match self.peek() {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    self.skip_whitespace();
                    let closing = bracket + 2;
                    if !self.take(closing) {
                        open.push(closing);
                        self.skip_key(closing)?;
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// After a value: closes what ends here and goes on to the next value; true when the outermost value has ended.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, Stop> {
        while let Some(&closing) = open.last() {
            self.skip_whitespace();
            if self.take(b',') {
                self.skip_whitespace();
                self.skip_key(closing)?;
                return Ok(false);
            }
            if !self.take(closing) {
                return Err(self.unexpected(&Path::Root, if closing == b'}' { "`,` or `}`" } else { "`,` or `]`" }));
            }
            open.pop();
        }
        Ok(true)
    }

    fn skip_key(&mut self, closing: u8) -> Result<(), Stop> {
        if closing == b'}' {
            if self.peek() != b'"' {
                return Err(self.unexpected(&Path::Root, "a key in double quotes"));
            }
            self.skip_scalar()?;
            self.skip_whitespace();
            if !self.take(b':') {
                return Err(self.unexpected(&Path::Root, "`:`"));
            }
        }
        Ok(())
    }

    fn skip_scalar(&mut self) -> Result<(), Stop> {
        let scanned = match self.peek() {
            b'"' => self.scan_string().map(drop),
            b'-' | b'0'..=b'9' => self.scan_number().map(drop),
            _ if self.take_all(b"true") || self.take_all(b"false") || self.take_all(b"null") => Ok(()),
            _ => return Err(self.unexpected(&Path::Root, "a value")),
        };
        scanned.map_err(|detail| self.syntax(&Path::Root, detail))
    }
}
