//! The `cwmpd` program: everything is in the library.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    cwmpd::cli::main(std::env::args_os())
}
