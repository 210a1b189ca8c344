//! Recorders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// A counter that must not be set to less than it is.
#[derive(Default)]
struct Rising(AtomicU64);

impl CounterFn for Rising {
    fn increment(&self, _: u64) {
        unreachable!("the totals are the ring's");
    }

    fn absolute(&self, value: u64) {
        let before = self.0.swap(value, Ordering::Relaxed);
        assert!(before <= value, "{before}, then {value}");
    }
}

/// Keeps everything, as a recorder does that shows it to Prometheus.
#[derive(Default)]
pub(crate) struct Kept {
    counters: Mutex<BTreeMap<Key, Arc<Rising>>>,
    gauges: Mutex<BTreeMap<Key, Arc<AtomicU64>>>,
    described: Mutex<BTreeSet<String>>,
}

fn key(name: &str, ring: &str) -> Key {
    Key::from((name.to_owned(), &[("ring", ring.to_owned())][..]))
}

impl Kept {
    #[track_caller]
    pub(crate) fn counter(&self, name: &str, ring: &str) -> u64 {
        self.counters.lock().unwrap()[&key(name, ring)].0.load(Ordering::Relaxed)
    }

    #[track_caller]
    pub(crate) fn gauge(&self, name: &str, ring: &str) -> f64 {
        f64::from_bits(self.gauges.lock().unwrap()[&key(name, ring)].load(Ordering::Relaxed))
    }

    fn keys(&self) -> BTreeSet<Key> {
        let (counters, gauges) = (self.counters.lock().unwrap(), self.gauges.lock().unwrap());
        counters.keys().chain(gauges.keys()).cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.keys().len()
    }

    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.keys().iter().map(|key| key.name().to_owned()).collect()
    }

    pub(crate) fn labels(&self) -> BTreeSet<&'static str> {
        let keys = self.keys();
        let labels =
            keys.iter().flat_map(Key::labels).map(|label| if label.key() == "ring" { "ring" } else { "other" });
        labels.collect()
    }

    pub(crate) fn described(&self) -> BTreeSet<String> {
        self.described.lock().unwrap().clone()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        assert!(description.ends_with('.') && name.as_str().ends_with("_total"));
        self.described.lock().unwrap().insert(name.as_str().to_owned());
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        assert!(description.ends_with('.') && !name.as_str().ends_with("_total"));
        self.described.lock().unwrap().insert(name.as_str().to_owned());
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        unreachable!();
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.counters.lock().unwrap().entry(key.clone()).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(self.gauges.lock().unwrap().entry(key.clone()).or_default()))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        unreachable!();
    }
}

/// Is not to be called.
pub(crate) struct Forbidden;

impl Recorder for Forbidden {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("{name:?}");
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("{name:?}");
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("{name:?}");
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        panic!("{key}");
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("{key}");
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("{key}");
    }
}
