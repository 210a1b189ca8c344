//! Which packages the crate brings into a user's lockfile.
#![cfg(not(any(loom, shuttle)))]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The packages in the lockfile of a new crate that depends on this one, without that crate itself.
///
/// The new crate starts with a copy of the workspace's lockfile, from which cargo removes the
/// packages that it does not need. Cargo has read the index entries of all of them to build this
/// test, so this needs no network.
fn locked(user: &str, features: &[&str]) -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(user);
    let manifest = folder.join("Cargo.toml");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    let text = format!(
        "[package]\nname = {user:?}\nedition = \"2024\"\n\n[dependencies]\n\
         seqcast = {{ path = {root:?}, features = {features:?} }}\n\n[workspace]\n"
    );
    fs::write(&manifest, text).unwrap();
    fs::copy(Path::new(root).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let update = ["update", "--workspace", "--offline", "--manifest-path"];
    let output = Command::new(cargo).args(update).arg(&manifest).output().expect("cargo must start");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo cannot resolve the dependencies of a new crate:\n{errors}");
    let lockfile = fs::read_to_string(folder.join("Cargo.lock")).unwrap();
    let names = lockfile.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let (own, others): (Vec<_>, _) = names.map(str::to_owned).partition(|name| name == user);
    assert_eq!(own.len(), 1, "the lockfile is not that of the new crate");
    others
}

/// For users without features, on any target.
const ALWAYS: [&str; 7] =
    ["arc-swap", "atomic-waker", "crossbeam-utils", "futures-core", "libc", "rustversion", "seqcast"];

const CHANGED: &str = "every user's lockfile now lists the packages on the left. A lockfile lists what any \
    target could need, so a dependency for a `cfg` of our own must be optional. If users do need a new \
    package, add it to the list";

#[test]
fn a_users_lockfile_lists_no_more_than_users_need() {
    assert_eq!(locked("plain-user", &[]), ALWAYS, "{CHANGED}");
}

/// What each feature adds. A package that is there only for other targets counts, too.
const ADDED: [(&str, &[&str]); 3] = [
    ("metrics", &["metrics", "portable-atomic", "rapidhash"]),
    ("sink", &["futures-sink"]),
    ("tracing", &["once_cell", "pin-project-lite", "tracing", "tracing-core"]),
];

#[test]
fn a_feature_adds_few_packages_and_none_while_it_is_off() {
    for (feature, added) in ADDED {
        let mut expected = [&ALWAYS[..], added].concat();
        expected.sort_unstable();
        assert_eq!(locked(&format!("{feature}-user"), &[feature]), expected, "{CHANGED}");
    }
}
