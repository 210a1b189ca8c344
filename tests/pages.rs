//! The pages of this repository: their links lead somewhere, and the book has each page of `docs`.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests keep things where they are used")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "common/files.rs"]
mod files;

use files::files_in;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files directly in a folder.
fn pages_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect()
}

/// All pages of the repository.
fn pages() -> Vec<PathBuf> {
    let mut pages = [pages_in(root()), pages_in(&root().join("docs"))].concat();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages.extend(pages_in(&path));
        }
    }
    assert!(pages.len() > 15, "found too few pages: the path is probably wrong");
    pages
}

/// The text of a page without blocks of code and `code`.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    let outside: Vec<_> = text.split("```").step_by(2).collect();
    let outside = outside.join("\n");
    let mut prose = String::new();
    for line in outside.lines() {
        let pieces: Vec<_> = line.split('`').step_by(2).collect();
        prose.push_str(&pieces.join("code"));
        prose.push('\n');
    }
    prose
}

/// The anchors of a page, as rustdoc and the usual sites make them of its headings.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.split("```").step_by(2).flat_map(str::lines).filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

/// The definitions `[label]: target` of a page.
fn definitions(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

/// What a page links to: `[text](target)`, and the targets of its definitions.
fn targets(text: &str) -> Vec<&str> {
    let inline = text.match_indices("](").map(|(at, _)| text[at + 2..].split(')').next().unwrap());
    inline.chain(definitions(text).into_iter().map(|(_, target)| target)).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = prose(&page);
        for target in targets(&text) {
            if target.starts_with("https://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let found = file.exists() && (anchor.is_empty() || anchors(&file).contains(anchor));
            if !found {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
        // `[text][label]` without a definition is shown as it is.
        let defined: BTreeSet<_> = definitions(&text).into_iter().map(|(label, _)| label).collect();
        for (at, _) in text.match_indices("][") {
            let label = text[at + 2..].split(']').next().unwrap();
            if !defined.contains(label) {
                wrong.push(format!("{}: [{label}] is not defined", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The files of `docs` link to each other as files. In the book, `src/book/links.md` turns these
/// links into links to its modules: it has each label that a page uses.
#[test]
fn the_book_has_each_page_and_each_link() {
    let folder = root().join("docs");
    let book = fs::read_to_string(root().join("src/book/mod.rs")).unwrap();
    let links = fs::read_to_string(root().join("src/book/links.md")).unwrap();
    let known: BTreeSet<_> = definitions(&links).into_iter().map(|(label, _)| label).collect();
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    for page in pages_in(&folder) {
        let name = page.file_name().unwrap().to_str().unwrap();
        let text = prose(&page);
        for (label, target) in definitions(&text) {
            assert_eq!(label, target, "{name}: a label must be equal to its target");
            assert!(known.contains(label) || label.starts_with("https://"), "src/book/links.md lacks {label} ({name})");
        }
        for target in targets(&text).into_iter().filter(|target| target.contains(".md")) {
            assert!(text.contains(&format!("[{target}]: ")), "{name}: the page must define the link {target}");
        }
        if name != "README.md" {
            assert!(book.contains(&format!("\"{name}\"")), "src/book/mod.rs lacks {name}");
            assert!(index.contains(&format!("[{name}]: {name}")), "docs/README.md lacks {name}");
        }
    }
}

/// No text has these words, which are not plain technical English.
#[test]
fn words_are_plain() {
    let words = [" lest ", " for ever ", " anew ", " whoever", " somebody", " lets go", " is told ", " ns a message"];
    let mut files = pages();
    for folder in ["src", "tests", "benches", "examples", "fuzz/fuzz_targets", "fuzz/src"] {
        files_in(&root().join(folder), &mut files);
    }
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs" || kind == "md"));
    let this = Path::new(file!()).file_name();
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.file_name() != this) {
        for (number, line) in fs::read_to_string(file).unwrap().lines().enumerate() {
            // "returns a message" is not " ns a message".
            let line = format!(" {} ", line.to_lowercase());
            if words.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}", file.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
