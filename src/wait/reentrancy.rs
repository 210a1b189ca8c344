//! Calls of the user's code by somebody who has nothing to do with it: wakers, and drops of messages and wakers.
//!
//! Such code may panic: the panic ends here. It may also use rings, this one or others, which then have more such code to call,
//! and so on. Calls nest at most [`DEPTH_LIMIT`] deep on a thread, however many rings take part, and less deep within one ring
//! ([`RING_LIMIT`]). Beyond that, what is to be called is kept for [`later`]: it runs as soon as the calls around have returned.
//!
//! Drops of messages need one more rule. A message whose drop publishes to its own ring has that ring drop another message, and so
//! on without end. So a publisher that is nested deep in a call of its own ring ([`nested_at_limit`]) drops nothing: the next publish does.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::sync::thread_local;

/// How deep calls may nest on a thread. It is well above what programs do: whoever is stopped beyond it leaves others unwoken.
const DEPTH_LIMIT: u32 = 128;

/// How deep calls may nest on a thread before those of a ring that is around are left to the call around.
const RING_LIMIT: u32 = 32;

/// A call, on the stack of the thread that makes it.
struct Call {
    /// The address of the list that has more of the kind, which stands for the ring.
    list: usize,
    depth: u32,
    /// The call around this one, or null.
    outer: *const Call,
}

/// What was kept for later.
#[derive(Default)]
struct Deferred {
    code: VecDeque<Box<dyn FnOnce()>>,
    /// The lists that some of it was of, since there was nothing kept.
    lists: HashSet<usize>,
}

thread_local! {
    /// The innermost call that this thread is in, or null.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's has no const form")]
    static CALLING: Cell<*const Call> = Cell::new(ptr::null());
    /// Whether anything is deferred, or being run.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's has no const form")]
    static HAS_DEFERRED: Cell<bool> = Cell::new(false);
    /// Whether what is kept is being run.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's has no const form")]
    static IS_RUNNING: Cell<bool> = Cell::new(false);
    /// Never dropped, so that it is there to the end of the thread. Nothing is lost: it is empty when no call is on its way.
    static DEFERRED: ManuallyDrop<RefCell<Deferred>> = ManuallyDrop::default();
}

/// Whether calls are nested so deep on this thread that it should make no further one.
#[inline]
pub(crate) fn at_depth_limit() -> bool {
    depth() >= DEPTH_LIMIT
}

/// Whether that is so for the list at this address: also where calls of the same list are around, and nest less deep.
#[inline]
pub(crate) fn at_limit_in(list: usize) -> bool {
    at_depth_limit() || nested_at_limit(list)
}

/// Whether calls of the list at this address are around, and calls are nested so deep that it should be left to them.
#[inline]
pub(crate) fn nested_at_limit(list: usize) -> bool {
    depth() >= RING_LIMIT && is_nested(list)
}

/// How many calls this thread is in.
#[inline]
#[expect(unsafe_code, reason = "looks at the call around, which lies on this thread's stack")]
fn depth() -> u32 {
    // SAFETY: null, or put there by `call_now`, which takes it away before it returns; and this runs below all calls of this thread.
    unsafe { CALLING.with(Cell::get).as_ref() }.map_or(0, |call| call.depth)
}

/// Whether this thread is in a call of the same list (its address), or has kept one for later.
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
    DEFERRED.with(|deferred| deferred.borrow().lists.contains(&of))
}

/// Calls a user's code that was on the list at this address, now or when the calls around have returned.
#[inline]
pub(crate) fn call(list: usize, code: impl FnOnce() + 'static) {
    if at_depth_limit() { later(list, move || call_now(list, code)) } else { call_now(list, code) }
}

/// Calls a user's code that was on the list at this address. Not where calls are nested deep.
#[inline]
pub(crate) fn call_now(list: usize, code: impl FnOnce()) {
    let outer = CALLING.with(Cell::get);
    let call = Call { list, depth: depth() + 1, outer };
    CALLING.with(|calling| calling.set(&raw const call));
    catch_panic(code);
    CALLING.with(|calling| calling.set(outer));
    if HAS_DEFERRED.with(Cell::get) {
        run_deferred();
    }
}

/// Drops what is the user's and belongs to no list, now or when the calls around have returned.
pub(crate) fn discard(value: impl Sized + 'static) {
    call(NO_LIST, || drop(value));
}

/// No list has this address.
pub(crate) const NO_LIST: usize = 0;

/// Runs `code`, which may call what is on the list at this address, when the innermost call that is not nested too deep has returned.
#[cold]
pub(crate) fn later(list: usize, code: impl FnOnce() + 'static) {
    DEFERRED.with(|deferred| {
        let mut deferred = deferred.borrow_mut();
        deferred.code.push_back(Box::new(code));
        deferred.lists.insert(list);
    });
    HAS_DEFERRED.with(|has_deferred| has_deferred.set(true));
}

/// Runs what is kept, unless calls still nest too deep. Never from within another run, so that runs do not nest.
#[cold]
fn run_deferred() {
    if at_depth_limit() || IS_RUNNING.with(|is_running| is_running.replace(true)) {
        return;
    }
    while let Some(code) = DEFERRED.with(|deferred| deferred.borrow_mut().code.pop_front()) {
        catch_panic(code);
    }
    DEFERRED.with(|deferred| deferred.take());
    HAS_DEFERRED.with(|has_deferred| has_deferred.set(false));
    IS_RUNNING.with(|is_running| is_running.set(false));
}

/// Runs a user's code that has nothing to do with the caller. What it panics with was shown by the panic hook, and ends here.
fn catch_panic(code: impl FnOnce()) {
    let mut outcome = catch_unwind(AssertUnwindSafe(code));
    // What was thrown is dropped by the user's code too, which may throw again; at some point it is let go.
    for _ in 0..3 {
        let Err(thrown) = outcome else { return };
        outcome = catch_unwind(AssertUnwindSafe(|| drop(thrown)));
    }
    std::mem::forget(outcome);
}
