//! The asymmetric barrier: the side that is in no hurry pays for both.
//!
//! Publishing must not end in a fence while nobody sleeps (a fence drains the store buffer and costs more than the rest
//! of the publish). Store-then-load on the publisher's side still has to be ordered against store-then-load on the
//! parker's. On Linux the parker asks the kernel to run a full barrier on every core that runs a thread of this
//! process (`membarrier(2)`, private expedited), once in a ring's life. `wait.rs` tells why that is enough.
//!
//! Elsewhere, and under the model checker, rings start with the fence in place.

/// Whether a ring may start without the publisher's fence: the kernel knows the barrier and this process is registered.
pub(crate) fn available() -> bool {
    imp::available()
}

/// Runs a full memory barrier on every core that runs a thread of this process. `false`: it did not happen.
#[must_use]
pub(crate) fn everywhere() -> bool {
    imp::everywhere()
}

#[cfg(all(target_os = "linux", not(miri)))]
mod imp {
    use std::sync::OnceLock;

    pub(super) fn available() -> bool {
        // Registration belongs to the memory map of the process: once is enough, and a fork inherits it.
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        !crate::sync::MODEL && *REGISTERED.get_or_init(|| membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
    }

    pub(super) fn everywhere() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }

    #[expect(unsafe_code, reason = "libc has no safe wrapper for this system call")]
    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes three integers, touches no memory of ours, and answers -1 where the kernel lacks it.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod imp {
    pub(super) fn available() -> bool {
        false
    }

    pub(super) fn everywhere() -> bool {
        false
    }
}
