//! Where a subscriber stands, and what it did not receive.

use super::Subscriber;
use crate::sequencer::Found;
use crate::slots::Storage;
use crate::start::Start;

/// Moving and looking.
impl<S: Storage> Subscriber<S> {
    /// Moves the cursor, forwards or backwards. What it jumps over is not counted as missed: a new account begins here.
    ///
    /// `start` is understood as by [`Ring::subscribe_at`](crate::Ring::subscribe_at): a sequence beyond the tail means the tail, and one that
    /// was overwritten is accepted, and the next receive says `Lagged`.
    ///
    /// A gating subscriber frees what a `seek` forwards jumps over. After one backwards, publishers wait for the new cursor. Messages
    /// from the former cursor on are still safe; older ones may be overwritten, and the next receive then says `Lagged`.
    ///
    /// A subscriber that had read to the end of a closed ring can go back and read what is retained once more. As a stream it is
    /// no longer terminated then.
    ///
    /// ```
    /// use seqcast::Start;
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

    /// The sequence at which its account begins: where it subscribed, or where the last [`seek`](Self::seek) went.
    ///
    /// ```
    /// use seqcast::Start;
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many(0..5);
    /// assert_eq!((subscriber.start_sequence(), subscriber.try_iter().count()), (0, 5));
    /// subscriber.seek(Start::At(3));
    /// assert_eq!((subscriber.start_sequence(), subscriber.received()), (3, 0));
    /// ```
    pub fn start_sequence(&self) -> u64 {
        self.local.start
    }

    /// Messages received since [`start_sequence`](Self::start_sequence). Unlike
    /// [`SubscriberStats::received`](crate::SubscriberStats::received), it begins again at 0 after a [`seek`](Self::seek).
    pub fn received(&self) -> u64 {
        self.cursor().received_unsync() - self.local.received_before
    }

    /// The cursor: the sequence it reads next.
    #[inline]
    pub fn next_sequence(&self) -> u64 {
        self.cursor().next_unsync()
    }

    /// The sequence of the message received last by this handle.
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

    /// Sequences drawn by publishers and not read yet; more than the capacity once it was lapped and does not know yet.
    pub fn lag(&self) -> u64 {
        self.channel.sequencer.tail().saturating_sub(self.next_sequence())
    }

    /// Sequences overwritten before it read them, as reported by every `Lagged` so far. With several publishers some of them may be
    /// holes: at most so many messages were lost.
    pub fn missed(&self) -> u64 {
        self.cursor().missed.get()
    }

    /// Sequences at which no message ever came, and it went on: claimed by a publisher that found its slot held by a stalled
    /// one. 0 with a single publisher. Holes that were overwritten before it came to them are in [`missed`](Self::missed).
    pub fn holes(&self) -> u64 {
        self.cursor().holes.get()
    }

    /// Sequences that [`latest`](Self::latest) jumped over.
    pub fn skipped_by_choice(&self) -> u64 {
        self.cursor().skipped_by_choice.get()
    }

    /// Whether a receive would find neither a message nor a loss.
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

    /// Whether the ring is closed. This is not the end of reading: only `Closed` or `None` from a receive is.
    pub fn is_closed(&self) -> bool {
        self.channel.sequencer.is_closed()
    }

    /// How many messages the ring holds.
    pub fn capacity(&self) -> usize {
        self.channel.capacity()
    }

    /// Gives it a name that [`Ring::stats`](crate::Ring::stats) shows.
    pub fn set_name(&self, name: impl Into<String>) {
        self.registration().set_name(name.into().into_boxed_str());
    }

    /// Its id in [`Ring::stats`](crate::Ring::stats): distinct in its ring, never used again.
    pub fn id(&self) -> u64 {
        self.registration().id()
    }
}
