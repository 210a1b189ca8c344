//! Turns what may have no value, or be part of a pointer, into an integer, and back, by passing it through a register of an empty piece
//! of assembly. No instruction is executed for that.
//!
//! A register of the machine always holds some value, so what comes out is an integer. The compiler must assume that the assembly
//! exposes the provenance of what goes in (`to_integer`), and that it makes a pointer with exposed provenance of an integer
//! (`from_integer`).

#![expect(unsafe_code, reason = "assembly without instructions")]

use std::arch::asm;
use std::mem::MaybeUninit;

pub(super) const EXIST: bool = true;

#[inline(always)]
pub(super) fn to_integer(value: MaybeUninit<usize>) -> usize {
    let integer;
    // SAFETY: the assembly is empty. What is left in the register is a value of its type, as every value is.
    unsafe { asm!("/* {0} */", inlateout(reg) value => integer, options(nomem, nostack, preserves_flags)) };
    integer
}

#[inline(always)]
pub(super) fn from_integer(integer: usize) -> MaybeUninit<usize> {
    let value;
    // SAFETY: the assembly is empty.
    unsafe { asm!("/* {0} */", inlateout(reg) integer => value, options(nomem, nostack, preserves_flags)) };
    value
}
