//! There are no vector moves for this processor: large messages are copied as small ones are.

#![expect(unsafe_code, reason = "has the signature of those that exist")]

pub(super) const EXIST: bool = false;

pub(super) unsafe fn copy(_: *mut u8, _: *const u8, _: usize) {
    unreachable!("no vectors")
}
