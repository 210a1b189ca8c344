//! Copies memory by vector moves of x86-64, of 32 bytes on a processor with AVX, otherwise of 16.

#![expect(unsafe_code, reason = "assembly")]

use std::arch::x86_64::_mm256_zeroupper;
use std::arch::{asm, is_x86_feature_detected};

use super::vectors::blocks;

pub(super) const AVAILABLE: bool = true;

/// Copies `len` bytes, some of them twice.
///
/// # Safety
///
/// `len` bytes must be readable at `from` and writable at `to`, by accesses that may race with
/// those of other threads. The two ranges must not overlap. `len` must be at least `BLOCK`.
#[inline]
pub(super) unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    if is_x86_feature_detected!("avx") {
        // SAFETY: the caller's promise, and the processor has AVX.
        unsafe { copy_by_32(to, from, len) };
    } else {
        // SAFETY: the caller's promise.
        unsafe { copy_by_16(to, from, len) };
    }
}

/// # Safety
///
/// As for `copy`, and the processor must have AVX.
#[target_feature(enable = "avx")]
#[inline(never)]
pub(super) unsafe fn copy_by_32(to: *mut u8, from: *const u8, len: usize) {
    for at in blocks(len) {
        // SAFETY: the caller allows `len` bytes, and the block at `at` ends at `len` or before.
        unsafe {
            asm!(
                "vmovups {a}, [{from}]",
                "vmovups {b}, [{from} + 32]",
                "vmovups {c}, [{from} + 64]",
                "vmovups {d}, [{from} + 96]",
                "vmovups [{to}], {a}",
                "vmovups [{to} + 32], {b}",
                "vmovups [{to} + 64], {c}",
                "vmovups [{to} + 96], {d}",
                from = in(reg) from.wrapping_add(at),
                to = in(reg) to.wrapping_add(at),
                a = out(ymm_reg) _,
                b = out(ymm_reg) _,
                c = out(ymm_reg) _,
                d = out(ymm_reg) _,
                options(nostack, preserves_flags)
            );
        }
    }
    // Without this, later moves of 16 bytes would be slower.
    #[allow(unused_unsafe, reason = "the intrinsic is safe from Rust 1.87 on")]
    // SAFETY: the processor has AVX, by the caller's promise.
    unsafe {
        _mm256_zeroupper();
    };
}

/// # Safety
///
/// As for `copy`.
#[inline(never)]
pub(super) unsafe fn copy_by_16(to: *mut u8, from: *const u8, len: usize) {
    for at in blocks(len) {
        // SAFETY: the caller allows `len` bytes, and the block at `at` ends at `len` or before.
        unsafe {
            asm!(
                "movups {a}, [{from}]",
                "movups {b}, [{from} + 16]",
                "movups {c}, [{from} + 32]",
                "movups {d}, [{from} + 48]",
                "movups {e}, [{from} + 64]",
                "movups {f}, [{from} + 80]",
                "movups {g}, [{from} + 96]",
                "movups {h}, [{from} + 112]",
                "movups [{to}], {a}",
                "movups [{to} + 16], {b}",
                "movups [{to} + 32], {c}",
                "movups [{to} + 48], {d}",
                "movups [{to} + 64], {e}",
                "movups [{to} + 80], {f}",
                "movups [{to} + 96], {g}",
                "movups [{to} + 112], {h}",
                from = in(reg) from.wrapping_add(at),
                to = in(reg) to.wrapping_add(at),
                a = out(xmm_reg) _,
                b = out(xmm_reg) _,
                c = out(xmm_reg) _,
                d = out(xmm_reg) _,
                e = out(xmm_reg) _,
                f = out(xmm_reg) _,
                g = out(xmm_reg) _,
                h = out(xmm_reg) _,
                options(nostack, preserves_flags)
            );
        }
    }
}
