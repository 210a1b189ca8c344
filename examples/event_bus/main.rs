//! An event bus: the components of a shop publish to one boxed ring, and subscribe to it.
//!
//! ```text
//! cargo run --release --example event_bus
//! ```
//!
//! - `orders` publishes an order every 20 ms.
//! - `inventory` subscribes to orders, and publishes whether they can be delivered.
//! - `mailer` subscribes to that, and publishes each mail that it sends. Its connection breaks
//!   once. It then resumes at the sequence that it reads next, and misses nothing.
//! - `audit` joins late, at the oldest message in the ring, and prints everything.
//!
//! No component has a reference to another one. When every order has its mail, the bus is closed.
//! Each component reads what is left, and ends.

mod components;
mod event;

use std::time::Duration;

use tokio::time::sleep;

use crate::components::{audit, inventory, mailer, orders, wait_for_mails};
use crate::event::Event;

const ORDERS: u32 = 6;
/// More than all events of this program, so that a component that joins late finds all of them.
const CAPACITY: usize = 256;

// One thread keeps the output in order. The components could also run on several, or be threads.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (publisher, subscriber) = seqcast::boxed::<Event>(CAPACITY);
    let bus = publisher.share();

    // All but `audit` subscribe before the first event, and so receive everything.
    let done = tokio::spawn(wait_for_mails(subscriber, ORDERS));
    let inventory = tokio::spawn(inventory(bus.subscribe(), bus.clone()));
    let mailer = tokio::spawn(mailer(bus.subscribe(), bus.clone()));
    let orders = tokio::spawn(orders(bus.clone(), ORDERS));

    sleep(Duration::from_millis(50)).await;
    let audit = tokio::spawn(audit(bus.ring()));

    orders.await.expect("`orders` does not panic");
    done.await.expect("the wait does not panic");
    // Every component has a publisher of its own, so the ring does not close by itself.
    bus.close();
    let left = inventory.await.expect("`inventory` does not panic");
    let mailer = mailer.await.expect("`mailer` does not panic");
    let printed = audit.await.expect("`audit` does not panic");

    let events = bus.ring().stats().published;
    println!("\n{left} teapots are left, and {} mails were sent", mailer.sent);
    println!("{events} events were published, `audit` printed {printed}, `mailer` missed {}", mailer.missed);
    assert_eq!((mailer.sent, mailer.missed), (ORDERS, 0));
    assert_eq!((events, printed), (u64::from(ORDERS) * 3, events));
    assert!(bus.publish(Event::MailSent { order: 0 }).is_err(), "the bus is closed");
}
