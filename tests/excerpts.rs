//! Pages show excerpts of the programs in `examples`, which are not compiled there. They are equal
//! to the programs.
#![cfg(not(any(loom, shuttle)))]

use std::fs;
use std::path::Path;

#[test]
fn excerpts_are_what_the_programs_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/from-tokio.md")).unwrap();
    let mut file = None;
    let mut excerpts = 0;
    // Every second part is a block of code.
    for (at, part) in page.split("\n```").enumerate() {
        if at % 2 == 0 {
            // The file that was named last.
            let is_source =
                |word: &&str| word.starts_with("examples/") && Path::new(word).extension() == Some("rs".as_ref());
            let named = part.split('`').rfind(is_source);
            file = named.or(file);
        } else if let Some(code) = part.strip_prefix("rust,ignore\n") {
            let file = file.expect("an excerpt must follow the name of its file");
            let text = fs::read_to_string(root.join(file)).unwrap();
            assert!(text.contains(code), "{file} does not contain\n{code}");
            excerpts += 1;
        }
    }
    assert!(excerpts > 5, "found too few excerpts");
}
