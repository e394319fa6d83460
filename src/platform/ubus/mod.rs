//! ubus, the message bus of OpenWrt: calls, and events.
//!
//! The bus is spoken natively ([`blob`], [`message`]): a call is two messages on a socket and starts no process. Where there is no socket, calls go
//! through the router's `/bin/ubus`. Calls have a connection of their own, kept from one to the next; events come on another one
//! ([`events`]), which belongs to the poll loop and never waits.

pub mod blob;
pub mod events;
pub mod message;
pub mod object;
mod program;
mod socket;

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::exec::Runner;
use super::files;
use crate::error::Error;
use socket::{Caller, Failure};

/// How long the answer of an object is waited for.
const DEADLINE: Duration = Duration::from_secs(15);

/// How long an answer of ubusd itself is waited for, and for how long it is taken to be silent when none came.
const AT_ONCE: Duration = Duration::from_secs(5);
const SILENT: Duration = Duration::from_secs(60);

/// Where ubusd listens: since OpenWrt 21.02, and before.
pub const SOCKETS: [&str; 2] = ["/var/run/ubus/ubus.sock", "/var/run/ubus.sock"];

/// Why a call has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UbusError {
    /// This router has no ubus, or it does not run.
    Absent,
    /// There is no such object, or it has nothing under the name that was asked for.
    NotFound,
    /// The object does not have this method.
    NoMethod,
    /// The method does not take these arguments.
    Arguments,
    /// The call is not allowed.
    Denied,
    /// There was no answer in time.
    TimedOut,
    /// Anything else, in one line.
    Failed(String),
}

impl fmt::Display for UbusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "there is no ubus",
            Self::NotFound => "ubus: not found",
            Self::NoMethod => "ubus: method not found",
            Self::Arguments => "ubus: invalid argument",
            Self::Denied => "ubus: permission denied",
            Self::TimedOut => "ubus: request timed out",
            Self::Failed(reason) => reason,
        })
    }
}

impl std::error::Error for UbusError {}

impl From<UbusError> for Error {
    fn from(error: UbusError) -> Self {
        Self::other(error.to_string())
    }
}

impl UbusError {
    /// What a status of `enum ubus_msg_status` means. The program `ubus` ends with the same, or with -1 where nothing runs at the socket.
    fn from_status(object: &str, method: &str, status: i32) -> Self {
        match status {
            2 => Self::Arguments,
            3 => Self::NoMethod,
            4 | 5 => Self::NotFound,
            6 => Self::Denied,
            7 => Self::TimedOut,
            10 | 255 => Self::Absent,
            _ => Self::Failed(format!("ubus {object} {method} failed with status {status}")),
        }
    }
}

/// The way to the bus.
#[derive(Default)]
pub struct Ubus {
    /// The connection that is kept, unless a call is using it.
    caller: Mutex<Option<Caller>>,
    /// When ubusd itself last failed to answer.
    silent: Mutex<Option<Instant>>,
    program: program::Ubus,
}

impl Ubus {
    /// Calls a method; an answer without content is an empty object. The arguments are an object.
    ///
    /// It takes 15 s at most. Calls of several threads do not wait for each other. A call whose connection breaks is not made again, since it may
    /// have been heard; one that finds its connection broken makes a new one.
    ///
    /// # Errors
    /// See [`UbusError`].
    pub fn call(&self, runner: &Runner, object: &str, method: &str, arguments: &Value) -> Result<Value, UbusError> {
        if lock(&self.silent).is_some_and(|since| since.elapsed() < SILENT) {
            return Err(UbusError::TimedOut);
        }
        let kept = lock(&self.caller).take().and_then(|mut kept| kept.is_alive().then_some(kept));
        let mut caller = match kept.map_or_else(|| connect(runner.root()), Ok) {
            Err(UbusError::NotFound) => return self.program.call(runner, object, method, arguments),
            Err(UbusError::TimedOut) => return Err(self.remember_silence()),
            other => other?,
        };
        let answer = caller.call(object, method, arguments);
        match &answer {
            Err(Failure::Broken(_)) => {}
            Err(Failure::Silent) => return Err(self.remember_silence()),
            _ => *lock(&self.caller) = Some(caller),
        }
        answer.map_err(|failure| failure.tell(object, method))
    }

    /// ubusd answers at once if at all, and nobody gets further without it: so nobody waits for it again for a while.
    fn remember_silence(&self) -> UbusError {
        *lock(&self.silent) = Some(Instant::now());
        UbusError::TimedOut
    }
}

/// A poisoned lock only means that another call panicked; what is in it is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new connection; `NotFound` where there is no socket.
fn connect(root: &Path) -> Result<Caller, UbusError> {
    let path = socket_path(root).ok_or(UbusError::NotFound)?;
    Caller::connect(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::InvalidInput => UbusError::NotFound,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => UbusError::TimedOut,
        ErrorKind::ConnectionRefused => UbusError::Absent,
        _ => UbusError::Failed(format!("cannot connect to ubus: {error}")),
    })
}

/// The socket of ubusd on this machine, if there is one.
fn socket_path(root: &Path) -> Option<PathBuf> {
    SOCKETS.iter().filter_map(|path| files::resolve(root, path, true).ok()).find(|path| path.exists())
}
