//! `cwmpd check`: every mistake in the configuration and the vendor model files, with file and line.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::client::print;
use crate::config::Config;
use crate::daemon::{Options, standalone};
use crate::error::{Fault, FaultCode};

/// Checks everything and prints each mistake on a line of its own, or all of them as a JSON array; warnings are printed as well, but are no
/// mistakes.
///
/// # Errors
/// When there is a mistake.
pub fn check(options: &Options, json: bool) -> Result<(), Fault> {
    let live = standalone::live(options)?;
    let (_, problems) = Config::load(live.as_ref());
    let mut text = String::new();
    let mut all = Vec::new();
    let mut mistakes = problems.iter().filter(|problem| !problem.warning).count();
    for problem in &problems {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{problem}");
        let (file, line, reason) = (&problem.file, problem.line, &problem.text);
        all.push(json!({"file": file, "line": line, "text": reason, "warning": problem.warning}));
    }
    for problem in standalone::vendor_problems(live.as_ref()) {
        mistakes = mistakes.saturating_add(1);
        let _ = writeln!(text, "{problem}");
        let line = Some(problem.line).filter(|line| *line > 0);
        all.push(json!({"file": problem.path, "line": line, "text": problem.reason, "warning": false}));
    }
    print(&if json { format!("{:#}\n", Json::Array(all)) } else { text })?;
    match mistakes {
        0 => Ok(()),
        1 => Err(Fault::new(FaultCode(0), "1 mistake was found")),
        _ => Err(Fault::new(FaultCode(0), format!("{mistakes} mistakes were found"))),
    }
}
