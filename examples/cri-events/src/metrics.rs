//! Metrics of the ring and its streams, in the text format of Prometheus.

use std::fmt;

use seqcast::{RingStats, SubscriberStats};

use crate::ring::Feed;
use crate::totals::End;

/// The metrics. Formatting them reads the current values.
#[derive(Debug)]
pub struct Metrics(Feed);

impl Metrics {
    /// Metrics of this ring.
    pub fn new(feed: Feed) -> Self {
        Self(feed)
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RingStats { published, skipped, capacity, closed, subscribers, .. } = (self.0.stats)();
        one(f, "seqcast_published_total", "counter", "Events published.", published)?;
        one(f, "seqcast_holes_total", "counter", "Sequences that never carry an event.", skipped)?;
        one(f, "seqcast_capacity", "gauge", "Capacity of the ring, in events.", capacity as u64)?;
        one(f, "seqcast_closed", "gauge", "1 once the ring is closed.", u64::from(closed))?;
        one(f, "seqcast_subscribers", "gauge", "Subscribed clients.", subscribers.len() as u64)?;
        let each = |f: &mut fmt::Formatter<'_>, name, kind, help, value: fn(&SubscriberStats) -> u64| {
            head(f, name, kind, help)?;
            subscribers.iter().try_for_each(|subscriber| {
                let label = Label(subscriber.name.as_deref().unwrap_or_default());
                writeln!(f, "{name}{{id=\"{}\",client=\"{label}\"}} {}", subscriber.id, value(subscriber))
            })
        };
        each(f, "seqcast_subscriber_next_sequence", "gauge", "The sequence that the subscriber reads next.", |one| {
            one.next_sequence
        })?;
        each(f, "seqcast_subscriber_lag", "gauge", "Published events that the subscriber has not read.", |one| {
            one.lag
        })?;
        each(
            f,
            "seqcast_subscriber_missed_total",
            "counter",
            "Events overwritten before the subscriber read them.",
            |one| one.missed,
        )?;
        each(f, "seqcast_subscriber_parked", "gauge", "1 if the subscriber waits for an event.", |one| {
            u64::from(one.parked)
        })?;

        let totals = &self.0.totals;
        one(f, "cri_events_streams_total", "counter", "Streams opened.", totals.opened())?;
        one(f, "cri_events_sent_total", "counter", "Events passed to connections.", totals.sent())?;
        one(f, "cri_events_missed_total", "counter", "Events overwritten before clients read them.", totals.missed())?;
        head(f, "cri_events_streams_ended_total", "counter", "Streams that ended, by reason.")?;
        End::ALL.iter().try_for_each(|(end, why)| {
            writeln!(f, "cri_events_streams_ended_total{{by=\"{why}\"}} {}", totals.ended(*end))
        })
    }
}

fn head(f: &mut fmt::Formatter<'_>, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(f, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn one(f: &mut fmt::Formatter<'_>, name: &str, kind: &str, help: &str, value: u64) -> fmt::Result {
    head(f, name, kind, help)?;
    writeln!(f, "{name} {value}")
}

/// A label value, escaped: clients choose their names.
struct Label<'a>(&'a str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '\\' => f.write_str(r"\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str(r"\n"),
            _ => write!(f, "{letter}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out() {
        assert_eq!(Label("a\"} 1\nb\\").to_string(), r#"a\"} 1\nb\\"#);
    }
}
