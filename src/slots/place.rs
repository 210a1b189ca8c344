//! The place into which a receive writes its message.

#![expect(unsafe_code, reason = "tracks whether its memory is initialized")]

use std::mem::{self, MaybeUninit, needs_drop};

use crate::copy::SMALL;

/// Room for one message. Waiting receives pass it down to the code that reads the message. If they
/// returned the message by value instead, each of them would copy a large message.
#[derive(Debug)]
pub struct Place<'a, T> {
    room: &'a mut MaybeUninit<T>,
    /// Whether `room` is initialized.
    is_filled: bool,
}

impl<'a, T> Place<'a, T> {
    #[inline]
    const fn at(room: &'a mut MaybeUninit<T>) -> Self {
        Self { room, is_filled: false }
    }

    /// Returns the memory into which to write a message.
    #[inline]
    pub(super) fn room(&mut self) -> &mut MaybeUninit<T> {
        debug_assert!(!self.is_filled, "a receive wrote two messages into one place");
        self.room
    }

    /// Notes that the place holds a message.
    ///
    /// # Safety
    ///
    /// The memory that `room` returned must be initialized.
    #[inline]
    pub(super) unsafe fn set_filled(&mut self) {
        self.is_filled = true;
    }

    #[inline]
    pub(super) fn fill(&mut self, message: T) {
        self.room().write(message);
        self.is_filled = true;
    }

    /// Runs `receive` out of line. A small message comes back by value, so that no address of the
    /// room escapes, and its words can stay in registers.
    #[inline]
    pub(crate) fn receive_out_of_line<E>(
        &mut self,
        receive: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>,
    ) -> Result<(), E> {
        if size_of::<T>() <= SMALL {
            self.fill(small_out_of_line(receive)?);
        } else {
            large_out_of_line(self.room(), receive)?;
            // SAFETY: `large_out_of_line` has returned `Ok`, so the room is initialized.
            unsafe { self.set_filled() };
        }
        Ok(())
    }

    /// Leaves the message in its memory, where the caller owns it.
    #[inline]
    fn keep(self) {
        assert!(self.is_filled, "a receive returned `Ok` without a message");
        mem::forget(self);
    }
}

/// Returns the message that `receive` puts into a place, if it succeeds.
#[inline]
pub(crate) fn receive<T, E>(receive: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>) -> Result<T, E> {
    let mut room = MaybeUninit::uninit();
    let mut place = Place::at(&mut room);
    receive(&mut place)?;
    place.keep();
    // SAFETY: `keep` has checked that the room is initialized.
    Ok(unsafe { room.assume_init() })
}

/// Runs `slow` out of line and returns its message, as `receive` does.
#[inline]
pub(crate) fn receive_out_of_line<T, E>(slow: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>) -> Result<T, E> {
    receive(|place| place.receive_out_of_line(slow))
}

#[inline(never)]
fn small_out_of_line<T, E>(read: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>) -> Result<T, E> {
    receive(read)
}

/// Runs `receive` on `room`. If it returns `Ok`, `room` is initialized.
#[inline(never)]
fn large_out_of_line<T, E>(
    room: &mut MaybeUninit<T>,
    receive: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>,
) -> Result<(), E> {
    let mut place = Place::at(room);
    receive(&mut place)?;
    place.keep();
    Ok(())
}

impl<T> Drop for Place<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if needs_drop::<T>() && self.is_filled {
            // SAFETY: `is_filled` means that the room is initialized, and `keep` has not passed the
            // message to the caller.
            unsafe { self.room.assume_init_drop() };
        }
    }
}

/// Appends the message that `read` puts into a place to `buffer`. Returns `false` if it put none
/// there.
pub(crate) fn append<T>(buffer: &mut Vec<T>, read: impl FnOnce(&mut Place<'_, T>) -> bool) -> bool {
    buffer.reserve(1);
    let len = buffer.len();
    let mut place = Place::at(&mut buffer.spare_capacity_mut()[0]);
    if !read(&mut place) {
        return false;
    }
    place.keep();
    // SAFETY: `keep` has checked that the element after the last is initialized.
    unsafe { buffer.set_len(len + 1) };
    true
}
