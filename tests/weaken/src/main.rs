//! Weakens each ordering of the crate by one step, one at a time, in a copy, and reports which test
//! fails.
//!
//! ```text
//! cargo run --release -p seqcast-weaken                    # all: see docs/proofs.md for the time
//! cargo run --release -p seqcast-weaken -- stamp.commit    # one
//! ```
//!
//! First the tests run with nothing weakened. `docs/orderings.md` lists which tests should fail,
//! and which weakenings survive by which argument. A weakening that survives without an argument
//! fails the run.

#[path = "../../orderings/sources.rs"]
#[allow(dead_code, reason = "only tests/orderings uses it")]
mod sources;
#[path = "../../orderings/table.rs"]
#[allow(dead_code, reason = "only tests/orderings uses it")]
mod table;
#[path = "../../orderings/weakening.rs"]
mod weakening;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use sources::Operation;
use table::Row;
use weakening::Weakening;

/// Weakens orderings of the crate, one at a time, in a copy, and runs the tests that should fail.
#[derive(Parser)]
struct Options {
    /// Labels of operations, or prefixes of labels. Without any, all operations.
    labels: Vec<String>,
    /// Run all models until one fails, not only those named in the table.
    #[arg(long)]
    search: bool,
    /// Only list the weakenings with their tests and arguments.
    #[arg(long)]
    list: bool,
    /// Time limit of a test in seconds. A test that exceeds it counts as hanging, and so as failed.
    #[arg(long, default_value_t = 300)]
    limit: u64,
    /// Cargo's target folder. The copy is made in it, and the dependencies that other checks built
    /// there are used again.
    #[arg(long, default_value_os_t = root().join("target"))]
    target: PathBuf,
}

/// The root folder of the crate.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate's root must be two folders up")
}

fn main() -> ExitCode {
    let (options, root) = (Options::parse(), root());
    let operations = sources::operations(root).unwrap_or_else(|wrong| panic!("{wrong}"));
    let (rows, _) = table::read(root);
    let copy = options.target.join("weaken");
    if !options.list {
        let _ = fs::remove_dir_all(&copy);
        copy_tree(root, &copy);
    }
    let work: Vec<_> = operations
        .iter()
        .filter(|operation| options.wants(&operation.label))
        .map(|operation| (operation, weakening::weakenings(operation)))
        .filter(|(_, weakenings)| !weakenings.is_empty())
        .map(|(operation, weakenings)| {
            let row = rows.iter().find(|row| row.label == operation.label);
            (operation, row.expect("each operation that can be weaker must have a row"), weakenings)
        })
        .collect();
    if !options.list {
        let needed: BTreeSet<_> = work.iter().flat_map(|(_, row, _)| &row.tests).collect();
        for test in needed {
            let failed = fails(&options, &copy, test, Duration::from_secs(options.limit));
            assert_eq!(failed, None, "{test} fails with nothing weakened, so its failure would prove nothing");
        }
    }
    let (mut caught, mut argued, mut survived) = (0, 0, Vec::new());
    for (operation, row, weakenings) in work {
        for weakening in weakenings {
            let name = format!("{} {} -> {}", operation.label, operation.ordering(), weakening.to);
            if options.list {
                println!("{name}: {:?} {:?}", row.tests, row.argued.get(&weakening.to));
                continue;
            }
            let began = Instant::now();
            let killer = weaken(&options, &copy, operation, &weakening, row);
            let took = began.elapsed().as_secs();
            match (killer, row.argued.get(&weakening.to)) {
                (Some(test), None) => {
                    caught += 1;
                    println!("caught    {name}: {test} ({took} s)");
                }
                (Some(test), Some(argument)) => {
                    caught += 1;
                    println!("caught    {name}: {test}, although argument {argument} expects it to survive ({took} s)");
                }
                (None, Some(argument)) => {
                    argued += 1;
                    println!("survives  {name}: by argument {argument} ({took} s)");
                }
                (None, None) => {
                    println!("SURVIVES  {name} ({took} s)");
                    survived.push(name);
                }
            }
        }
    }
    println!("{caught} caught, {argued} survive by argument, {} survive", survived.len());
    if survived.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Options {
    fn wants(&self, label: &str) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|wanted| label.starts_with(wanted.as_str()))
    }
}

/// Changes the copy, runs tests until one fails, and restores the copy.
fn weaken(options: &Options, copy: &Path, operation: &Operation, weakening: &Weakening, row: &Row) -> Option<String> {
    let file = copy.join("src").join(&operation.file);
    let original = fs::read_to_string(&file).unwrap();
    let mut text = original.clone();
    text.replace_range(weakening.at.clone(), &weakening.replacement);
    fs::write(&file, text).unwrap();
    let limit = Duration::from_secs(options.limit);
    let killed = |test: &String| fails(options, copy, test, limit).map(|how| format!("{test}{how}"));
    let mut killer = row.tests.iter().find_map(killed);
    if killer.is_none() && options.search {
        killer = all_models(options, copy).iter().find_map(killed);
    }
    fs::write(&file, original).unwrap();
    killer
}

/// How a test fails, or `None`. `loom::MODULE::NAME` runs once. `FILE::NAME` depends on chance, and
/// runs up to ten times.
fn fails(options: &Options, copy: &Path, test: &str, limit: Duration) -> Option<&'static str> {
    let (target, name) = test.split_once("::").unwrap();
    let program = build(options, copy, target);
    let chances = if target == "loom" { 1 } else { 10 };
    (0..chances).find_map(|_| fails_once(&program, copy, name, limit))
}

fn fails_once(program: &Path, copy: &Path, name: &str, limit: Duration) -> Option<&'static str> {
    let mut child = Command::new(program)
        .args(["--exact", name])
        .current_dir(copy)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (!status.success()).then_some("");
        }
        if began.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            return Some(", which hangs");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Builds a test of the copy, and returns the path of its program.
fn build(options: &Options, copy: &Path, target: &str) -> PathBuf {
    let loom = target == "loom";
    let mut child = Command::new("cargo")
        .args(["test", "--quiet", "--release", "--no-run", "--message-format=json", "--test", target])
        .args(if loom { &["--features", "_models"][..] } else { &[] })
        // To build takes longer than to run. Nothing here prints a backtrace.
        .args(["--config", "profile.release.package.seqcast.opt-level=1"])
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_INCREMENTAL", "1")
        .current_dir(copy)
        .env("RUSTFLAGS", if loom { "--cfg loom" } else { "" })
        .env("CARGO_TARGET_DIR", if loom { options.target.join("loom") } else { options.target.clone() })
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut listed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut listed).unwrap();
    assert!(child.wait().unwrap().success(), "the copy does not build: {listed}");
    let (_, rest) = listed.rsplit_once("\"executable\":\"").expect("cargo must have built a program");
    PathBuf::from(rest.split('"').next().unwrap())
}

/// The names of all models, as listed by the test.
fn all_models(options: &Options, copy: &Path) -> Vec<String> {
    let program = build(options, copy, "loom");
    let listed = Command::new(program).args(["--list", "--format=terse"]).output().unwrap().stdout;
    let listed = String::from_utf8(listed).unwrap();
    listed.lines().filter_map(|line| line.strip_suffix(": test")).map(|name| format!("loom::{name}")).collect()
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (name, path) = (entry.file_name(), entry.path());
        if path.is_dir() {
            if name != "target" && name != ".git" && name != "corpus" {
                copy_tree(&path, &to.join(name));
            }
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
