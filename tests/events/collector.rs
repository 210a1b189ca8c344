//! A `tracing::Subscriber` for the whole process.
//!
//! A scoped one (`with_default`) would not see events of other threads, and `tracing` hides events that its handler causes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::common::lock;
use crate::common::panics::Planned;

/// One event, and its fields as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Seen {
    /// The number in this field.
    #[track_caller]
    pub(crate) fn number(&self, field: &str) -> u64 {
        self.fields[field].parse().unwrap()
    }

    pub(crate) fn message(&self) -> &str {
        &self.fields["message"]
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

type Handler = Arc<dyn Fn(&Seen) + Send + Sync>;

#[derive(Default)]
struct Kept {
    seen: Vec<Seen>,
    /// By what an event is about.
    handlers: HashMap<String, Handler>,
    /// Where a handler has panicked, and not on purpose. The ring catches that.
    failed: HashSet<String>,
}

static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

fn kept<R>(with: impl FnOnce(&mut Kept) -> R) -> R {
    with(lock(&KEPT).get_or_insert_default())
}

/// The name of the subscriber. One without a name goes by the capacity of its ring.
fn about(seen: &Seen) -> &str {
    seen.fields.get("name").unwrap_or(&seen.fields["capacity"])
}

struct Collector;

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("seqcast")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut seen = Seen { level: *metadata.level(), target: metadata.target().to_owned(), fields: BTreeMap::new() };
        event.record(&mut seen);
        let handler = kept(|kept| {
            kept.seen.push(seen.clone());
            kept.handlers.get(about(&seen)).cloned()
        });
        // It may make events of its own.
        let Some(handler) = handler else { return };
        if let Err(thrown) = catch_unwind(AssertUnwindSafe(|| handler(&seen))) {
            if !thrown.is::<Planned>() {
                kept(|kept| kept.failed.insert(about(&seen).to_owned()));
            }
            resume_unwind(thrown);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Begins to keep events.
pub(crate) fn collect() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Collector).unwrap());
}

/// Has `handler` called for events about the subscriber of this name. Each test has names of its own.
pub(crate) fn on(name: &str, handler: impl Fn(&Seen) + Send + Sync + 'static) {
    collect();
    kept(|kept| kept.handlers.insert(name.to_owned(), Arc::new(handler)));
}

/// The events about the subscriber of this name, which are not kept any longer. Fails if its handler did.
#[track_caller]
pub(crate) fn take(name: &str) -> Vec<Seen> {
    assert!(!kept(|kept| kept.failed.contains(name)), "the handler has failed");
    kept(|kept| {
        let (taken, left) = std::mem::take(&mut kept.seen).into_iter().partition(|seen| about(seen) == name);
        kept.seen = left;
        taken
    })
}
