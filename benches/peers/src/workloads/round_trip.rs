use std::hint::spin_loop;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::peer::Peer;
use crate::statistics::nanoseconds;

/// Nanoseconds per round trip over two rings, with two polling threads.
pub fn round_trip<P: Peer>(trips: u64) -> f64 {
    let ((mut there, mut far), (mut back, mut near)) = (P::ring(64, 1), P::ring(64, 1));
    let near = &mut near[0];
    let start = &Barrier::new(2);
    thread::scope(|scope| {
        // Each thread has its handles on its own stack. Two handles in one cache line would distort the
        // result.
        scope.spawn(move || {
            let far = &mut far[0];
            start.wait();
            for number in 0..trips {
                assert_eq!(wait::<P>(far), P::seen(number));
                P::publish(&mut back, number);
            }
        });
        start.wait();
        let began = Instant::now();
        for number in 0..trips {
            P::publish(&mut there, number);
            assert_eq!(wait::<P>(near), P::seen(number));
        }
        nanoseconds(began.elapsed(), trips)
    })
}

fn wait<P: Peer>(rx: &mut P::Rx) -> u64 {
    loop {
        if let Some(number) = P::poll(rx) {
            return number;
        }
        spin_loop();
    }
}
