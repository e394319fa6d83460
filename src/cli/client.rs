//! Commands for the running daemon, or straight on the model when none runs.

use std::io::{self, Write};

use serde_json::json;

use super::args::Arguments;
use crate::daemon::operations::{Command, Done, Reply, carry_out};
use crate::daemon::status::{Status, TransferStatus};
use crate::daemon::{control, standalone};
use crate::error::{Error, Fault, FaultCode};

/// Carries out a command and prints its answer.
///
/// # Errors
/// Why it was refused, or that nothing can be printed.
pub fn run(arguments: &Arguments, command: &Command) -> Result<(), Fault> {
    let mut printer = Printer::new(arguments, command);
    let mut tell = |reply: Reply| {
        printer.print(&reply);
        printer.error.is_none()
    };
    let live = standalone::live(&arguments.options)?;
    let socket = live.host_path(control::PATH).map_err(Error::io(format!("find {}", control::PATH)))?;
    let done = match control::send(&socket, command, &mut tell) {
        Some(done) => done,
        None => match command {
            Command::Status | Command::Trace | Command::Inform { .. } => {
                Err(Fault::new(FaultCode(0), "the daemon is not running: start it with /etc/init.d/cwmpd start"))
            }
            _ => alone(arguments, command, &mut tell),
        },
    };
    done?;
    printer.finish()
}

fn alone(arguments: &Arguments, command: &Command, tell: &mut dyn FnMut(Reply) -> bool) -> Result<(), Fault> {
    let mut alone = standalone::Standalone::open(&arguments.options)?;
    let done: Done = carry_out(&mut alone.model, command)?;
    let written = done.written().cloned();
    done.tell(command, &mut |reply| {
        tell(reply);
    })?;
    alone.model.save()?;
    if let Some(written) = written {
        alone.apply(&written.effects);
    }
    Ok(())
}

/// Prints a text. That nobody reads on is no failure (`cwmpd --help | head -1`).
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("print")(error).into()),
        _ => Ok(()),
    }
}

struct Printer {
    out: io::BufWriter<io::Stdout>,
    json: bool,
    last: bool,
    /// Values and names are one JSON array.
    array: bool,
    first: bool,
    follow: bool,
    error: Option<io::Error>,
}

impl Printer {
    fn new(arguments: &Arguments, command: &Command) -> Self {
        let array = arguments.json && matches!(command, Command::Get { .. } | Command::Names { .. });
        Self {
            out: io::BufWriter::new(io::stdout()),
            json: arguments.json,
            last: arguments.last,
            array,
            first: true,
            follow: matches!(command, Command::Trace),
            error: None,
        }
    }

    fn print(&mut self, reply: &Reply) {
        if self.error.is_none() {
            self.error = self.try_print(reply).err();
        }
    }

    fn try_print(&mut self, reply: &Reply) -> io::Result<()> {
        let out = &mut self.out;
        if self.array {
            out.write_all(if self.first { b"[\n" } else { b",\n" })?;
        }
        self.first = false;
        match (reply, self.json) {
            (Reply::Value { name, value, kind }, true) => {
                crate::json::write(out, &json!({"name": name, "value": value, "type": kind}))?;
            }
            (Reply::Value { name, value, .. }, false) => writeln!(out, "{name}={}", one_line(value))?,
            (Reply::Name { name, writable, kind }, true) => {
                let access = if *writable { "rw" } else { "ro" };
                crate::json::write(out, &json!({"name": name, "access": access, "type": kind}))?;
            }
            (Reply::Name { name, writable, kind }, false) => {
                writeln!(out, "{name} {} {kind}", if *writable { "rw" } else { "ro" })?;
            }
            (Reply::Added { instance }, true) => writeln!(out, "{}", json!({"instance": instance}))?,
            (Reply::Added { instance }, false) => writeln!(out, "{instance}")?,
            (Reply::Status(status), true) => {
                serde_json::to_writer_pretty(&mut *out, status)?;
                out.write_all(b"\n")?;
            }
            (Reply::Status(status), false) if self.last => print_last(out, status)?,
            (Reply::Status(status), false) => print_status(out, status)?,
            (Reply::Message { text }, _) if text.is_empty() => {}
            (Reply::Message { text }, true) => writeln!(out, "{}", json!({"message": text}))?,
            (Reply::Message { text }, false) => writeln!(out, "{text}")?,
            (Reply::Done | Reply::Failed { .. }, _) => {}
        }
        if self.follow { out.flush() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<(), Fault> {
        let end: &[u8] = match (self.array, self.first) {
            (false, _) => b"",
            (true, true) => b"[]\n",
            (true, false) => b"\n]\n",
        };
        let written = self.error.take().map_or(Ok(()), Err);
        match written.and_then(|()| self.out.write_all(end)).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("print")(error).into()),
            _ => Ok(()),
        }
    }
}

/// A value on one line of its own; `--json` tells it exactly. Names that strangers choose, such as that of a network in the neighborhood, must not
/// reach the terminal as commands to it.
pub(super) fn one_line(value: &str) -> String {
    let mut line = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_control() && c != '\t' { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

fn print_status(out: &mut impl Write, status: &Status) -> io::Result<()> {
    let yes = |value: bool| if value { "yes" } else { "no" };
    let or = |text: &str, none: &str| String::from(if text.is_empty() { none } else { text });
    writeln!(out, "version:             {}", status.version)?;
    writeln!(out, "up for:              {} s", status.uptime)?;
    writeln!(out, "enabled:             {}", yes(status.enabled))?;
    writeln!(out, "ACS:                 {}", or(&status.acs_url, "none"))?;
    if !status.acs_url_from.is_empty() {
        writeln!(out, "ACS is named by:     {}", status.acs_url_from)?;
    }
    writeln!(out, "connection requests: {}", or(&status.connection_request_url, "not reachable"))?;
    if !status.xmpp.is_empty() {
        writeln!(out, "XMPP:                {}", status.xmpp)?;
    }
    if cfg!(feature = "stun") {
        let nat = if status.nat_detected { ", behind NAT" } else { "" };
        let address = or(&status.udp_connection_request_address, "not reachable");
        match (&status.stun_period, status.stun_trouble.as_str()) {
            (None, _) => writeln!(out, "UDP requests:        {address}")?,
            (Some(period), "") => writeln!(out, "UDP requests:        {address}{nat}, STUN each {period} s")?,
            (Some(_), trouble) => writeln!(out, "UDP requests:        {address}{nat}; {trouble}")?,
        }
    }
    writeln!(out, "interface up:        {}", yes(status.interface_up))?;
    writeln!(out, "clock known:         {}", yes(status.clock_known))?;
    writeln!(out, "in session:          {}", yes(status.in_session))?;
    writeln!(out, "failed tries:        {}", status.retry_count)?;
    writeln!(out, "next session:        {}", or(&status.next_session, "none planned"))?;
    writeln!(out, "pending events:      {}", or(&status.pending_events.join(", "), "none"))?;
    if let Some(seconds) = status.undone_in {
        writeln!(out, "change on trial:     undone in {seconds} s unless the ACS is reached")?;
    }
    for transfer in &status.transfers {
        let TransferStatus { method, command_key, file_type, state, done, total, .. } = transfer;
        write!(out, "transfer:            {method} {command_key:?}, {file_type}: {state}")?;
        match total {
            Some(total) => writeln!(out, ", {done} of {total} bytes")?,
            None if *done > 0 => writeln!(out, ", {done} bytes")?,
            None => writeln!(out)?,
        }
    }
    match &status.last_session {
        None => writeln!(out, "last session:        none yet")?,
        Some(last) if last.ended.is_empty() => writeln!(out, "last session:        running since {}", last.started)?,
        Some(last) if last.complete => writeln!(out, "last session:        ended well at {}", last.ended)?,
        Some(last) => writeln!(out, "last session:        failed at {}: {}", last.ended, last.reason)?,
    }
    writeln!(out, "programs started:    {}", status.programs_started)
}

fn print_last(out: &mut impl Write, status: &Status) -> io::Result<()> {
    match &status.last_session {
        None => writeln!(out, "no session yet")?,
        Some(last) => {
            writeln!(out, "session {} began {}", last.number, last.started)?;
            writeln!(out, "events: {}", last.events.join(", "))?;
            for step in &last.steps {
                writeln!(out, "  {step}")?;
            }
            match (last.ended.as_str(), last.complete) {
                ("", _) => writeln!(out, "it is still running")?,
                (ended, true) => writeln!(out, "it ended well at {ended}")?,
                (ended, false) => writeln!(out, "it failed at {ended}: {}", last.reason)?,
            }
        }
    }
    if !status.last_refusal.is_empty() {
        writeln!(out, "last refused connection request: {}", status.last_refusal)?;
    }
    Ok(())
}
