//! The life of one ring, from its builder to the final checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use seqcast::{Builder, Publisher, Subscriber};
use tokio::runtime::Handle;

use crate::audience::{Home, receive_all};
use crate::calm;
use crate::common::lock;
use crate::hang;
use crate::message::{Carry, Ledger};
use crate::options::{LANES, Options};
use crate::publishing::{self, Outlet, Pen};
use crate::stage::{End, Gates, Manner, Publishers, Stage};
use crate::tally::{self, Count};
use crate::watch::{self, catch, check, throw};

const CAPACITIES: [usize; 6] = [2, 4, 8, 64, 1024, 4096];
/// The largest first sequence that leaves room for a life.
const LAST_FIRST: u64 = (1 << 63) - (1 << 40);
/// The maximum of messages that a handle keeps beyond those in the ring, with a margin.
const KEPT_BACK: u64 = 256;

/// One ledger per lane. A lane has one ring at a time.
static LEDGERS: [Ledger; LANES] = [const { Ledger(AtomicI64::new(0)) }; LANES];

/// Runs one ring from its builder to its end, and checks the counts.
pub(crate) fn live<S: Carry>(lane: usize, options: &Options, tasks: &Handle, random: &mut fastrand::Rng) {
    let capacity = options.capacity.unwrap_or_else(|| CAPACITIES[random.usize(..CAPACITIES.len())]);
    let first = if random.bool() { 0 } else { random.u64(0..=LAST_FIRST) };
    let mut builder = Builder::new(capacity).first_sequence(first);
    if random.u32(0..4) == 0 {
        builder = builder.lag_slack(capacity.next_power_of_two() / 2);
    }
    // Only affects boxed rings.
    if random.bool() {
        builder = builder.eager_drop();
    }
    let manner = Manner::draw(random, options);
    match manner.gates {
        // Slack skips messages that a gating subscriber would not lose.
        Gates::Exact => builder = builder.lag_slack(0).gated(),
        Gates::Deadline => builder = builder.gated().gate_deadline(Duration::from_micros(random.u64(200..4000))),
        Gates::None => {}
    }
    let (publisher, subscriber) = S::ring(builder);
    let stage = Arc::new(Stage::new(lane, options, publisher.ring(), first, manner, &LEDGERS[lane]));
    show(&stage, format!("{} ring, {manner:?}", S::KIND));

    // Shorter if publishers do not wait for subscribers, because nearly all messages would be
    // missed.
    let life = random.u64(8..if manner.never_waits { 14 } else { 20 });
    let deadline = Instant::now() + Duration::from_micros(1 << life);
    let audience = assemble(&stage, subscriber, tasks, random);
    match manner.publishers {
        Publishers::Many => many(publisher, &stage, deadline, random),
        Publishers::Alone | Publishers::Converting => one(publisher, &stage, deadline, random),
    }
    audience.into_iter().for_each(|leave| leave());

    account(&stage);
    tally::add(Count::Rings, 1);
    tally::add(Count::GatedRings, manner.gated().into());
    hang::show(lane, None);
    drop_leaked(stage);
    let live = LEDGERS[lane].0.load(Relaxed);
    check!(live == 0, "{live} messages were made and not dropped");
}

/// Starts the subscribers, on threads and in tasks. Each returned call waits for one of them.
fn assemble<S: Carry>(
    stage: &Arc<Stage<S>>,
    subscriber: Subscriber<S>,
    tasks: &Handle,
    random: &mut fastrand::Rng,
) -> Vec<Box<dyn FnOnce()>> {
    let (threads, others) = (random.u64(1..=stage.options.threads), random.u64(0..=stage.options.tasks));
    // Three of four such rings have one subscriber that is gating from the first message to the
    // last.
    let gates = stage.manner.exact() && random.u32(0..4) > 0;
    let mut subscriber =
        Some(if gates { stage.ring.subscribe_gating().expect("the ring must be gated") } else { subscriber });
    let mut members = Vec::<Box<dyn FnOnce()>>::new();
    // In every second ring, a driver wakes the tasks. It may be dropped at any time.
    if random.bool() {
        let (drive, time) = (stage.ring.drive_wakes(), Duration::from_micros(random.u64(1..200_000)));
        let driver = tasks.spawn(async move { tokio::time::timeout(time, drive).await });
        members.push(Box::new({
            let tasks = tasks.clone();
            move || check!(tasks.block_on(driver).is_ok(), "the driver panicked")
        }));
    }
    for at in 0..threads + others {
        let (stage, tasks) = (Arc::clone(stage), tasks.clone());
        if at < threads {
            let receives = receive_all(stage, Home::Thread, subscriber.take(), random.fork());
            let thread = thread::spawn(move || tasks.block_on(receives));
            members.push(Box::new(|| check!(thread.join().is_ok(), "a receiving thread panicked")));
        } else {
            let task = tasks.spawn(receive_all(stage, Home::Task, None, random.fork()));
            members.push(Box::new(move || check!(tasks.block_on(task).is_ok(), "a receiving task panicked")));
        }
    }
    members
}

fn many<S: Carry>(publisher: Publisher<S>, stage: &Arc<Stage<S>>, deadline: Instant, random: &mut fastrand::Rng) {
    let mut publisher = publisher.share();
    *lock(&stage.source) = Some(publisher.clone());
    let mut pen = Pen::new(stage, random).expect("the first publisher must get a number");
    let mut threads: Vec<_> = (0..random.u64(1..=stage.options.threads))
        .map(|_| {
            let (stage, random) = (Arc::clone(stage), random.fork());
            thread::spawn(move || publishing::take_part(&stage, random))
        })
        .collect();
    while Instant::now() < deadline && !watch::is_over() {
        thread::sleep(deadline.saturating_duration_since(Instant::now()).min(Duration::from_millis(50)));
    }
    // The ring is closed while others publish, or after a pause.
    let calmly = random.bool();
    if calmly {
        join_publishers(stage, &mut threads);
    }
    lock(&stage.stalls).forbidden = true;
    pass_stalls(&mut publisher, &mut pen);
    if calmly {
        calm::one_at_a_time(&mut publisher, &mut pen);
        calm::catch_up_over_hole(&publisher, &mut pen);
    }
    if stage.manner.end == End::Call {
        let closed = [publisher.close(), publisher.close()];
        check!(closed == [true, false], "the second close must return false, not {closed:?}");
        check!(publisher.is_closed(), "the ring is not closed after `close`");
        return join_publishers(stage, &mut threads);
    }
    join_publishers(stage, &mut threads);
    // The last handle may become exclusive again.
    if random.bool() {
        let publisher = publisher.try_into_exclusive().expect("the last publisher must become exclusive");
        tally::add(Count::Conversions, 1);
        drop_it(publisher, stage.manner.end);
    } else {
        drop_it(publisher, stage.manner.end);
    }
}

/// Waits until the other publishers have ended.
fn join_publishers<S: Carry>(stage: &Stage<S>, threads: &mut Vec<JoinHandle<()>>) {
    stage.over.store(true, Relaxed);
    drop(lock(&stage.source).take());
    for thread in threads.drain(..) {
        check!(thread.join().is_ok(), "a publishing thread panicked");
    }
}

fn one<S: Carry>(publisher: Publisher<S>, stage: &Arc<Stage<S>>, deadline: Instant, random: &mut fastrand::Rng) {
    let mut pen = Pen::new(stage, random).expect("the first publisher must get a number");
    let mut publisher = publishing::alone(publisher, &mut pen, deadline, !stage.manner.alone());
    stage.over.store(true, Relaxed);
    pass_stalls(&mut publisher, &mut pen);
    if random.bool() {
        calm::one_at_a_time(&mut publisher, &mut pen);
    }
    match stage.manner.end {
        End::Call => publisher.close(),
        end => drop_it(publisher, end),
    }
}

/// Publishes until the ring is two laps past the last publisher that never resumes.
fn pass_stalls<S: Carry>(outlet: &mut impl Outlet<S>, pen: &mut Pen<S>) {
    let last = lock(&pen.stage.stalls).last;
    let goal = last.map_or(0, |last| last + 2 * pen.stage.capacity);
    while outlet.next() < goal {
        publishing::burst(outlet, pen, 1);
    }
}

fn drop_it(publisher: impl Sized, end: End) {
    catch(move || {
        let _publisher = publisher;
        if end == End::Panic {
            throw();
        }
    });
}

/// Checks that the ring's statistics agree with the counts of publishers.
fn account<S: Carry>(stage: &Stage<S>) {
    let stats = stage.ring.stats();
    let claimed = stage.ring.next_sequence() - stage.first;
    check!(stats.closed && stage.ring.is_closed(), "the ring is not closed at its end");
    let (published, unclear) = (stage.published.load(Relaxed), stage.unclear.load(Relaxed));
    // A skipped sequence may stay counted as published if its publisher claimed no other
    // afterwards. Either that publisher found the ring closed (at most one sequence each), or this
    // program suspended it, gave up after the skip, and counted it as unclear.
    let overcount = (stats.published + stats.skipped).wrapping_sub(claimed);
    let refused = if stage.manner.closed_by_call() { stage.enrolled() } else { 0 };
    check!(
        overcount <= refused + unclear,
        "{claimed} sequences claimed, of which {refused} + {unclear} may be counted twice: {stats:?}"
    );
    check!(!stage.manner.alone() || stats.skipped == 0, "a single publisher skipped a sequence");
    check!(
        (published..=published + unclear).contains(&stats.published.wrapping_sub(overcount)),
        "{published} to {published} + {unclear} messages published, but the statistics are {stats:?}"
    );
    let highest = stage.highest.load(Relaxed);
    check!(highest <= stage.ring.next_sequence(), "a publish returned {highest} - 1, which is after the end");
    let leaked = lock(&stage.leaked).len();
    // The messages in the ring, and those that its publishers keep.
    let live = stage.ledger.0.load(Relaxed);
    let most = stage.capacity + (leaked as u64 + 1) * KEPT_BACK;
    check!((0..=most as i64).contains(&live), "{live} messages are alive, but at most {most} may be");
    check!(stats.subscribers.len() <= leaked, "{leaked} leaked handles, but the ring lists {:?}", stats.subscribers);
}

/// Drops the leaked handles, and the ring.
fn drop_leaked<S: Carry>(stage: Arc<Stage<S>>) {
    match Arc::try_unwrap(stage) {
        Ok(stage) => {
            drop(lock(&stage.leaked).drain(..).collect::<Vec<_>>());
            check!(stage.ring.subscriber_count() == 0, "the ring still has subscribers");
        }
        Err(stage) => {
            watch::violation(format!("{} references to a finished ring are left", Arc::strong_count(&stage) - 1));
        }
    }
}

fn show<S: Carry>(stage: &Arc<Stage<S>>, title: String) {
    let (lane, ring, stage) = (stage.lane, stage.ring.clone(), Arc::downgrade(stage));
    let view = move || {
        let stalls = stage.upgrade().map(|stage| format!("{:?}, over: {}", lock(&stage.stalls), stage.is_over()));
        format!("{title}\n{:#?}\ntail {}, {stalls:?}", ring.stats(), ring.next_sequence())
    };
    hang::show(lane, Some(Box::new(view)));
}
