//! Treiber stacks of waiters; every node on one is a strong reference. Lists are taken whole and never node by node, so there
//! is no ABA and nobody looks into a node that he does not own.

#![expect(
    unsafe_code,
    reason = "an intrusive list: its nodes are the subscribers' own, so that parking allocates nothing"
)]

use std::ptr;

use super::waiter::Waiter;
use crate::sync::{Arc, AtomicPtr, Ordering, prefetch_for_writing};

/// Puts a node in front of a list, which owns it from then on.
pub(super) fn push(head: &AtomicPtr<Waiter>, waiter: Arc<Waiter>) {
    // [list.next-list-none] Relaxed, as all stores here: the Release below publishes them.
    waiter.next_list.store(ptr::null_mut(), Ordering::Relaxed);
    let node = Arc::into_raw(waiter).cast_mut();
    // [list.guess] Relaxed: a guess, which the exchange checks.
    let mut now = head.load(Ordering::Relaxed);
    loop {
        // SAFETY: the node was not given away yet, so the strong reference in `node` keeps it alive.
        // [list.link] Relaxed: the Release below publishes it.
        unsafe { &*node }.next.store(now, Ordering::Relaxed);
        // [list.push] Release: pairs with the Acquire of `take`, which then reads every `next`.
        match head.compare_exchange_weak(now, node, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => now = other,
        }
    }
}

/// Puts lists that the caller owns, or none, where others find them, together with what is there.
pub(super) fn splice(head: &AtomicPtr<Waiter>, lists: *mut Waiter) {
    if lists.is_null() {
        return;
    }
    // [list.splice] Release: pairs with the Acquire of `take`.
    while head.compare_exchange(ptr::null_mut(), lists, Ordering::Release, Ordering::Relaxed).is_err() {
        let there = take(head);
        if !there.is_null() {
            append(lists, there);
        }
    }
}

/// Lists that the caller owns, or none, and behind them more of the kind.
pub(super) fn join(lists: *mut Waiter, more: *mut Waiter) -> *mut Waiter {
    if lists.is_null() {
        return more;
    }
    if !more.is_null() {
        append(lists, more);
    }
    lists
}

/// Appends lists to others, both owned by the caller.
fn append(lists: *mut Waiter, more: *mut Waiter) {
    let mut last = lists;
    loop {
        // SAFETY: `last` is a first node of lists that the caller owns, so its strong reference keeps it alive.
        let next_list = &unsafe { &*last }.next_list;
        // [list.walk] Relaxed: ours since `take`.
        let next = next_list.load(Ordering::Relaxed);
        if next.is_null() {
            // [list.append] Relaxed: as above.
            return next_list.store(more, Ordering::Relaxed);
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
    // [list.take] Acquire: pairs with the Release of `splice`, and of every `push` in the list (each a part of the next one's
    // release sequence).
    head.swap(ptr::null_mut(), Ordering::Acquire)
}

/// Turns round a list that the caller has just taken: the node that was pushed first comes first.
pub(super) fn reverse(list: *mut Waiter) -> *mut Waiter {
    let (mut reversed, mut rest) = (ptr::null_mut(), list);
    while !rest.is_null() {
        // SAFETY: `rest` is on a list that the caller owns, so its strong reference keeps it alive.
        let next = &unsafe { &*rest }.next;
        // [list.turn] [list.turn-link] Relaxed, both: ours since `take`.
        let following = next.load(Ordering::Relaxed);
        next.store(reversed, Ordering::Relaxed);
        (reversed, rest) = (rest, following);
    }
    reversed
}

/// Takes the first node of lists that the caller owns.
pub(super) fn pop(lists: &mut *mut Waiter) -> Option<Arc<Waiter>> {
    if lists.is_null() {
        return None;
    }
    // SAFETY: made by `Arc::into_raw` in `push`, and the list's strong reference passes to the caller here.
    let waiter = unsafe { Arc::from_raw(*lists) };
    // [list.next] [list.next-list] Relaxed, all: ours since `take`.
    let (next, next_list) = (waiter.next.load(Ordering::Relaxed), waiter.next_list.load(Ordering::Relaxed));
    if next.is_null() {
        *lists = next_list;
    } else {
        // `push` left null there. The store would wait for a cache line that may not have arrived yet.
        if !next_list.is_null() {
            // SAFETY: `next` is on a list that the caller owns, so its strong reference keeps it alive.
            // [list.pass] Relaxed: `splice` publishes it.
            unsafe { &*next }.next_list.store(next_list, Ordering::Relaxed);
        }
        prefetch_for_writing(next);
        *lists = next;
    }
    Some(waiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reversed_list_begins_with_what_was_pushed_first() {
        let parked = AtomicPtr::new(ptr::null_mut());
        let waiters = [(); 3].map(|()| Arc::new(Waiter::new()));
        for waiter in &waiters {
            push(&parked, Arc::clone(waiter));
        }
        let mut list = reverse(take(&parked));
        for waiter in &waiters {
            assert!(pop(&mut list).is_some_and(|first| Arc::ptr_eq(&first, waiter)));
        }
        assert!(list.is_null() && reverse(list).is_null());
    }

    #[test]
    fn to_give_back_nothing_changes_nothing() {
        let handed_off = AtomicPtr::new(ptr::null_mut());
        splice(&handed_off, ptr::null_mut());
        assert!(take(&handed_off).is_null());
        let waiter = Arc::new(Waiter::new());
        push(&handed_off, Arc::clone(&waiter));
        // Somebody else was quicker to take what is given back here, and others have given back meanwhile.
        splice(&handed_off, ptr::null_mut());
        let mut lists = take(&handed_off);
        assert!(pop(&mut lists).is_some_and(|first| Arc::ptr_eq(&first, &waiter)));
        assert!(lists.is_null() && take(&handed_off).is_null());
    }
}
