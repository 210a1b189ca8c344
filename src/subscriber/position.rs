//! The cursor: where a subscriber is, and moves that are no receives.

use super::Subscriber;
use crate::sequencer::Found;
use crate::slots::Storage;
use crate::start::Start;

/// The position of the subscriber, and its name.
impl<S: Storage> Subscriber<S> {
    /// Moves the cursor to `start`, forwards or backwards, and starts a new account.
    ///
    /// `start` means what it means in [`Ring::subscribe_at`](crate::Ring::subscribe_at). A
    /// sequence beyond the tail means the tail. A sequence that was overwritten is accepted, and
    /// the next receive returns [`Lagged`](crate::Lagged). Sequences that are jumped over are not
    /// counted as missed.
    ///
    /// If the subscriber had read a closed ring to its end, it can read the retained messages
    /// again. As a stream, it is no longer terminated.
    ///
    /// A gating subscriber makes room if it moves forwards. If it moves backwards, publishers wait
    /// for the new cursor. Messages from the former cursor on are still safe. Older ones may be
    /// overwritten, and the next receive then returns `Lagged`.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::Start;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many(0..5);
    /// subscriber.seek(Start::At(3));
    /// assert_eq!(subscriber.try_recv(), Ok(3));
    /// subscriber.seek(Start::Oldest);
    /// assert_eq!(subscriber.try_recv(), Ok(0));
    /// ```
    pub fn seek(&mut self, start: Start) {
        self.jump_to(self.channel.resolve(start));
        self.local.start = self.next_sequence();
        self.local.received_before = self.cursor().received_unsync();
        self.local.ended = false;
    }

    /// Returns the cursor: the sequence that the subscriber reads next.
    ///
    /// A reader that resumes later keeps this number, and passes it to
    /// [`Ring::subscribe_at`](crate::Ring::subscribe_at) as [`Start::At`].
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<char>(8);
    /// publisher.publish_many(['a', 'b']);
    /// assert_eq!(subscriber.next_sequence(), 0);
    /// subscriber.try_recv().unwrap();
    /// assert_eq!(subscriber.next_sequence(), 1);
    /// ```
    #[inline]
    pub fn next_sequence(&self) -> u64 {
        self.cursor().next_unsync()
    }

    /// Returns the sequence of the message that this handle received last, or `None` before the
    /// first.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<char>(8);
    /// assert_eq!(subscriber.last_sequence(), None);
    /// let sequence = publisher.publish('x');
    /// subscriber.try_recv().unwrap();
    /// assert_eq!(subscriber.last_sequence(), Some(sequence));
    /// ```
    pub fn last_sequence(&self) -> Option<u64> {
        if self.next_sequence() > self.local.jumped_to {
            Some(self.next_sequence() - 1)
        } else {
            self.local.last_before_jump
        }
    }

    /// Returns the number of sequences that were claimed and that the subscriber has not read yet.
    ///
    /// It is more than the capacity if messages were overwritten and the next receive will return
    /// [`Lagged`](crate::Lagged).
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..6);
    /// assert_eq!(subscriber.lag(), 6);
    /// assert!(subscriber.try_recv().unwrap_err().is_lagged());
    /// assert_eq!(subscriber.lag(), 4);
    /// ```
    pub fn lag(&self) -> u64 {
        self.channel.sequencer.tail().saturating_sub(self.next_sequence())
    }

    /// Returns `true` if a receive would find neither a message nor a loss.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// assert!(subscriber.is_empty());
    /// publisher.publish(1);
    /// assert!(!subscriber.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        let mut sequence = self.next_sequence();
        loop {
            match self.channel.sequencer.find(sequence) {
                Found::Hole => sequence += 1,
                Found::Message(_) | Found::Lapped { .. } => return false,
                Found::Empty | Found::Closed => return true,
            }
        }
    }

    /// Returns `true` if the ring is closed.
    ///
    /// There may be messages left to read. Only `Closed` or `None` from a receive means that
    /// everything was read.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish(1);
    /// publisher.close();
    /// assert!(subscriber.is_closed());
    /// assert_eq!(subscriber.try_recv(), Ok(1));
    /// ```
    pub fn is_closed(&self) -> bool {
        self.channel.sequencer.is_closed()
    }

    /// Returns the number of messages that the ring holds: a power of two.
    pub fn capacity(&self) -> usize {
        self.channel.capacity()
    }

    /// Sets the name that [`Ring::stats`](crate::Ring::stats) shows.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, subscriber) = seqcast::inline::<u32>(4);
    /// subscriber.set_name("dashboard");
    /// assert_eq!(publisher.ring().stats().subscribers[0].name.as_deref(), Some("dashboard"));
    /// ```
    pub fn set_name(&self, name: impl Into<String>) {
        self.registration().set_name(name.into().into_boxed_str());
    }

    /// Returns the id that [`Ring::stats`](crate::Ring::stats) shows.
    ///
    /// Ids are unique within a ring, and never reused.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, subscriber) = seqcast::inline::<u32>(4);
    /// let stats = publisher.ring().stats();
    /// assert!(stats.subscribers.iter().any(|one| one.id == subscriber.id()));
    /// assert_ne!(subscriber.clone().id(), subscriber.id());
    /// ```
    pub fn id(&self) -> u64 {
        self.registration().id()
    }
}

impl<S: Storage> Subscriber<S> {
    /// Moves the cursor by anything but a receive.
    pub(super) fn jump_to(&mut self, sequence: u64) {
        self.local.last_before_jump = self.last_sequence();
        self.local.jumped_to = sequence;
        let from = self.next_sequence();
        if self.local.gating.is_some() {
            self.gate_jumps(from, sequence);
        } else {
            self.cursor().jump_to(sequence);
        }
        if sequence < from && self.channel.is_eager() {
            // A walk that has passed this subscriber begins again.
            self.channel.registry.bump_generation();
        }
        self.passed(from);
    }
}
