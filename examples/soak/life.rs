//! The life of one ring, from its builder to the last account.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use seqcast::{Builder, Publisher};
use tokio::runtime::Handle;

use crate::audience;
use crate::calm;
use crate::ledger::Ledger;
use crate::message::Carry;
use crate::options::Options;
use crate::publishing::{self, Outlet, Pen};
use crate::stage::{Manner, Stage, lock};
use crate::stalling;
use crate::tally::{self, Count};
use crate::tasks;
use crate::watch::{self, catch, check, throw};

const CAPACITIES: [usize; 6] = [2, 4, 8, 64, 1024, 4096];
/// The largest first sequence that leaves room for a life.
const LAST_FIRST: u64 = (1 << 63) - (1 << 40);
/// Rings leaked for good, all together.
const LEAKED_RINGS: u64 = 32;

/// Who publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Publishers {
    Alone,
    /// Alone, and with another now and then.
    Converting,
    Many,
}

/// How a ring ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Call,
    LastDrop,
    Panic,
}

/// Lives one life of a ring, and checks the accounts.
pub(crate) fn live<S: Carry>(
    lane: usize,
    options: &Options,
    tasks: &Handle,
    ledger: &mut &'static Ledger,
    random: &mut fastrand::Rng,
) {
    let capacity = options.capacity.unwrap_or_else(|| CAPACITIES[random.usize(..CAPACITIES.len())]);
    let first = if random.bool() { 0 } else { random.u64(0..=LAST_FIRST) };
    let mut builder = Builder::new(capacity).first_sequence(first);
    if random.u32(0..4) == 0 {
        builder = builder.lag_slack(capacity.next_power_of_two().max(2) / 2);
    }
    let publishers =
        [Publishers::Alone, Publishers::Converting, Publishers::Many, Publishers::Many][random.usize(0..4)];
    let end = [End::Call, End::Call, End::LastDrop, End::Panic][random.usize(0..4)];
    let (publisher, subscriber) = S::ring(builder);
    let manner = Manner {
        alone: publishers == Publishers::Alone,
        closed_by_call: publishers == Publishers::Many && end == End::Call,
        rude: random.u32(0..16) == 0,
    };
    let stage = Arc::new(Stage::new(lane, publisher.ring(), first, manner, ledger));
    show(&stage, format!("{} ring, publishers: {publishers:?}, end: {end:?}", S::KIND));

    // Shorter where everything is lapped, lest nearly all messages be missed.
    let life = random.u64(8..if manner.rude { 14 } else { 20 });
    let deadline = Instant::now() + Duration::from_micros(1 << life);
    let cast = Cast::assemble(&stage, subscriber, options, tasks, random);
    match publishers {
        Publishers::Many => many(publisher, &stage, end, deadline, options, random),
        _ => one(publisher, &stage, publishers, end, deadline, random),
    }
    cast.leave(tasks);

    account(&stage, publishers);
    tally::add(Count::Rings, 1);
    watch::show(lane, None);
    if !options.no_leaks && tally::get(Count::LeakedRings) < LEAKED_RINGS && random.u32(0..64) == 0 {
        leak(stage, ledger);
        return;
    }
    bury(stage);
    if tally::get(Count::Violations) == 0 {
        ledger.settle();
    }
}

/// Those who receive.
struct Cast {
    threads: Vec<JoinHandle<()>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Cast {
    fn assemble<S: Carry>(
        stage: &Arc<Stage<S>>,
        subscriber: seqcast::Subscriber<S>,
        options: &Options,
        tasks: &Handle,
        random: &mut fastrand::Rng,
    ) -> Self {
        let spawn = |subscriber: Option<seqcast::Subscriber<S>>, random: fastrand::Rng| {
            let stage = Arc::clone(stage);
            thread::spawn(move || audience::attend(&stage, subscriber, random))
        };
        let mut threads = vec![spawn(Some(subscriber), random.fork())];
        threads.extend((1..random.u64(1..=options.threads)).map(|_| spawn(None, random.fork())));
        let tasks = (0..random.u64(0..=options.tasks))
            .map(|_| tasks.spawn(tasks::attend(Arc::clone(stage), random.fork())))
            .collect();
        Self { threads, tasks }
    }

    fn leave(self, tasks: &Handle) {
        for thread in self.threads {
            check(thread.join().is_ok(), || "a receiving thread panicked");
        }
        for task in self.tasks {
            check(tasks.block_on(task).is_ok(), || "a receiving task panicked");
        }
    }
}

fn many<S: Carry>(
    publisher: Publisher<S>,
    stage: &Arc<Stage<S>>,
    end: End,
    deadline: Instant,
    options: &Options,
    random: &mut fastrand::Rng,
) {
    let mut publisher = publisher.share();
    *lock(&stage.source) = Some(publisher.clone());
    let Some(mut pen) = Pen::new(stage) else { unreachable!("the first one") };
    let mut threads: Vec<_> = (0..random.u64(1..=options.threads))
        .map(|_| {
            let (stage, random) = (Arc::clone(stage), random.fork());
            thread::spawn(move || publishing::take_part(&stage, random, end == End::Panic))
        })
        .collect();
    wait(deadline);
    // Closed while others publish, or after a while in which nobody does.
    let calmly = random.bool();
    if calmly {
        send_away(stage, &mut threads);
    }
    let last = {
        let mut stalls = lock(&stage.stalls);
        stalls.forbidden = true;
        stalls.last
    };
    while !stalling::adopt(&publisher, stage) {}
    pass_stalls(&mut publisher, &mut pen, last, random);
    if calmly {
        calm::one_at_a_time(&mut publisher, &mut pen, random);
        calm::catch_up_over_hole(&publisher, &mut pen, random);
    }
    if end == End::Call {
        let closed = [publisher.close(), publisher.close()];
        check(closed == [true, false], || format!("closed twice: {closed:?}"));
        check(publisher.is_closed(), || "not closed after a close");
    }
    send_away(stage, &mut threads);
    if end == End::Call {
        return;
    }
    // The last one may be exclusive once more.
    if random.bool() {
        match publisher.try_into_exclusive() {
            Ok(exclusive) => {
                tally::add(Count::Conversions, 1);
                catch(move || end_exclusive(exclusive, end));
            }
            Err(shared) => watch::violation(format!("the last one does not become exclusive: {shared:?}")),
        }
    } else {
        catch(move || {
            let _publisher = publisher;
            if end == End::Panic {
                throw();
            }
        });
    }
}

/// Waits until the others publish no more.
fn send_away<S: Carry>(stage: &Stage<S>, threads: &mut Vec<JoinHandle<()>>) {
    stage.over.store(true, Relaxed);
    drop(lock(&stage.source).take());
    for thread in threads.drain(..) {
        check(thread.join().is_ok(), || "a publishing thread panicked");
    }
}

fn one<S: Carry>(
    publisher: Publisher<S>,
    stage: &Arc<Stage<S>>,
    publishers: Publishers,
    end: End,
    deadline: Instant,
    random: &mut fastrand::Rng,
) {
    let thread = {
        let (stage, mut random) = (Arc::clone(stage), random.fork());
        thread::spawn(move || {
            let Some(mut pen) = Pen::new(&stage) else { return };
            let mut publisher =
                publishing::alone(publisher, &mut pen, publishers == Publishers::Converting, &mut random);
            let last = lock(&stage.stalls).last;
            pass_stalls(&mut publisher, &mut pen, last, &mut random);
            if random.bool() {
                calm::one_at_a_time(&mut publisher, &mut pen, &mut random);
            }
            end_exclusive(publisher, end);
        })
    };
    wait(deadline);
    stage.over.store(true, Relaxed);
    check(thread.join().is_ok() == (end != End::Panic), || "the publishing thread ended otherwise");
}

/// Whoever stalled for good is waited for until the others are a lap further.
fn pass_stalls<S: Carry>(outlet: &mut impl Outlet<S>, pen: &mut Pen<S>, last: Option<u64>, random: &mut fastrand::Rng) {
    let goal = last.map_or(0, |last| last + 2 * pen.stage.capacity);
    while outlet.next() < goal {
        publishing::burst(outlet, pen, 1, random);
    }
}

fn end_exclusive<S: Carry>(publisher: Publisher<S>, end: End) {
    match end {
        End::Call => publisher.close(),
        End::LastDrop => drop(publisher),
        End::Panic => {
            let _publisher = publisher;
            throw();
        }
    }
}

fn wait(deadline: Instant) {
    while !watch::is_over() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// What the ring itself says must be what all others counted.
fn account<S: Carry>(stage: &Stage<S>, publishers: Publishers) {
    let stats = stage.ring.stats();
    let drawn = stage.ring.next_sequence() - stage.first;
    check(stats.closed && stage.ring.is_closed(), || "not closed in the end");
    check(stats.published + stats.skipped == drawn, || format!("{drawn} sequences drawn: {stats:?}"));
    check(publishers != Publishers::Alone || stats.skipped == 0, || "skipped with one publisher");
    let (published, unclear) = (stage.published.load(Relaxed), stage.unclear.load(Relaxed));
    check((published..=published + unclear).contains(&stats.published), || {
        format!("{published} (and perhaps {unclear} more) published: {stats:?}")
    });
    let highest = stage.highest.load(Relaxed);
    check(highest <= stage.ring.next_sequence(), || format!("published before {highest}, behind the end"));
    let leaked = lock(&stage.morgue).len();
    check(stats.subscribers.len() <= leaked, || format!("{leaked} leaked handles, but {:?}", stats.subscribers));
}

/// Drops what counts as leaked, and the ring.
fn bury<S: Carry>(stage: Arc<Stage<S>>) {
    match Arc::try_unwrap(stage) {
        Ok(stage) => {
            drop(lock(&stage.morgue).drain(..).collect::<Vec<_>>());
            check(stage.ring.subscriber_count() == 0, || "subscribers are left");
        }
        Err(stage) => {
            watch::violation(format!("{} others look at a ring that is gone", Arc::strong_count(&stage) - 1));
        }
    }
}

/// Leaks the ring with all that is in it, where leak detectors find it.
fn leak<S: Carry>(stage: Arc<Stage<S>>, ledger: &mut &'static Ledger) {
    tally::add(Count::LeakedRings, 1);
    // Its messages and those put aside: no more than this.
    let bound = stage.capacity + (lock(&stage.morgue).len() as u64 + 2) * 256;
    check(ledger.live() <= bound, || format!("{} messages in a leaked ring", ledger.live()));
    let ring = stage.ring.clone();
    audience::keep_for_good(stage);
    drop(ring);
    *ledger = Ledger::new();
}

fn show<S: Carry>(stage: &Arc<Stage<S>>, title: String) {
    let (ring, stage_view) = (stage.ring.clone(), Arc::downgrade(stage));
    let view = move || {
        let stalls = stage_view.upgrade().map(|stage| format!("{:?}, over: {}", lock(&stage.stalls), stage.is_over()));
        let doings = stage_view.upgrade().map(|stage| stage.doings()).unwrap_or_default();
        format!("{title}\n{:#?}\ntail {}, {stalls:?}\n{doings}", ring.stats(), ring.next_sequence())
    };
    watch::show(stage.lane, Some(Box::new(view)));
}
