//! `cwmpd check`: every mistake in the configuration and the vendor model files, with file and line.

use std::fmt::Write;

use super::client::print;
use crate::config::Config;
use crate::daemon::{Options, standalone};
use crate::error::{Fault, FaultCode};

/// Checks everything and prints each mistake on a line of its own; warnings are printed as well, but are no mistakes.
///
/// # Errors
/// When there is a mistake.
pub fn check(options: &Options) -> Result<(), Fault> {
    let live = standalone::live(options)?;
    let (_, problems) = Config::load(live.as_ref());
    let mut text = String::new();
    let mut mistakes = problems.iter().filter(|problem| !problem.warning).count();
    for problem in &problems {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{problem}");
    }
    for problem in standalone::vendor_problems(live.as_ref()) {
        mistakes = mistakes.saturating_add(1);
        let _ = writeln!(text, "{problem}");
    }
    print(&text)?;
    match mistakes {
        0 => Ok(()),
        1 => Err(Fault::new(FaultCode(0), "1 mistake was found")),
        _ => Err(Fault::new(FaultCode(0), format!("{mistakes} mistakes were found"))),
    }
}
