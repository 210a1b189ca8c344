//! The live table: `Ring::stats` beside the audience's own counts.

use std::fmt::Write as _;
use std::mem;
use std::time::Instant;

use seqcast::{Inline, Ring, RingStats, Subscriber, TryRecvError};

use crate::message::Message;
use crate::receiving::Member;
use crate::text::{grouped, per_second};
use crate::timetable::{Phase, Timetable};

/// Subscribers shown: with more, the table would not fit on a terminal.
const ROWS: usize = 14;

pub(crate) struct Table<const WORDS: usize> {
    ring: Ring<Inline<Message<WORDS>>>,
    newest: Newest<WORDS>,
    jitter: bool,
    /// As of the last frame.
    last: Counts,
}

/// What a rate is the difference of.
struct Counts {
    at: Instant,
    published: u64,
    received: Vec<u64>,
}

impl Counts {
    fn received(&self, nth: usize) -> u64 {
        self.received.get(nth).copied().unwrap_or(0)
    }
}

impl<const WORDS: usize> Table<WORDS> {
    /// `newest` is the subscriber that the table itself reads with.
    pub(crate) fn new(
        ring: Ring<Inline<Message<WORDS>>>,
        newest: Subscriber<Inline<Message<WORDS>>>,
        jitter: bool,
    ) -> Self {
        let last = Counts { at: Instant::now(), published: 0, received: Vec::new() };
        Self { ring, newest: Newest::new(newest), jitter, last }
    }

    /// The table as of now.
    pub(crate) fn frame(&mut self, phase: Phase, timetable: &Timetable, members: &[Member]) -> String {
        let stats = self.ring.stats();
        let now = Counts {
            at: Instant::now(),
            published: stats.published,
            received: members.iter().map(|member| member.tally.received()).collect(),
        };
        let before = mem::replace(&mut self.last, now);
        self.head(phase, timetable, &stats, &before) + &self.rows(&stats, members, &before)
    }

    /// Reads to the end of the ring, and hands its subscriber back.
    pub(crate) fn finish(self) -> Newest<WORDS> {
        self.newest.finish()
    }

    fn head(&mut self, phase: Phase, timetable: &Timetable, stats: &RingStats, before: &Counts) -> String {
        let title = match phase {
            Phase::Real if self.jitter => "phase 1: the jitter of the clock",
            Phase::Real => "phase 1: kernel counters from /proc",
            Phase::FullSpeed | Phase::Over => "phase 2: synthetic, at full speed",
        };
        let progress = format!("{:.1} s of {} s", timetable.elapsed().as_secs_f64(), timetable.total().as_secs());
        let published = grouped(stats.published);
        // A publisher that had drawn a sequence then may have skipped it since.
        let more = stats.published.saturating_sub(before.published);
        let rate = per_second(more, self.last.at - before.at);
        let holes = grouped(stats.skipped);
        let newest = self.newest.describe();
        // A column less than 80, as a terminal clears the rest of a line from its last column on.
        format!(
            "{title:<40}{progress:>39}\npublished   {rate:>9}/s{published:>16}, holes {holes}\nnewest      {newest:.67}\n"
        )
    }

    fn rows(&self, stats: &RingStats, members: &[Member], before: &Counts) -> String {
        if members.is_empty() {
            return "nobody is subscribed but this table\n".to_owned();
        }
        let now = &self.last;
        let mut text =
            format!("{:<12}{:>11}{:>16}{:>16}{:>13}  now\n", "subscriber", "messages/s", "received", "missed", "lag");
        for (nth, member) in members.iter().enumerate().take(ROWS) {
            let Some(subscriber) = stats.subscribers.iter().find(|subscriber| subscriber.id == member.id) else {
                continue;
            };
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "{:<12}{:>11}{:>16}{:>16}{:>13}  {}",
                subscriber.name.as_deref().unwrap_or_default(),
                per_second(now.received(nth) - before.received(nth), now.at - before.at),
                grouped(now.received(nth)),
                grouped(subscriber.missed),
                grouped(subscriber.lag),
                if subscriber.parked { "parked" } else { "awake" },
            );
        }
        if members.len() > ROWS {
            let _ = writeln!(text, "and {} more", members.len() - ROWS);
        }
        text
    }
}

/// A subscriber that is not interested in history: it takes the newest message and leaves out what came before.
pub(crate) struct Newest<const WORDS: usize> {
    subscriber: Subscriber<Inline<Message<WORDS>>>,
    member: Member,
}

impl<const WORDS: usize> Newest<WORDS> {
    fn new(subscriber: Subscriber<Inline<Message<WORDS>>>) -> Self {
        subscriber.set_name("table");
        let member = Member::of(&subscriber);
        Self { subscriber, member }
    }

    pub(crate) fn member(&self) -> &Member {
        &self.member
    }

    fn take(&mut self) -> Result<Message<WORDS>, TryRecvError> {
        let message = self.subscriber.latest()?;
        self.member.tally.record(&[message]);
        Ok(message)
    }

    fn describe(&mut self) -> String {
        let Ok(message) = self.take() else { return "none since".to_owned() };
        let value = grouped(message.value());
        match message.label() {
            Some(label) => format!("{label} = {value}"),
            None if Message::<WORDS>::LABEL == 0 => format!("{value} (no room for a name)"),
            None => {
                let (publisher, number) = message.number();
                format!("number {} of publisher {}", grouped(number), publisher + 1)
            }
        }
    }

    /// The ring is closed, so this comes to an end.
    fn finish(mut self) -> Self {
        while !matches!(self.take(), Err(TryRecvError::Closed)) {}
        self
    }
}
