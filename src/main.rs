//! The `cwmpd` program: everything is in the library.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    cwmpd::platform::exec::instead(&arguments).unwrap_or_else(|| cwmpd::cli::main(arguments))
}
