//! Statistics as counters and gauges of the crate `metrics`, behind the feature `metrics`.

use metrics::{Label, counter, describe_counter, describe_gauge, gauge};

use crate::stats::RingStats;

impl RingStats {
    /// Sets the counters and gauges of this ring in the recorder of the crate `metrics`, version 0.24.
    ///
    /// Call it with new [`stats`](crate::Ring::stats) before each scrape, or every few seconds.
    /// Publishing and receiving do not call the recorder.
    ///
    /// Every metric has the label `ring`. Give each ring a unique name.
    /// A ring that replaces another one needs a new name, because a counter never decreases.
    ///
    /// | counter | |
    /// |---|---|
    /// | `seqcast_published_total` | [`published`](Self::published) |
    /// | `seqcast_skipped_total` | [`skipped`](Self::skipped) |
    /// | `seqcast_received_total` | [`totals.received`](crate::Totals::received), of all subscribers |
    /// | `seqcast_missed_total` | [`totals.missed`](crate::Totals::missed), of all subscribers |
    /// | `seqcast_holes_total` | [`totals.holes`](crate::Totals::holes), of all subscribers |
    /// | `seqcast_skipped_by_choice_total` | [`totals.skipped_by_choice`](crate::Totals::skipped_by_choice), of all subscribers |
    ///
    /// | gauge | |
    /// |---|---|
    /// | `seqcast_capacity` | [`capacity`](Self::capacity) |
    /// | `seqcast_closed` | 1 if the ring is [`closed`](Self::closed), otherwise 0 |
    /// | `seqcast_subscribers` | live subscribers |
    /// | `seqcast_gating_subscribers` | live subscribers that are [`gating`](crate::SubscriberStats::gating) |
    /// | `seqcast_demoted_subscribers` | live subscribers that were [`demoted`](crate::SubscriberStats::demoted) |
    /// | `seqcast_max_lag` | the largest [`lag`](crate::SubscriberStats::lag) of a live subscriber |
    /// | `seqcast_publishers_waited_seconds` | [`publishers_waited`](Self::publishers_waited). It never decreases, and is a gauge because counters are whole numbers |
    ///
    /// No metric has a label per subscriber, because the number of subscribers may have no bound. The
    /// example shows how to add one for named subscribers.
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(8);
    /// subscriber.set_name("audit");
    /// publisher.publish_many(0..3);
    ///
    /// let stats = publisher.ring().stats();
    /// stats.record_metrics("orders");
    /// for subscriber in &stats.subscribers {
    ///     if let Some(name) = &subscriber.name {
    ///         let lag = metrics::gauge!("seqcast_subscriber_lag", "ring" => "orders", "subscriber" => name.clone());
    ///         lag.set(subscriber.lag as f64);
    ///     }
    /// }
    /// ```
    pub fn record_metrics(&self, ring: &str) {
        let labels = || vec![Label::new("ring", ring.to_owned())];
        let count = |name: &'static str, help: &'static str, value: u64| {
            describe_counter!(name, help);
            counter!(name, labels()).absolute(value);
        };
        let set = |name: &'static str, help: &'static str, value: f64| {
            describe_gauge!(name, help);
            gauge!(name, labels()).set(value);
        };
        let Self { published, skipped, capacity, closed, publishers_waited, totals, subscribers } = self;
        count("seqcast_published_total", "Messages published.", *published);
        count("seqcast_skipped_total", "Sequences that carry no message.", *skipped);
        count("seqcast_received_total", "Messages received, by all subscribers.", totals.received);
        count("seqcast_missed_total", "Messages overwritten before they were read, of all subscribers.", totals.missed);
        count("seqcast_holes_total", "Sequences without a message that subscribers passed.", totals.holes);
        let help = "Messages that subscribers skipped for a newer one.";
        count("seqcast_skipped_by_choice_total", help, totals.skipped_by_choice);

        let gating = subscribers.iter().filter(|subscriber| subscriber.gating).count();
        let demoted = subscribers.iter().filter(|subscriber| subscriber.demoted).count();
        let max_lag = subscribers.iter().map(|subscriber| subscriber.lag).max().unwrap_or(0);
        set("seqcast_capacity", "Messages that the ring holds.", float(*capacity as u64));
        set("seqcast_closed", "1 if the ring is closed.", f64::from(u8::from(*closed)));
        set("seqcast_subscribers", "Live subscribers.", float(subscribers.len() as u64));
        set("seqcast_gating_subscribers", "Live subscribers that publishers wait for.", float(gating as u64));
        set("seqcast_demoted_subscribers", "Live subscribers that were demoted to lossy ones.", float(demoted as u64));
        set("seqcast_max_lag", "The largest lag of a live subscriber, in messages.", float(max_lag));
        let help = "How long publishers have waited for gating subscribers.";
        set("seqcast_publishers_waited_seconds", help, publishers_waited.as_secs_f64());
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
fn float(number: u64) -> f64 {
    number as f64
}
