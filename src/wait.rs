//! Parked subscribers: register, look again, sleep; publish, fence, look, wake. One mechanism for tasks and threads (a
//! thread is a waker that unparks it).
//!
//! # No wake-up is lost
//!
//! A parker registers its waker, queues itself, runs a full fence and *then* looks at the ring once more (slot, hole,
//! lap, end) before it sleeps. A publisher commits, runs a full fence and *then* looks at the lists. Of two such
//! fences one comes first: if the parker's, the publisher sees it queued; if the publisher's, the parker's second look
//! sees the message.
//!
//! # The fence that is not there until somebody parks
//!
//! A ring starts without `ARMED`, and publishers that see neither `ARMING` nor `ARMED` run no fence. The first parker
//! queues itself, sets `ARMING`, has a barrier run on every core of the process (`sync/os.rs`), sets `ARMED`, and goes on
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
//! here, and the others are woken. A waker may publish, and so call the next waker, and so on; from some depth on, what is owed
//! is left to the publish around, so that a thousand of those do not nest a thousand deep.

use std::ptr;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use crate::nesting::{self, contain};
use crate::state::{self, State};
use crate::sync::{
    Arc, AtomicBool, AtomicPtr, AtomicUsize, CachePadded, Ordering, Unparker, WakerCell, barrier_everywhere, full_fence,
};

/// How often a parker looks again when nothing proves that it will be woken.
const UNPROVEN_PERIOD: Duration = Duration::from_millis(1);

/// Places that dropped subscribers may leave on the list, beyond one for each live one.
const ABANDONED_LIMIT: usize = 64;

/// A subscriber's place on the wait list.
#[derive(Debug)]
pub(crate) struct Waiter {
    waker: WakerCell,
    unparker: Unparker,
    /// Whether it is on a list or in a publisher's hand. Set and cleared by `swap` alone.
    queued: AtomicBool,
    /// The next on the list. This and `other` belong to whoever owns the node: its subscriber until it is queued, then who
    /// takes it.
    next: AtomicPtr<Waiter>,
    /// In the first node of a list: the first node of another list.
    other: AtomicPtr<Waiter>,
    /// For onlookers: said that it sleeps, and did not take it back.
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
            other: AtomicPtr::new(ptr::null_mut()),
            parked: AtomicBool::new(false),
        }
    }

    /// Says that its subscriber sleeps now.
    pub(crate) fn set_parked(&self) {
        self.parked.store(true, Ordering::Relaxed); // [parked.set] Relaxed: only onlookers read it
    }

    pub(crate) fn is_parked(&self) -> bool {
        // [parked.look] [queued.glance] Relaxed, both: a glance. Who was taken off the list was told to wake.
        self.parked.load(Ordering::Relaxed) && self.queued.load(Ordering::Relaxed)
    }

    /// Forgets the waker: its subscriber is awake or gone. The place on the list stays until a publisher takes it.
    pub(crate) fn disarm(&self) {
        self.parked.store(false, Ordering::Relaxed); // [parked.clear] Relaxed: as above
        let waker = self.waker.take();
        contain(|| drop(waker));
    }
}

impl Drop for Waiter {
    /// A waker that is still here is the user's, and so is its drop, which must not take the publisher along that happens to
    /// hold the last reference.
    fn drop(&mut self) {
        let waker = std::mem::take(&mut self.waker);
        contain(|| drop(waker));
    }
}

/// The subscribers of a ring that sleep or are about to.
#[derive(Debug)]
pub(crate) struct WaitList(CachePadded<Lists>);

#[derive(Debug)]
struct Lists {
    /// Whoever parked since a publisher looked last.
    parked: AtomicPtr<Waiter>,
    /// Taken off `parked` by a publisher that is calling the waker of another. A list of lists.
    owed: AtomicPtr<Waiter>,
    /// About how many on them belong to subscribers that are gone.
    abandoned: AtomicUsize,
}

/// How a parker may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleep {
    /// Until woken.
    Sound,
    /// No longer than `UNPROVEN_PERIOD`, then look again: nothing proves the wake-up.
    Unproven,
}

impl Sleep {
    /// The earlier of the caller's deadline and the sleeper's own.
    pub(crate) fn until(self, deadline: Option<Instant>) -> Option<Instant> {
        match self {
            Sleep::Sound => deadline,
            Sleep::Unproven => {
                let look = Instant::now() + UNPROVEN_PERIOD;
                Some(deadline.map_or(look, |deadline| deadline.min(look)))
            }
        }
    }
}

impl WaitList {
    pub(crate) fn new() -> Self {
        Self(CachePadded::new(Lists {
            parked: AtomicPtr::new(ptr::null_mut()),
            owed: AtomicPtr::new(ptr::null_mut()),
            abandoned: AtomicUsize::new(0),
        }))
    }

    /// Registers `waker` and queues `waiter`. The caller must look at the ring once more before it sleeps.
    pub(crate) fn enlist(&self, state: &State, waiter: &Arc<Waiter>, waker: &Waker) -> Sleep {
        waiter.waker.register(waker);
        // [queued.set] AcqRel: Release so that whoever clears it sees the waker; Acquire so that `next` is ours after the last owner.
        if !waiter.queued.swap(true, Ordering::AcqRel) {
            push(&self.0.parked, Arc::clone(waiter));
        }
        let sleep = arm(state);
        // [park.fence] Pairs with the fence in `wake`: one of the two sees the other.
        full_fence();
        sleep
    }

    /// Wakes everybody who is parked, after a commit, a skip or the end of the ring.
    #[cold]
    pub(crate) fn wake(&self) {
        // [wake.fence] Pairs with the fence in `enlist`: one of the two sees the other.
        full_fence();
        let mut lists = take(&self.0.parked);
        if !lists.is_null() {
            self.0.abandoned.store(0, Ordering::Relaxed); // [abandoned.reset] Relaxed: about right will do
        }
        if nesting::is_deep(self.address()) {
            return give_back(&self.0.owed, lists);
        }
        loop {
            if lists.is_null() {
                lists = take(&self.0.owed);
            }
            let Some(waiter) = pop(&mut lists) else { return };
            give_back(&self.0.owed, std::mem::replace(&mut lists, ptr::null_mut()));
            // [queued.clear] AcqRel: Acquire so that the waker registered before the `swap(true)` is seen; Release so that whoever
            // queues it next owns `next`. After `next` was read, and before the wake: woken first, it could find itself still
            // queued, not queue again, and sleep for ever.
            waiter.queued.swap(false, Ordering::AcqRel);
            if let Some(waker) = waiter.waker.take() {
                nesting::call(self.address(), || waker.wake());
            }
        }
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// A subscriber is gone, perhaps with its place on the list. When too many of those have come together (on a ring where
    /// nobody publishes), everybody is woken to be rid of them: a wake-up without a message does no harm.
    pub(crate) fn abandon(&self, waiter: &Waiter, live: impl Fn() -> usize) {
        // [queued.look] [abandoned.count] Relaxed, both: only a count, and about right.
        if waiter.queued.load(Ordering::Relaxed) {
            let abandoned = self.0.abandoned.fetch_add(1, Ordering::Relaxed) + 1;
            if abandoned > ABANDONED_LIMIT && abandoned > ABANDONED_LIMIT + live() {
                self.wake();
            }
        }
    }
}

impl Drop for WaitList {
    fn drop(&mut self) {
        for head in [&self.0.parked, &self.0.owed] {
            let mut lists = take(head);
            while pop(&mut lists).is_some() {}
        }
    }
}

/// Has publishers fence from now on, and makes sure that each of them knows.
fn arm(state: &State) -> Sleep {
    let bits = state.load();
    if bits & state::ARMED == 0 {
        state.set(state::ARMING);
        // [arm.barrier] On the publishers' side of the fences, for those that run none.
        if !barrier_everywhere() {
            state.set(state::UNPROVEN);
        }
        state.set(state::ARMED);
    }
    // Whoever sees ARMED sees UNPROVEN if it was set before (Release in `set`, Acquire in `load`).
    if state.load() & state::UNPROVEN == 0 { Sleep::Sound } else { Sleep::Unproven }
}

use list::{give_back, pop, push, take};

/// Treiber stacks of waiters; every node on one is a strong reference. Lists are taken whole and never node by node, so there
/// is no ABA and nobody looks into a node that he does not own.
#[expect(
    unsafe_code,
    reason = "an intrusive list: its nodes are the subscribers' own, so that parking allocates nothing"
)]
mod list {
    use super::{Arc, AtomicPtr, Ordering, Waiter, ptr};

    /// Puts a node in front of a list, which owns it from then on.
    pub(super) fn push(head: &AtomicPtr<Waiter>, waiter: Arc<Waiter>) {
        // [list.other-none] Relaxed, as all stores here: the Release below publishes them.
        waiter.other.store(ptr::null_mut(), Ordering::Relaxed);
        let node = Arc::into_raw(waiter).cast_mut();
        // [list.guess] Relaxed: a guess, which the exchange checks.
        let mut now = head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the node was not given away yet, so the strong reference in `node` keeps it alive. [list.link]
            unsafe { &*node }.next.store(now, Ordering::Relaxed);
            // [list.push] Release: pairs with the Acquire of `take`, which then reads every `next`.
            match head.compare_exchange_weak(now, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }

    /// Puts lists that the caller owns, or none, where others find them, together with what is there.
    pub(super) fn give_back(head: &AtomicPtr<Waiter>, lists: *mut Waiter) {
        if lists.is_null() {
            return;
        }
        // [list.give-back] Release: pairs with the Acquire of `take`.
        while head.compare_exchange(ptr::null_mut(), lists, Ordering::Release, Ordering::Relaxed).is_err() {
            let there = take(head);
            if !there.is_null() {
                append(lists, there);
            }
        }
    }

    /// Appends lists to others, both owned by the caller.
    fn append(lists: *mut Waiter, more: *mut Waiter) {
        let mut last = lists;
        loop {
            // SAFETY: `last` is a first node of lists that the caller owns, so its strong reference keeps it alive.
            let other = &unsafe { &*last }.other;
            // [list.walk] Relaxed: ours since `take`.
            let next = other.load(Ordering::Relaxed);
            if next.is_null() {
                // [list.append] Relaxed: as above.
                return other.store(more, Ordering::Relaxed);
            }
            last = next;
        }
    }

    /// Takes whatever is there; null when there is nothing.
    pub(super) fn take(head: &AtomicPtr<Waiter>) -> *mut Waiter {
        // [list.look] Relaxed: a look, so that nobody pays for a swap where nobody waits. A publisher's fence orders it after its commit.
        if head.load(Ordering::Relaxed).is_null() {
            return ptr::null_mut();
        }
        // [list.take] Acquire: pairs with the Release of `give_back`, and of every `push` in the list (each a part of the next one's
        // release sequence).
        head.swap(ptr::null_mut(), Ordering::Acquire)
    }

    /// Takes the first node of lists that the caller owns.
    pub(super) fn pop(lists: &mut *mut Waiter) -> Option<Arc<Waiter>> {
        if lists.is_null() {
            return None;
        }
        // SAFETY: made by `Arc::into_raw` in `push`, and the list's strong reference passes to the caller here.
        let waiter = unsafe { Arc::from_raw(*lists) };
        // [list.next] [list.other] Relaxed, all: ours since `take`.
        let (next, other) = (waiter.next.load(Ordering::Relaxed), waiter.other.load(Ordering::Relaxed));
        if next.is_null() {
            *lists = other;
        } else {
            // SAFETY: `next` is on a list that the caller owns, so its strong reference keeps it alive. [list.pass]
            unsafe { &*next }.other.store(other, Ordering::Relaxed);
            *lists = next;
        }
        Some(waiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_looks_again_in_time() {
        let (now, day) = (Instant::now(), Duration::from_secs(86_400));
        assert_eq!(Sleep::Sound.until(None), None);
        assert_eq!(Sleep::Sound.until(Some(now + day)), Some(now + day));
        let soon = |until: Option<Instant>| until.unwrap() < now + day / 2;
        assert!(soon(Sleep::Unproven.until(None)) && soon(Sleep::Unproven.until(Some(now + day))));
        assert_eq!(Sleep::Unproven.until(Some(now)), Some(now));
    }

    #[test]
    fn to_give_back_nothing_changes_nothing() {
        let owed = AtomicPtr::new(ptr::null_mut());
        give_back(&owed, ptr::null_mut());
        assert!(take(&owed).is_null());
        let waiter = Arc::new(Waiter::new(crate::sync::Parker::default().unparker()));
        push(&owed, Arc::clone(&waiter));
        // Somebody else was quicker to take what is given back here, and others have given back meanwhile.
        give_back(&owed, ptr::null_mut());
        let mut lists = take(&owed);
        assert!(pop(&mut lists).is_some_and(|first| Arc::ptr_eq(&first, &waiter)));
        assert!(lists.is_null() && take(&owed).is_null());
    }
}
