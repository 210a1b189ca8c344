//! A mistake of a user is an error, a panic that names the argument, or does not compile.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

use seqcast::{
    Boxed, Builder, Closed, Inline, IntoIter, Iter, Lagged, Publisher, RecvError, RecvRef, RecvTimeoutError, Ref, Ring,
    SharedPublisher, SkipLagged, SubscribeError, Subscriber, TryIter, TryPublishError, TryRecvError,
};
use std::error::Error;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::{env, fs};

fn panic_of(f: impl FnOnce() + UnwindSafe) -> String {
    let payload = std::panic::catch_unwind(f).expect_err("no panic");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap()
}

#[test]
fn panics_name_the_argument() {
    let most = isize::MAX as usize / 2;
    for capacity in [0, most + 1, usize::MAX] {
        assert!(panic_of(|| drop(Builder::new(capacity))).contains("`capacity`"));
        assert!(panic_of(|| drop(seqcast::inline::<u8>(capacity))).contains("`capacity`"));
        assert!(panic_of(|| drop(seqcast::boxed::<String>(capacity))).contains("`capacity`"));
    }
    // Within the bounds as a number of slots, but not in bytes.
    assert!(panic_of(|| drop(seqcast::inline::<[u64; 512]>(most))).contains("`capacity`"));
    assert!(panic_of(|| drop(seqcast::inline::<()>(most))).contains("`capacity`"));
    assert!(panic_of(|| drop(seqcast::boxed::<()>(most))).contains("`capacity`"));
    for lag_slack in [8, usize::MAX] {
        assert!(panic_of(|| drop(Builder::new(5).lag_slack(lag_slack))).contains("`lag_slack`"));
    }
    assert_eq!(Builder::new(5).lag_slack(7).inline::<u8>().0.capacity(), 8);
}

#[test]
fn capacities_are_rounded_up() {
    for (asked, given) in [(1, 1), (2, 2), (3, 4), (1000, 1024), (1024, 1024), (1025, 2048)] {
        let (publisher, subscriber) = seqcast::inline::<u8>(asked);
        assert_eq!([publisher.capacity(), subscriber.capacity(), publisher.ring().capacity()], [given; 3]);
        assert_eq!(seqcast::boxed::<String>(asked).1.capacity(), given);
    }
}

#[test]
fn a_large_ring_costs_only_the_pages_it_uses() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(1 << 24);
    publisher.publish_many(0..1000);
    assert_eq!(subscriber.try_iter().count(), 1000);
}

#[test]
fn handles_are_printed_whatever_the_message_is() {
    fn debug<T: Debug>() {}
    #[derive(Clone, Copy)]
    struct Mute;
    type S = Inline<Mute>;
    debug::<(S, Publisher<S>, SharedPublisher<S>, Subscriber<S>, Ring<S>)>();
    debug::<(Iter<'_, S>, TryIter<'_, S>, IntoIter<S>, SkipLagged<S>)>();
}

#[test]
fn handles_can_go_where_they_must() {
    fn send<T: Send + Unpin + Debug + UnwindSafe + RefUnwindSafe + 'static>() {}
    fn sync<T: Send + Sync + Clone>() {}
    type S = Inline<u64>;
    send::<Publisher<S>>();
    send::<SharedPublisher<S>>();
    send::<Subscriber<S>>();
    send::<SkipLagged<S>>();
    send::<Ring<S>>();
    sync::<SharedPublisher<S>>();
    sync::<Ring<S>>();
    sync::<Subscriber<S>>();
    sync::<SkipLagged<S>>();
    // For every message that several threads may access.
    type B = Boxed<String>;
    send::<Publisher<B>>();
    send::<SharedPublisher<B>>();
    send::<Subscriber<B>>();
    send::<SkipLagged<B>>();
    send::<Ring<B>>();
    sync::<SharedPublisher<B>>();
    sync::<Ring<B>>();
    sync::<Subscriber<B>>();
    sync::<SkipLagged<B>>();
    fn borrow<T: Send + Sync + Unpin + Debug + UnwindSafe + RefUnwindSafe>() {}
    borrow::<Ref<'static, String>>();
    fn waits<T: Send + Sync + Unpin + Debug>() {}
    waits::<RecvRef<'static, String>>();
    struct Unclonable;
    sync::<SharedPublisher<Boxed<Unclonable>>>();
    sync::<Subscriber<Boxed<Unclonable>>>();
    fn error<T: Error + Send + Sync + PartialEq + Clone + 'static>() {}
    error::<Lagged>();
    error::<TryRecvError>();
    error::<RecvError>();
    error::<RecvTimeoutError>();
    error::<SubscribeError>();
    error::<Closed<u64>>();
    error::<TryPublishError<u64>>();
    // A message that is Send and not Sync.
    fn future<T: Send + Unpin>(_: T) {}
    let (_publisher, mut subscriber) = seqcast::inline::<u64>(4);
    future(subscriber.recv_async());
    future(subscriber.recv_many_async(&mut Vec::new(), 1));
}

#[test]
fn everything_of_a_boxed_ring_says_what_it_is() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
    publisher.publish("text".to_owned());
    assert!(format!("{publisher:?} {subscriber:?} {:?}", publisher.ring()).contains("next_sequence: 1"));
    assert!(format!("{:?}", subscriber.recv_ref_async()).contains("RecvRef(Some(Subscriber"));
    let message = subscriber.try_recv_ref().unwrap();
    assert_eq!(format!("{message} {message:?}"), "text \"text\"");
    drop(message);
    // The handles are `Debug` even if the message is not.
    struct Silent;
    let (publisher, mut subscriber) = seqcast::boxed::<Silent>(4);
    assert!(format!("{:?} {publisher:?} {subscriber:?}", publisher.ring()).contains("next_sequence: 0"));
    assert!(format!("{:?}", subscriber.recv_ref_async()).contains("Subscriber"));
    assert!(format!("{:?}", publisher.share()).contains("closed: false"));
}

#[test]
fn a_future_that_was_ready_panics_when_polled_again() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
    publisher.publish("once".to_owned());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = subscriber.recv_ref_async();
    assert!(std::future::Future::poll(std::pin::Pin::new(&mut future), &mut cx).is_ready());
    let again = panic_of(std::panic::AssertUnwindSafe(|| {
        let _ = std::future::Future::poll(std::pin::Pin::new(&mut future), &mut cx);
    }));
    assert!(again.contains("`RecvRef`"));
}

#[test]
fn everything_says_what_it_is() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let all = [format!("{publisher:?}"), format!("{subscriber:?}"), format!("{:?}", publisher.ring())];
    assert!(all.iter().all(|one| one.contains("next_sequence: 0")), "{all:?}");
    assert!(format!("{:?}", subscriber.recv_async()).contains("Subscriber"));
    assert!(format!("{:?}", subscriber.recv_many_async(&mut Vec::new(), 3)).contains("limit: 3"));
    assert!(format!("{:?}", publisher.share()).contains("closed: false"));
    struct Silent;
    assert_eq!(format!("{:?} {0}", Closed(Silent)), "Closed(..) the ring is closed");
    assert_eq!(format!("{:?}", TryPublishError::Full(Silent)), "Full(..)");
    let lagged = Lagged { missed: 3, resumed_at: 7 };
    assert_eq!(RecvError::Lagged(lagged).to_string(), lagged.to_string());
    assert_eq!(RecvTimeoutError::Lagged(lagged).to_string(), lagged.to_string());
    assert_eq!(TryPublishError::Closed(Silent).to_string(), Closed(Silent).to_string());
    assert!(TryPublishError::Full(Silent).to_string().contains("full lap behind"));
    assert!(lagged.to_string().contains('3') && lagged.to_string().contains('7'));
    assert_eq!(TryRecvError::from(RecvError::Closed), TryRecvError::Closed);
    assert_eq!(RecvTimeoutError::from(RecvError::Lagged(lagged)), RecvTimeoutError::Lagged(lagged));
    assert!(SubscribeError::Evicted { oldest: 41 }.to_string().contains("41"));
    assert!(SubscribeError::Future { tail: 42 }.to_string().contains("42"));
}

/// The compiler's messages for a crate with this code. Its dependencies are those of this
/// workspace, so no network is needed.
fn compiler_says(code: &str) -> String {
    // All tests share a folder.
    static FOLDER: Mutex<()> = Mutex::new(());
    let _guard = FOLDER.lock();
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("misuse");
    let manifest = folder.join("Cargo.toml");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), code).unwrap();
    let text = format!(
        "[package]\nname = \"misuse\"\nedition = \"2024\"\n\n[dependencies]\nseqcast = {{ path = {root:?} }}\n\n[workspace]\n"
    );
    fs::write(&manifest, text).unwrap();
    fs::copy(Path::new(root).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut check = Command::new(cargo);
    check.args(["check", "--offline", "--quiet", "--color", "never", "--target-dir"]).arg(folder.join("target"));
    let output = check.arg("--manifest-path").arg(manifest).output().expect("cargo must start");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "the code compiles, but must not: {code}");
    assert!(said.contains("could not compile `misuse`"), "{said}");
    said
}

#[test]
fn the_compiler_says_why_a_message_cannot_travel_inline_and_what_can_carry_it() {
    let derive = "#[derive(Clone, Copy)]";
    let cases = [
        ("String", "pub fn f() { seqcast::inline::<String>(8); }", ["`seqcast::boxed`", "`String`, `Vec` and `Arc`"]),
        ("Vec<u8>", "pub fn f() { seqcast::Builder::new(8).inline::<Vec<u8>>(); }", ["`Builder::boxed`", "not `Copy`"]),
        ("Arc<str>", "pub fn f() { seqcast::inline::<std::sync::Arc<str>>(8); }", ["`seqcast::boxed`", "not `Copy`"]),
        // The type is inferred from what is published.
        ("String", "pub fn f() { seqcast::inline(8).0.publish(String::new()); }", ["`seqcast::boxed`", "`Copy + Send"]),
        ("Tick", "pub struct Tick(u8); pub fn f() { seqcast::inline::<Tick>(8); }", ["`seqcast::boxed`", derive]),
        (
            "Tick",
            "pub struct Tick(u8); pub struct Bus { pub ticks: seqcast::Publisher<seqcast::Inline<Tick>> }",
            ["`seqcast::boxed`", derive],
        ),
        ("Rc<u8>", "pub fn f() { seqcast::inline::<std::rc::Rc<u8>>(8); }", ["not `Send`", "`Rc`, raw pointers"]),
        ("*const u8", "pub fn f() { seqcast::inline::<*const u8>(8); }", ["not `Send`", "no ring carries them"]),
        ("&Cell<u8>", "pub fn f() { seqcast::inline::<&std::cell::Cell<u8>>(8); }", ["not `Send`", "a `Cell`"]),
    ];
    for (message, code, expected) in cases {
        let said = compiler_says(code);
        let begins = format!("error[E0277]: `{message}` cannot be a message of an inline ring: it is not `Copy + Send");
        assert!(said.starts_with(&begins), "{said}");
        assert!(expected.iter().all(|part| said.contains(part)), "{expected:?} is not in\n{said}");
    }
}

#[test]
fn the_compiler_says_how_to_receive_a_message_that_is_not_clone() {
    let calls = ["try_recv()", "recv()", "latest()", "recv_async()", "iter()", "try_recv_many(&mut Vec::new(), 1)"];
    for call in calls {
        let code = format!(
            "pub struct Unique; pub fn f() {{ let (_publisher, mut subscriber) = seqcast::boxed::<Unique>(8); let _ = subscriber.{call}; }}"
        );
        let said = compiler_says(&code);
        let begins = "error[E0277]: the messages of `Boxed<Unique>` cannot be received by value";
        assert!(said.starts_with(begins), "{call}: {said}");
        assert!(["`try_recv_ref`", "`next_ref`", "`Arc`"].iter().all(|part| said.contains(part)), "{said}");
    }
}
