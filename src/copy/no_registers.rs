//! There is no inline assembly: messages are copied under a lock.

use std::mem::MaybeUninit;

pub(super) const EXIST: bool = false;

pub(super) fn to_integer(_: MaybeUninit<usize>) -> usize {
    unreachable!("no registers")
}

pub(super) fn from_integer(_: usize) -> MaybeUninit<usize> {
    unreachable!("no registers")
}
