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
    pub(super) fn retire(&mut self, leftovers: &Leftovers<T>, registry: &Registry, last: bool) -> Remains<T> {
        let Lists { retired, mut spare, .. } = mem::take(self.0.get_mut());
        let deep = is_deep::<T>().then(|| mem::take(&mut spare));
        retired
            .into_iter()
            .chain(deep.into_iter().flatten().map(Retired::from_box))
            .for_each(|node| leftovers.push(node));
        if last || leftovers_are_due(leftovers, registry) {
            spare.extend(reclaim(leftovers, registry));
        }
        Remains { dead: None, spare }
    }
}

impl<T> Lists<T> {
    /// How many nodes are retired between two looks at the pins, so that a look costs each of them little however many
    /// subscribers there are.
    fn period(&self) -> usize {
        self.view.len().max(KEPT_BACK)
    }

    fn retire(&mut self, node: Retired<T>, leftovers: &Leftovers<T>, registry: &Registry) -> Vec<Box<Node<T>>> {
        self.retired.push(node);
        if self.retired.len() - self.kept < self.period() {
            return Vec::new();
        }
        self.look(leftovers, registry);
        // More than that was borrowed, and came back. In the depth it stays for the next one.
        let enough = self.period();
        if self.spare.len() > enough && !is_deep::<T>() { self.spare.split_off(enough) } else { Vec::new() }
    }

    /// Finds out who looks at what.
    #[cold]
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
fn reclaim<T>(leftovers: &Leftovers<T>, registry: &Registry) -> Vec<Box<Node<T>>> {
    let mut lists = Lists::default();
    lists.look(leftovers, registry);
    lists.retired.into_iter().for_each(|borrowed| leftovers.push(borrowed));
    lists.spare
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
    node: Box<Node<T>>,
    rest: Written<'p, T>,
}

impl<'p, T> Draft<'p, T> {
    #[inline]
    pub(super) fn new(mut desk: Option<Desk<'p, T>>, item: T) -> Self {
        let spare = if is_deep::<T>() { None } else { desk.as_mut().and_then(|desk| desk.spare.pop()) };
        let (node, dead) = match spare {
            Some(mut node) => {
                let dead = mem::replace(&mut node.value, item);
                (node, Some(dead))
            }
            None => (Node::new(item), None),
        };
        Self { node, rest: Written { desk, displaced: None, dead } }
    }

    /// The node, to be put into the slot that `sequence` has taken.
    #[inline]
    pub(super) fn place(mut self, sequence: u64) -> (*mut Node<T>, Written<'p, T>) {
        self.node.sequence = sequence;
        (Box::into_raw(self.node), self.rest)
    }

    pub(super) fn cancel(self) -> (T, Remains<T>) {
        (self.node.value, Remains { dead: self.rest.dead, spare: Vec::new() })
    }
}

/// A message is in its slot; this is what was there before, and in the node.
pub struct Written<'p, T> {
    desk: Option<Desk<'p, T>>,
    displaced: Option<Retired<T>>,
    dead: Option<T>,
}

impl<T> Written<'_, T> {
    #[inline]
    pub(super) fn displacing(mut self, displaced: Option<Retired<T>>) -> Self {
        self.displaced = displaced;
        self
    }

    /// Keeps what was displaced until nobody looks at it.
    #[inline]
    pub(super) fn settle(self, leftovers: &Leftovers<T>, registry: &Registry) -> Remains<T> {
        let Self { desk, displaced, dead } = self;
        let spare = match (displaced, desk) {
            (None, _) => Vec::new(),
            (Some(node), Some(mut desk)) => desk.retire(node, leftovers, registry),
            (Some(node), None) => {
                leftovers.push(node);
                if leftovers_are_due(leftovers, registry) { reclaim(leftovers, registry) } else { Vec::new() }
            }
        };
        Remains { dead, spare }
    }
}

/// Messages that nobody will see again. To be dropped when nothing is held: that runs the user's code. What it panics with
/// ends here.
#[must_use]
pub struct Remains<T> {
    dead: Option<T>,
    spare: Vec<Box<Node<T>>>,
}

impl<T> Drop for Remains<T> {
    #[inline]
    fn drop(&mut self) {
        if mem::needs_drop::<T>() && (self.dead.is_some() || !self.spare.is_empty()) {
            let depth = DEPTH.with(Cell::get);
            DEPTH.with(|now| now.set(depth + 1));
            let dead = self.dead.take();
            contain(|| drop(dead));
            for node in self.spare.drain(..) {
                contain(|| drop(node));
            }
            DEPTH.with(|now| now.set(depth));
        }
    }
}
