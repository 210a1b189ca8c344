//! Keeps the stacks of modeled threads for the next interleaving.
//!
//! loom maps a stack for each thread of each interleaving and unmaps it at the end, which took half
//! of the time of all models. The two functions here replace those of libc in this program. A stack
//! keeps its guard page.

#![allow(unsafe_code, reason = "maps memory")]

use std::cell::RefCell;
use std::ptr;

use libc::{c_int, c_void, off_t, size_t};

struct Stack {
    at: *mut c_void,
    len: size_t,
    spare: bool,
}

/// The stacks that a thread of this program has mapped.
struct Stacks(Vec<Stack>);

thread_local! {
    static STACKS: RefCell<Stacks> = const { RefCell::new(Stacks(Vec::new())) };
}

/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    at: *mut c_void,
    len: size_t,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: off_t,
) -> *mut c_void {
    // SAFETY: passes on what the caller promises.
    let map = || unsafe { libc::syscall(libc::SYS_mmap, at, len, protection, flags, file, offset) as *mut c_void };
    if flags & libc::MAP_STACK == 0 || !at.is_null() {
        return map();
    }
    let reused = STACKS.try_with(|stacks| {
        let mut stacks = stacks.borrow_mut();
        if let Some(stack) = stacks.0.iter_mut().find(|stack| stack.spare && stack.len == len) {
            stack.spare = false;
            return stack.at;
        }
        let at = map();
        if !ptr::eq(at, libc::MAP_FAILED) {
            stacks.0.push(Stack { at, len, spare: false });
        }
        at
    });
    reused.unwrap_or_else(|_| map())
}

/// # Safety
///
/// As for libc's.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(at: *mut c_void, len: size_t) -> c_int {
    let kept = STACKS.try_with(|stacks| {
        let mut stacks = stacks.borrow_mut();
        let stack = stacks.0.iter_mut().find(|stack| !stack.spare && ptr::eq(stack.at, at) && stack.len == len);
        stack.map(|stack| stack.spare = true).is_some()
    });
    if kept == Ok(true) { 0 } else { unmap(at, len) }
}

fn unmap(at: *mut c_void, len: size_t) -> c_int {
    // SAFETY: what is unmapped is a stack that nothing uses, or what a caller of `munmap` names.
    unsafe { libc::syscall(libc::SYS_munmap, at, len) as c_int }
}

impl Drop for Stacks {
    fn drop(&mut self) {
        for stack in self.0.iter().filter(|stack| stack.spare) {
            unmap(stack.at, stack.len);
        }
    }
}
