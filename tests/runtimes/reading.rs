//! Every way for a task to read a ring to its end.

use futures::StreamExt;
use seqcast::{Boxed, Lagged, RecvError, Ref, Subscriber};

use crate::common::{Account, Signed, verify};

/// What a reader has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    /// In the order in which they came.
    pub(crate) messages: Vec<(u64, u64)>,
    pub(crate) missed: u64,
    pub(crate) holes: u64,
    pub(crate) skipped: u64,
}

impl Summary {
    /// The sequences that it accounts for.
    pub(crate) fn sequences(&self) -> u64 {
        self.messages.len() as u64 + self.missed + self.holes + self.skipped
    }

    /// Whether the messages of each publisher came in order.
    #[track_caller]
    pub(crate) fn check_order(&self, publishers: u64) {
        for publisher in 0..publishers {
            let of = self.messages.iter().filter(|(from, _)| *from == publisher);
            assert!(of.is_sorted_by(|(_, one), (_, next)| one < next));
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Stream,
    Recv,
    Batches,
    Newest,
    Borrows,
    BorrowsBySequence,
    SkipsLosses,
}

impl Way {
    pub(crate) const ALL: [Self; 7] = [
        Self::Stream,
        Self::Recv,
        Self::Batches,
        Self::Newest,
        Self::Borrows,
        Self::BorrowsBySequence,
        Self::SkipsLosses,
    ];

    /// Ways for `count` readers.
    pub(crate) fn several(count: usize) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().cycle().take(count)
    }
}

struct Reader {
    subscriber: Subscriber<Boxed<Signed>>,
    account: Account,
    summary: Summary,
}

impl Reader {
    /// Notes a message or a loss. `None` is the end of the ring.
    fn note(&mut self, received: Result<Signed, Lagged>) -> Option<()> {
        match received {
            Ok(message) => {
                self.account.received(&self.subscriber, 1);
                self.summary.messages.push(verify(message));
            }
            Err(lagged) => self.account.lagged(&self.subscriber, lagged),
        }
        self.account.settle(&self.subscriber);
        Some(())
    }

    async fn step(&mut self, way: Way) -> Option<()> {
        match way {
            Way::Stream => {
                let received = self.subscriber.next().await?;
                self.note(received)
            }
            Way::Recv => match self.subscriber.recv_async().await {
                Ok(message) => self.note(Ok(message)),
                Err(RecvError::Lagged(lagged)) => self.note(Err(lagged)),
                Err(RecvError::Closed) => None,
            },
            Way::Batches => {
                let mut batch = Vec::new();
                match self.subscriber.recv_many_async(&mut batch, 5).await {
                    Ok(count) => {
                        assert!(count == batch.len() && (1..=5).contains(&count));
                        self.account.received(&self.subscriber, count);
                        self.summary.messages.extend(batch.into_iter().map(verify));
                        Some(())
                    }
                    Err(RecvError::Lagged(lagged)) => self.note(Err(lagged)),
                    Err(RecvError::Closed) => None,
                }
            }
            Way::Newest => match self.subscriber.recv_latest_async().await {
                Ok(message) => self.note(Ok(message)),
                Err(RecvError::Lagged(lagged)) => panic!("{lagged}"),
                Err(RecvError::Closed) => None,
            },
            Way::Borrows => {
                let received = self.subscriber.next_ref_async().await?.map(|message| *message);
                self.note(received)
            }
            Way::BorrowsBySequence => {
                match self.subscriber.recv_ref_async().await.map(|message| (*message, Ref::sequence(&message))) {
                    Ok((message, sequence)) => {
                        assert_eq!(self.subscriber.last_sequence(), Some(sequence));
                        self.note(Ok(message))
                    }
                    Err(RecvError::Lagged(lagged)) => self.note(Err(lagged)),
                    Err(RecvError::Closed) => None,
                }
            }
            Way::SkipsLosses => unreachable!("it takes the subscriber"),
        }
    }
}

/// Reads to the end of the ring, which comes again and again.
pub(crate) async fn read(subscriber: Subscriber<Boxed<Signed>>, way: Way) -> Summary {
    if let Way::SkipsLosses = way {
        return skip_losses(subscriber).await;
    }
    let account = Account::new(&subscriber);
    let mut reader = Reader { subscriber, account, summary: Summary::default() };
    while reader.step(way).await.is_some() {}
    for again in Way::ALL.into_iter().filter(|way| !matches!(way, Way::SkipsLosses)) {
        assert_eq!(reader.step(again).await, None);
    }
    let Reader { subscriber, account, mut summary } = reader;
    account.settle(&subscriber);
    summary.missed = subscriber.missed();
    summary.holes = subscriber.holes();
    summary.skipped = subscriber.skipped_by_choice();
    summary
}

async fn skip_losses(subscriber: Subscriber<Boxed<Signed>>) -> Summary {
    let mut messages = subscriber.skip_lagged();
    let mut summary = Summary::default();
    while let Some(message) = messages.next().await {
        summary.messages.push(verify(message));
    }
    assert_eq!(messages.next().await, None);
    summary.missed = messages.missed();
    summary.holes = messages.get_ref().holes();
    summary
}
