//! Parked subscribers: register, look again, sleep; publish, fence, look, wake. One mechanism for tasks and threads (a
//! thread is a waker that unparks it).
//!
//! # No wake-up is lost
//!
//! A parker registers its waker, queues itself, runs `fence(SeqCst)` and *then* looks at the ring once more (slot, hole,
//! lap, end) before it sleeps. A publisher commits, runs `fence(SeqCst)` and *then* looks at the lists. Of two such
//! fences one comes first: if the parker's, the publisher sees it queued; if the publisher's, the parker's second look
//! sees the message.
//!
//! # The fence that is not there until somebody parks
//!
//! A ring starts without `ARMED`, and publishers that see neither `ARMING` nor `ARMED` run no fence. The first parker
//! queues itself, sets `ARMING`, has a barrier run on every core of the process (`barrier.rs`), sets `ARMED`, and goes on
//! as above. Take any publish. If its load of the state saw one of the bits, it fences, and the argument above holds.
//! If it saw neither, that load came before the barrier on its core (after it, `ARMING` is seen), and so did its commit,
//! which is earlier in program order; so the parker's look after the barrier sees the message. A parker that
//! finds `ARMING` alone runs a barrier of its own. One that finds `ARMED` relies on it being set only after a barrier was
//! complete: no publisher still acts on an older state. If the barrier ever fails (a sandbox put on after the ring was
//! made), nothing is proved any more: `UNPROVEN` is set and parkers look again every millisecond.
//!
//! # Nobody is held by somebody else's waker
//!
//! A waker is the user's code: it may take its time, call back into the ring, or panic. Before a publisher calls one it
//! puts the rest of the list where any other publisher finds it (`owed`). A panic is the waker's owner's affair: it ends
//! here, and the others are woken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use crate::barrier;
use crate::state::{self, State};
use crate::sync::{Arc, AtomicBool, AtomicPtr, CachePadded, Ordering, Unparker, WakerCell, fence};

/// How often a parker looks again when nothing proves that it will be woken.
const UNPROVEN_PERIOD: Duration = Duration::from_millis(1);

/// A subscriber's place on the wait list.
#[derive(Debug)]
pub(crate) struct Waiter {
    waker: WakerCell,
    unparker: Unparker,
    /// Whether it is on a list or in a publisher's hand. Set and cleared by `swap` alone.
    queued: AtomicBool,
    /// The next on the list; owned by whoever owns the node: its subscriber until it is queued, then who takes it.
    next: AtomicPtr<Waiter>,
    /// For onlookers: asleep, or just told to wake.
    parked: AtomicBool,
}

/// A thread that sleeps in a blocking call.
impl Wake for Waiter {
    fn wake(self: Arc<Self>) {
        self.unparker.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.unparker.unpark();
    }
}

impl Waiter {
    pub(crate) fn new(unparker: Unparker) -> Self {
        Self {
            waker: WakerCell::default(),
            unparker,
            queued: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
            parked: AtomicBool::new(false),
        }
    }

    /// Says that its subscriber sleeps now.
    pub(crate) fn set_parked(&self) {
        self.parked.store(true, Ordering::Relaxed); // Relaxed: only onlookers read it
    }

    pub(crate) fn is_parked(&self) -> bool {
        self.parked.load(Ordering::Relaxed) // Relaxed: a glance
    }

    /// Forgets the waker: its subscriber is awake or gone. The place on the list stays until a publisher takes it.
    pub(crate) fn disarm(&self) {
        self.parked.store(false, Ordering::Relaxed);
        drop(self.waker.take());
    }
}

/// The subscribers of a ring that sleep or are about to.
#[derive(Debug)]
pub(crate) struct WaitList(CachePadded<Lists>);

#[derive(Debug)]
struct Lists {
    /// Whoever parked since a publisher looked last.
    parked: AtomicPtr<Waiter>,
    /// Taken off `parked` by a publisher that is calling the waker of another.
    owed: AtomicPtr<Waiter>,
}

/// How a parker may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleep {
    /// Until woken.
    Sound,
    /// No longer than this, then look again.
    NoLongerThan(Duration),
}

impl Sleep {
    /// The earlier of the caller's deadline and the sleeper's own.
    pub(crate) fn until(self, deadline: Option<Instant>) -> Option<Instant> {
        match self {
            Sleep::Sound => deadline,
            Sleep::NoLongerThan(period) => {
                let look = Instant::now() + period;
                Some(deadline.map_or(look, |deadline| deadline.min(look)))
            }
        }
    }
}

impl WaitList {
    pub(crate) fn new() -> Self {
        Self(CachePadded::new(Lists { parked: AtomicPtr::new(ptr::null_mut()), owed: AtomicPtr::new(ptr::null_mut()) }))
    }

    /// Registers `waker` and queues `waiter`. The caller must look at the ring once more before it sleeps.
    pub(crate) fn enlist(&self, state: &State, waiter: &Arc<Waiter>, waker: &Waker) -> Sleep {
        waiter.waker.register(waker);
        // AcqRel: Release so that whoever clears it sees the waker; Acquire so that `next` is ours after the last owner.
        if !waiter.queued.swap(true, Ordering::AcqRel) {
            let node = Arc::into_raw(Arc::clone(waiter)).cast_mut();
            push(&self.0.parked, Chain { first: node, last: node });
        }
        let sleep = arm(state);
        // Pairs with the fence in `wake`: one of the two sees the other.
        fence(Ordering::SeqCst);
        sleep
    }

    /// Wakes everybody who is parked, after a commit, a skip or the end of the ring.
    #[cold]
    pub(crate) fn wake(&self) {
        // Pairs with the fence in `enlist`: one of the two sees the other.
        fence(Ordering::SeqCst);
        // Relaxed: the fence orders them after the commit, and `take` acquires.
        if !self.0.parked.load(Ordering::Relaxed).is_null() {
            self.wake_each(take(&self.0.parked));
        }
        while !self.0.owed.load(Ordering::Relaxed).is_null() {
            self.wake_each(take(&self.0.owed));
        }
    }

    fn wake_each(&self, list: *mut Waiter) {
        let mut list = list;
        while let Some(waiter) = pop(&mut list) {
            if !list.is_null() {
                push(&self.0.owed, Chain::of(list));
            }
            // AcqRel: Acquire so that the waker registered before the `swap(true)` is seen; Release so that whoever
            // queues it next owns `next`. After `next` was read, and before the wake: woken first, it could find itself still
            // queued, not queue again, and sleep for ever.
            waiter.queued.swap(false, Ordering::AcqRel);
            wake(&waiter);
            list = take(&self.0.owed);
        }
    }
}

impl Drop for WaitList {
    fn drop(&mut self) {
        for head in [&self.0.parked, &self.0.owed] {
            let mut list = take(head);
            while pop(&mut list).is_some() {}
        }
    }
}

/// Has publishers fence from now on, and makes sure that each of them knows.
fn arm(state: &State) -> Sleep {
    let bits = state.load();
    if bits & state::ARMED == 0 {
        state.set(state::ARMING);
        if !barrier::everywhere() {
            state.set(state::UNPROVEN);
        }
        state.set(state::ARMED);
    }
    // Whoever sees ARMED sees UNPROVEN if it was set before (Release in `set`, Acquire in `load`).
    if state.load() & state::UNPROVEN == 0 { Sleep::Sound } else { Sleep::NoLongerThan(UNPROVEN_PERIOD) }
}

/// Calls the waker. What it panics with was shown by the panic hook; the publisher and the other sleepers go on.
fn wake(waiter: &Waiter) {
    let Some(waker) = waiter.waker.take() else { return };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // Its drop is the user's code too, and may panic again.
        std::mem::forget(payload);
    }
}

/// Nodes linked by `next`, owned by who holds this: each is a strong reference.
#[derive(Clone, Copy)]
struct Chain {
    first: *mut Waiter,
    last: *mut Waiter,
}

#[expect(
    unsafe_code,
    reason = "an intrusive list: its nodes are the subscribers' own, so that parking allocates nothing"
)]
mod list {
    use super::{Arc, AtomicPtr, Chain, Ordering, Waiter, ptr};

    impl Chain {
        /// The chain that begins at `first`, which is not null and owned by the caller.
        pub(super) fn of(first: *mut Waiter) -> Self {
            let mut last = first;
            loop {
                // SAFETY: `last` is on a chain that the caller owns, so its strong reference keeps it alive.
                let next = unsafe { &*last }.next.load(Ordering::Relaxed);
                if next.is_null() {
                    return Self { first, last };
                }
                last = next;
            }
        }
    }

    /// Puts a chain in front of a list, which owns it from then on.
    pub(super) fn push(head: &AtomicPtr<Waiter>, chain: Chain) {
        let mut now = head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller owns the chain until the exchange succeeds, so its strong reference keeps it alive.
            // Relaxed: the Release below publishes it.
            unsafe { &*chain.last }.next.store(now, Ordering::Relaxed);
            // Release: pairs with the Acquire of `take`, which then reads every `next`.
            match head.compare_exchange_weak(now, chain.first, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }

    /// Takes a whole list. Nodes are never taken one by one, so there is no ABA.
    pub(super) fn take(head: &AtomicPtr<Waiter>) -> *mut Waiter {
        // Acquire: pairs with the Release of every `push` in the list (each a part of the next one's release sequence).
        head.swap(ptr::null_mut(), Ordering::Acquire)
    }

    /// Takes the first node of a chain that the caller owns.
    pub(super) fn pop(list: &mut *mut Waiter) -> Option<Arc<Waiter>> {
        if list.is_null() {
            return None;
        }
        // SAFETY: made by `Arc::into_raw` in `enlist`, and the chain's strong reference passes to the caller here.
        let waiter = unsafe { Arc::from_raw(*list) };
        // Relaxed: ours since `take`.
        *list = waiter.next.load(Ordering::Relaxed);
        Some(waiter)
    }
}
use list::{pop, push, take};
