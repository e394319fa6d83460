//! IPPing: echo requests over a socket of our own (TR-181 2.17 Device.IP.Diagnostics.IPPing.).

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use nix::sys::socket::{SockProtocol, SockType};

use super::icmp::{self, Echo, Family};
use super::{Kind, NO_ROUTE, OTHER, Report, Test, Trouble, Way, address_text, micros, millis, spread};

/// The test.
pub static PING: Kind = Kind { path: "Device.IP.Diagnostics.IPPing.", run };

/// Requests follow each other no faster than this, so that nobody is flooded (SECURITY S21).
pub(super) const INTERVAL: Duration = Duration::from_millis(200);

/// More than any packet of IP.
const LARGEST: usize = 65_536;

fn run(test: &Test<'_>) -> Result<Report, Trouble> {
    let way = Way::of(test)?;
    let host = test.text("Host");
    let target = way.target(test, host, 0)?.ip();
    let size = test.number("DataBlockSize");
    test.tell(&format!("ping {host} ({target}), {size} bytes of data"));
    let plan = Plan { repetitions: test.number("NumberOfRepetitions"), timeout: test.milliseconds("Timeout"), size };
    let (times, failures) = ping(test, &way, target, plan)?;
    let (least, mean, greatest) = spread(&times);
    let mut report = Report::new();
    let done = u32::try_from(times.len()).unwrap_or(u32::MAX).saturating_add(failures);
    if done < plan.repetitions {
        report.state = OTHER;
    }
    report.set("IPAddressUsed", way.source(target).map(address_text).unwrap_or_default());
    report.set("SuccessCount", times.len());
    report.set("FailureCount", failures);
    for (name, value) in [("Average", mean), ("Minimum", least), ("Maximum", greatest)] {
        report.set(&format!("{name}ResponseTime"), millis(value));
        report.set(&format!("{name}ResponseTimeDetailed"), value);
    }
    Ok(report)
}

/// How often, how long, how much.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) repetitions: u32,
    /// For each reply.
    pub(super) timeout: Duration,
    /// Of the data block, in bytes.
    pub(super) size: u32,
}

/// Sends echo requests, one after the other, and gives the times of the replies in microseconds and the number of those that did not come: of
/// fewer requests where the time for the test is over.
pub(super) fn ping(test: &Test<'_>, way: &Way, target: IpAddr, plan: Plan) -> Result<(Vec<u32>, u32), Trouble> {
    let socket = Pinger::open(way, target)?;
    let (mut times, mut failures) = (Vec::new(), 0_u32);
    for number in 0..plan.repetitions {
        let begin = Instant::now();
        // The identifier is our own; numbers may come round.
        let Some(answer) = test.in_time(socket.once(test, (number & 0xffff) as u16, plan))? else { break };
        match answer {
            Ok(time) => {
                test.tell(&format!("{}: {}.{:03} ms", number.saturating_add(1), time / 1000, time % 1000));
                times.push(time);
            }
            Err(reason) => {
                test.tell(&format!("{}: {reason}", number.saturating_add(1)));
                failures = failures.saturating_add(1);
            }
        }
        if number.saturating_add(1) < plan.repetitions {
            let pause = test.pause(INTERVAL.saturating_sub(begin.elapsed()));
            if test.in_time(pause)?.is_none() {
                break;
            }
        }
    }
    Ok((times, failures))
}

/// A socket for echo messages with one host.
struct Pinger {
    socket: UdpSocket,
    family: Family,
    /// Whether the socket gives all that comes from the host, so that we have to see what is ours.
    raw: bool,
    identifier: u16,
}

impl Pinger {
    /// A raw socket; without the right to one, one of the kernel's own for pings.
    fn open(way: &Way, target: IpAddr) -> Result<Self, Trouble> {
        let (family, protocol) = match target {
            IpAddr::V4(_) => (Family::V4, SockProtocol::Icmp),
            IpAddr::V6(_) => (Family::V6, SockProtocol::IcmpV6),
        };
        let (raw, socket) = match way.socket(target, SockType::Raw, Some(protocol)) {
            Ok(socket) => (true, socket),
            Err(trouble) => match way.socket(target, SockType::Datagram, Some(protocol)) {
                Ok(socket) => (false, socket),
                Err(_) => return Err(trouble),
            },
        };
        // It is no UDP socket, but sends, receives and connects like one.
        let socket = UdpSocket::from(socket);
        // Only what this host sends is heard from now on, and errors about what was sent to it.
        socket.connect(SocketAddr::new(target, 0)).map_err(|error| Trouble::io(&format!("reach {target}"), &error))?;
        let mut identifier = [0; 2];
        if let Err(error) = getrandom::fill(&mut identifier) {
            return Err(Trouble::new(OTHER, error.to_string()));
        }
        Ok(Self { socket, family, raw, identifier: u16::from_ne_bytes(identifier) })
    }

    /// One request; the time of its reply in microseconds, or why there was none.
    fn once(&self, test: &Test<'_>, sequence: u16, plan: Plan) -> Result<Result<u32, String>, Trouble> {
        let size = usize::try_from(plan.size).unwrap_or(LARGEST).min(LARGEST);
        let request = icmp::request(self.family, Echo { identifier: self.identifier, sequence }, size);
        let sent = Instant::now();
        let until = sent.checked_add(plan.timeout).unwrap_or(sent);
        // What went wrong with the request before is told first.
        let result = self.socket.send(&request).or_else(|error| match error.kind() {
            ErrorKind::HostUnreachable | ErrorKind::ConnectionRefused => self.socket.send(&request),
            _ => Err(error),
        });
        if let Err(error) = result {
            let trouble = Trouble::io("send", &error);
            return match error.kind() {
                _ if trouble.state == NO_ROUTE && sequence == 0 => Err(trouble),
                // The same would be said of every other.
                ErrorKind::InvalidInput => Err(trouble),
                _ if error.raw_os_error() == Some(nix::libc::EMSGSIZE) => Err(trouble),
                _ => Ok(Err(trouble.text)),
            };
        }
        let mut packet = vec![0; size.saturating_add(128)];
        while test.wait_readable(&self.socket, until)? {
            let time = sent.elapsed();
            match self.socket.recv(&mut packet) {
                Ok(length) => {
                    let packet = packet.get(..length).unwrap_or_default();
                    let header = self.raw && self.family == Family::V4;
                    let ours = icmp::reply(self.family, header, packet)
                        .filter(|echo| echo.sequence == sequence && (!self.raw || echo.identifier == self.identifier));
                    if ours.is_some() {
                        return Ok(Ok(micros(time).max(1)));
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        Ok(Err(String::from("no answer in time")))
    }
}
