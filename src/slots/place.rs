//! Where a received message is put.

#![expect(unsafe_code, reason = "knows whether a message is there")]

use std::mem::{self, MaybeUninit, needs_drop};

use crate::copy::SMALL;

/// Room for one message, which those who wait for it pass down to where it is read. Handed up as a value, a large message would be
/// copied by each of them.
#[derive(Debug)]
pub struct Place<'a, T> {
    room: &'a mut MaybeUninit<T>,
    /// `room` is initialised.
    is_filled: bool,
}

impl<'a, T> Place<'a, T> {
    #[inline]
    const fn at(room: &'a mut MaybeUninit<T>) -> Self {
        Self { room, is_filled: false }
    }

    /// Where to write a message.
    #[inline]
    pub(super) fn room(&mut self) -> &mut MaybeUninit<T> {
        debug_assert!(!self.is_filled, "received twice");
        self.room
    }

    /// # Safety
    ///
    /// What `room` returned is initialised.
    #[inline]
    pub(super) unsafe fn set_filled(&mut self) {
        self.is_filled = true;
    }

    #[inline]
    pub(super) fn fill(&mut self, message: T) {
        self.room().write(message);
        self.is_filled = true;
    }

    /// As `receive`, out of line. A small message comes back by value: where nobody is told the address of the room, its words may be
    /// kept in registers.
    #[inline]
    pub(crate) fn receive_out_of_line<E>(
        &mut self,
        receive: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>,
    ) -> Result<(), E> {
        if size_of::<T>() <= SMALL {
            self.fill(small_out_of_line(receive)?);
        } else {
            large_out_of_line(self.room(), receive)?;
            // SAFETY: initialised, as it did not fail.
            unsafe { self.set_filled() };
        }
        Ok(())
    }

    /// Leaves the message where it is, as the caller's.
    #[inline]
    fn keep(self) {
        assert!(self.is_filled, "a receive that succeeded brought nothing");
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
    // SAFETY: initialised, as `keep` has checked.
    Ok(unsafe { room.assume_init() })
}

/// As `receive`, out of line.
#[inline]
pub(crate) fn receive_out_of_line<T, E>(slow: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>) -> Result<T, E> {
    receive(|place| place.receive_out_of_line(slow))
}

#[inline(never)]
fn small_out_of_line<T, E>(read: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>) -> Result<T, E> {
    receive(read)
}

/// If it returns `Ok`, `room` is initialised.
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
            // SAFETY: initialised, says the flag, and not taken out.
            unsafe { self.room.assume_init_drop() };
        }
    }
}

/// Has `read` put a message at the end of `buffer`. `false` if it put none there.
pub(crate) fn append<T>(buffer: &mut Vec<T>, read: impl FnOnce(&mut Place<'_, T>) -> bool) -> bool {
    buffer.reserve(1);
    let len = buffer.len();
    let mut place = Place::at(&mut buffer.spare_capacity_mut()[0]);
    if !read(&mut place) {
        return false;
    }
    place.keep();
    // SAFETY: the element behind the last is initialised, as `keep` has checked.
    unsafe { buffer.set_len(len + 1) };
    true
}
