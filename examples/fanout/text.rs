//! Numbers for people.

use std::time::Duration;

/// With a comma before every third digit from the right.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate to three or four digits.
pub(crate) fn per_second(count: u64, time: Duration) -> String {
    let rate = u128::from(count) * 1000 / time.as_millis().max(1);
    match rate {
        0..10_000 => format!("{rate}"),
        10_000..1_000_000 => format!("{}.{} k", rate / 1_000, rate / 100 % 10),
        _ => format!("{}.{} M", rate / 1_000_000, rate / 100_000 % 10),
    }
}
