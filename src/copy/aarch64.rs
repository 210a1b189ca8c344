//! Copies memory by vector moves of AArch64, two registers of 16 bytes at a time.

#![expect(unsafe_code, reason = "assembly")]

use std::arch::asm;

use super::vectors::blocks;

pub(super) const AVAILABLE: bool = true;

/// Copies `len` bytes, some of them twice.
///
/// # Safety
///
/// `len` bytes must be readable at `from` and writable at `to`, by accesses that may race with
/// those of other threads. The two ranges must not overlap. `len` must be at least `BLOCK`.
#[inline(never)]
pub(super) unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    for at in blocks(len) {
        // SAFETY: the caller allows `len` bytes, and the block at `at` ends at `len` or before.
        unsafe {
            asm!(
                "ldp {a:q}, {b:q}, [{from}]",
                "ldp {c:q}, {d:q}, [{from}, #32]",
                "ldp {e:q}, {f:q}, [{from}, #64]",
                "ldp {g:q}, {h:q}, [{from}, #96]",
                "stp {a:q}, {b:q}, [{to}]",
                "stp {c:q}, {d:q}, [{to}, #32]",
                "stp {e:q}, {f:q}, [{to}, #64]",
                "stp {g:q}, {h:q}, [{to}, #96]",
                from = in(reg) from.wrapping_add(at),
                to = in(reg) to.wrapping_add(at),
                a = out(vreg) _,
                b = out(vreg) _,
                c = out(vreg) _,
                d = out(vreg) _,
                e = out(vreg) _,
                f = out(vreg) _,
                g = out(vreg) _,
                h = out(vreg) _,
                options(nostack, preserves_flags)
            );
        }
    }
}
