//! The control socket: the command line's way into the running daemon. A line of JSON in, lines of JSON out (see [`super::operations`]).
//!
//! Only root can connect. Each connection has a thread of its own, so that one which is slow or follows a trace holds up nobody.

use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::operations::{Command, Reply, carry_out, failed};
use super::{MEDIUM_STACK, Shared, thread};
use crate::cwmp::events::EventCode;
use crate::error::{Error, Fault, Result};
use crate::json;

/// Below the root directory.
pub const PATH: &str = "/var/run/cwmpd.sock";

/// The longest command, in bytes.
const LONGEST: u64 = 1 << 20;

/// How long a peer may take to say or take something.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections there may be at a time.
const CONNECTIONS: usize = 8;

/// The listening side.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    busy: Arc<AtomicUsize>,
}

impl Control {
    /// Listens. A socket file that a daemon left behind when it was killed is replaced; the lock on the state has shown that there is none.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn bind(path: PathBuf) -> Result<Self> {
        let shown = path.display().to_string();
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(Error::io(format!("make {}", directory.display())))?;
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(format!("replace {shown}"))(error));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(Error::io(format!("listen on {shown}")))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(Error::io(format!("close {shown}")))?;
        listener.set_nonblocking(true).map_err(Error::io(format!("listen on {shown}")))?;
        Ok(Self { listener, path, busy: Arc::default() })
    }

    /// What to poll for reading.
    #[must_use]
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Takes the connections that wait.
    pub fn accept(&self, shared: &Arc<Shared>) {
        while let Ok((stream, _)) = self.listener.accept() {
            let busy = self.busy.clone();
            if busy.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
                busy.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let shared = shared.clone();
            let serve = move || {
                if let Err(error) = serve(&shared, &stream) {
                    log::debug!("control connection: {error}");
                }
                busy.fetch_sub(1, Ordering::SeqCst);
            };
            if let Err(error) = thread("control", MEDIUM_STACK, Box::new(serve)) {
                log::warn!("cannot serve the command line: {error}");
                self.busy.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next daemon would replace it as well.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(shared: &Arc<Shared>, stream: &UnixStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
    let mut out = io::BufWriter::new(stream);
    let command = match json::read::<Command>(line.as_bytes()) {
        Ok(command) => command,
        Err(error) => return say(&mut out, &Reply::Failed { code: None, text: format!("no command: {error}") }),
    };
    match command {
        Command::Status => {
            let status = Box::new(shared.lock().status());
            say(&mut out, &Reply::Status(status))?;
            say(&mut out, &Reply::Done)
        }
        Command::Inform { event } => say(&mut out, &inform(shared, stream, &event)),
        Command::Trace => follow(shared, stream, &mut out),
        command => {
            let mut result = Ok(());
            let done = perform(shared, &command, &mut |reply| {
                if result.is_ok() {
                    result = say(&mut out, &reply);
                }
            });
            result?;
            say(&mut out, &done.map_or_else(|fault| failed(&fault), |()| Reply::Done))
        }
    }
}

/// Carries out a command that concerns the model alone, and tells the answer but for its last line.
///
/// # Errors
/// Why it was refused.
pub(super) fn perform(
    shared: &Shared,
    command: &Command,
    tell: &mut dyn FnMut(Reply),
) -> std::result::Result<(), Fault> {
    let done = {
        let mut agent = shared.lock();
        let done = carry_out(&mut agent.model, command)?;
        if let Some(written) = done.written() {
            agent.written_locally(written);
        }
        done
    };
    let effects = done.written().map(|written| written.effects.clone());
    let told = done.tell(command, tell);
    shared.lock().save_model();
    if let Some(effects) = effects {
        shared.apply(&effects);
        shared.wake();
    }
    told
}

/// Starts a session and waits for its end; the time that it may take is the session's own affair.
fn inform(shared: &Arc<Shared>, stream: &UnixStream, event: &str) -> Reply {
    let fail = |text: String| Reply::Failed { code: None, text };
    let Some(code) = EventCode::parse(event) else {
        return fail(format!("{event:?} is no event: use one such as '2 PERIODIC' or '6 CONNECTION REQUEST'"));
    };
    let wanted = {
        let mut agent = shared.lock();
        match agent.request_session(code) {
            Ok(number) => number,
            Err(reason) => return fail(reason),
        }
    };
    shared.wake();
    loop {
        let record = shared.wait_for_session(wanted, Duration::from_secs(1));
        match record {
            Some(record) if record.complete => return Reply::Done,
            Some(record) => return fail(format!("the session failed: {}", record.reason)),
            // Nobody waits any more when the command line is gone.
            None if is_gone(stream) => return fail("nobody waits".into()),
            None if shared.stopping() => return fail("the daemon is being stopped".into()),
            None => {}
        }
    }
}

fn follow(shared: &Arc<Shared>, stream: &UnixStream, out: &mut dyn Write) -> io::Result<()> {
    let messages = shared.trace.follow();
    // An empty message first: from now on nothing is missed.
    say(out, &Reply::Message { text: String::new() })?;
    loop {
        match messages.recv_timeout(Duration::from_secs(1)) {
            Ok(text) => say(out, &Reply::Message { text })?,
            Err(RecvTimeoutError::Timeout) if !shared.stopping() && !is_gone(stream) => {}
            Err(_) => return say(out, &Reply::Done),
        }
    }
}

fn is_gone(stream: &UnixStream) -> bool {
    let mut byte = [0];
    let gone = stream.set_nonblocking(true).is_err() || matches!((&*stream).read(&mut byte), Ok(0));
    stream.set_nonblocking(false).is_err() || gone
}

fn say(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    json::write(out, reply)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Sends a command to the running daemon and gives each line of its answer to `tell`, which says whether to go on. `None` when no daemon runs.
///
/// # Errors
/// When the daemon does not answer, or refuses.
pub fn send(path: &Path, command: &Command, tell: &mut dyn FnMut(Reply) -> bool) -> Option<Result<(), Fault>> {
    let stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return None;
        }
        Err(error) => return Some(Err(Error::io(format!("connect to {}", path.display()))(error).into())),
    };
    Some(converse(&stream, command, tell))
}

fn converse(stream: &UnixStream, command: &Command, tell: &mut dyn FnMut(Reply) -> bool) -> Result<(), Fault> {
    let lost = |error: io::Error| Fault::from(Error::io("talk to the daemon")(error));
    let mut line = json::bytes(command);
    line.push(b'\n');
    (&*stream).write_all(&line).map_err(lost)?;
    for line in BufReader::new(stream).lines() {
        let reply = json::read(line.map_err(lost)?.as_bytes()).map_err(|error| lost(error.into()))?;
        match reply {
            Reply::Done => return Ok(()),
            Reply::Failed { code, text } => {
                return Err(Fault::new(code.map_or(crate::error::FaultCode(0), crate::error::FaultCode), text));
            }
            reply => {
                if !tell(reply) {
                    return Ok(());
                }
            }
        }
    }
    Err(Fault::internal("the daemon ended the connection"))
}
