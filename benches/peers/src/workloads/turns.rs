use super::size;
use crate::peer::Peer;

/// What a reader has received from each publisher. Publisher `id` of `count` sends
/// `turn * count + id` in its turns.
pub struct Turns(Vec<u64>);

impl Turns {
    /// `count` is a power of two, so that a number identifies its publisher.
    pub fn new<P: Peer>(count: u64) -> Self {
        assert!(count.is_power_of_two() && count < P::KINDS);
        Self(vec![0; size(count)])
    }

    /// Checks that no number is missing, repeated, or out of its publisher's order.
    #[inline]
    pub fn check<P: Peer>(&mut self, number: u64) {
        let count = self.0.len() as u64;
        let id = number % count;
        let turn = &mut self.0[size(id)];
        assert_eq!(number, P::seen(*turn * count + id), "out of its publisher's order");
        *turn += 1;
    }
}
