//! Where a received message is put.

#![expect(unsafe_code, reason = "knows whether a message is there")]

use std::mem::{self, MaybeUninit, needs_drop};

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

    /// As `receive`, out of line, and without telling it the address of the room.
    #[inline]
    pub(crate) fn receive_out_of_line<E>(
        &mut self,
        receive: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>,
    ) -> Result<(), E> {
        if size_of::<T>() <= IN_REGISTERS {
            self.fill(small_out_of_line(receive)?);
            return Ok(());
        }
        let mut received = Ok(());
        *self.room() = out_of_line(receive, &mut received);
        self.is_filled = received.is_ok();
        received
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

/// The compiler keeps messages of up to so many bytes in registers, unless somebody else writes to where they would be in memory.
const IN_REGISTERS: usize = 128;

#[inline(never)]
fn small_out_of_line<T, E>(read: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>) -> Result<T, E> {
    receive(read)
}

/// The result is initialised if `received` says so. It may be written right where the one who asked for the message wants it.
#[inline(never)]
fn out_of_line<T, E>(
    receive: impl FnOnce(&mut Place<'_, T>) -> Result<(), E>,
    received: &mut Result<(), E>,
) -> MaybeUninit<T> {
    let mut room = MaybeUninit::uninit();
    let mut place = Place::at(&mut room);
    match receive(&mut place) {
        Ok(()) => place.keep(),
        Err(error) => {
            *received = Err(error);
            drop(place);
        }
    }
    room
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
