//! `Debug` of the handles.

use super::broadcast::channel;

#[derive(Clone)]
struct Silent;

#[test]
fn handles_are_debug_whatever_the_value_is() {
    let (tx, rx) = channel::<Silent>(4);
    assert_eq!(format!("{tx:?}"), "broadcast::Sender");
    assert_eq!(format!("{:?}", tx.downgrade()), "broadcast::WeakSender");
    assert_eq!(format!("{rx:?}"), "broadcast::Receiver");
}

#[test]
fn handles_print_the_same_in_every_state() {
    let (tx, rx) = channel(1);
    for value in 0..3 {
        tx.send(value).unwrap();
    }
    let weak = tx.downgrade();
    assert_eq!(format!("{tx:?} {:?} {rx:?}", tx.clone()), "broadcast::Sender broadcast::Sender broadcast::Receiver");
    drop(tx);
    assert_eq!(format!("{weak:#?} {rx:#?}"), "broadcast::WeakSender broadcast::Receiver");
}
