//! `cwmpd check`: every mistake in the configuration and the vendor model files, with file and line.

use std::fmt::Write;

use super::client::print;
use crate::config::Config;
use crate::daemon::{Options, standalone};
use crate::error::{Fault, FaultCode};

/// Below this many seconds a session may be given up while the ACS is still busy (CONFORMANCE T-25).
const SHORT_TIMEOUT: u32 = 30;

/// Checks everything and prints each mistake on a line of its own.
///
/// # Errors
/// When there is a mistake.
pub fn check(options: &Options) -> Result<(), Fault> {
    let live = standalone::live(options)?;
    let (config, problems) = Config::load(live.as_ref());
    let mut text = String::new();
    let mut mistakes = problems.len();
    for problem in &problems {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{problem}");
    }
    for problem in standalone::vendor_problems(live.as_ref()) {
        mistakes = mistakes.saturating_add(1);
        let _ = writeln!(text, "{problem}");
    }
    if config.acs.http_timeout < SHORT_TIMEOUT {
        let _ = writeln!(
            text,
            "warning: /etc/config/cwmpd: http_timeout is {} s; an ACS may take up to {SHORT_TIMEOUT} s to answer",
            config.acs.http_timeout
        );
    }
    print(&text)?;
    match mistakes {
        0 => Ok(()),
        1 => Err(Fault::new(FaultCode(0), "1 mistake was found")),
        _ => Err(Fault::new(FaultCode(0), format!("{mistakes} mistakes were found"))),
    }
}
