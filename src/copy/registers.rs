//! Turns bytes that may have no value, or be part of a pointer, into an integer, and back. The
//! bytes pass through a register of an empty piece of assembly, which executes no instruction.
//!
//! A register of the machine always holds some value, so the result is an integer. The compiler
//! must assume that the assembly exposes the provenance of its input (`to_integer`), and that it
//! makes a pointer with exposed provenance from an integer (`from_integer`).

#![expect(unsafe_code, reason = "assembly without instructions")]

use std::arch::asm;
use std::mem::MaybeUninit;

pub(super) const AVAILABLE: bool = true;

#[inline(always)]
pub(super) fn to_integer(value: MaybeUninit<usize>) -> usize {
    let integer;
    // SAFETY: the assembly is empty. Any content of the register is a value of the result's type.
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
