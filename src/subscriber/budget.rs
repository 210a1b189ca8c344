//! Cooperative receiving: how many results a task takes in a row before it yields.

/// Otherwise the reader of a ring that is never empty would run all the time, and starve the
/// timers and the other tasks of its worker. Runtimes do not preempt tasks, and their own budgets
/// count only their own resources. The number is tokio's, which was found to be small enough for
/// latency and large enough to cost nothing (<https://tokio.rs/blog/2020-04-preemption>).
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// Results in a row without waiting.
    spent: usize,
}

/// Results in a row after which a task yields.
const BUDGET: usize = 128;

impl Budget {
    /// Counts `results` that needed no waiting.
    #[inline]
    pub(crate) fn spend(&mut self, results: usize) {
        self.spent = self.spent.saturating_add(results);
    }

    /// Whether the task must yield now. If so, the budget is refilled.
    #[inline]
    pub(crate) fn must_yield(&mut self) -> bool {
        let must_yield = self.spent >= BUDGET;
        if must_yield {
            self.refill();
        }
        must_yield
    }

    /// The task waits, so others run.
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
