//! Operations by name, of which one is drawn.
//!
//! A panic while a program runs prints the names of its operations so far. With `SEQCAST_TRACE` set,
//! those of every program are printed:
//!
//! `SEQCAST_TRACE=1 cargo +nightly fuzz run ops FILE`

use super::Choices;
use std::cell::RefCell;
use std::sync::Once;

/// One of a table. Its place and its weight decide which choices mean it: the inputs that fuzzers
/// keep rely on both.
#[derive(Clone, Copy)]
pub(super) struct Operation<F> {
    name: &'static str,
    weight: u64,
    run: F,
}

/// A row of a table. A name that ends in a colon is that of a group, in which another name follows.
pub(super) const fn op<F: Copy>(name: &'static str, weight: u64, run: F) -> Operation<F> {
    Operation { name, weight, run }
}

impl<F> Operation<F> {
    /// Notes its name; what is to be run.
    pub(super) fn begin(self) -> F {
        note(self.name);
        self.run
    }
}

/// The operation that is chosen.
pub(super) fn draw<F: Copy>(choices: &mut impl Choices, table: &[Operation<F>]) -> Operation<F> {
    let mut chosen = choices.below(table.iter().map(|operation| operation.weight).sum());
    for operation in table {
        if chosen < operation.weight {
            return *operation;
        }
        chosen -= operation.weight;
    }
    unreachable!("beyond the weights")
}

thread_local! {
    static TRACE: RefCell<Option<Vec<&'static str>>> = const { RefCell::new(None) };
}

/// Adds to the names of what was done.
pub(super) fn note(name: &'static str) {
    TRACE.with_borrow_mut(|trace| trace.get_or_insert_default().push(name));
}

/// Keeps the names of a program's operations, as long as it lives.
pub(super) struct Trace(());

impl Trace {
    pub(super) fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let show = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                print();
                show(panic);
            }));
        });
        TRACE.set(Some(Vec::new()));
        Self(())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if !std::thread::panicking() && std::env::var_os("SEQCAST_TRACE").is_some() {
            print();
        }
        TRACE.set(None);
    }
}

fn print() {
    let names = TRACE.try_with(|trace| trace.try_borrow().ok().and_then(|trace| trace.clone()));
    if let Ok(Some(names)) = names {
        eprintln!("operations: {}", names.join(", ").replace(":, ", ": "));
    }
}
