//! The atomic operations and fences of `src`, each with the label in a comment before or next to
//! it.
//!
//! Labels (`[stamp.commit]`) and operations have the same order in a file. A label is on the line
//! of its operation or a few lines above. Code that is compiled only under a model checker, or only
//! for unit tests, is ignored.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

#[path = "../common/files.rs"]
mod folder;

use folder::files_in;

/// How many lines a label may be above its operation.
const LINES_ABOVE: usize = 8;

/// Files that only model checkers compile.
const CHECKERS: [&str; 2] = ["sync/model.rs", "sync/traced.rs"];

/// Functions that act as a fence. Their calls name no ordering.
const BARRIERS: [&str; 5] =
    ["full_fence", "fence_after_exchange", "light_barrier", "locked_instruction", "heavy_barrier"];

/// An atomic operation or a fence.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) label: String,
    /// The path below `src`.
    pub(crate) file: String,
    /// The function that contains it, with the type or module around it.
    pub(crate) function: String,
    /// The called function or method.
    pub(crate) call: String,
    /// The orderings with their positions in bytes. A barrier counts as `SeqCst`, which is not in
    /// the text.
    pub(crate) orderings: Vec<(String, Range<usize>)>,
    /// The position of the whole expression in bytes.
    pub(crate) whole: Range<usize>,
    pub(crate) line: usize,
}

impl Operation {
    pub(crate) fn is_fence(&self) -> bool {
        self.call.ends_with("fence") || self.is_barrier()
    }

    /// The displayed form: `Acquire / Relaxed`.
    pub(crate) fn ordering(&self) -> String {
        self.orderings.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" / ")
    }

    pub(crate) fn is_barrier(&self) -> bool {
        BARRIERS.contains(&self.call.as_str())
    }
}

/// Returns all operations of the crate with this root, or an error about their labels.
pub(crate) fn operations(root: &Path) -> Result<Vec<Operation>, String> {
    let src = root.join("src");
    let mut all = Vec::new();
    for file in files(&src) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        if !CHECKERS.contains(&name.as_str()) {
            all.extend(of_file(&name, &text)?);
        }
    }
    assert!(all.len() > 50, "found too few operations: the path is probably wrong");
    Ok(all)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files_in(folder, &mut files);
    files.retain(|path| path.extension().is_some_and(|kind| kind == "rs"));
    files.sort();
    files
}

pub(crate) fn of_file(name: &str, text: &str) -> Result<Vec<Operation>, String> {
    let parsed = syn::parse_file(text).map_err(|error| format!("{name}: {error}"))?;
    let mut finder = Finder { file: name, around: Vec::new(), found: Vec::new(), left_out: Vec::new() };
    finder.visit_file(&parsed);
    let Finder { mut found, left_out, .. } = finder;
    found.sort_by_key(|operation| operation.orderings.first().map_or(operation.whole.start, |(_, at)| at.start));
    let counted = |at: &Range<usize>| !left_out.iter().any(|out| out.contains(&at.start));

    // A second search in the tokens finds operations inside macros, which the parser does not
    // visit.
    let tokens = tokens_of(text)?;
    let named = orderings_in(&tokens).map_err(|wrong| format!("{name}: {wrong}"))?.into_iter().filter(counted).count();
    let barriers =
        barriers_in(&tokens).map_err(|wrong| format!("{name}: {wrong}"))?.into_iter().filter(counted).count();
    let seen = found.iter().filter(|operation| operation.is_barrier()).count();
    if barriers != seen {
        return Err(format!("{name}: {barriers} barriers in the text, but {seen} among operations"));
    }
    let seen: usize = found.iter().flat_map(|operation| &operation.orderings).filter(|(_, at)| !at.is_empty()).count();
    if named != seen {
        return Err(format!("{name}: {named} orderings in the text, but {seen} in operations"));
    }
    let strings: Vec<_> = tokens.iter().filter(|(word, _)| word.contains('"')).collect();
    let in_string = |at: &Range<usize>| strings.iter().any(|(_, span)| span.byte_range().contains(&at.start));
    let labels: Vec<_> =
        labels_in(text).into_iter().filter(|label| counted(&label.at) && !in_string(&label.at)).collect();
    if labels.len() != found.len() {
        let lines: Vec<_> = found.iter().map(|operation| (operation.line, &operation.call)).collect();
        return Err(format!("{name}: {} labels for {} operations: {labels:?} {lines:?}", labels.len(), found.len()));
    }
    for (operation, label) in found.iter_mut().zip(labels) {
        if !label.has_reason {
            return Err(format!("{name}:{}: the label {} gives no reason", label.line, label.name));
        }
        if label.line > operation.line || label.line + LINES_ABOVE < operation.line {
            return Err(format!("{name}:{}: the label {} is at line {}", operation.line, label.name, label.line));
        }
        operation.label = label.name;
    }
    Ok(found)
}

#[derive(Debug)]
struct Label {
    name: String,
    line: usize,
    at: Range<usize>,
    /// Whether its line has text after the label.
    has_reason: bool,
}

/// Finds names with a dot, in brackets, in comments.
fn labels_in(text: &str) -> Vec<Label> {
    let mut labels = Vec::new();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let comment = line.find("//").unwrap_or(line.len());
        for (open, _) in line[comment..].match_indices('[') {
            let inside = &line[comment + open + 1..];
            let Some(name) = inside.find(']').map(|close| &inside[..close]) else { continue };
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '.');
            if plain && name.matches('.').count() == 1 && !name.starts_with('.') {
                let at = start + comment + open;
                let has_reason = !inside[name.len() + 1..].trim().is_empty();
                labels.push(Label { name: name.to_owned(), line: number + 1, at: at..at + name.len(), has_reason });
            }
        }
        start += line.len();
    }
    labels
}

/// Finds where code names an ordering of atomics, including in macros. Returns an error if a name
/// is written in a form that the search could miss.
fn orderings_in(tokens: &[(String, Span)]) -> Result<Vec<Range<usize>>, String> {
    let mut places = Vec::new();
    for (at, (word, span)) in tokens.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].0.as_str());
        let after = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.0.as_str());
        let plain = match word.as_str() {
            "Relaxed" | "Acquire" | "Release" | "AcqRel" | "SeqCst" => {
                let whole = [before(3), before(2), before(1)] == ["Ordering", ":", ":"];
                places.push(span.byte_range());
                whole
            }
            // A path to an ordering, or its import with its own name. `cmp::Ordering` is another
            // type.
            "Ordering" if before(3) != "cmp" => match after(1) {
                ":" => ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"].contains(&after(3)),
                next => {
                    let path = before(1) == ":" && before(2) == ":";
                    [",", "}", ";"].contains(&next) && (path || [",", "{"].contains(&before(1)))
                }
            },
            _ => true,
        };
        if !plain {
            return Err(format!("line {}: {word} is not written as `Ordering::…`, in full", span.start().line));
        }
    }
    Ok(places)
}

/// Finds where code calls a barrier, including in macros. Returns an error if a name is written in
/// a form that the search could miss.
fn barriers_in(tokens: &[(String, Span)]) -> Result<Vec<Range<usize>>, String> {
    let mut places = Vec::new();
    for (at, (word, span)) in tokens.iter().enumerate().filter(|(_, (word, _))| BARRIERS.contains(&word.as_str())) {
        let before = at.checked_sub(1).map_or("", |at| tokens[at].0.as_str());
        let after = tokens.get(at + 1).map_or("", |token| token.0.as_str());
        match (before, after) {
            ("fn", _) | (":" | "{" | ",", "," | "}" | ";") => {} // a definition or an import
            (_, "(") => places.push(span.byte_range()),
            _ => return Err(format!("line {}: {word} is not called directly by its name", span.start().line)),
        }
    }
    Ok(places)
}

/// All tokens of a file in order, including brackets and the content of macros, without comments.
fn tokens_of(text: &str) -> Result<Vec<(String, Span)>, String> {
    let mut tokens = Vec::new();
    flatten(text.parse().map_err(|error| format!("{error}"))?, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, into: &mut Vec<(String, Span)>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                into.push((open.to_owned(), group.span_open()));
                flatten(group.stream(), into);
                into.push((close.to_owned(), group.span_close()));
            }
            token => into.push((token.to_string(), token.span())),
        }
    }
}

struct Finder<'a> {
    file: &'a str,
    /// The modules, types and functions around the current place.
    around: Vec<String>,
    found: Vec<Operation>,
    left_out: Vec<Range<usize>>,
}

impl Finder<'_> {
    fn within(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.around.push(name);
        visit(self);
        self.around.pop();
    }

    fn add(&mut self, call: String, orderings: Vec<(String, Range<usize>)>, whole: Span, line: usize) {
        let function = self.around[self.around.len().saturating_sub(2)..].join("::");
        let (label, file) = (String::new(), self.file.to_owned());
        self.found.push(Operation { label, file, function, call, orderings, whole: whole.byte_range(), line });
    }
}

/// Whether it is compiled for users, not only under a model checker or for a test.
fn ships(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).all(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return true };
        let condition = list.tokens.to_string().replace(' ', "");
        !["test", "loom", "shuttle", "any(loom,shuttle)"].contains(&&*condition)
    })
}

fn ordering(argument: &syn::Expr) -> Option<(String, Range<usize>)> {
    let syn::Expr::Path(path) = argument else { return None };
    let mut names = path.path.segments.iter().rev().map(|segment| &segment.ident);
    let (last, before) = (names.next()?, names.next()?);
    (before == "Ordering").then(|| (last.to_string(), last.span().byte_range()))
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if ships(&item.attrs) {
            self.within(item.ident.to_string(), |this| visit::visit_item_mod(this, item));
        } else {
            self.left_out.push(item.span().byte_range());
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let name = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().unwrap().ident.to_string(),
            _ => "?".to_owned(),
        };
        self.within(name, |this| visit::visit_item_impl(this, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(item.sig.ident.to_string(), |this| visit::visit_impl_item_fn(this, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(item.sig.ident.to_string(), |this| visit::visit_item_fn(this, item));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let orderings: Vec<_> = call.args.iter().filter_map(ordering).collect();
        if !orderings.is_empty() {
            self.add(call.method.to_string(), orderings, call.span(), call.method.span().start().line);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func {
            let name = &path.path.segments.last().unwrap().ident;
            let mut orderings: Vec<_> = call.args.iter().filter_map(ordering).collect();
            if BARRIERS.iter().any(|barrier| name == barrier) {
                let start = call.span().byte_range().start;
                orderings.push(("SeqCst".to_owned(), start..start));
            }
            if !orderings.is_empty() {
                self.add(name.to_string(), orderings, call.span(), name.span().start().line);
            }
        }
        visit::visit_expr_call(self, call);
    }
}
