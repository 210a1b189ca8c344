//! Where events are published.

use seqcast::Publisher;

use crate::event::Event;
use crate::payload::Payload;

/// Where events are published. Dropping it ends the streams.
pub trait Outlet: Send {
    /// Publishes an event.
    fn publish(&mut self, event: Event);

    /// Publishes all events, and empties the vector.
    fn publish_all(&mut self, events: &mut Vec<Event>) {
        events.drain(..).for_each(|event| self.publish(event));
    }
}

/// Publishes to a ring, and never waits for a client.
pub(crate) struct RingOutlet<P: Payload>(pub(crate) Publisher<P::Storage>);

impl<P: Payload> Outlet for RingOutlet<P> {
    fn publish(&mut self, event: Event) {
        self.0.publish(P::pack(event));
    }

    /// Wakes each client once.
    fn publish_all(&mut self, events: &mut Vec<Event>) {
        self.0.publish_many(events.drain(..).map(P::pack));
    }
}
