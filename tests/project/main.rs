//! The project about itself: its layers, its pages that are made from the code, and what it says of the standard.
//!
//! Pages with generated parts are written by `CWMPD_REWRITE=1 cargo test --test project`; without it a stale page is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod architecture;
mod configuration;
mod conformance;
mod package;
mod pages;
mod profiles;

use std::fs;
use std::path::{Path, PathBuf};

/// A file or directory of the repository.
fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The text of a file of the repository.
fn read(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// The files below a directory of the repository, by their path in it, without what is built or belongs to git.
fn files(directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![path(directory)];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let kind = entry.file_type().unwrap();
            if matches!(name.to_str(), Some(".git" | "target" | "corpus" | "artifacts")) {
                continue;
            }
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                let relative = entry.path().strip_prefix(path("")).unwrap().to_owned();
                found.push(relative.into_os_string().into_string().unwrap());
            }
        }
    }
    found.sort();
    found
}

/// The Rust files below these directories, each with its text.
fn sources(directories: &[&str]) -> Vec<(String, String)> {
    let files = directories.iter().flat_map(|directory| files(directory));
    files.filter(|file| file.ends_with(".rs")).map(|file| (file.clone(), read(&file))).collect()
}

/// Writes a page when that is asked for, and else fails where it is not what the code says now.
fn keep(relative: &str, wanted: &str) {
    if std::env::var_os("CWMPD_REWRITE").is_some() {
        fs::write(path(relative), wanted).unwrap();
        return;
    }
    let present = read(relative);
    let stale = present.lines().zip(wanted.lines()).find(|(present, wanted)| present != wanted);
    let (present_line, wanted_line) = stale.unwrap_or_default();
    assert!(
        present == wanted,
        "{relative} is stale; write it with: CWMPD_REWRITE=1 cargo test --test project\n  is:     {present_line}\n  wanted: {wanted_line}"
    );
}

/// The page with something else between `<!-- name -->` and `<!-- /name -->`.
fn with_part(page: &str, name: &str, part: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}{part}{end}{after}")
}
