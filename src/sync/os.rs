//! Operations that Rust has no words for: a barrier on all cores, a futex, and the cheaper of two
//! fences.
//!
//! # The asymmetric barrier
//!
//! A publisher should run no fence while no subscriber is parked: the fence drains the store buffer
//! and costs more than the rest of the publish. Yet the publisher stores and then loads, and so
//! does a parker, and both pairs must be ordered. On Linux the parker asks the kernel to run a full
//! barrier on every core that runs a thread of this process (`membarrier(2)`, private expedited),
//! each time that it arms a ring. So the parker, which is about to sleep anyway, pays for both
//! sides. `wait/arming.rs` has the argument. On other systems, rings start with the publishers'
//! fence.
//!
//! # The futex
//!
//! On Linux a thread that wakes others never waits for one of them, wherever that one is suspended.
//! Other systems use a mutex and a condition variable. A thread holds the mutex for a moment as it
//! goes to sleep and as it wakes. If it is suspended in that moment, it delays all threads that
//! sleep or wake on the same word.

/// Runs a `fence(SeqCst)`, where one is needed for each message.
///
/// On x86-64 that fence compiles to `mfence`, which also waits for more than this crate needs. A
/// locked instruction orders all loads and stores of ordinary memory as well, and is cheaper.
#[inline]
pub(crate) fn full_fence() {
    // [full-fence.locked] Acts as SeqCst: the processor reorders no load or store of ordinary
    // memory with a locked instruction.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    locked_instruction();
    // [full-fence.elsewhere] SeqCst: no cheaper instruction is known to be enough.
    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

/// Runs the same fence after a read-modify-write that was the caller's last store. On x86-64 that
/// operation is a locked instruction, so nothing more is needed at run time.
#[inline]
pub(crate) fn fence_after_exchange() {
    // [exchange-fence.locked] SeqCst, for the compiler alone: the exchange was a locked
    // instruction.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    // [exchange-fence.elsewhere] SeqCst: an exchange is no full fence on other processors.
    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64", not(miri))))]
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

/// Runs the publishers' side of the asymmetric barrier. `modelled` is used by models alone, which
/// run a fence instead.
#[inline]
pub(crate) fn light_barrier(_modelled: bool) {
    // [light-barrier.compiler] SeqCst, for the compiler alone: the parker's barrier orders what the
    // processor does, but not what the compiler has moved.
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}

/// Fetches a cache line for writing, where the processor has an instruction for it.
#[inline]
#[cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    expect(unsafe_code, reason = "there is no other way to name the instruction")
)]
pub(crate) fn prefetch_for_writing<T>(to: *const T) {
    // SAFETY: the instruction is a hint. It faults on no address, and changes no memory and no
    // register.
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
    // SAFETY: the instruction changes no memory and no register but the flags, and `word` is a
    // local variable. The assembly does not promise to leave memory alone, so the compiler moves no
    // load or store across it.
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

    /// Returns whether a ring may start without the publishers' fence: the kernel has the barrier,
    /// and this process is registered for it.
    pub(crate) fn has_barrier() -> bool {
        // The registration belongs to the process's memory map, so once is enough, and a fork
        // inherits it.
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        *REGISTERED.get_or_init(|| membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
    }

    /// Runs a full memory barrier on every core that runs a thread of this process. Returns `false`
    /// if the kernel did not run it.
    #[must_use]
    pub(crate) fn heavy_barrier() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes three integers, touches no memory of this process, and returns -1
        // where the kernel lacks it.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Lets threads sleep while a word keeps its value. The kernel keeps all of its state.
    #[derive(Debug, Default)]
    pub(crate) struct Futex {}

    #[expect(clippy::unused_self, reason = "on other systems it has fields")]
    impl Futex {
        /// Sleeps while `word` holds `value`, until woken or until `deadline`. It may return early.
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
            // SAFETY: the kernel reads the word and the timeout, which are borrowed for longer than
            // the call. A null timeout means none.
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, timeout) };
        }

        /// Wakes all threads that sleep on `word`, whose value has changed. Returns `false` if the
        /// kernel refused and woke no thread.
        #[must_use]
        pub(crate) fn wake_all(&self, word: &AtomicU32) -> bool {
            let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the kernel uses only the address of the word, which is borrowed here.
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

    /// Lets threads sleep while a word keeps its value.
    #[derive(Debug, Default)]
    pub(crate) struct Futex {
        mutex: Mutex<()>,
        condvar: Condvar,
    }

    impl Futex {
        pub(crate) fn wait(&self, word: &AtomicU32, value: u32, deadline: Option<Instant>) {
            let mutex = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            // [futex.load] Relaxed: a thread that has changed the word takes the mutex before it
            // wakes.
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
        // In each round, each thread stores and then loads what the other stored. One of the two
        // must see the other's store. Without the fence, both loads sometimes come first on a
        // machine with two free cores.
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
            assert!(mine >= number || other >= number, "neither thread saw the other in round {number}");
        }
    }
}
