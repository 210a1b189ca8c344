//! The publishers' side: exclusive, shared, suspended in a publish, and closing.

use super::operation::{Operation, draw, note, op};
use super::{Both, Choices, ENOUGH, Numbers};
use crate::common::model::{self, LAST, Refused};
use crate::common::testing::{self, Claim, Write};
use crate::common::wakers::{Counter, past_yields};
use seqcast::{
    Closed, Publish, PublishTimeoutError, Publisher, SharedPublisher, Start, Storage, Subscriber, TryPublishError,
};
use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

pub(super) struct Publishing<'a, S: Storage> {
    handles: Handles<S>,
    /// The handle of the suspended publishers. It stays until the program ends.
    suspending: &'a OnceCell<SharedPublisher<S>>,
    suspended: Vec<Suspended<'a, S>>,
    /// Shared publishers that wait for room now. They are not in `handles`.
    lent: usize,
}

pub(super) enum Handles<S: Storage> {
    Exclusive(Publisher<S>),
    Shared(Vec<SharedPublisher<S>>),
    Over,
}

/// A suspended publisher.
enum Suspended<'a, S: Storage> {
    Before(Claim<'a, S>),
    In(Write<'a, S>, u64),
}

/// A publisher that waits for room.
pub(super) enum Lent<S: Storage> {
    Exclusive(Publisher<S>),
    Shared(SharedPublisher<S>),
}

impl<S: Storage> Lent<S> {
    pub(super) fn publish_async(&mut self, message: S::Item) -> Publish<'_, S> {
        match self {
            Self::Exclusive(publisher) => publisher.publish_async(message),
            Self::Shared(publisher) => publisher.publish_async(message),
        }
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        match self {
            Self::Exclusive(publisher) => publisher.poll_ready(cx),
            Self::Shared(publisher) => publisher.poll_ready(cx),
        }
    }
}

/// The sequence of a message, or the reason for a refusal. A refused message is returned, except by
/// a future.
type Published<T> = Result<u64, (Refused, Option<T>)>;

/// A way to publish one message.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Used only if it does not have to wait.
    Publish,
    TryPublish,
    PublishTimeout,
    PublishDeadline,
    PublishAsync,
}

impl Way {
    fn new(value: u64, room: bool) -> Self {
        match value % 5 {
            0 if room => Self::Publish,
            1 => Self::PublishTimeout,
            2 => Self::PublishDeadline,
            3 => Self::PublishAsync,
            _ => Self::TryPublish,
        }
    }

    fn alone<S: Storage>(self, publisher: &mut Publisher<S>, message: S::Item) -> Published<S::Item> {
        match self {
            Self::Publish => Ok(publisher.publish(message)),
            Self::TryPublish => tried(publisher.try_publish(message)),
            Self::PublishTimeout => timed(publisher.publish_timeout(message, Duration::ZERO)),
            Self::PublishDeadline => timed(publisher.publish_deadline(message, Instant::now())),
            Self::PublishAsync => polled(publisher.publish_async(message)),
        }
    }

    fn beside<S: Storage>(self, publisher: &SharedPublisher<S>, message: S::Item) -> Published<S::Item> {
        match self {
            Self::Publish => tried(publisher.publish(message).map_err(TryPublishError::from)),
            Self::TryPublish => tried(publisher.try_publish(message)),
            Self::PublishTimeout => timed(publisher.publish_timeout(message, Duration::ZERO)),
            Self::PublishDeadline => timed(publisher.publish_deadline(message, Instant::now())),
            Self::PublishAsync => polled(publisher.publish_async(message)),
        }
    }
}

fn tried<T>(published: Result<u64, TryPublishError<T>>) -> Published<T> {
    published.map_err(|refused| match refused {
        TryPublishError::Full(back) => (Refused::Full, Some(back)),
        TryPublishError::Closed(back) => (Refused::Closed, Some(back)),
    })
}

fn timed<T>(published: Result<u64, PublishTimeoutError<T>>) -> Published<T> {
    published.map_err(|refused| match refused {
        PublishTimeoutError::Timeout(back) => (Refused::Full, Some(back)),
        PublishTimeoutError::Closed(back) => (Refused::Closed, Some(back)),
    })
}

fn polled<S: Storage>(mut published: Publish<'_, S>) -> Published<S::Item> {
    match past_yields(&Counter::new(), |cx| Pin::new(&mut published).poll(cx)) {
        Poll::Pending => Err((Refused::Full, None)),
        Poll::Ready(published) => published.map_err(|Closed(back)| (Refused::Closed, Some(back))),
    }
}

impl<'a, S: Storage> Publishing<'a, S> {
    pub(super) fn new(publisher: Publisher<S>, suspending: &'a OnceCell<SharedPublisher<S>>) -> Self {
        Self { handles: Handles::Exclusive(publisher), suspending, suspended: Vec::new(), lent: 0 }
    }

    /// Subscribes through a publisher, if there is one.
    pub(super) fn subscribe_at(&self, start: Start) -> Option<Subscriber<S>> {
        match &self.handles {
            Handles::Exclusive(publisher) => Some(publisher.subscribe_at(start)),
            Handles::Shared(publishers) => Some(publishers[0].subscribe_at(start)),
            Handles::Over => None,
        }
    }

    /// What a publisher reports about the ring.
    pub(super) fn look_ups(&self) -> Option<(u64, usize, usize)> {
        match &self.handles {
            Handles::Exclusive(publisher) => {
                Some((publisher.next_sequence(), publisher.capacity(), publisher.subscriber_count()))
            }
            Handles::Shared(publishers) => {
                let publisher = &publishers[0];
                Some((publisher.next_sequence(), publisher.capacity(), publisher.subscriber_count()))
            }
            Handles::Over => None,
        }
    }

    /// Whether there is a shared publisher outside `handles`: a suspended or a waiting one.
    fn has_others(&self) -> bool {
        self.suspending.get().is_some() || self.lent > 0
    }

    /// Drops all handles, which closes the ring unless a publisher is suspended.
    pub(super) fn close_by_dropping(&mut self, model: &mut model::Ring) {
        self.handles = Handles::Over;
        model.closed |= self.suspending.get().is_none();
    }
}

/// What replaces the handles of a kind.
type Change<B, P, S> = Operation<fn(&mut B, P) -> Handles<S>>;

impl<'a, S: Numbers, C: Choices> Both<'a, S, C> {
    pub(super) fn next_value(&mut self) -> u64 {
        self.value += 1;
        self.value
    }

    /// The index of one of the shared publishers.
    fn one_of(choices: &mut C, publishers: &[SharedPublisher<S>]) -> usize {
        choices.below(publishers.len() as u64) as usize
    }

    pub(super) fn publish(&mut self) {
        self.share_at_the_end();
        self.note_gates();
        let value = self.next_value();
        let message = S::wrap(&self.ledger, value);
        let way = Way::new(value, self.model.room(1) > 0);
        let published = match &mut self.publishing.handles {
            Handles::Exclusive(publisher) => way.alone(publisher, message),
            Handles::Shared(publishers) => {
                way.beside(&publishers[Self::one_of(&mut self.choices, publishers)], message)
            }
            Handles::Over => return,
        };
        self.published(value, published);
    }

    /// Compares the result of a publish with the model.
    pub(super) fn published(&mut self, value: u64, published: Published<S::Item>) {
        self.note_gates();
        let (tail, was_closed) = (self.model.tail(), self.model.closed);
        let published = published.map_err(|(refused, back)| {
            assert!(back.is_none_or(|back| S::open(back) == value), "the publish returned another message");
            refused
        });
        assert_eq!(published, self.model.publish(value));
        // A refused publish may have left holes, or found the last sequence used.
        if self.model.tail() > tail || self.model.closed != was_closed {
            self.expect_woken();
        }
    }

    pub(super) fn publish_many(&mut self) {
        self.share_at_the_end();
        self.note_gates();
        let (count, was_closed) = (self.choices.below(2 * self.capacity.min(40)), self.model.closed);
        let count = self.model.room(count);
        let (start, ledger, value) = (self.model.tail(), &self.ledger, self.value);
        let values = value + 1..=value + count;
        let messages = values.clone().map(|value| S::wrap(ledger, value));
        // One of three ways: a known length, in runs; an unknown length; a batch.
        let way = value % 3;
        note(["known length", "unknown length", "batch"][way as usize]);
        match &mut self.publishing.handles {
            Handles::Exclusive(publisher) => {
                let count = count.min(LAST + 1 - start);
                let messages = messages.take(count as usize);
                let published = match way {
                    0 => publisher.publish_many(messages),
                    1 => publisher.publish_many(messages.filter(|_| true)),
                    _ => {
                        // An exclusive publisher that found no room before may have woken
                        // subscribers for its holes.
                        let wakes = || self.subscribers.iter().map(|pair| pair.woken.count()).sum::<usize>();
                        let before = wakes();
                        let mut batch = publisher.batch();
                        messages.zip(start..).for_each(|(message, at)| assert_eq!(batch.publish(message), at));
                        assert_eq!(wakes(), before, "a batch woke a subscriber before its end");
                        drop(batch);
                        start..start + count
                    }
                };
                assert_eq!(published, start..start + count);
                values.take(count as usize).for_each(|value| assert!(self.model.publish(value).is_ok()));
            }
            Handles::Shared(publishers) => {
                let publisher = &publishers[Self::one_of(&mut self.choices, publishers)];
                let published = match way {
                    0 => publisher.publish_many(messages),
                    1 => publisher.publish_many(messages.filter(|_| true)),
                    _ => {
                        let mut batch = publisher.batch();
                        messages.map_while(|message| batch.publish(message).ok()).count()
                    }
                };
                assert_eq!(published, values.map_while(|value| self.model.publish(value).ok()).count());
            }
            Handles::Over => return,
        }
        self.value += count;
        if self.model.tail() > start || self.model.closed != was_closed {
            self.expect_woken();
        }
    }

    /// After the last sequence, an exclusive publisher panics, and a shared one returns `Closed`.
    pub(super) fn share_at_the_end(&mut self) {
        if self.model.tail() > LAST {
            self.share();
        }
    }

    fn share(&mut self) {
        self.publishing.handles = match std::mem::replace(&mut self.publishing.handles, Handles::Over) {
            Handles::Exclusive(publisher) => {
                assert_eq!(publisher.next_sequence(), self.model.tail());
                Handles::Shared(vec![publisher.share()])
            }
            others => others,
        };
    }

    /// Takes a publisher for a wait: the exclusive one, or a new shared one.
    pub(super) fn lend(&mut self) -> Option<Lent<S>> {
        match std::mem::replace(&mut self.publishing.handles, Handles::Over) {
            Handles::Exclusive(publisher) => Some(Lent::Exclusive(publisher)),
            Handles::Shared(publishers) => {
                let lent = publishers[Self::one_of(&mut self.choices, &publishers)].clone();
                self.publishing.handles = Handles::Shared(publishers);
                self.publishing.lent += 1;
                Some(Lent::Shared(lent))
            }
            Handles::Over => None,
        }
    }

    /// Returns the publisher after its wait.
    pub(super) fn give_back(&mut self, lent: Lent<S>) {
        match lent {
            Lent::Exclusive(publisher) => self.publishing.handles = Handles::Exclusive(publisher),
            Lent::Shared(publisher) => {
                drop(publisher);
                self.publishing.lent -= 1;
                let last = matches!(self.publishing.handles, Handles::Over) && !self.publishing.has_others();
                if last && !self.model.closed {
                    self.model.closed = true;
                    self.expect_woken();
                }
            }
        }
    }

    pub(super) fn change_publishers(&mut self) {
        let was_closed = self.model.closed;
        self.publishing.handles = match std::mem::replace(&mut self.publishing.handles, Handles::Over) {
            Handles::Exclusive(publisher) => draw(&mut self.choices, &Self::EXCLUSIVE).begin()(self, publisher),
            Handles::Shared(publishers) => draw(&mut self.choices, &Self::SHARED).begin()(self, publishers),
            Handles::Over => draw(&mut self.choices, &Self::OVER).begin()(self, ()),
        };
        if self.model.closed && !was_closed {
            self.expect_woken();
        }
    }

    /// What an exclusive publisher becomes.
    const EXCLUSIVE: [Change<Self, Publisher<S>, S>; 3] = [
        op("share", 14, |_, publisher| Handles::Shared(vec![publisher.share()])),
        op("close", 1, |both, publisher| {
            both.model.closed = true;
            publisher.close();
            Handles::Over
        }),
        op("drop", 1, |both, publisher| {
            both.model.closed = true;
            drop(publisher);
            Handles::Over
        }),
    ];

    /// What shared publishers become.
    const SHARED: [Change<Self, Vec<SharedPublisher<S>>, S>; 4] = [
        op("clone", 5, |_, mut publishers| {
            if publishers.len() < ENOUGH {
                publishers.push(publishers[0].clone());
            }
            Handles::Shared(publishers)
        }),
        op("try_into_exclusive", 7, |both, mut publishers| {
            let last = publishers.len() == 1 && !both.publishing.has_others();
            match publishers.pop().unwrap().try_into_exclusive() {
                Ok(publisher) => {
                    assert!(last && !both.model.closed);
                    Handles::Exclusive(publisher)
                }
                Err(publisher) => {
                    assert!(!last || both.model.closed);
                    publishers.push(publisher);
                    Handles::Shared(publishers)
                }
            }
        }),
        op("drop one", 3, |both, mut publishers| {
            publishers.swap_remove(Self::one_of(&mut both.choices, &publishers));
            both.model.closed |= publishers.is_empty() && !both.publishing.has_others();
            if publishers.is_empty() { Handles::Over } else { Handles::Shared(publishers) }
        }),
        op("close", 1, |both, publishers| {
            assert_eq!(publishers[0].close(), !both.model.closed);
            both.model.closed = true;
            Handles::Shared(publishers)
        }),
    ];

    /// What follows if no publisher is left except a suspended one.
    const OVER: [Change<Self, (), S>; 2] = [
        op("clone the suspended one", 15, |both, ()| match both.publishing.suspending.get() {
            Some(publisher) => Handles::Shared(vec![publisher.clone()]),
            None => Handles::Over,
        }),
        op("close the suspended one", 1, |both, ()| {
            if let Some(publisher) = both.publishing.suspending.get() {
                assert_eq!(publisher.close(), !both.model.closed);
                both.model.closed = true;
            }
            Handles::Over
        }),
    ];

    /// Suspends a publisher in a publish, resumes a suspended one, or drops its claim.
    pub(super) fn suspend(&mut self) {
        let which = self.choices.below(4) as usize;
        if which < self.publishing.suspended.len() {
            let suspended = self.publishing.suspended.swap_remove(which);
            // A quarter never resumes.
            if self.choices.below(4) > 0 {
                note("resume");
                self.resume(suspended);
            } else {
                note("never resume");
            }
            return;
        }
        self.share();
        let Handles::Shared(publishers) = &self.publishing.handles else { return };
        let suspending = self.publishing.suspending.get_or_init(|| publishers[0].clone());
        let claim = testing::claim(suspending);
        self.note_gates();
        let was_closed = self.model.closed;
        assert_eq!(claim.as_ref().map(Claim::sequence), self.model.claim().ok());
        if let Some(claim) = claim {
            let begin = self.choices.below(3) > 0;
            if begin {
                note("in the slot");
                self.resume(Suspended::Before(claim));
            } else {
                note("before the slot");
                self.publishing.suspended.push(Suspended::Before(claim));
            }
        } else if self.model.closed && !was_closed {
            // The claim found the last sequence used, and closed the ring without a wake. The next
            // publish wakes.
            note("at the end");
            self.publish();
            self.expect_woken();
        }
    }

    fn resume(&mut self, suspended: Suspended<'a, S>) {
        match suspended {
            Suspended::Before(claim) => {
                // If all slots were held, no publish could succeed.
                if self.model.held() + 1 >= self.capacity {
                    return;
                }
                let (sequence, holes) = (claim.sequence(), self.model.holes());
                let write = claim.begin();
                assert_eq!(write.is_some(), self.model.begin(sequence));
                if let Some(write) = write {
                    self.publishing.suspended.push(Suspended::In(write, sequence));
                } else if self.model.holes() > holes {
                    self.expect_woken();
                }
            }
            Suspended::In(write, sequence) => {
                let value = self.next_value();
                write.commit(S::wrap(&self.ledger, value));
                self.model.commit(sequence, value);
                self.expect_woken();
            }
        }
    }
}
