//! Validates messages against the schemas of CWMP, which lie beside the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file or directory of the material shared with other parts of the project. `None`, after a line that says so, where it is
/// missing; a panic when `CWMPD_CI` is set.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")).join(path);
    if full.exists() {
        return Some(full);
    }
    skip(&format!("{} is missing", full.display()));
    None
}

/// Panics with what the validator says when one of the messages, each with a label, is not valid. One process for all of them.
///
/// Needs Python with lxml (`CWMPD_PYTHON`, else `python3`), which checks most, or `xmllint`. Where there is neither, a line says
/// that this was skipped, or it is a panic when `CWMPD_CI` is set.
pub fn validate(messages: &[(&str, &[u8])]) {
    let Some(spec) = shared("spec") else { return };
    let directory = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = messages
        .iter()
        .enumerate()
        .map(|(number, (label, bytes))| {
            let label: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let file = directory.path().join(format!("{number:04}-{label}.xml"));
            fs::write(&file, bytes).unwrap();
            file
        })
        .collect();
    let python = std::env::var_os("CWMPD_PYTHON").unwrap_or_else(|| "python3".into());
    let has_lxml = Command::new(&python).args(["-c", "import lxml"]).output().is_ok_and(|it| it.status.success());
    if has_lxml {
        // A command line has a greatest length.
        for some in files.chunks(500) {
            judge(&Command::new(&python).arg(spec.join("validate.py")).args(some).output().unwrap(), directory.path());
        }
    } else if Command::new("xmllint").arg("--version").output().is_ok_and(|it| it.status.success()) {
        for (mark, schema) in [("0", "cwmp-1-0.xsd"), ("1", "cwmp-1-1.xsd"), ("2", "cwmp-1-4-flat.xsd")] {
            let mark = format!("urn:dslforum-org:cwmp-1-{mark}");
            let has_mark = |bytes: &[u8]| bytes.windows(mark.len()).any(|part| part == mark.as_bytes());
            let files: Vec<_> = files.iter().filter(|file| has_mark(&fs::read(file).unwrap())).collect();
            for some in files.chunks(500) {
                let mut command = Command::new("xmllint");
                command.args(["--nonet", "--noout", "--schema"]).arg(spec.join("xsd/local").join(schema)).args(some);
                judge(&command.output().unwrap(), directory.path());
            }
        }
    } else {
        skip("neither Python with lxml nor xmllint is installed");
    }
}

fn judge(output: &Output, directory: &Path) {
    if output.status.success() {
        return;
    }
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let all = String::from_utf8_lossy(&all);
    let told: Vec<&str> = all.lines().filter(|line| !line.ends_with("validates") && !line.contains(": OK (")).collect();
    panic!("invalid:\n{}", told.join("\n").replace(&directory.display().to_string(), ""));
}

fn skip(reason: &str) {
    assert!(std::env::var_os("CWMPD_CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
}
