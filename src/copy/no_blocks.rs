//! Stands for the vector moves of a processor that has none here. Large messages are then copied as
//! words.

#![expect(unsafe_code, reason = "has the signature of the real functions")]

pub(super) const AVAILABLE: bool = false;

pub(super) unsafe fn copy(_: *mut u8, _: *const u8, _: usize) {
    unreachable!("this build has no vector moves")
}
