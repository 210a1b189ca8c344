//! What is logged: plain data in the ring, a line of text in the file.

use std::fmt;
use std::str::FromStr;

/// The `number`th entry of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::NoUninit)]
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) publisher: u64,
    pub(crate) number: u64,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.publisher, self.number)
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|error| format!("`{line}` is no entry: {error}"));
        let Some((publisher, nth)) = line.split_once(' ') else { return Err(format!("`{line}` is no entry")) };
        Ok(Self { publisher: number(publisher)?, number: number(nth)? })
    }
}
