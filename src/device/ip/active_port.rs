//! `Device.IP.ActivePort.{i}.`: the TCP ports that something listens on or is connected through.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::model::context::{Context, Row};
use crate::model::format::IP_ADDRESS;
use crate::model::schema::{Object, Rows, Table, Text, get, ro};
use crate::model::value::{STRING, Type, UNSIGNED_INT};

const PORT: Type = UNSIGNED_INT.ranges(&[(0, 65535)]);

/// How many are shown.
const MOST: usize = 1024;

/// TR-181 2.17 Device.IP.ActivePort.{i}.
///
/// The kernel's number of a socket is its instance number.
pub static ACTIVE_PORT: Object = Object::table(
    "Device.IP.ActivePort.{i}.",
    Table::new(Rows::Numbered(|cx, _| Ok(sockets(cx)?.iter().map(|socket| socket.number).collect()))),
    &[
        ro("LocalIPAddress", IP_ADDRESS, get(|cx, row| Ok(address(socket(cx, row)?.local)))),
        ro("LocalPort", PORT, get(|cx, row| Ok(Text::Owned(socket(cx, row)?.local_port.to_string())))),
        ro("RemoteIPAddress", IP_ADDRESS, get(|cx, row| Ok(address(socket(cx, row)?.remote)))),
        ro("RemotePort", PORT, get(|cx, row| Ok(Text::Owned(socket(cx, row)?.remote_port.to_string())))),
        ro(
            "Status",
            STRING.values(&["LISTEN", "ESTABLISHED"]),
            get(|cx, row| Ok(Text::Borrowed(if socket(cx, row)?.listens { "LISTEN" } else { "ESTABLISHED" }))),
        ),
    ],
);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Socket {
    number: u32,
    local: IpAddr,
    local_port: u16,
    remote: IpAddr,
    remote_port: u16,
    listens: bool,
}

fn sockets(cx: &mut Context) -> Result<Rc<Vec<Socket>>> {
    cx.memo("active ports", |cx| {
        let mut sockets: Vec<Socket> = Vec::new();
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            if let Ok(text) = cx.file(path) {
                sockets.extend(text.lines().filter_map(parse).take(MOST.saturating_sub(sockets.len())));
            }
        }
        sockets.sort_by_key(|socket| socket.number);
        sockets.dedup_by_key(|socket| socket.number);
        Ok(sockets)
    })
}

fn socket(cx: &mut Context, row: &Row) -> Result<Socket> {
    let sockets = sockets(cx)?;
    let index = sockets.binary_search_by_key(&row.number(), |socket| socket.number).ok();
    index.and_then(|index| sockets.get(index).copied()).ok_or_else(|| Error::other("the socket is gone"))
}

/// An address that stands for any is none.
fn address(address: IpAddr) -> Text {
    if address.is_unspecified() { Text::Borrowed("") } else { Text::Owned(address.to_string()) }
}

/// `sl local:port remote:port state tx:rx tr:when retransmits uid timeout inode ...`
fn parse(line: &str) -> Option<Socket> {
    let mut words = line.split_ascii_whitespace();
    let (local, local_port) = end(words.nth(1)?)?;
    let (remote, remote_port) = end(words.next()?)?;
    // TCP_ESTABLISHED and TCP_LISTEN of the kernel.
    let listens = match words.next()? {
        "01" => false,
        "0A" => true,
        _ => return None,
    };
    let number = words.nth(5)?.parse().ok().filter(|number| *number != 0)?;
    Some(Socket { number, local, local_port, remote, remote_port, listens })
}

/// An address as the kernel has it in memory, word by word, and a port.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (digits, port) = text.split_once(':')?;
    let mut octets = Vec::with_capacity(16);
    for word in digits.as_bytes().chunks(8) {
        let word = std::str::from_utf8(word).ok()?;
        octets.extend(u32::from_str_radix(word, 16).ok()?.to_ne_bytes());
    }
    let address = match octets.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(octets).map(Ipv4Addr::from).ok()?),
        16 => <[u8; 16]>::try_from(octets).map(Ipv6Addr::from).ok()?.to_canonical(),
        _ => return None,
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let word = |octets: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(octets));
        let (any, host) = (word([0; 4]), word([192, 0, 2, 7]));
        let listen = parse(&format!(
            "   0: {any}:1D7B {any}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0"
        ));
        let listen = listen.unwrap();
        assert_eq!((listen.number, listen.local_port, listen.listens), (4711, 7547, true));
        let six = [word([0x20, 1, 0xd, 0xb8]), any.clone(), any.clone(), word([0, 0, 0, 1])].concat();
        let connected =
            parse(&format!("   1: {six}:0016 {six}:C000 01 00000000:00000000 02:0000 0 0 0 12 2 0")).unwrap();
        assert_eq!((connected.local.to_string(), connected.remote_port), ("2001:db8::1".into(), 49152));
        // Waiting to be over, nobody's, and rubbish.
        for line in [
            format!("   2: {host}:0016 {host}:C000 06 00000000:00000000 03:0000 0 0 0 0 3 0"),
            format!("   3: {host}:0016 {host}:C000 01 00000000:00000000 00:0000 0 0 0 0 3 0"),
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode".into(),
            "1: é:1 é:1 01 0 0 0 0 0 5".into(),
            String::new(),
        ] {
            assert_eq!(parse(&line), None, "{line}");
        }
    }
}
