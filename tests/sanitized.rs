//! The stress test without a test harness, for the sanitizers. They report races in a harness that
//! was not built for them.

#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[cfg(not(loom))]
mod common;

fn main() {
    #[cfg(not(loom))]
    {
        use common::whole::{Event, Noise, Padded};
        type Plain = seqcast::Inline<common::Signed>;
        type Owning = seqcast::Boxed<Box<common::Signed>>;
        for capacity in common::CAPACITIES {
            common::stress::shared::<Plain>(4, 5, capacity, 500, common::FIRSTS[1]);
            common::stress::exclusive::<Plain>(5, capacity, 5_000);
            common::stress::shared::<Owning>(4, 8, capacity, 500, common::FIRSTS[1]);
            common::stress::exclusive::<Owning>(8, capacity, 3_000);
        }
        // Messages with padding, with pointers, and with more bytes than are copied by words.
        for capacity in [2, 64] {
            common::stress::shared::<seqcast::Inline<Padded>>(2, 2, capacity, 1_000, 0);
            common::stress::shared::<seqcast::Inline<Event>>(2, 2, capacity, 1_000, 0);
            common::stress::exclusive::<seqcast::Inline<Event>>(2, capacity, 2_000);
            common::stress::shared::<seqcast::Inline<Noise<1001>>>(2, 2, capacity, 1_000, 0);
            common::stress::exclusive::<seqcast::Inline<Noise<4096>>>(2, capacity, 2_000);
        }
        println!("sanitized: all counts add up with {} capacities", common::CAPACITIES.len());
    }
}
