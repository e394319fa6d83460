//! The command line: arguments, and what each command prints.

mod args;
mod check;
mod client;
#[cfg(feature = "diagnostics")]
mod diagnose;

pub use args::{Action, Arguments, HELP, parse};

use std::process::ExitCode;

use crate::error::Fault;

/// Runs the program with its arguments, and says how it ends: 0 done, 1 refused or failed, 2 usage.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let arguments = match parse(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => {
            complain(&format!("{usage}; see cwmpd --help"));
            return ExitCode::from(2);
        }
    };
    let result = match &arguments.action {
        #[cfg(feature = "diagnostics")]
        Action::Help => client::print(HELP).and_then(|()| diagnose::help()),
        #[cfg(not(feature = "diagnostics"))]
        Action::Help => client::print(HELP),
        Action::Version => client::print(concat!("cwmpd ", env!("CARGO_PKG_VERSION"), "\n")),
        Action::Run => crate::daemon::run(&arguments.options).map_err(Into::into),
        Action::Check => check::check(&arguments.options, arguments.json),
        #[cfg(feature = "diagnostics")]
        Action::Diagnose(request) => diagnose::run(&arguments.options, arguments.json, request),
        Action::Model(command) => client::run(&arguments, command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            complain(&text(&fault));
            ExitCode::FAILURE
        }
    }
}

/// A fault in one line; the code is left out where there is none.
fn text(fault: &Fault) -> String {
    let line = if fault.code.0 == 0 { fault.text.clone() } else { fault.to_string() };
    line.replace(char::is_control, " ")
}

fn complain(text: &str) {
    use std::io::Write;
    // There is nobody to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "cwmpd: {text}");
}
