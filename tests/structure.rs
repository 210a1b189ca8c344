//! The structure of `src`: layers, one module for atomics and the model checkers, and `unsafe` only
//! where it is allowed.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "common/files.rs"]
mod files;

use files::files_in;

/// The folder `src`, and its files, without those that have only unit tests.
fn shipped() -> (PathBuf, Vec<PathBuf>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    files_in(&root, &mut files);
    files.retain(|file| !file.ends_with("tests.rs"));
    assert!(files.len() > 20, "found too few files: the path is probably wrong");
    (root, files)
}

/// The files of `src` in which a line of code (not of a comment) has one of these words.
fn files_with(words: &[&str]) -> Vec<String> {
    let (root, files) = shipped();
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

/// The entries of `src`, from the bottom up. Code imports from its own entry and from those before
/// it.
const LAYERS: [&str; 23] = [
    "sync",
    "copy",
    "seq",
    "error",
    "start",
    "stats",
    "metrics",
    "wait",
    "registry",
    "events",
    "slots",
    "sequencer",
    "gate",
    "eager",
    "channel",
    "subscriber",
    "ring",
    "publisher",
    "builder",
    "broadcast",
    "testing",
    "book",
    "lib",
];

/// The modules of `src` with their code, without comments and unit tests.
fn modules() -> BTreeMap<Vec<String>, String> {
    let (root, files) = shipped();
    let module = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        let shipped = text.split("#[cfg(test)]").next().unwrap().lines();
        let code: Vec<_> = shipped.filter(|line| !line.trim_start().starts_with("//")).collect();
        let path = file.strip_prefix(&root).unwrap().with_extension("");
        let mut path: Vec<_> = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if path.last().is_some_and(|last| last == "mod") {
            path.pop();
        }
        (path, code.join("\n"))
    };
    files.into_iter().map(module).collect()
}

/// The imports of a module, as paths from the root of the crate. A re-export counts only if the
/// module uses it.
fn imports(module: &[String], code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let words: Vec<_> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].rsplit('\n').next().unwrap().trim();
        if !["", "pub", "pub(crate)", "pub(super)"].contains(&before) {
            continue;
        }
        let mut found = Vec::new();
        expand("", code[at + 4..].split(';').next().unwrap(), &mut found);
        if !before.is_empty() {
            found.retain(|path| words.iter().filter(|word| path.rsplit(':').next() == Some(word)).count() > 1);
        }
        paths.append(&mut found);
    }
    // Paths inside of code.
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            let path = code[at..].split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').next().unwrap();
            paths.push(path.trim_end_matches(':').to_owned());
        }
    }
    let absolute = |path: String| {
        let parts: Vec<_> = path.split("::").map(str::to_owned).collect();
        let up = parts.iter().take_while(|part| *part == "super").count();
        let base = if parts[0] == "crate" { &[] } else { &module[..module.len() - up] };
        let named = usize::from(parts[0] == "crate").max(up);
        [base, &parts[named..]].concat()
    };
    paths.into_iter().map(absolute).collect()
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(prefix: &str, tree: &str, into: &mut Vec<String>) {
    let tree = tree.trim();
    if let Some((head, list)) = tree.split_once('{') {
        let (mut depth, mut start) = (0, 0);
        let list = list.rsplit_once('}').unwrap().0;
        for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&format!("{prefix}{}", head.trim()), &list[start..at], into);
                    start = at + 1;
                }
                _ => {}
            }
        }
    } else if !tree.is_empty() {
        into.push(format!("{prefix}{tree}"));
    }
}

#[test]
fn imports_go_down() {
    let modules = modules();
    let layer = |entry: &str| LAYERS.iter().position(|layer| *layer == entry);
    let entries: BTreeSet<_> = modules.keys().map(|module| &*module[0]).collect();
    assert_eq!(entries, LAYERS.into_iter().collect(), "`LAYERS` must have all entries of `src`");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    let picture = page.split("```").nth(1).unwrap();
    let drawn: Vec<_> = picture.split(|c: char| !c.is_alphanumeric()).collect();
    assert!(LAYERS.iter().all(|layer| drawn.contains(layer)), "docs/architecture.md must show all entries of `src`");
    // The modules that each module imports from: the longest prefix of a path that is a module.
    let mut edges = BTreeMap::new();
    for (module, code) in &modules {
        assert!(
            !["crate as ", "super as ", "self as "].iter().any(|alias| code.contains(alias)),
            "{module:?} imports under another name"
        );
        let from = edges.entry(module).or_insert_with(BTreeSet::new);
        for mut path in imports(module, code) {
            while !path.is_empty() && !modules.contains_key(&path) {
                path.pop();
            }
            let Some((found, _)) = modules.get_key_value(&path).filter(|(found, _)| *found != module) else { continue };
            let (here, there) = (layer(&module[0]).unwrap(), layer(&found[0]).unwrap());
            assert!(there <= here, "{module:?} imports {found:?}, which is above it");
            from.insert(found);
        }
    }
    assert!(edges.values().map(BTreeSet::len).sum::<usize>() > 80, "found too few imports");
    // Removes modules that import nothing that is left, until nothing is left, or a cycle.
    while !edges.is_empty() {
        let left: BTreeSet<_> = edges.keys().copied().collect();
        let before = edges.len();
        edges.retain(|_, from| from.iter().any(|module| left.contains(module)));
        assert!(edges.len() < before, "modules that import each other: {edges:#?}");
    }
}

#[test]
fn no_import_hides() {
    let module: Vec<_> = ["slots", "boxed", "pool"].map(str::to_owned).into();
    let hidden = [
        "use crate::channel::Channel;",
        "use crate::{sync, channel::{Channel}};",
        "use super::super::super::channel::Channel;",
        "fn f() { super::super::super::channel::refuse() }",
        "fn f() { use super::super::super::channel::Channel; }",
        "#[cfg(all())] use super::super::super::channel::Channel;",
    ];
    for code in hidden {
        assert!(imports(&module, code).iter().any(|path| path[0] == "channel"), "overlooked: {code}");
    }
}

#[test]
fn only_the_shim_knows_the_model_checkers() {
    assert_eq!(files_with(&["loom", "shuttle"]), ["sync/mod.rs", "sync/model.rs"]);
}

/// Handlers of events and recorders of metrics are user code. One file calls each. The model checkers'
/// atomics also make events, in builds that no user has.
#[test]
fn each_reporting_feature_has_one_file() {
    assert_eq!(files_with(&["tracing"]), ["events.rs", "sync/traced.rs"]);
    assert_eq!(files_with(&["metrics::"]), ["metrics.rs"]);
}

#[test]
fn only_the_shim_names_what_it_hides() {
    let words = ["std::sync", "core::sync", "std::thread", "arc_swap", "atomic_waker", "crossbeam_utils"];
    assert_eq!(files_with(&words), ["sync/alarm.rs", "sync/mod.rs", "sync/model.rs", "sync/native.rs", "sync/os.rs"]);
}

#[test]
fn unsafe_code_is_where_it_is_allowed() {
    let allowed = [
        "copy/aarch64.rs",
        "copy/locked.rs",
        "copy/mod.rs",
        "copy/no_blocks.rs",
        "copy/registers.rs",
        "copy/vectors.rs",
        "copy/words.rs",
        "copy/x86_64.rs",
        "slots/boxed/guard.rs",
        "slots/boxed/mod.rs",
        "slots/boxed/node.rs",
        "slots/boxed/pool.rs",
        "slots/inline.rs",
        "slots/place.rs",
        "subscriber/recv_ref.rs",
        "sync/os.rs",
        "sync/zeroed.rs",
        "testing.rs",
        "wait/list.rs",
        "wait/reentrancy.rs",
    ];
    assert_eq!(files_with(&["unsafe {", "unsafe fn", "unsafe impl"]), allowed);
    assert_eq!(files_with(&["unsafe_code"]), allowed);
}

#[test]
fn no_page_and_no_example_teaches_a_loop_that_ends_at_the_first_loss() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("examples/hello.rs")];
    let examples = ["examples/fanout", "examples/market_data", "examples/event_bus", "examples/telemetry"];
    let folders = ["docs", "src", "tests/soak"].into_iter().chain(examples);
    folders.for_each(|folder| files_in(&root.join(folder), &mut files));
    for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs" || kind == "md")) {
        let text = fs::read_to_string(file).unwrap();
        let wrong = text.lines().find(|line| line.contains("while let Ok(") && line.contains("recv"));
        assert_eq!(wrong, None, "{} ends a loop at `Lagged`, too", file.display());
    }
}
