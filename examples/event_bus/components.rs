//! The components: loops over `next_ref_async`, which returns `None` at the end of the ring.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use seqcast::{Boxed, Lagged, Ref, Ring, SharedPublisher, Start, SubscribeError, Subscriber};
use tokio::time::sleep;

use crate::event::{Event, Order};

/// Places `count` orders.
pub(crate) async fn orders(bus: SharedPublisher<Boxed<Event>>, count: u32) {
    for (id, customer) in (1..=count).zip(["Ada", "Ben", "Cleo"].into_iter().cycle()) {
        let order = Order { id, customer: customer.to_owned(), teapots: id + 1 };
        if bus.publish(Event::OrderPlaced(Arc::new(order))).is_err() {
            return; // the bus is closed
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Reserves teapots as long as there are enough. Returns how many are left.
pub(crate) async fn inventory(mut events: Subscriber<Boxed<Event>>, bus: SharedPublisher<Boxed<Event>>) -> u32 {
    let mut left = 16_u32;
    while let Some(event) = events.next_ref_async().await {
        let Ok(Event::OrderPlaced(order)) = event.as_deref() else { continue };
        let answer = match left.checked_sub(order.teapots) {
            Some(rest) => {
                left = rest;
                Event::Reserved { order: order.id, left }
            }
            None => Event::OutOfStock { order: order.id },
        };
        if bus.publish(answer).is_err() {
            break;
        }
    }
    left
}

/// Sends a mail for each order that was reserved or rejected.
pub(crate) struct Mailer {
    bus: SharedPublisher<Boxed<Event>>,
    /// Orders without a mail. Each `Arc` outlives the event that brought it.
    orders: HashMap<u32, Arc<Order>>,
    pub(crate) sent: u32,
    pub(crate) missed: u64,
}

/// Runs a mailer whose connection breaks after two mails.
pub(crate) async fn mailer(mut events: Subscriber<Boxed<Event>>, bus: SharedPublisher<Boxed<Event>>) -> Mailer {
    let ring = events.ring();
    let mut mailer = Mailer { bus, orders: HashMap::new(), sent: 0, missed: 0 };
    mailer.send(&mut events, 2).await;

    // All that a subscriber needs in order to resume is the sequence that it reads next.
    let next = events.next_sequence();
    drop(events);
    println!("mailer: disconnected before sequence {next}");
    sleep(Duration::from_millis(50)).await;
    let mut events = resume(&ring, next);
    println!("mailer: resumes at sequence {}, {} events behind", events.next_sequence(), events.lag());
    mailer.send(&mut events, u32::MAX).await;
    mailer
}

/// A subscriber that continues at a sequence that was kept.
fn resume(ring: &Ring<Boxed<Event>>, next: u64) -> Subscriber<Boxed<Event>> {
    match ring.try_subscribe_at(Start::At(next)) {
        Ok(events) => events,
        // Too long ago. The first receive returns `Lagged` with the exact number of missed events.
        Err(SubscribeError::Evicted { .. }) => ring.subscribe_at(Start::At(next)),
        // The sequence is not of this ring.
        Err(_) => ring.subscribe_at(Start::Oldest),
    }
}

impl Mailer {
    /// Reads events until `limit` mails were sent, or to the end of the ring.
    async fn send(&mut self, events: &mut Subscriber<Boxed<Event>>, limit: u32) {
        while self.sent < limit {
            let Some(event) = events.next_ref_async().await else { break };
            let (order, text) = match event.as_deref() {
                Ok(Event::OrderPlaced(order)) => {
                    self.orders.insert(order.id, Arc::clone(order));
                    continue;
                }
                Ok(Event::Reserved { order, .. }) => (*order, "is on its way"),
                Ok(Event::OutOfStock { order }) => (*order, "cannot be delivered"),
                Ok(Event::MailSent { .. }) => continue,
                Err(Lagged { missed, .. }) => {
                    self.missed += missed;
                    continue;
                }
            };
            let Some(order) = self.orders.remove(&order) else { continue };
            println!("mailer: to {}: your order {} {text}", order.customer, order.id);
            self.sent += 1;
            if self.bus.publish(Event::MailSent { order: order.id }).is_err() {
                break;
            }
        }
    }
}

/// Waits until so many mails were sent.
pub(crate) async fn wait_for_mails(mut events: Subscriber<Boxed<Event>>, mut mails: u32) {
    while let Some(event) = events.next_ref_async().await {
        if matches!(event.as_deref(), Ok(Event::MailSent { .. })) {
            mails -= 1;
        }
        if mails == 0 {
            break;
        }
    }
}

/// Prints all events from the oldest in the ring on. Returns how many.
pub(crate) async fn audit(ring: Ring<Boxed<Event>>) -> u64 {
    let mut events = ring.subscribe_at(Start::Oldest);
    println!("audit: joins, and reads {} events that were published before", events.lag());
    let mut printed = 0;
    while let Some(event) = events.next_ref_async().await {
        match event {
            Ok(event) => {
                printed += 1;
                println!("audit: {:>2}  {}", Ref::sequence(&event), *event);
            }
            Err(lagged) => println!("audit: {lagged}"),
        }
    }
    printed
}
