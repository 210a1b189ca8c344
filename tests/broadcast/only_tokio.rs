//! What tokio does and `seqcast::broadcast` does otherwise.

use super::broadcast::channel;

/// Here `blocking_recv` waits in an async context as well; see `only_seqcast`.
#[tokio::test]
async fn blocking_recv_panics_in_an_async_context() {
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rx.blocking_recv()));
    assert!(panicked.is_err());
    assert_eq!(rx.try_recv(), Ok(1));
}
