//! Asking a name server, past the resolver of the system, to see what it says itself.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Test, Trouble, Version, Way, micros};
use crate::dns::{self, Answer, PTR};
use crate::platform::System;

/// Where the system's own servers are named.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The longest such file, in bytes.
const LONGEST_FILE: usize = 65_536;

/// The port of name servers.
const PORT: u16 = 53;

/// What became of a question.
#[derive(Debug)]
pub(super) enum Asked {
    /// The answers to the questions, as many as came in time, and the time of the first in microseconds.
    Answered(Vec<Answer>, u32),
    /// Nothing came in time.
    Silence,
    /// Nobody serves there.
    NotAvailable,
}

/// The name servers of the system.
pub(super) fn servers(test: &Test<'_>) -> Vec<IpAddr> {
    let text = test.live.read_file(RESOLV_CONF, LONGEST_FILE).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    dns::name_servers(&text)
}

/// Asks a server for records of a name of these types, all at once.
pub(super) fn ask(
    test: &Test<'_>,
    way: &Way,
    server: IpAddr,
    (name, kinds): (&str, &[u16]),
    timeout: Duration,
) -> Result<Asked, Trouble> {
    let Ok(socket) = way.udp(SocketAddr::new(server, PORT)) else { return Ok(Asked::NotAvailable) };
    let mut random = [0; 2];
    // Without random numbers the port is still one that nobody knows.
    let _ = getrandom::fill(&mut random);
    let id = u16::from_ne_bytes(random);
    let sent = Instant::now();
    let until = sent.checked_add(timeout).unwrap_or(sent);
    for kind in kinds {
        let Some(question) = dns::question(id, name, *kind) else { continue };
        if socket.send(&question).is_err() {
            return Ok(Asked::NotAvailable);
        }
    }
    let (mut answers, mut first) = (Vec::new(), 0);
    let mut message = vec![0; dns::LONGEST];
    while answers.len() < kinds.len() && test.wait_readable(&socket, until)? {
        let time = micros(sent.elapsed()).max(1);
        match socket.recv(&mut message) {
            Ok(length) => {
                let answer = message.get(..length).and_then(dns::answer);
                let asked = name.strip_suffix('.').unwrap_or(name);
                let ours = |answer: &Answer| {
                    answer.id == id && answer.name.eq_ignore_ascii_case(asked) && kinds.contains(&answer.kind)
                };
                let new = |answer: &Answer| !answers.iter().any(|known: &Answer| known.kind == answer.kind);
                if let Some(answer) = answer.filter(ours).filter(new) {
                    if answers.is_empty() {
                        first = time;
                    }
                    answers.push(answer);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) if answers.is_empty() => return Ok(Asked::NotAvailable),
            Err(_) => break,
        }
    }
    Ok(if answers.is_empty() { Asked::Silence } else { Asked::Answered(answers, first) })
}

/// The name of an address, if it has one.
///
/// # Errors
/// When the server does not answer.
pub(super) fn name_of(
    test: &Test<'_>,
    server: IpAddr,
    address: IpAddr,
    timeout: Duration,
) -> Result<Option<String>, Trouble> {
    let way = Way { device: None, addresses: Vec::new(), version: Version::Any, dscp: 0 };
    let name = dns::reverse_name(address);
    match ask(test, &way, server, (&name, &[PTR]), timeout)? {
        Asked::Answered(answers, _) => {
            Ok(answers.into_iter().map(|answer| answer.found).find(|found| !found.is_empty()))
        }
        Asked::Silence | Asked::NotAvailable => Err(Trouble::new(super::OTHER, format!("{server} does not answer"))),
    }
}
