//! The publisher's side: nodes that were taken out of their slots, and when they can be used again.

#![expect(unsafe_code, reason = "reclaims nodes, once it is shown that nobody looks at them")]

use std::cell::Cell;
use std::mem;
use std::ops::{Deref, DerefMut};

use super::node::{Leftovers, Node, Retired};
use crate::contain::contain;
use crate::registry::{Registry, View};
use crate::sync::{CachePadded, KEPT_BACK, TryLock, TryLockGuard, thread_local};

/// How deep publishes may nest in drops of messages: then dropping is left to the publishes around.
const DEPTH_LIMIT: u32 = 16;

thread_local! {
    /// How many drops of messages this thread is in.
    #[allow(clippy::missing_const_for_thread_local, reason = "the shim's has no const form")]
    static DEPTH: Cell<u32> = Cell::new(0);
}

/// Whether this is not the place to drop messages: each drop may publish, and have the next message dropped, and so on.
fn is_deep<T>() -> bool {
    mem::needs_drop::<T>() && DEPTH.with(Cell::get) >= DEPTH_LIMIT
}

/// What one publisher keeps: nodes to be reclaimed, and nodes to be used again.
pub struct Pool<T>(CachePadded<TryLock<Lists<T>>>);

/// Together the lists have about as many nodes as [`Lists::period`] says, but for borrowed ones.
pub(super) struct Lists<T> {
    /// Taken out of their slots; the first `kept` were borrowed when somebody looked last.
    retired: Vec<Retired<T>>,
    kept: usize,
    /// Nobody looks at these. Each has its old message in it until it is used again, so that a publish drops one message at a
    /// time, and the allocator has what is freed at hand for the next.
    spare: Vec<Box<Node<T>>>,
    view: View,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(CachePadded::new(TryLock::default()))
    }
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { retired: Vec::new(), kept: 0, spare: Vec::new(), view: View::default() }
    }
}

impl<T> Pool<T> {
    #[inline]
    pub(super) fn alone(&mut self) -> Desk<'_, T> {
        Desk::Alone(self.0.get_mut())
    }

    #[inline]
    pub(super) fn beside(&self) -> Option<Desk<'_, T>> {
        self.0.try_lock().map(Desk::Locked)
    }

    /// Its publisher is gone. What is borrowed is left to other publishers, or to the end of the ring.
    pub(super) fn retire(
        &mut self,
        leftovers: &Leftovers<T>,
        registry: &Registry,
        last: bool,
        remains: &mut Remains<T>,
    ) {
        let Lists { retired, mut spare, .. } = mem::take(self.0.get_mut());
        let deep = is_deep::<T>().then(|| mem::take(&mut spare));
        retired
            .into_iter()
            .chain(deep.into_iter().flatten().map(Retired::from_box))
            .for_each(|node| leftovers.push(node));
        remains.spare.append(&mut spare);
        if last || leftovers_are_due(leftovers, registry) {
            reclaim(leftovers, registry, remains);
        }
    }
}

impl<T> Lists<T> {
    /// How many nodes are retired between two looks at the pins, so that a look costs each of them little however many
    /// subscribers there are.
    fn period(&self) -> usize {
        self.view.len().max(KEPT_BACK)
    }

    #[inline]
    fn retire(&mut self, node: Retired<T>, leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
        self.retired.push(node);
        if self.retired.len() - self.kept >= self.period() {
            self.look_and_trim(leftovers, registry, remains);
        }
    }

    #[cold]
    fn look_and_trim(&mut self, leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
        self.look(leftovers, registry);
        // More than that was borrowed, and came back. In the depth it stays for the next one.
        let enough = self.period();
        if self.spare.len() > enough && !is_deep::<T>() {
            remains.spare.extend(self.spare.drain(enough..));
        }
    }

    /// Finds out who looks at what.
    fn look(&mut self, leftovers: &Leftovers<T>, registry: &Registry) {
        self.retired.extend(leftovers.take());
        // After the last of them was taken out of its slot.
        let pins = self.view.pins(registry);
        let mut at = 0;
        while let Some(node) = self.retired.get(at) {
            if pins.binary_search(&node.pin()).is_ok() {
                at += 1;
            } else {
                let node = self.retired.swap_remove(at);
                // SAFETY: it was out of its slot before the fence in `pins`, and no pin is on it: whoever announces one from now on
                // finds the slot taken, and whoever had one before is done with it.
                self.spare.push(unsafe { node.reclaim() });
            }
        }
        self.kept = self.retired.len();
    }
}

/// Leftovers that nobody looks at; the others stay.
#[cold]
fn reclaim<T>(leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
    let mut lists = Lists::default();
    lists.look(leftovers, registry);
    lists.retired.into_iter().for_each(|borrowed| leftovers.push(borrowed));
    remains.spare.append(&mut lists.spare);
}

/// Whether so many nodes are left over that it is time to reclaim them, though at most one for each subscriber is borrowed.
fn leftovers_are_due<T>(leftovers: &Leftovers<T>, registry: &Registry) -> bool {
    let count = leftovers.len();
    count >= KEPT_BACK && count >= KEPT_BACK + registry.len() && !is_deep::<T>()
}

/// A publisher's pool, in use.
pub(super) enum Desk<'p, T> {
    Alone(&'p mut Lists<T>),
    Locked(TryLockGuard<'p, Lists<T>>),
}

impl<T> Deref for Desk<'_, T> {
    type Target = Lists<T>;

    fn deref(&self) -> &Lists<T> {
        match self {
            Self::Alone(lists) => lists,
            Self::Locked(lists) => lists,
        }
    }
}

impl<T> DerefMut for Desk<'_, T> {
    fn deref_mut(&mut self) -> &mut Lists<T> {
        match self {
            Self::Alone(lists) => lists,
            Self::Locked(lists) => lists,
        }
    }
}

/// A message in a node, ready for a slot.
pub struct Draft<'p, T> {
    desk: Option<Desk<'p, T>>,
    node: Box<Node<T>>,
}

impl<'p, T> Draft<'p, T> {
    #[inline]
    pub(super) fn new(mut desk: Option<Desk<'p, T>>, item: T, remains: &mut Remains<T>) -> Self {
        let spare = if is_deep::<T>() { None } else { desk.as_mut().and_then(|desk| desk.spare.pop()) };
        let node = match spare {
            Some(mut node) => {
                remains.dead = Some(mem::replace(&mut node.value, item));
                node
            }
            None => Node::new(item),
        };
        Self { desk, node }
    }

    /// The node, to be put into the slot that `sequence` has taken.
    #[inline]
    pub(super) fn place(mut self, sequence: u64) -> (*mut Node<T>, Option<Desk<'p, T>>) {
        self.node.sequence = sequence;
        (Box::into_raw(self.node), self.desk)
    }

    pub(super) fn cancel(self) -> T {
        self.node.value
    }
}

/// A message is in its slot; this is what was there before.
pub struct Written<'p, T> {
    pub(super) desk: Option<Desk<'p, T>>,
    pub(super) displaced: Option<Retired<T>>,
}

impl<T> Written<'_, T> {
    /// Keeps what was displaced until nobody looks at it.
    #[inline]
    pub(super) fn settle(self, leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
        match (self.displaced, self.desk) {
            (None, _) => {}
            (Some(node), Some(mut desk)) => desk.retire(node, leftovers, registry, remains),
            (Some(node), None) => {
                leftovers.push(node);
                if leftovers_are_due(leftovers, registry) {
                    reclaim(leftovers, registry, remains);
                }
            }
        }
    }
}

/// Messages that nobody will see again. To be dropped when nothing is held: that runs the user's code. What it panics with
/// ends here.
#[must_use]
pub struct Remains<T> {
    dead: Option<T>,
    spare: Vec<Box<Node<T>>>,
}

impl<T> Default for Remains<T> {
    #[inline]
    fn default() -> Self {
        Self { dead: None, spare: Vec::new() }
    }
}

impl<T> Drop for Remains<T> {
    #[inline]
    fn drop(&mut self) {
        if self.dead.is_some() {
            // In place: no copy on the way out.
            one_deeper(|| self.dead = None);
        }
        if !self.spare.is_empty() {
            self.drop_spare();
        }
    }
}

impl<T> Remains<T> {
    #[cold]
    fn drop_spare(&mut self) {
        for node in self.spare.drain(..) {
            one_deeper(|| drop(node));
        }
    }
}

/// Drops a message.
#[inline]
fn one_deeper(drop_message: impl FnOnce()) {
    let depth = DEPTH.with(Cell::get);
    DEPTH.with(|now| now.set(depth + 1));
    contain(drop_message);
    DEPTH.with(|now| now.set(depth));
}
