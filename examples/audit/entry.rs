//! A log entry: a `Copy` value in the ring, and a line of text in the file.

use std::fmt;

/// Entry `number` of a publisher: what a user did.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) publisher: u8,
    pub(crate) number: u64,
    pub(crate) action: Action,
}

#[derive(Clone, Copy)]
pub(crate) enum Action {
    LogIn { user: u32 },
    Payment { from: u32, to: u32, cents: u64 },
    LogOut { user: u32 },
}

impl Entry {
    /// Derives the action from the two numbers, so that the check of the file can compute what each
    /// entry must be.
    pub(crate) fn new(publisher: u8, number: u64) -> Self {
        let user = 1000 + u32::from(publisher);
        let action = match number % 3 {
            0 => Action::LogIn { user },
            1 => Action::Payment { from: user, to: user + 1, cents: number },
            _ => Action::LogOut { user },
        };
        Self { publisher, number, action }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.publisher, self.number, self.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogIn { user } => write!(f, "user {user} logs in"),
            Self::Payment { from, to, cents } => write!(f, "user {from} pays {cents} cents to user {to}"),
            Self::LogOut { user } => write!(f, "user {user} logs out"),
        }
    }
}
