//! Runs a model without output. If it fails, runs it again up to the failed interleaving, and then
//! prints that one step by step.
//!
//! This runs in the panic hook, on another thread, and writes directly to standard error. So the
//! output is complete even if unwinding panics again and the process aborts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;

use tracing_subscriber::util::SubscriberInitExt;

/// The trace filter: the operations reported by the shim, and loom's switches between threads.
const SHOWN: &str = "seqcast=trace,loom::rt::execution=info";

/// A running model.
struct Running {
    name: String,
    preemptions: usize,
    program: Arc<dyn Fn() + Send + Sync>,
    begun: Arc<AtomicUsize>,
}

thread_local! {
    /// The model that this thread runs.
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
    /// Whether this thread prints an interleaving.
    static PRINTS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `program` in every interleaving with at most `preemptions`, and returns the outcomes.
pub(crate) fn explore<O: Ord + Send + 'static>(
    preemptions: usize,
    program: impl Fn() -> O + Send + Sync + 'static,
) -> BTreeSet<O> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let show = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if PRINTS.get() {
                return print_line(panic);
            }
            show(panic);
            if let Some(failed) = RUNNING.take() {
                let _ = thread::spawn(move || failed.print()).join();
            }
        }));
    });

    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let begun = Arc::new(AtomicUsize::new(0));
    let (seen, count) = (Arc::clone(&outcomes), Arc::clone(&begun));
    let program = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let outcome = program();
        seen.lock().unwrap().insert(outcome);
    });
    let name = thread::current().name().unwrap_or("?").to_owned();
    RUNNING.set(Some(Running { name, preemptions, program: Arc::clone(&program) as _, begun: Arc::clone(&begun) }));
    builder(preemptions).check(move || program());
    RUNNING.take();
    println!("{} interleavings", begun.load(Ordering::Relaxed));
    std::mem::take(&mut outcomes.lock().unwrap())
}

fn builder(preemptions: usize) -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder
}

fn print_line(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}

impl Running {
    /// Prints the last interleaving that has begun.
    fn print(self) {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = self.begun.load(Ordering::Relaxed);
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.json", self.name.replace("::", ".")));
        let _ = std::fs::remove_file(&file);
        let run = |builder: &loom::model::Builder| {
            let program = Arc::clone(&self.program);
            builder.check(move || program());
        };

        // loom stores its position before each interval of interleavings. It stops there if that is
        // the maximum.
        let mut before = builder(self.preemptions);
        before.checkpoint_file = Some(file.clone());
        (before.checkpoint_interval, before.max_permutations) = (failed, Some(failed));
        run(&before);

        print_line(format_args!("\n{}: interleaving {failed}, which failed:", self.name));
        let shown = tracing_subscriber::fmt()
            .with_env_filter(SHOWN)
            .with_writer(io::stderr)
            .with_ansi(false)
            .without_time()
            .with_level(false)
            .with_target(false);
        let _shown = shown.finish().set_default();
        PRINTS.set(true);
        let mut again = builder(self.preemptions);
        again.checkpoint_file = Some(file);
        (again.checkpoint_interval, again.max_permutations) = (2, Some(2));
        (again.location, again.log) = (true, true);
        run(&again);
        print_line("The repetition passed: the model does not depend on the interleaving alone.");
    }
}
