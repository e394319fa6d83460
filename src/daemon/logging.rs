//! The log: to the system's log daemon, or to standard error.
//!
//! Writing the few bytes of a syslog datagram here costs less than a crate that also formats times and looks up host names; logd does both.

use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Facility `daemon` of RFC 3164.
const FACILITY: u8 = 3 << 3;

/// logd cuts longer lines.
const LONGEST: usize = 1000;

/// Where the log goes.
pub struct Logger {
    target: Target,
}

enum Target {
    Stderr,
    /// The socket of the log daemon, and the connection to it; it is made again after the daemon has restarted.
    Syslog(PathBuf, Mutex<Option<UnixDatagram>>),
}

impl Logger {
    /// Starts logging, to standard error or to the log daemon behind this socket. Only the first call in a process counts.
    pub fn start(stderr: bool, socket: PathBuf, level: LevelFilter) {
        let target = if stderr { Target::Stderr } else { Target::Syslog(socket, Mutex::new(None)) };
        if log::set_boxed_logger(Box::new(Self { target })).is_ok() {
            log::set_max_level(level);
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("cwmpd") || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut text = record.args().to_string().replace(char::is_control, " ");
        let cut = (0..=LONGEST.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
        text.truncate(cut);
        match &self.target {
            Target::Stderr => {
                let level = record.level().as_str().to_ascii_lowercase();
                // There is nobody to tell when standard error is closed.
                let _ = writeln!(std::io::stderr(), "cwmpd: {level}: {text}");
            }
            Target::Syslog(path, connection) => {
                let severity = match record.level() {
                    Level::Error => 3,
                    Level::Warn => 4,
                    Level::Info => 5,
                    Level::Debug | Level::Trace => 7,
                };
                let line = format!("<{}>cwmpd[{}]: {text}", FACILITY | severity, std::process::id());
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                for _ in 0..2 {
                    if connection.is_none() {
                        *connection = connect(path);
                    }
                    match &*connection {
                        Some(socket) if socket.send(line.as_bytes()).is_ok() => return,
                        _ => *connection = None,
                    }
                }
            }
        }
    }

    fn flush(&self) {}
}

fn connect(path: &PathBuf) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    // A log daemon that hangs must not hang the agent.
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
