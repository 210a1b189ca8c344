//! Calls of user code: wakers, and drops of messages and wakers.
//!
//! The code may belong to another user than the one whose call runs it. If it panics, the panic is
//! caught here. It may use rings, this one or others, which then have more user code to call, and
//! so on. Calls nest at most [`DEPTH_LIMIT`] deep on a thread, in any number of rings. From a depth
//! of [`RING_LIMIT`] on, a call is left to an outer call of the same ring, if there is one. All
//! other calls that would be too deep are deferred ([`later`]) and run when the outer calls have
//! returned.
//!
//! Drops of messages need one more rule. A message whose drop publishes to its own ring has that
//! ring drop another message, and so on without end. So a publisher that is nested deep in a call
//! of its own ring ([`nested_at_limit`]) drops no message. The next publish does.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::sync::thread_local;

/// How deep calls may nest on a thread. Programs should stay far below it: a thread that is
/// suspended in a call at this depth leaves deferred wake-ups undone.
const DEPTH_LIMIT: u32 = 128;

/// The depth from which a call of a ring is left to an outer call of the same ring.
const RING_LIMIT: u32 = 32;

/// A call, on the stack of the thread that makes it.
struct Call {
    /// The address of the list to which the called code belongs. It identifies the ring.
    list: usize,
    depth: u32,
    /// The next outer call, or null.
    outer: *const Call,
}

/// Calls that were deferred.
#[derive(Default)]
struct Deferred {
    code: VecDeque<Box<dyn FnOnce()>>,
    /// The lists to which deferred code has belonged since the queue was last empty.
    lists: HashSet<usize>,
}

thread_local! {
    /// The innermost call of this thread, or null.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's macro has no const form")]
    static CALLING: Cell<*const Call> = Cell::new(ptr::null());
    /// Whether any call is deferred, or is being run.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's macro has no const form")]
    static HAS_DEFERRED: Cell<bool> = Cell::new(false);
    /// Whether deferred calls are being run.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's macro has no const form")]
    static IS_RUNNING: Cell<bool> = Cell::new(false);
    /// Never dropped, so that it exists until the thread ends. No call is lost, because it is empty
    /// when no call is under way.
    static DEFERRED: ManuallyDrop<RefCell<Deferred>> = ManuallyDrop::default();
}

/// Returns whether calls nest so deep on this thread that it must make no further call.
#[inline]
pub(crate) fn at_depth_limit() -> bool {
    depth() >= DEPTH_LIMIT
}

/// Returns whether the thread must make no further call of the list at this address. Calls of the
/// same list have a lower limit.
#[inline]
pub(crate) fn at_limit_in(list: usize) -> bool {
    at_depth_limit() || nested_at_limit(list)
}

/// Returns whether outer calls of the list at this address exist, and calls nest so deep that the
/// next one is left to them.
#[inline]
pub(crate) fn nested_at_limit(list: usize) -> bool {
    depth() >= RING_LIMIT && is_nested(list)
}

/// Returns how many calls this thread is in.
#[inline]
#[expect(unsafe_code, reason = "reads the innermost call, which is on this thread's stack")]
fn depth() -> u32 {
    // SAFETY: the pointer is null, or `call_now` of this thread has set it and resets it before it
    // returns. This function runs inside all calls of this thread.
    unsafe { CALLING.with(Cell::get).as_ref() }.map_or(0, |call| call.depth)
}

/// Returns whether this thread is in a call of the list at this address, or has deferred one.
#[expect(unsafe_code, reason = "reads the calls of this thread, which are on its stack")]
pub(crate) fn is_nested(of: usize) -> bool {
    let mut call = CALLING.with(Cell::get);
    // SAFETY: as in `depth`. An outer call ends after the inner one.
    while let Some(Call { list, outer, .. }) = unsafe { call.as_ref() } {
        if *list == of {
            return true;
        }
        call = *outer;
    }
    DEFERRED.with(|deferred| deferred.borrow().lists.contains(&of))
}

/// Calls user code that belongs to the list at this address, now or when the outer calls have
/// returned.
#[inline]
pub(crate) fn call(list: usize, code: impl FnOnce() + 'static) {
    if at_depth_limit() { later(list, move || call_now(list, code)) } else { call_now(list, code) }
}

/// Calls user code that belongs to the list at this address. The caller has checked the depth.
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

/// Drops a user's value that belongs to no list, now or when the outer calls have returned.
pub(crate) fn discard(value: impl Sized + 'static) {
    call(NO_LIST, || drop(value));
}

/// An address that no list has.
pub(crate) const NO_LIST: usize = 0;

/// Defers `code`, which may call user code of the list at this address, until calls nest less deep.
#[cold]
pub(crate) fn later(list: usize, code: impl FnOnce() + 'static) {
    DEFERRED.with(|deferred| {
        let mut deferred = deferred.borrow_mut();
        deferred.code.push_back(Box::new(code));
        deferred.lists.insert(list);
    });
    HAS_DEFERRED.with(|has_deferred| has_deferred.set(true));
}

/// Runs deferred calls, unless calls still nest too deep. It returns if they are already being run,
/// so that runs do not nest.
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

/// Runs user code and catches its panic. The panic hook has already shown it.
fn catch_panic(code: impl FnOnce()) {
    let mut outcome = catch_unwind(AssertUnwindSafe(code));
    // The payload of the panic is dropped by user code too, which may panic again. After a few
    // attempts it is leaked.
    for _ in 0..3 {
        let Err(thrown) = outcome else { return };
        outcome = catch_unwind(AssertUnwindSafe(|| drop(thrown)));
    }
    std::mem::forget(outcome);
}
