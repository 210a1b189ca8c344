//! Calls of the user's code by somebody who has nothing to do with it: wakers, and drops of messages.
//!
//! What such code panics with ends here. It may also call back into the ring, which then has more such code to call, and so on: who is about
//! to call some asks [`is_deep`] first, and if so leaves it to the call around.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::sync::thread_local;

/// How deep calls may nest before those of one list are left to the one around.
const DEPTH_LIMIT: u32 = 32;

/// A call, on the stack of the thread that makes it.
struct Call {
    /// The address of the list that has more of the kind.
    list: usize,
    depth: u32,
    /// The call around this one, or null.
    outer: *const Call,
}

thread_local! {
    /// The innermost call that this thread is in, or null.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's has no const form")]
    static CALLING: Cell<*const Call> = Cell::new(ptr::null());
}

/// Whether calls are nested deep on this thread, and one around this is of the same list (its address): what is on it can wait
/// for that one, or for the next that is not.
#[inline]
pub(crate) fn is_deep(list: usize) -> bool {
    depth() >= DEPTH_LIMIT && is_nested(list)
}

/// How many calls this thread is in.
#[inline]
#[expect(unsafe_code, reason = "looks at the call around, which lies on this thread's stack")]
fn depth() -> u32 {
    // SAFETY: null, or put there by `call`, which takes it away before it returns; and this runs below all calls of this thread.
    unsafe { CALLING.with(Cell::get).as_ref() }.map_or(0, |call| call.depth)
}

/// Whether this thread is in a call of the same list.
#[expect(unsafe_code, reason = "follows the calls that this thread is in, which lie on its stack")]
pub(crate) fn is_nested(of: usize) -> bool {
    let mut call = CALLING.with(Cell::get);
    // SAFETY: as in `depth`; the calls around a call end after it.
    while let Some(Call { list, outer, .. }) = unsafe { call.as_ref() } {
        if *list == of {
            return true;
        }
        call = *outer;
    }
    false
}

/// Runs a user's code that was on the list at this address. What it panics with was shown by the panic hook.
#[inline]
pub(crate) fn call(list: usize, code: impl FnOnce()) {
    let outer = CALLING.with(Cell::get);
    let call = Call { list, depth: depth() + 1, outer };
    CALLING.with(|calling| calling.set(&raw const call));
    contain(code);
    CALLING.with(|calling| calling.set(outer));
}

/// Runs a user's code that has nothing to do with the caller. What it panics with was shown by the panic hook, and ends here.
pub(crate) fn contain(code: impl FnOnce()) {
    let mut outcome = catch_unwind(AssertUnwindSafe(code));
    // What was thrown is dropped by the user's code too, which may throw again; at some point it is let go.
    for _ in 0..3 {
        let Err(thrown) = outcome else { return };
        outcome = catch_unwind(AssertUnwindSafe(|| drop(thrown)));
    }
    std::mem::forget(outcome);
}
