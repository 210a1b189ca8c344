//! Counts the moves of a large message on the stack, on its way into a ring and out of it:
//! `cargo bench --bench moves`. The table is in `docs/copying.md`.
//!
//! A move is a call of `memcpy` with the size of a message. The copies into a slot and out of it are
//! inline assembly, and do not count.
#![allow(clippy::pedantic, reason = "as the tests")]

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("skipped: moves are counted on x86-64 only");
}

#[cfg(target_arch = "x86_64")]
fn main() {
    counting::main();
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "takes the place of `memcpy`")]
mod counting {
    use std::hint::black_box;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::time::Duration;

    use futures::StreamExt;
    use futures::executor::block_on;
    use seqcast::{Publisher, Receive, Start, Subscriber, boxed, inline};

    type Message = [u64; 512];

    static MOVES: AtomicU64 = AtomicU64::new(0);

    /// Takes the place of the system's `memcpy` in this program.
    ///
    /// # Safety
    ///
    /// The same as for `memcpy`.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
        if len >= size_of::<Message>() - 64 {
            MOVES.fetch_add(1, Relaxed);
        }
        // SAFETY: the caller guarantees what `memcpy` requires. This is assembly because the compiler
        // would turn a loop into a call of `memcpy`.
        unsafe {
            std::arch::asm!(
                "rep movsb",
                inout("rdi") to => _,
                inout("rsi") from => _,
                inout("rcx") len => _,
                options(nostack, preserves_flags)
            );
        }
        to
    }

    #[inline(never)]
    fn make(number: u64) -> Message {
        let mut message = [0; 512];
        message[511] = number;
        message
    }

    /// The number of moves in one call of `code`, after a few calls to warm up.
    fn moves(mut code: impl FnMut()) -> f64 {
        const TIMES: u32 = 100;
        // A boxed ring uses its nodes again after a while.
        (0..300).for_each(|_| code());
        let before = MOVES.load(Relaxed);
        (0..TIMES).for_each(|_| code());
        (MOVES.load(Relaxed) - before) as f64 / f64::from(TIMES)
    }

    type Call<S> = (&'static str, fn(&mut Publisher<S>, &Message));
    type Take<S> = (&'static str, fn(&mut Subscriber<S>, &mut Vec<Message>));

    macro_rules! takes {
        ($($name:literal: |$subscriber:ident, $buffer:pat_param| $received:expr;)*) => {
            [$(($name, |$subscriber, $buffer| match $received {
                Ok(ref message) => { black_box(message); }
                Err(_) => panic!("no message"),
            })),*]
        };
    }

    fn counted<S: Receive<Item = Message>>(
        ring: impl Fn() -> (Publisher<S>, Subscriber<S>),
    ) -> Vec<(&'static str, f64)> {
        let calls: [Call<S>; 3] = [
            ("publish(make())", |publisher, _| {
                publisher.publish(make(7));
            }),
            ("publish(message), and uses it afterwards", |publisher, message| {
                publisher.publish(*message);
            }),
            ("publish_many, of an iterator that makes one", |publisher, _| {
                publisher.publish_many((0..1).map(make));
            }),
        ];
        let takes: [Take<S>; 9] = takes! {
            "try_recv": |subscriber, _| subscriber.try_recv();
            "recv": |subscriber, _| subscriber.recv();
            "recv_timeout": |subscriber, _| subscriber.recv_timeout(Duration::ZERO);
            "latest": |subscriber, _| subscriber.latest();
            "iter": |subscriber, _| subscriber.iter().next().expect("an open ring");
            "recv_async": |subscriber, _| block_on(subscriber.recv_async());
            "Stream": |subscriber, _| block_on(subscriber.next()).expect("an open ring");
            "try_recv_many": |subscriber, buffer| { buffer.clear(); subscriber.try_recv_many(buffer, 4) };
            "recv_many": |subscriber, buffer| { buffer.clear(); subscriber.recv_many(buffer, 4) };
        };
        let message = make(3);
        let (mut publisher, mut subscriber) = ring();
        let mut rows = Vec::new();
        for (name, call) in calls {
            rows.push((name, moves(|| call(&mut publisher, black_box(&message)))));
        }
        subscriber.seek(Start::Latest);
        let mut buffer = Vec::with_capacity(4);
        for (name, take) in takes {
            let both = moves(|| {
                publisher.publish(make(7));
                take(&mut subscriber, &mut buffer);
            });
            rows.push((name, both - rows[0].1));
        }
        let publisher = publisher.share();
        rows.push(("SharedPublisher::publish(make())", moves(|| assert!(publisher.publish(make(7)).is_ok()))));
        rows
    }

    pub(super) fn main() {
        println!("{:<45} {:>6} {:>6}", "moves of a message of 4 KiB", "inline", "boxed");
        let boxed = counted(|| boxed(64));
        for ((name, inline), (_, boxed)) in counted(|| inline(64)).into_iter().zip(boxed) {
            println!("{name:<45} {inline:>6.2} {boxed:>6.2}");
        }
    }
}
