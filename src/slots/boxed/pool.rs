//! The publisher's side of a boxed ring: nodes that were taken out of their slots, until they are
//! used again.

#![expect(unsafe_code, reason = "reclaims nodes that no thread reads")]

use std::collections::VecDeque;
use std::mem;
use std::ops::{Deref, DerefMut};

use super::node::{Node, Orphans, Retired};
use crate::registry::{PinSnapshot, Registration, Registry};
use crate::sync::{Arc, CachePadded, SCAN_THRESHOLD, TryLock, TryLockGuard};
use crate::wait::reentrancy;

/// How many surplus messages a publish drops at most, when many `Ref`s were dropped at once.
const SURPLUS_AT_ONCE: usize = 16;

/// Returns whether messages of this ring must not be dropped here, because drops nest too deep.
/// Each drop may publish, and that publish would drop the next message, and so on.
#[inline]
fn defers_drops<T>(orphans: &Orphans<T>) -> bool {
    mem::needs_drop::<T>() && reentrancy::nested_at_limit(orphans.address())
}

/// The nodes that one publisher keeps, to be reclaimed or to be used again.
pub struct Pool<T>(CachePadded<TryLock<RetireList<T>>>);

/// The two lists of a pool. Apart from borrowed nodes, they hold together about as many nodes as
/// are retired between two scans, because each publish takes one node and retires one.
pub(super) struct RetireList<T> {
    /// Nodes that were taken out of their slots. The first `pinned` of them were borrowed at the
    /// last scan.
    retired: Vec<Retired<T>>,
    pinned: usize,
    /// Nodes that no thread reads. Each keeps its old message until it is used again. So a publish
    /// drops one message at a time, and the allocator has the freed memory at hand for the next
    /// message. First in, first out, so that no message stays for long.
    free: VecDeque<Box<Node<T>>>,
    pins: PinSnapshot,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(CachePadded::new(TryLock::default()))
    }
}

impl<T> Default for RetireList<T> {
    fn default() -> Self {
        Self { retired: Vec::new(), pinned: 0, free: VecDeque::new(), pins: PinSnapshot::default() }
    }
}

impl<T: 'static> Pool<T> {
    #[inline]
    pub(super) fn exclusive(&mut self) -> PoolGuard<'_, T> {
        PoolGuard::Exclusive(self.0.get_mut())
    }

    #[inline]
    pub(super) fn shared(&self) -> Option<PoolGuard<'_, T>> {
        self.0.try_lock().map(PoolGuard::Locked)
    }

    /// Empties the pool of a publisher that is dropped. Borrowed nodes are left to other
    /// publishers, or to the end of the ring.
    pub(super) fn retire(&mut self, orphans: &Orphans<T>, registry: &Registry, last: bool, garbage: &mut Garbage<T>) {
        let RetireList { retired, free, .. } = mem::take(self.0.get_mut());
        for node in retired {
            orphans.push(node);
        }
        if defers_drops(orphans) {
            for node in free {
                orphans.push(Retired::from_box(node));
            }
        } else {
            garbage.nodes(free, orphans);
        }
        if last || orphans_are_due(orphans, registry) {
            reclaim(orphans, registry, garbage);
        }
    }
}

impl<T: 'static> RetireList<T> {
    #[inline]
    fn retire(&mut self, node: Retired<T>, orphans: &Orphans<T>, registry: &Registry, garbage: &mut Garbage<T>) {
        self.retired.push(node);
        // The common case needs no function call.
        if self.retired.len() - self.pinned >= SCAN_THRESHOLD || self.free.len() > SCAN_THRESHOLD {
            self.maybe_scan(orphans, registry, garbage);
        }
    }

    #[cold]
    fn maybe_scan(&mut self, orphans: &Orphans<T>, registry: &Registry, garbage: &mut Garbage<T>) {
        let subscribers = registry.len();
        // With many subscribers, scans are less frequent, so that a scan costs each node little.
        let period = subscribers.max(SCAN_THRESHOLD);
        if self.retired.len() - self.pinned >= period {
            self.scan(orphans, registry, garbage);
        }
        // More nodes than that were borrowed, and are free now. One per subscriber stays: otherwise
        // a node that is borrowed at one scan and not at the next would be freed and allocated in
        // turn. In the drop of a message of this ring, all stay. Each such drop may publish and so
        // drop several more messages, and the work would multiply.
        let surplus = self.free.len().saturating_sub(period + subscribers);
        if surplus > 0 && !reentrancy::is_nested(orphans.address()) {
            garbage.nodes(self.free.drain(..surplus.min(SURPLUS_AT_ONCE)), orphans);
        }
    }

    /// Moves every retired node that no cursor pins to `free`.
    fn scan(&mut self, orphans: &Orphans<T>, registry: &Registry, garbage: &mut Garbage<T>) {
        self.retired.extend(orphans.take());
        // The pins are read after the last of these nodes was taken out of its slot.
        let mut registrations = Vec::new();
        self.pins.take(registry, &mut registrations);
        if !registrations.is_empty() {
            garbage.bulk().registrations = registrations;
        }
        let mut at = 0;
        while let Some(node) = self.retired.get(at) {
            if self.pins.contains(node.pin()) {
                at += 1;
            } else {
                let node = self.retired.swap_remove(at);
                // SAFETY: the node was out of its slot before the fence in `PinSnapshot::take`, and
                // no pin names it. A subscriber that pins it from now on finds the slot taken. A
                // subscriber that had pinned it before has finished with it.
                self.free.push_back(unsafe { node.reclaim() });
            }
        }
        self.pinned = self.retired.len();
    }
}

/// Puts the orphans that no thread reads into `garbage`. The others stay orphans.
#[cold]
fn reclaim<T: 'static>(orphans: &Orphans<T>, registry: &Registry, garbage: &mut Garbage<T>) {
    let mut list = RetireList::default();
    list.scan(orphans, registry, garbage);
    for borrowed in list.retired {
        orphans.push(borrowed);
    }
    garbage.nodes(list.free, orphans);
}

/// Nodes that a walk has taken out of their slots, or orphans that it examines.
pub struct Scratch<T>(Vec<Retired<T>>);

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: 'static> Scratch<T> {
    pub(super) fn push(&mut self, node: Retired<T>) {
        self.0.push(node);
    }

    /// Puts the nodes that were taken out into `garbage` if `unseen`, which promises that no thread
    /// reads them. Otherwise they become orphans.
    pub(super) fn release(&mut self, unseen: bool, orphans: &Orphans<T>, garbage: &mut Garbage<T>) {
        for node in self.0.drain(..) {
            if unseen && !defers_drops(orphans) {
                // SAFETY: the node is out of its slot, and no thread reads it now or later, by the
                // caller's promise.
                garbage.node(unsafe { node.reclaim() }, orphans);
            } else {
                orphans.push(node);
            }
        }
    }

    /// Puts the orphans that no thread reads into `garbage`, without an allocation for a single
    /// node. Returns how many are borrowed.
    pub(super) fn reclaim(
        &mut self,
        orphans: &Orphans<T>,
        registry: &Registry,
        pins: &mut PinSnapshot,
        garbage: &mut Garbage<T>,
    ) -> usize {
        if orphans.len() == 0 || defers_drops(orphans) {
            return 0;
        }
        self.0.extend(orphans.take());
        // The pins are read after the last of these nodes was taken out of its slot.
        let mut registrations = Vec::new();
        pins.take(registry, &mut registrations);
        if !registrations.is_empty() {
            garbage.bulk().registrations = registrations;
        }
        let mut borrowed = 0;
        for node in self.0.drain(..) {
            if pins.contains(node.pin()) {
                orphans.push(node);
                borrowed += 1;
            } else {
                // SAFETY: as in `RetireList::scan`.
                garbage.node(unsafe { node.reclaim() }, orphans);
            }
        }
        borrowed
    }
}

/// Returns whether there are so many orphans that they should be reclaimed, though one per
/// subscriber may be borrowed. Not in a drop of a message of this ring: that would drop many
/// messages, and drops that publish would multiply.
fn orphans_are_due<T>(orphans: &Orphans<T>, registry: &Registry) -> bool {
    orphans.len() >= SCAN_THRESHOLD + registry.len() && !reentrancy::is_nested(orphans.address())
}

/// Reclaims the orphans of a closed ring, where no publisher does it, if there are more than can be
/// borrowed.
pub(super) fn reclaim_after_close<T: 'static>(orphans: &Orphans<T>, registry: &Registry, garbage: &mut Garbage<T>) {
    if orphans.len() > registry.len() && !reentrancy::is_nested(orphans.address()) {
        reclaim(orphans, registry, garbage);
    }
}

/// A publisher's pool while a publish uses it.
pub(super) enum PoolGuard<'p, T> {
    Exclusive(&'p mut RetireList<T>),
    Locked(TryLockGuard<'p, RetireList<T>>),
}

impl<T> Deref for PoolGuard<'_, T> {
    type Target = RetireList<T>;

    fn deref(&self) -> &RetireList<T> {
        match self {
            Self::Exclusive(list) => list,
            Self::Locked(list) => list,
        }
    }
}

impl<T> DerefMut for PoolGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut RetireList<T> {
        match self {
            Self::Exclusive(list) => list,
            Self::Locked(list) => list,
        }
    }
}

/// A message in a node, ready for a slot.
pub struct Prepared<'p, T> {
    pool: Option<PoolGuard<'p, T>>,
    node: Box<Node<T>>,
}

impl<'p, T: 'static> Prepared<'p, T> {
    #[inline]
    pub(super) fn new(
        mut pool: Option<PoolGuard<'p, T>>,
        item: T,
        orphans: &Orphans<T>,
        garbage: &mut Garbage<T>,
    ) -> Self {
        let free = if defers_drops(orphans) { None } else { pool.as_mut().and_then(|pool| pool.free.pop_front()) };
        let node = match free {
            Some(mut node) if mem::needs_drop::<T>() => {
                garbage.dead = Some(mem::replace(&mut node.value, item));
                garbage.list = orphans.address();
                node
            }
            Some(mut node) => {
                node.value = item;
                node
            }
            None => Node::new(item),
        };
        Self { pool, node }
    }

    /// Returns the node, to be put into the slot that `sequence` has taken.
    #[inline]
    pub(super) fn place(mut self, sequence: u64) -> (*mut Node<T>, Option<PoolGuard<'p, T>>) {
        self.node.sequence = sequence;
        (Box::into_raw(self.node), self.pool)
    }

    pub(super) fn release_pool(&mut self) {
        self.pool = None;
    }

    pub(super) fn cancel(self) -> T {
        self.node.value
    }

    pub(super) fn discard(self, orphans: &Orphans<T>, garbage: &mut Garbage<T>) {
        garbage.nodes([self.node], orphans);
    }
}

/// What was in the slot before a message was put there.
pub struct Displaced<'p, T> {
    pub(super) pool: Option<PoolGuard<'p, T>>,
    pub(super) node: Option<Retired<T>>,
}

impl<T: 'static> Displaced<'_, T> {
    /// Keeps what was displaced until no thread reads it.
    #[inline]
    pub(super) fn retire_displaced(self, orphans: &Orphans<T>, registry: &Registry, garbage: &mut Garbage<T>) {
        match (self.node, self.pool) {
            (None, _) => {}
            (Some(node), Some(mut pool)) => pool.retire(node, orphans, registry, garbage),
            (Some(node), None) => {
                orphans.push(node);
                if orphans_are_due(orphans, registry) {
                    reclaim(orphans, registry, garbage);
                }
            }
        }
    }
}

/// Messages that no subscriber will read again. The publisher drops them when it holds nothing,
/// because their drop is user code. Panics of that code are caught.
#[must_use]
pub struct Garbage<T: 'static> {
    dead: Option<T>,
    node: Option<Box<Node<T>>>,
    /// Other nodes and registrations. They are rare, so they are in a box, and a publish checks one
    /// word for them.
    bulk: Option<Box<Bulk<T>>>,
    /// The address of the ring's orphans, once there is any garbage.
    list: usize,
}

struct Bulk<T> {
    nodes: Vec<Box<Node<T>>>,
    registrations: Vec<Arc<Registration>>,
}

impl<T: 'static> Default for Garbage<T> {
    #[inline]
    fn default() -> Self {
        Self { dead: None, node: None, bulk: None, list: 0 }
    }
}

impl<T: 'static> Garbage<T> {
    #[cold]
    fn bulk(&mut self) -> &mut Bulk<T> {
        self.bulk.get_or_insert_with(|| Box::new(Bulk { nodes: Vec::new(), registrations: Vec::new() }))
    }

    /// Adds a node, without an allocation if it is the only one.
    fn node(&mut self, node: Box<Node<T>>, orphans: &Orphans<T>) {
        self.list = orphans.address();
        match &self.node {
            None => self.node = Some(node),
            Some(_) => self.bulk().nodes.push(node),
        }
    }

    fn nodes(&mut self, nodes: impl IntoIterator<Item = Box<Node<T>>>, orphans: &Orphans<T>) {
        let mut nodes = nodes.into_iter().peekable();
        if nodes.peek().is_some() {
            self.list = orphans.address();
            self.bulk().nodes.extend(nodes);
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_bulk(&mut self) {
        let Some(bulk) = self.bulk.take() else { return };
        for node in bulk.nodes {
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

impl<T: 'static> Drop for Garbage<T> {
    #[inline]
    fn drop(&mut self) {
        if mem::needs_drop::<T>() && self.dead.is_some() {
            if reentrancy::at_depth_limit() {
                self.drop_dead_later();
            } else {
                // In place, without a copy of the message.
                reentrancy::call_now(self.list, || self.dead = None);
            }
        }
        if let Some(node) = self.node.take() {
            reentrancy::call(self.list, || drop(node));
        }
        if self.bulk.is_some() {
            self.drop_bulk();
        }
    }
}
