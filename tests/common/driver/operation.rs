//! Tables of named operations, of which the choices select one.
//!
//! If a program panics, the names of its operations so far are printed. With `SEQCAST_TRACE` set,
//! they are printed for every program:
//!
//! `SEQCAST_TRACE=1 cargo +nightly fuzz run ops FILE`

use super::Choices;
use std::cell::RefCell;
use std::sync::Once;

/// An entry of a table. Its position and its weight decide which choices select it. The corpus of
/// the fuzzers depends on both.
#[derive(Clone, Copy)]
pub(super) struct Operation<F> {
    name: &'static str,
    weight: u64,
    run: F,
}

/// Makes an entry of a table. A name that ends in a colon is that of a group: another name follows.
pub(super) const fn op<F: Copy>(name: &'static str, weight: u64, run: F) -> Operation<F> {
    Operation { name, weight, run }
}

impl<F> Operation<F> {
    /// Records the name, and returns what to run.
    pub(super) fn begin(self) -> F {
        note(self.name);
        self.run
    }
}

/// Returns the selected operation.
pub(super) fn draw<F: Copy>(choices: &mut impl Choices, table: &[Operation<F>]) -> Operation<F> {
    let mut chosen = choices.below(table.iter().map(|operation| operation.weight).sum());
    for operation in table {
        if chosen < operation.weight {
            return *operation;
        }
        chosen -= operation.weight;
    }
    unreachable!("the number is less than the sum of the weights")
}

thread_local! {
    static TRACE: RefCell<Option<Vec<&'static str>>> = const { RefCell::new(None) };
}

/// Adds a name to the trace.
pub(super) fn note(name: &'static str) {
    TRACE.with_borrow_mut(|trace| trace.get_or_insert_default().push(name));
}

/// Records the names of a program's operations during its lifetime.
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
