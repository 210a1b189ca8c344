//! The files of a folder.

use std::fs;
use std::path::{Path, PathBuf};

/// Adds the files in `folder`, and in the folders in it, to `into`.
pub(crate) fn files_in(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_in(&path, into);
        } else {
            into.push(path);
        }
    }
}
