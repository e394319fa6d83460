//! TraceRoute: datagrams that live for so many hops, and who says that they have died (TR-181 2.17 Device.IP.Diagnostics.TraceRoute.).
//!
//! The kernel hands the ICMP message about a datagram to the very socket that has sent it (`IP_RECVERR`), so that no answer can be taken for
//! that to another, and no right to raw sockets is needed.

use std::io::{ErrorKind, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};

use super::{Kind, NO_ROUTE, OTHER, Report, Test, Trouble, Way, address_text, ask, micros, millis, spread};

/// The test.
pub static TRACE_ROUTE: Kind = Kind { path: "Device.IP.Diagnostics.TraceRoute.", run };

/// Nobody is expected to listen at this port and those after it.
const FIRST_PORT: u16 = 33_434;

/// More than any datagram.
const LARGEST: usize = 65_536;

/// How long a name server may take to tell the name of a hop; the first that takes longer is not asked again.
const NAMING: Duration = Duration::from_secs(1);

/// The way has more hops than were allowed.
const TOO_FAR: &str = "Error_MaxHopCountExceeded";

/// Who has answered a try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Answer {
    address: IpAddr,
    /// Microseconds.
    time: u32,
    /// The field Code of the ICMP message.
    code: u8,
    meaning: Meaning,
}

/// What an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    /// It came so far and has died there.
    Hop,
    /// It has arrived.
    Arrived,
    /// From here it does not go on.
    Stopped,
    /// Nothing about the way: try again.
    Nothing,
}

/// The answers to the tries of a hop, in their order.
type Hop = Vec<Option<Answer>>;

fn run(test: &Test<'_>) -> Result<Report, Trouble> {
    let way = Way::of(test)?;
    let host = test.text("Host");
    let target = way.target(test, host, FIRST_PORT)?.ip();
    test.tell(&format!("trace route to {host} ({target}), at most {} hops", test.number("MaxHopCount")));
    let (hops, state) = trace(test, &way, target)?;
    let mut report = Report::new();
    report.state = state;
    report.set("IPAddressUsed", way.source(target).map(address_text).unwrap_or_default());
    let last: Vec<u32> = hops.last().into_iter().flatten().flatten().map(|answer| answer.time).collect();
    let (_, mean, _) = spread(&last);
    report.set("ResponseTime", if state == super::COMPLETE { millis(mean) } else { 0 });
    let names = names(test, &hops)?;
    let rows = hops.iter().zip(names).map(|(hop, name)| row(hop, name));
    report.table("RouteHops", &["Host", "HostAddress", "ErrorCode", "RTTimes"], rows);
    Ok(report)
}

/// The hops of the way, and the state in which the test ends.
fn trace(test: &Test<'_>, way: &Way, target: IpAddr) -> Result<(Vec<Hop>, &'static str), Trouble> {
    let (tries, farthest) = (test.number("NumberOfTries"), test.number("MaxHopCount"));
    let mut hops: Vec<Hop> = Vec::new();
    let mut port = FIRST_PORT;
    for lifetime in 1..=farthest {
        let mut hop = Hop::new();
        for _ in 0..tries {
            let answer = try_once(test, way, SocketAddr::new(target, port), lifetime);
            // The hops that are known are told.
            let Some(answer) = test.in_time(answer)? else { return Ok((hops, OTHER)) };
            hop.push(answer);
            port = port.checked_add(1).unwrap_or(FIRST_PORT);
        }
        test.tell(&format!("{lifetime}: {}", line(&hop)));
        let says = |meaning| hop.iter().flatten().any(|answer| answer.meaning == meaning);
        let (arrived, stopped) = (says(Meaning::Arrived), says(Meaning::Stopped));
        hops.push(hop);
        if arrived {
            return Ok((hops, super::COMPLETE));
        }
        if stopped {
            return Ok((hops, NO_ROUTE));
        }
    }
    Ok((hops, TOO_FAR))
}

/// A datagram with this lifetime, and what comes back in time.
fn try_once(test: &Test<'_>, way: &Way, target: SocketAddr, lifetime: u32) -> Result<Option<Answer>, Trouble> {
    let socket = way.udp(target)?;
    let hops = i32::try_from(lifetime).unwrap_or(255);
    let ready =
        match target {
            SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4Ttl, &hops)
                .and_then(|()| setsockopt(&socket, sockopt::Ipv4RecvErr, &true)),
            SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6Ttl, &hops)
                .and_then(|()| setsockopt(&socket, sockopt::Ipv6RecvErr, &true)),
        };
    ready.map_err(|errno| Trouble::io("limit the hops", &errno.into()))?;
    let size = usize::try_from(test.number("DataBlockSize")).unwrap_or(LARGEST).min(LARGEST);
    let sent = Instant::now();
    let until = sent.checked_add(test.milliseconds("Timeout")).unwrap_or(sent);
    socket.send(&vec![0; size]).map_err(|error| Trouble::io("send", &error))?;
    while test.wait_readable(&socket, until)? {
        let time = micros(sent.elapsed()).max(1);
        match error_of(&socket, target.ip(), time) {
            Ok(Some(answer)) if answer.meaning == Meaning::Nothing => return Ok(None),
            Ok(Some(answer)) => return Ok(Some(answer)),
            Ok(None) => {}
            Err(trouble) => return Err(trouble),
        }
        let mut byte = [0];
        match socket.recv(&mut byte) {
            // Somebody does listen there.
            Ok(_) => {
                return Ok(Some(Answer { address: target.ip(), time, code: 0, meaning: Meaning::Arrived }));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // The same error again, which waits in its queue.
            Err(_) => {}
        }
    }
    Ok(None)
}

/// The ICMP message about what a socket has sent, if there is one.
fn error_of(socket: &UdpSocket, target: IpAddr, time: u32) -> Result<Option<Answer>, Trouble> {
    let mut data = [0; 1];
    let mut data = [IoSliceMut::new(&mut data)];
    let mut space = nix::cmsg_space!(nix::libc::sock_extended_err, nix::libc::sockaddr_in6);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = match recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut data, Some(&mut space), flags) {
        Ok(message) => message,
        Err(nix::Error::EAGAIN | nix::Error::EINTR) => return Ok(None),
        Err(errno) => return Err(Trouble::io("receive", &errno.into())),
    };
    for control in message.cmsgs().map_err(|errno| Trouble::io("receive", &errno.into()))? {
        let (error, from) = match control {
            ControlMessageOwned::Ipv4RecvErr(error, from) => {
                let from = from.map(|from| IpAddr::V4(Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr))));
                (error, from)
            }
            ControlMessageOwned::Ipv6RecvErr(error, from) => {
                (error, from.map(|from| IpAddr::V6(Ipv6Addr::from(from.sin6_addr.s6_addr))))
            }
            _ => continue,
        };
        let Some(address) = from else { return Ok(None) };
        let meaning = meaning(address, target, error.ee_type, error.ee_code);
        return Ok(Some(Answer { address, time, code: error.ee_code, meaning }));
    }
    Ok(None)
}

/// What an ICMP message means (RFC 792; RFC 4443 3).
fn meaning(from: IpAddr, target: IpAddr, kind: u8, code: u8) -> Meaning {
    match (from, kind, code) {
        (IpAddr::V4(_), 11, _) | (IpAddr::V6(_), 3, _) => Meaning::Hop,
        // Too big for the way: the kernel knows now, and sends pieces.
        (IpAddr::V4(_), 3, 4) | (IpAddr::V6(_), 2, _) => Meaning::Nothing,
        (IpAddr::V4(_), 3, 3) | (IpAddr::V6(_), 1, 4) => Meaning::Arrived,
        (IpAddr::V4(_), 3, _) | (IpAddr::V6(_), 1, _) if from == target => Meaning::Arrived,
        (IpAddr::V4(_), 3, _) | (IpAddr::V6(_), 1, _) => Meaning::Stopped,
        _ => Meaning::Nothing,
    }
}

fn line(hop: &Hop) -> String {
    let mut line = last_address(hop).map_or(String::from("*"), |address| address.to_string());
    for answer in hop {
        line.push_str(&match answer {
            Some(answer) => format!(" {}.{:03} ms", answer.time / 1000, answer.time % 1000),
            None => String::from(" *"),
        });
    }
    line
}

fn last_address(hop: &Hop) -> Option<IpAddr> {
    hop.iter().rev().flatten().next().map(|answer| answer.address)
}

/// A row of RouteHops. Where there is a name, it is the host and the address stands beside it; a time of 0 is that of no answer.
fn row(hop: &Hop, name: Option<String>) -> Vec<String> {
    let address = last_address(hop).map(address_text).unwrap_or_default();
    let code = hop.iter().rev().flatten().next().map_or(0, |answer| answer.code);
    let times: Vec<String> =
        hop.iter().map(|answer| answer.map_or(0, |answer| millis(answer.time)).to_string()).collect();
    let (host, address) = match name {
        Some(name) => (name, address),
        None => (address, String::new()),
    };
    vec![host, address, code.to_string(), times.join(",")]
}

/// The names of the hops, where a name server has them and is quick.
fn names(test: &Test<'_>, hops: &[Hop]) -> Result<Vec<Option<String>>, Trouble> {
    let mut server = ask::servers(test).into_iter().next();
    let mut names = Vec::with_capacity(hops.len());
    for hop in hops {
        let (Some(address), Some(asked)) = (last_address(hop), server) else {
            names.push(None);
            continue;
        };
        match ask::name_of(test, asked, address, NAMING) {
            Ok(name) => names.push(name),
            Err(trouble) => {
                test.in_time(test.goes_on())?;
                log::debug!("the name of {address} is not known: {}", trouble.text);
                server = None;
                names.push(None);
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_codes_mean() {
        let router: IpAddr = "192.0.2.1".parse().unwrap();
        let target: IpAddr = "198.51.100.1".parse().unwrap();
        assert_eq!(meaning(router, target, 11, 0), Meaning::Hop);
        assert_eq!(meaning(target, target, 3, 3), Meaning::Arrived);
        assert_eq!(meaning(target, target, 3, 13), Meaning::Arrived, "a host that takes nothing is reached");
        assert_eq!(meaning(router, target, 3, 1), Meaning::Stopped);
        assert_eq!(meaning(router, target, 3, 4), Meaning::Nothing);
        let (router, target): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        assert_eq!(meaning(router, target, 3, 0), Meaning::Hop);
        assert_eq!(meaning(target, target, 1, 4), Meaning::Arrived);
        assert_eq!(meaning(router, target, 1, 0), Meaning::Stopped);
        assert_eq!(meaning(router, target, 128, 0), Meaning::Nothing);
    }

    #[test]
    fn a_row_tells_every_try() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let answer = Answer { address, time: 2600, code: 0, meaning: Meaning::Hop };
        let hop = vec![Some(answer), None, Some(Answer { time: 10, ..answer })];
        assert_eq!(row(&hop, None), ["192.0.2.1", "", "0", "3,0,1"]);
        assert_eq!(row(&hop, Some("r.example".into())), ["r.example", "192.0.2.1", "0", "3,0,1"]);
        assert_eq!(row(&vec![None], None), ["", "", "0", "0"]);
        assert_eq!(line(&hop), "192.0.2.1 2.600 ms * 0.010 ms");
    }
}
