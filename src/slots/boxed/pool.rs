//! The publisher's side: nodes that were taken out of their slots, and when they can be used again.

#![expect(unsafe_code, reason = "reclaims nodes, once it is shown that nobody looks at them")]

use std::collections::VecDeque;
use std::mem;
use std::ops::{Deref, DerefMut};

use super::node::{Leftovers, Node, Retired};
use crate::registry::{Registry, Seat, View};
use crate::sync::{Arc, CachePadded, KEPT_BACK, TryLock, TryLockGuard};
use crate::wait::reentrancy;

/// How many messages beyond its own share a publish drops at the most, when many come back at once.
const SURPLUS_AT_ONCE: usize = 16;

/// Whether this is not the place to drop messages of this ring: each drop may publish, and have the next message dropped, and so on.
#[inline]
fn is_deep<T>(leftovers: &Leftovers<T>) -> bool {
    mem::needs_drop::<T>() && reentrancy::is_nested_deep(leftovers.address())
}

/// What one publisher keeps: nodes to be reclaimed, and nodes to be used again.
pub struct Pool<T>(CachePadded<TryLock<Lists<T>>>);

/// Together the lists have about as many nodes as are retired between two looks at the pins, but for borrowed ones: each publish
/// takes one and brings one.
pub(super) struct Lists<T> {
    /// Taken out of their slots; the first `kept` were borrowed when somebody looked last.
    retired: Vec<Retired<T>>,
    kept: usize,
    /// Nobody looks at these. Each has its old message in it until it is used again, so that a publish drops one message at a
    /// time, and the allocator has what is freed at hand for the next. First in, first out, so that none is left lying.
    spare: VecDeque<Box<Node<T>>>,
    view: View,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(CachePadded::new(TryLock::default()))
    }
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { retired: Vec::new(), kept: 0, spare: VecDeque::new(), view: View::default() }
    }
}

impl<T: 'static> Pool<T> {
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
        let Lists { retired, spare, .. } = mem::take(self.0.get_mut());
        for node in retired {
            leftovers.push(node);
        }
        if is_deep(leftovers) {
            for node in spare {
                leftovers.push(Retired::from_box(node));
            }
        } else {
            remains.nodes(spare, leftovers);
        }
        if last || leftovers_are_due(leftovers, registry) {
            reclaim(leftovers, registry, remains);
        }
    }
}

impl<T: 'static> Lists<T> {
    #[inline]
    fn retire(&mut self, node: Retired<T>, leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
        self.retired.push(node);
        // The quick answer first.
        if self.retired.len() - self.kept >= KEPT_BACK || self.spare.len() > KEPT_BACK {
            self.tend(leftovers, registry, remains);
        }
    }

    #[cold]
    fn tend(&mut self, leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
        let subscribers = registry.len();
        // So that a look costs each node little, however many subscribers there are.
        let period = subscribers.max(KEPT_BACK);
        if self.retired.len() - self.kept >= period {
            self.look(leftovers, registry, remains);
        }
        // More than that was borrowed, and came back. (One for each subscriber stays, lest what is borrowed at one look and not at the
        // next be freed and allocated in turn. In a drop of this ring all stay, lest drops that publish branch.)
        let surplus = self.spare.len().saturating_sub(period + subscribers);
        if surplus > 0 && !reentrancy::is_nested(leftovers.address()) {
            remains.nodes(self.spare.drain(..surplus.min(SURPLUS_AT_ONCE)), leftovers);
        }
    }

    /// Finds out who looks at what.
    fn look(&mut self, leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
        self.retired.extend(leftovers.take());
        // After the last of them was taken out of its slot.
        let mut seats = Vec::new();
        let pins = self.view.pins(registry, &mut seats);
        if !seats.is_empty() {
            remains.more().seats = seats;
        }
        let mut at = 0;
        while let Some(node) = self.retired.get(at) {
            if pins.binary_search(&node.pin()).is_ok() {
                at += 1;
            } else {
                let node = self.retired.swap_remove(at);
                // SAFETY: it was out of its slot before the fence in `pins`, and no pin is on it: whoever announces one from now on
                // finds the slot taken, and whoever had one before is done with it.
                self.spare.push_back(unsafe { node.reclaim() });
            }
        }
        self.kept = self.retired.len();
    }
}

/// Has leftovers dropped that nobody looks at; the others stay.
#[cold]
fn reclaim<T: 'static>(leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
    let mut lists = Lists::default();
    lists.look(leftovers, registry, remains);
    for borrowed in lists.retired {
        leftovers.push(borrowed);
    }
    remains.nodes(lists.spare, leftovers);
}

/// Whether so many nodes are left over that it is time to reclaim them, though one for each subscriber may be borrowed. Not in a drop of
/// this ring, as it would drop many: drops that publish would branch.
fn leftovers_are_due<T>(leftovers: &Leftovers<T>, registry: &Registry) -> bool {
    leftovers.len() >= KEPT_BACK + registry.len() && !reentrancy::is_nested(leftovers.address())
}

/// No publisher comes by any more, and more is left over than can be borrowed.
pub(super) fn tidy<T: 'static>(leftovers: &Leftovers<T>, registry: &Registry, remains: &mut Remains<T>) {
    if leftovers.len() > registry.len() && !reentrancy::is_nested(leftovers.address()) {
        reclaim(leftovers, registry, remains);
    }
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

impl<'p, T: 'static> Draft<'p, T> {
    #[inline]
    pub(super) fn new(
        mut desk: Option<Desk<'p, T>>,
        item: T,
        leftovers: &Leftovers<T>,
        remains: &mut Remains<T>,
    ) -> Self {
        let spare = if is_deep(leftovers) { None } else { desk.as_mut().and_then(|desk| desk.spare.pop_front()) };
        let node = match spare {
            Some(mut node) if mem::needs_drop::<T>() => {
                remains.dead = Some(mem::replace(&mut node.value, item));
                remains.list = leftovers.address();
                node
            }
            Some(mut node) => {
                node.value = item;
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

    pub(super) fn without_pool(&mut self) {
        self.desk = None;
    }

    pub(super) fn cancel(self) -> T {
        self.node.value
    }

    pub(super) fn discard(self, leftovers: &Leftovers<T>, remains: &mut Remains<T>) {
        remains.nodes([self.node], leftovers);
    }
}

/// A message is in its slot; this is what was there before.
pub struct Written<'p, T> {
    pub(super) desk: Option<Desk<'p, T>>,
    pub(super) displaced: Option<Retired<T>>,
}

impl<T: 'static> Written<'_, T> {
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
pub struct Remains<T: 'static> {
    dead: Option<T>,
    /// Hardly ever there, and then in a box: a publish that leaves nothing else has one word to look at.
    more: Option<Box<More<T>>>,
    /// The address of the ring's leftovers, once there is anything.
    list: usize,
}

struct More<T> {
    nodes: Vec<Box<Node<T>>>,
    seats: Vec<Arc<Seat>>,
}

impl<T: 'static> Default for Remains<T> {
    #[inline]
    fn default() -> Self {
        Self { dead: None, more: None, list: 0 }
    }
}

impl<T: 'static> Remains<T> {
    #[cold]
    fn more(&mut self) -> &mut More<T> {
        self.more.get_or_insert_with(|| Box::new(More { nodes: Vec::new(), seats: Vec::new() }))
    }

    fn nodes(&mut self, nodes: impl IntoIterator<Item = Box<Node<T>>>, leftovers: &Leftovers<T>) {
        let mut nodes = nodes.into_iter().peekable();
        if nodes.peek().is_some() {
            self.list = leftovers.address();
            self.more().nodes.extend(nodes);
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_more(&mut self) {
        let Some(more) = self.more.take() else { return };
        for node in more.nodes {
            reentrancy::call(self.list, || drop(node));
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_dead_later(&mut self) {
        let dead = self.dead.take();
        reentrancy::call(self.list, || drop(dead));
    }
}

impl<T: 'static> Drop for Remains<T> {
    #[inline]
    fn drop(&mut self) {
        if mem::needs_drop::<T>() && self.dead.is_some() {
            if reentrancy::is_deep() {
                self.drop_dead_later();
            } else {
                // In place: no copy on the way out.
                reentrancy::call_now(self.list, || self.dead = None);
            }
        }
        if self.more.is_some() {
            self.drop_more();
        }
    }
}
