//! Decisions made from the fuzzer's bytes.

use crate::common::driver::Choices;
use arbitrary::Unstructured;

/// For so many steps, or until the bytes are used up.
pub(crate) struct Bytes<'a>(pub(crate) Unstructured<'a>, pub(crate) u32);

impl Choices for Bytes<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        // 0 once the bytes are used up.
        self.0.int_in_range(0..=bound - 1).unwrap_or(0)
    }

    fn any(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    fn more(&mut self) -> bool {
        self.1 = self.1.saturating_sub(1);
        self.1 > 0 && !self.0.is_empty()
    }
}
