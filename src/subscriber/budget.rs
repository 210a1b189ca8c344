//! Cooperative receiving: how many results a task takes in a row before it yields.

/// A ring that is never empty would otherwise keep its reader running, and starve the timers and the
/// other tasks of the same worker. Runtimes preempt nobody, and no runtime counts for a crate that
/// does not depend on it. The number is tokio's, which was found to be small enough for latency and
/// large enough to cost nothing (<https://tokio.rs/blog/2020-04-preemption>).
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// Results in a row that were there at once.
    spent: usize,
}

/// Results in a row before a task yields.
const BUDGET: usize = 128;

impl Budget {
    /// Notes `results` that were there at once.
    #[inline]
    pub(crate) fn spend(&mut self, results: usize) {
        self.spent = self.spent.saturating_add(results);
    }

    /// Whether the task must yield now. If so, it has the whole budget again.
    #[inline]
    pub(crate) fn must_yield(&mut self) -> bool {
        let must_yield = self.spent >= BUDGET;
        if must_yield {
            self.refill();
        }
        must_yield
    }

    /// The task waits, so that others run.
    pub(crate) fn refill(&mut self) {
        self.spent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_yields_once_in_a_budget() {
        let mut budget = Budget::default();
        for _ in 0..3 {
            for _ in 0..BUDGET {
                assert!(!budget.must_yield());
                budget.spend(1);
            }
            assert!(budget.must_yield());
        }
        budget.spend(usize::MAX);
        budget.spend(1);
        assert!(budget.must_yield() && !budget.must_yield());
        budget.spend(BUDGET - 1);
        budget.refill();
        budget.spend(1);
        assert!(!budget.must_yield());
    }
}
