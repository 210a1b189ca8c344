//! What keeps the models honest: one door to atomics and the model checker, and `unsafe` where it is allowed.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// The files of `src` in which a line of code (not of a comment) has one of these words.
fn files_with(words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "looked in the wrong place");
    let mut found: Vec<_> = files
        .into_iter()
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| words.iter().any(|word| line.contains(word)))
        })
        .map(|file| file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    found.sort();
    found
}

#[test]
fn only_the_shim_knows_the_model_checkers() {
    assert_eq!(files_with(&["loom", "shuttle", "tracing"]), ["sync.rs", "sync/model.rs", "sync/told.rs"]);
}

#[test]
fn only_the_shim_names_what_it_hides() {
    let words = ["std::sync", "core::sync", "std::thread", "arc_swap", "atomic_waker", "crossbeam_utils"];
    assert_eq!(files_with(&words), ["sync.rs", "sync/model.rs", "sync/os.rs", "sync/real.rs"]);
}

#[test]
fn unsafe_code_is_where_it_is_allowed() {
    let allowed = [
        "nesting.rs",
        "slots/boxed.rs",
        "slots/boxed/hand.rs",
        "slots/boxed/node.rs",
        "slots/boxed/pool.rs",
        "slots/inline.rs",
        "sync/os.rs",
        "testing.rs",
        "wait/list.rs",
    ];
    assert_eq!(files_with(&["unsafe {", "unsafe fn", "unsafe impl"]), allowed);
    assert_eq!(files_with(&["unsafe_code"]), allowed);
}

#[test]
fn no_page_and_no_example_teaches_a_loop_that_ends_at_the_first_loss() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    ["docs", "src", "examples/fanout", "tests/soak"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs" || kind == "md")) {
        let text = fs::read_to_string(file).unwrap();
        let wrong = text.lines().find(|line| line.contains("while let Ok(") && line.contains("recv"));
        assert_eq!(wrong, None, "{} ends at `Lagged`, too", file.display());
    }
}
