//! The checker's atomics, which report each operation, its place and its result as a `tracing`
//! event. So a model that fails can show the interleaving that led to it.

use std::fmt;
use std::panic::Location;

use super::checker::sync::atomic as plain;
use plain::Ordering;

/// Reports one operation, at the line that called it.
#[track_caller]
pub(super) fn trace(what: fmt::Arguments<'_>) {
    tracing::trace!(target: "seqcast", "{} {what}", Location::caller());
}

macro_rules! exchange {
    ($name:ident, $value:ty) => {
        #[track_caller]
        pub(crate) fn $name(
            &self,
            from: $value,
            to: $value,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$value, $value> {
            let outcome = self.0.$name(from, to, success, failure);
            let name = stringify!($name);
            trace(format_args!("{name}({from:?}, {to:?}, {success:?}, {failure:?}) = {outcome:?}"));
            outcome
        }
    };
}

macro_rules! traced {
    ($name:ident $(<$of:ident>)?, $value:ty, $($op:ident)*) => {
        /// The checker's type of the same name, traced.
        #[allow(unreachable_pub, reason = "the slots are named in a public trait, which is sealed")]
        pub struct $name$(<$of>)?(plain::$name$(<$of>)?);

        #[allow(dead_code, reason = "each type has all that any of them needs")]
        impl$(<$of>)? $name$(<$of>)? {
            #[track_caller]
            pub(crate) fn new(value: $value) -> Self {
                Self(plain::$name::new(value))
            }

            #[track_caller]
            pub(crate) fn load(&self, ordering: Ordering) -> $value {
                let value = self.0.load(ordering);
                trace(format_args!("load({ordering:?}) = {value:?}"));
                value
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, ordering: Ordering) {
                self.0.store(value, ordering);
                trace(format_args!("store({value:?}, {ordering:?})"));
            }

            exchange!(compare_exchange, $value);
            exchange!(compare_exchange_weak, $value);

            $(
                #[track_caller]
                pub(crate) fn $op(&self, value: $value, ordering: Ordering) -> $value {
                    let before = self.0.$op(value, ordering);
                    trace(format_args!("{}({value:?}, {ordering:?}) = {before:?}", stringify!($op)));
                    before
                }
            )*
        }

        impl$(<$of>)? fmt::Debug for $name$(<$of>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

traced!(AtomicBool, bool, swap);
traced!(AtomicU32, u32, fetch_add);
traced!(AtomicU64, u64, swap fetch_add fetch_sub fetch_max fetch_or fetch_and);
traced!(AtomicUsize, usize, swap fetch_add fetch_sub);
traced!(AtomicPtr<T>, *mut T, swap);

#[track_caller]
pub(crate) fn fence(ordering: Ordering) {
    plain::fence(ordering);
    trace(format_args!("fence({ordering:?})"));
}
