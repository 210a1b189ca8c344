//! The account: what a subscriber received, and what it did not receive and why.

use super::Subscriber;
use crate::error::Lagged;
use crate::events;
use crate::slots::Storage;

/// The [account](Self#accounting) of the subscriber.
impl<S: Storage> Subscriber<S> {
    /// Returns the sequence at which the account begins.
    ///
    /// It is the cursor after the subscription, or after the last [`seek`](Self::seek).
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::Start;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many(0..5);
    /// assert_eq!((subscriber.start_sequence(), subscriber.try_iter().count()), (0, 5));
    /// subscriber.seek(Start::At(3));
    /// assert_eq!((subscriber.start_sequence(), subscriber.received()), (3, 0));
    /// ```
    pub fn start_sequence(&self) -> u64 {
        self.local.start
    }

    /// Returns the number of messages received since [`start_sequence`](Self::start_sequence).
    ///
    /// A [`seek`](Self::seek) resets it to 0, unlike
    /// [`SubscriberStats::received`](crate::SubscriberStats::received).
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..3);
    /// assert_eq!(subscriber.try_recv(), Ok(0));
    /// assert_eq!(subscriber.received(), 1);
    /// ```
    pub fn received(&self) -> u64 {
        self.cursor().received_unsync() - self.local.received_before
    }

    /// Returns the number of sequences that were overwritten before they were read.
    ///
    /// It is the sum over every [`Lagged`](crate::Lagged) so far. With several publishers, some of
    /// these sequences may be holes, so at most this many messages were lost.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..6);
    /// assert!(subscriber.try_recv().unwrap_err().is_lagged());
    /// assert_eq!(subscriber.missed(), 2);
    /// ```
    pub fn missed(&self) -> u64 {
        self.cursor().missed.get()
    }

    /// Returns the number of holes that the subscriber passed.
    ///
    /// A hole is a claimed sequence that never carries a message. A publisher abandons a sequence
    /// when the slot's previous writer has not finished. A ring with a single publisher has no
    /// holes. Holes that were overwritten before the subscriber passed them are counted in
    /// [`missed`](Self::missed).
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..3);
    /// assert_eq!(subscriber.try_iter().count(), 3);
    /// assert_eq!(subscriber.holes(), 0);
    /// ```
    pub fn holes(&self) -> u64 {
        self.cursor().holes.get()
    }

    /// Returns the number of sequences that [`latest`](Self::latest) and its variants jumped over.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many(0..5);
    /// assert_eq!(subscriber.latest(), Ok(4));
    /// assert_eq!(subscriber.skipped_by_choice(), 4);
    /// ```
    pub fn skipped_by_choice(&self) -> u64 {
        self.cursor().skipped_by_choice.get()
    }
}

// Moves of the cursor that are no receives, each with its count.
impl<S: Storage> Subscriber<S> {
    /// Passes the hole at the cursor.
    pub(super) fn pass_hole(&mut self) {
        self.cursor().holes.add(1);
        self.jump_to(self.next_sequence() + 1);
    }

    /// Jumps by the caller's choice.
    pub(super) fn skip_to(&mut self, sequence: u64) {
        self.cursor().skipped_by_choice.add(sequence - self.next_sequence());
        self.jump_to(sequence);
    }

    /// Jumps over what was overwritten.
    #[cold]
    pub(super) fn lag_to(&mut self, resume: u64) -> Lagged {
        let cursor = self.cursor();
        let missed = resume - cursor.next_unsync();
        cursor.missed.add(missed);
        self.jump_to(resume);
        let lagged = Lagged { missed, resumed_at: resume };
        // Last, because it calls user code.
        events::lagged(self.registration(), self.channel.capacity(), lagged);
        lagged
    }
}
