//! What the language has no words for: a barrier on all cores, putting a thread to sleep, and the cheaper of two fences.
//!
//! # The asymmetric barrier: the side that is in no hurry pays for both
//!
//! Publishing must not end in a fence while nobody sleeps (a fence drains the store buffer and costs more than the rest
//! of the publish). Store-then-load on the publisher's side still has to be ordered against store-then-load on the
//! parker's. On Linux the parker asks the kernel to run a full barrier on every core that runs a thread of this
//! process (`membarrier(2)`, private expedited), each time that a ring is armed. `wait/arming.rs` tells why that is enough. Elsewhere, and
//! under the model checker, rings start with the fence in place.
//!
//! # The futex
//!
//! On Linux a futex, so that nobody who wakes threads ever waits for one of them, wherever it was stopped. Elsewhere a mutex and a condition
//! variable do: a thread holds the mutex for a moment as it goes to sleep and as it wakes; stopped there, it holds up whoever sleeps or wakes.

/// `fence(SeqCst)`, for those who run it for each message.
///
/// On x86-64 that compiles to `mfence`, which also waits for what it need not. A locked instruction orders all loads and stores
/// of ordinary memory as well, and is cheaper.
#[inline]
pub(crate) fn full_fence() {
    // [full-fence.locked] Loads and stores of ordinary memory are not reordered with locked instructions.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    locked_instruction();
    // [full-fence.elsewhere] No other instruction is known to do.
    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

/// The same, where the last store before was by a read-modify-write: on x86-64 those are locked instructions, which is all that it
/// takes.
#[inline]
pub(crate) fn fence_after_exchange() {
    // [exchange-fence.locked] The exchange was locked; only the compiler is left to be told.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    // [exchange-fence.elsewhere] An exchange is no fence there.
    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

/// The publishers' side of the barrier: for compilers. (`modelled` is for models, in which a fence stands for it.)
#[inline]
pub(crate) fn light_barrier(_modelled: bool) {
    // [light-barrier.compiler] The parker's barrier orders what the processor does, not what the compiler did.
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}

/// Has a cache line fetched for writing, if the processor cares.
#[inline]
#[cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    expect(unsafe_code, reason = "there is no other way to name the instruction")
)]
pub(crate) fn prefetch_for_writing<T>(to: *const T) {
    // SAFETY: a hint: it faults on no address, changes no memory and no register.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    unsafe {
        std::arch::asm!("prefetchw byte ptr [{}]", in(reg) to, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = to;
}

#[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
#[expect(unsafe_code, reason = "there is no other way to name the instruction")]
#[inline]
fn locked_instruction() {
    let mut word = 0_u32;
    // SAFETY: changes nothing but flags, and writes what was there to a word of its own. Since it is not said to leave memory
    // alone, the compiler moves no load or store over it.
    unsafe { std::arch::asm!("lock or dword ptr [{}], 0", in(reg) &raw mut word, options(nostack)) };
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
pub(crate) use linux::*;

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(miri))))]
pub(crate) use elsewhere::*;

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
#[expect(unsafe_code, reason = "libc has no safe wrappers for these system calls")]
mod linux {
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicU32;
    use std::time::Instant;

    /// Whether a ring may start without the publisher's fence: the kernel knows the barrier and this process is registered.
    pub(crate) fn has_barrier() -> bool {
        // Registration belongs to the memory map of the process: once is enough, and a fork inherits it.
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        *REGISTERED.get_or_init(|| membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
    }

    /// Runs a full memory barrier on every core that runs a thread of this process. `false`: it did not happen.
    #[must_use]
    pub(crate) fn heavy_barrier() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes three integers, touches no memory of ours, and answers -1 where the kernel lacks it.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Where threads sleep as long as a word keeps its value. Here the kernel keeps all there is to it.
    #[derive(Debug, Default)]
    pub(crate) struct Futex {}

    #[expect(clippy::unused_self, reason = "elsewhere there is more to it")]
    impl Futex {
        /// Sleeps as long as `word` holds `value`, until woken, at the longest until `deadline`. May return early.
        pub(crate) fn wait(&self, word: &AtomicU32, value: u32, deadline: Option<Instant>) {
            let timeout = deadline.map(|deadline| {
                let left = deadline.saturating_duration_since(Instant::now());
                libc::timespec {
                    tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                    tv_nsec: left.subsec_nanos().into(),
                }
            });
            let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
            let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the kernel reads the word and the timeout, both borrowed here for longer than the call; no timeout is null.
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, timeout) };
        }

        /// Wakes all who sleep by `word`, which has another value by now. `false`: the kernel refused, and woke nobody.
        #[must_use]
        pub(crate) fn wake_all(&self, word: &AtomicU32) -> bool {
            let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the kernel uses the address of the word, which is borrowed here, and touches nothing.
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, libc::c_int::MAX) >= 0 }
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(miri))))]
mod elsewhere {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Condvar, Mutex, PoisonError};
    use std::time::Instant;

    pub(crate) fn has_barrier() -> bool {
        false
    }

    pub(crate) fn heavy_barrier() -> bool {
        false
    }

    /// Where threads sleep as long as a word keeps its value.
    #[derive(Debug, Default)]
    pub(crate) struct Futex {
        mutex: Mutex<()>,
        condvar: Condvar,
    }

    impl Futex {
        pub(crate) fn wait(&self, word: &AtomicU32, value: u32, deadline: Option<Instant>) {
            let mutex = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            // [futex.load] Relaxed: who changed it locks the door before it wakes.
            if word.load(Ordering::Relaxed) != value {
                return;
            }
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => drop(self.condvar.wait(mutex)),
                Some(left) => drop(self.condvar.wait_timeout(mutex, left)),
            }
        }

        #[must_use]
        pub(crate) fn wake_all(&self, _: &AtomicU32) -> bool {
            drop(self.mutex.lock());
            self.condvar.notify_all();
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::full_fence;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_full_fence_keeps_a_store_before_a_later_load() {
        // Each stores and then looks at what the other stored, round by round: one of the two must see the other's. (Without the fence
        // both look first now and then, if the machine has two cores to spare.)
        const ROUNDS: u32 = 20_000;
        let words = [const { crossbeam_utils::CachePadded::new(AtomicU32::new(0)) }; 2];
        let looks = |own: usize| -> Vec<u32> {
            let wait_for = |round| {
                for spins in 0_u32.. {
                    if words[1 - own].load(Ordering::Relaxed) >= round {
                        break;
                    }
                    if spins % 1000 == 999 {
                        std::thread::yield_now();
                    }
                }
            };
            let round = |number| {
                wait_for(number - 1);
                words[own].store(number, Ordering::Relaxed);
                full_fence();
                words[1 - own].load(Ordering::Relaxed)
            };
            (1..=ROUNDS).map(round).collect()
        };
        let (mine, others) = std::thread::scope(|scope| {
            let other = scope.spawn(|| looks(1));
            (looks(0), other.join().unwrap())
        });
        for (number, (mine, other)) in (1..).zip(mine.into_iter().zip(others)) {
            assert!(mine >= number || other >= number, "neither saw the other in round {number}");
        }
    }
}
