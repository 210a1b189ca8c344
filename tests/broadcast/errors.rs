//! The error types.

use super::broadcast::channel;
use super::broadcast::error::{RecvError, SendError, TryRecvError};
use std::error::Error;

#[test]
fn errors_have_the_texts_of_tokio() {
    assert_eq!(SendError(()).to_string(), "channel closed");
    assert_eq!(RecvError::Closed.to_string(), "channel closed");
    assert_eq!(RecvError::Lagged(17).to_string(), "channel lagged by 17");
    assert_eq!(TryRecvError::Empty.to_string(), "channel empty");
    assert_eq!(TryRecvError::Closed.to_string(), "channel closed");
    assert_eq!(TryRecvError::Lagged(u64::MAX).to_string(), format!("channel lagged by {}", u64::MAX));
}

#[test]
fn the_error_of_a_send_is_displayed_without_its_value() {
    struct Silent;
    let (tx, _) = channel::<u8>(4);
    assert_eq!(tx.send(7).unwrap_err().to_string(), "channel closed");
    assert_eq!(SendError(Silent).to_string(), "channel closed");
}

#[test]
fn errors_are_debug() {
    assert_eq!(format!("{:?}", SendError("lost")), "SendError(\"lost\")");
    assert_eq!(format!("{:?} {:?}", RecvError::Closed, RecvError::Lagged(3)), "Closed Lagged(3)");
    let all = [TryRecvError::Empty, TryRecvError::Closed, TryRecvError::Lagged(3)];
    assert_eq!(format!("{all:?}"), "[Empty, Closed, Lagged(3)]");
}

#[test]
fn the_error_of_a_send_contains_the_value() {
    let (tx, _) = channel(4);
    let SendError(value) = tx.send(vec![1, 2]).unwrap_err();
    assert_eq!(value, [1, 2]);
    assert_eq!(tx.send(vec![3]).unwrap_err().0, [3]);
}

#[test]
fn errors_of_receives_are_compared_and_cloned() {
    fn equal<E: Eq + Clone>(errors: &[E]) {
        for (at, error) in errors.iter().enumerate() {
            assert!(errors.iter().enumerate().all(|(other, same)| (*same == error.clone()) == (at == other)));
        }
    }
    equal(&[RecvError::Closed, RecvError::Lagged(1), RecvError::Lagged(2)]);
    equal(&[TryRecvError::Empty, TryRecvError::Closed, TryRecvError::Lagged(1), TryRecvError::Lagged(2)]);
}

#[test]
fn errors_are_errors() {
    fn boxed<E: Error + Send + Sync + 'static>(error: E) -> Box<dyn Error + Send + Sync> {
        assert!(error.source().is_none());
        error.into()
    }
    assert!(boxed(SendError(1)).is::<SendError<i32>>());
    assert!(boxed(RecvError::Closed).is::<RecvError>());
    assert!(boxed(TryRecvError::Empty).is::<TryRecvError>());
}

#[test]
fn a_function_can_return_them_as_boxed_errors() {
    fn echo() -> Result<u8, Box<dyn Error>> {
        let (tx, mut rx) = channel(4);
        tx.send(1)?;
        Ok(rx.try_recv()? + rx.try_recv()?)
    }
    assert_eq!(echo().unwrap_err().to_string(), "channel empty");
}

#[test]
fn errors_have_these_cases_and_no_others() {
    // This does not compile if a variant is added, or if the enum is `non_exhaustive`.
    let recv = |error| match error {
        RecvError::Closed => 0,
        RecvError::Lagged(missed) => missed,
    };
    let try_recv = |error| match error {
        TryRecvError::Empty => 0,
        TryRecvError::Closed => 1,
        TryRecvError::Lagged(missed) => missed,
    };
    assert_eq!((recv(RecvError::Lagged(5)), try_recv(TryRecvError::Lagged(6))), (5, 6));
}
