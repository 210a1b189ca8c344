//! Treiber stacks of waiters. Every node on a stack is a strong reference.
//!
//! Lists are taken whole and never node by node. So there is no ABA problem, and no thread reads a
//! node that it does not own.

#![expect(
    unsafe_code,
    reason = "an intrusive list: the nodes belong to the subscribers, so that parking allocates nothing"
)]

use std::ptr;

use super::waiter::Waiter;
use crate::sync::{Arc, AtomicPtr, Ordering, prefetch_for_writing};

/// Puts a node in front of a list, which owns it from then on.
pub(super) fn push(head: &AtomicPtr<Waiter>, waiter: Arc<Waiter>) {
    // [list.next-list-none] Relaxed, as all stores to nodes here: the Release of `list.push` or
    // `list.splice` publishes them.
    waiter.next_list.store(ptr::null_mut(), Ordering::Relaxed);
    let node = Arc::into_raw(waiter).cast_mut();
    // [list.guess] Relaxed: a guess, which the exchange checks.
    let mut now = head.load(Ordering::Relaxed);
    loop {
        // SAFETY: the caller's strong reference is in `node` and was not given away yet, so the
        // node is alive.
        // [list.link] Relaxed: the Release of `list.push` publishes it.
        unsafe { &*node }.next.store(now, Ordering::Relaxed);
        // [list.push] Release: pairs with the Acquire of `list.take`, so that the taker sees every
        // `next`. Relaxed on failure: the value is only the next guess.
        match head.compare_exchange_weak(now, node, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => now = other,
        }
    }
}

/// Puts lists that the caller owns where other threads find them, together with lists that are
/// there already. `lists` may be null.
pub(super) fn splice(head: &AtomicPtr<Waiter>, lists: *mut Waiter) {
    if lists.is_null() {
        return;
    }
    // [list.splice] Release: pairs with the Acquire of `list.take`, so that the taker sees the
    // links. Relaxed on failure: the value is not used.
    while head.compare_exchange(ptr::null_mut(), lists, Ordering::Release, Ordering::Relaxed).is_err() {
        let there = take(head);
        if !there.is_null() {
            append(lists, there);
        }
    }
}

/// Appends `more` to `lists`. The caller owns both, and either may be null.
pub(super) fn join(lists: *mut Waiter, more: *mut Waiter) -> *mut Waiter {
    if lists.is_null() {
        return more;
    }
    if !more.is_null() {
        append(lists, more);
    }
    lists
}

/// Appends lists to others. The caller owns both.
fn append(lists: *mut Waiter, more: *mut Waiter) {
    let mut last = lists;
    loop {
        // SAFETY: `last` is the first node of a list that the caller owns, so the list's strong
        // reference keeps it alive.
        let next_list = &unsafe { &*last }.next_list;
        // [list.walk] Relaxed: the caller owns the node since `list.take`.
        let next = next_list.load(Ordering::Relaxed);
        if next.is_null() {
            // [list.append] Relaxed: the Release of `list.splice` publishes it.
            return next_list.store(more, Ordering::Relaxed);
        }
        last = next;
    }
}

/// Takes the whole list. Returns null if it is empty.
pub(super) fn take(head: &AtomicPtr<Waiter>) -> *mut Waiter {
    // [list.look] Relaxed: only spares a swap where no task waits. A publisher's fence orders it
    // after the commit.
    if head.load(Ordering::Relaxed).is_null() {
        return ptr::null_mut();
    }
    // [list.take] Acquire: pairs with the Release of `list.splice`, and of every `list.push` on the
    // list. Each push is part of the release sequences of those before it.
    head.swap(ptr::null_mut(), Ordering::Acquire)
}

/// Reverses a list that the caller has just taken, so that the node that was pushed first comes
/// first.
pub(super) fn reverse(list: *mut Waiter) -> *mut Waiter {
    let (mut reversed, mut rest) = (ptr::null_mut(), list);
    while !rest.is_null() {
        // SAFETY: `rest` is on a list that the caller owns, so the list's strong reference keeps it
        // alive.
        let next = &unsafe { &*rest }.next;
        // [list.turn] [list.turn-link] Relaxed, both: the caller owns the node since `list.take`.
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
    // SAFETY: `push` made the pointer by `Arc::into_raw`, and the list's strong reference passes to
    // the caller here.
    let waiter = unsafe { Arc::from_raw(*lists) };
    // [list.next] [list.next-list] Relaxed, both: the caller owns the node since `list.take`.
    let (next, next_list) = (waiter.next.load(Ordering::Relaxed), waiter.next_list.load(Ordering::Relaxed));
    if next.is_null() {
        *lists = next_list;
    } else {
        // If `next_list` is null, `push` has left null in `next` already. A store would wait for a
        // cache line that may not have arrived yet.
        if !next_list.is_null() {
            // SAFETY: `next` is on a list that the caller owns, so the list's strong reference
            // keeps it alive.
            // [list.pass] Relaxed: the Release of `list.splice` publishes it.
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
    fn a_splice_of_no_list_changes_nothing() {
        let handed_off = AtomicPtr::new(ptr::null_mut());
        splice(&handed_off, ptr::null_mut());
        assert!(take(&handed_off).is_null());
        let waiter = Arc::new(Waiter::new());
        push(&handed_off, Arc::clone(&waiter));
        // Another thread took the list first, and others have handed off lists since.
        splice(&handed_off, ptr::null_mut());
        let mut lists = take(&handed_off);
        assert!(pop(&mut lists).is_some_and(|first| Arc::ptr_eq(&first, &waiter)));
        assert!(lists.is_null() && take(&handed_off).is_null());
    }
}
