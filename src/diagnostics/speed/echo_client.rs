//! The client of UDPEchoDiagnostics: sends packets of UDP echo or UDPEchoPlus at a pace, and waits for each to come back (TR-143 A.1).

use std::io::ErrorKind;
use std::net::{IpAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::SockType;

use super::echo::{EchoPlus, FIELDS};
use super::socket::{self, Way};
use super::stamp::Stamps;
use super::transfer::Failure;
use crate::acs::Cancel;

/// The most rows of IndividualPacketResult: UDPEchoDiagnosticsMaxResults.
pub const MOST_RESULTS: usize = 100;
/// The most packets of a test.
pub const MOST_PACKETS: u32 = 10_000;
/// The longest test.
pub const LONGEST: Duration = Duration::from_secs(999);
/// The longest wait for a packet.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest packet: IPv4 carries no more in UDP.
pub const LARGEST: usize = 65_507;

/// What is to be tested.
#[derive(Clone, Debug)]
pub struct Test {
    /// Name or address.
    pub host: String,
    /// The port of the server.
    pub port: u16,
    /// How the packets leave.
    pub way: Way,
    /// NumberOfRepetitions, 1 to [`MOST_PACKETS`].
    pub packets: u32,
    /// DataBlockSize in bytes, 1 to [`LARGEST`]; from 20 on there is room for UDPEchoPlus.
    pub size: usize,
    /// How long each packet is waited for.
    pub timeout: Duration,
    /// InterTransmissionTime: from one packet to the next.
    pub pace: Duration,
}

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Packet {
    /// When it was sent, after the beginning of the test.
    pub sent: Duration,
    /// When it came back; `None`: not in time.
    pub received: Option<Duration>,
    /// TestGenSN as it was sent.
    pub test_gen_sn: u32,
    /// What the server wrote into it; zeros from a server of UDP echo.
    pub fields: EchoPlus,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// IPAddressUsed: the address of this end.
    pub local: Option<IpAddr>,
    /// Packets that came back in time.
    pub successes: u32,
    /// Packets that did not.
    pub failures: u32,
    /// Response times: their sum, the shortest, the longest.
    pub total: Duration,
    /// The shortest.
    pub minimum: Duration,
    /// The longest.
    pub maximum: Duration,
    /// The first [`MOST_RESULTS`] packets, in the order in which they were sent.
    pub packets: Vec<Packet>,
}

impl Outcome {
    /// The mean of the response times; zero where there are none.
    #[must_use]
    pub fn average(&self) -> Duration {
        self.total.checked_div(self.successes).unwrap_or_default()
    }

    fn take(&mut self, number: u32, packet: Packet) {
        match packet.received {
            Some(received) => {
                let time = received.saturating_sub(packet.sent);
                self.minimum = if self.successes == 0 { time } else { self.minimum.min(time) };
                self.maximum = self.maximum.max(time);
                self.total = self.total.saturating_add(time);
                self.successes = self.successes.saturating_add(1);
            }
            None => self.failures = self.failures.saturating_add(1),
        }
        // They may end in another order than they were sent.
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        if place < MOST_RESULTS {
            if self.packets.len() <= place {
                self.packets.resize(place.saturating_add(1), Packet::default());
            }
            if let Some(row) = self.packets.get_mut(place) {
                *row = packet;
            }
        }
    }
}

/// A packet that is on its way.
struct Flight {
    number: u32,
    sent: Duration,
    test_gen_sn: u32,
}

/// Runs a test to its end, at most [`LONGEST`] and a timeout. `first` is the number of the first packet; a random one tells late packets of an
/// earlier test apart. `progress` hears of every packet that came back or was lost.
///
/// # Errors
/// When there is no address or no socket, or the test was cancelled.
pub fn run(
    test: &Test,
    first: u32,
    stamps: &Stamps,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u32, &Packet),
) -> Result<Outcome, Failure> {
    let addresses = test.way.resolve(&test.host, test.port, cancel).ok_or(Failure::Cancelled)?;
    let address = addresses.first().ok_or(Failure::Resolve)?;
    let socket = test.way.socket(address.is_ipv6(), SockType::Datagram).map_err(|_| Failure::Internal)?;
    socket::connect(&socket, *address).map_err(|_| Failure::NoRoute)?;
    let socket = UdpSocket::from(socket);
    let local = socket.local_addr().ok().map(|address| address.ip());
    let mut outcome = Outcome { local, ..Outcome::default() };
    let packets = test.packets.clamp(1, MOST_PACKETS);
    let (size, timeout) = (test.size.clamp(1, LARGEST), test.timeout.min(LONGEST_TIMEOUT));
    let mut out = vec![0; size];
    let mut buffer = vec![0; size.saturating_add(1)];
    let mut flights: Vec<Flight> = Vec::new();
    let mut sent: u32 = 0;
    let mut next = stamps.elapsed();
    let end = next.saturating_add(LONGEST);
    loop {
        let now = stamps.elapsed();
        if sent < packets && next <= now && now < end {
            let test_gen_sn = first.wrapping_add(sent);
            EchoPlus { test_gen_sn, ..EchoPlus::default() }.write(&mut out);
            number(&mut out, sent);
            let at = stamps.elapsed();
            flights.push(Flight { number: sent, sent: at, test_gen_sn });
            // One that does not leave is one that does not come back.
            if let Err(error) = socket.send(&out) {
                log::debug!("a packet of UDP echo does not leave: {error}");
            }
            sent = sent.saturating_add(1);
            next = next.saturating_add(test.pace).max(now);
        }
        let now = stamps.elapsed();
        flights.retain(|flight| {
            let waits = flight.sent.saturating_add(timeout) > now;
            if !waits {
                let packet = Packet { sent: flight.sent, test_gen_sn: flight.test_gen_sn, ..Packet::default() };
                outcome.take(flight.number, packet);
                progress(flight.number, &packet);
            }
            waits
        });
        let more = sent < packets && now < end;
        if !more && flights.is_empty() {
            return Ok(outcome);
        }
        let lost = flights.iter().map(|flight| flight.sent.saturating_add(timeout)).min();
        let until = [lost, more.then_some(next)].into_iter().flatten().min().unwrap_or(now);
        wait(&socket, cancel, until.saturating_sub(now))?;
        while let Some(length) = receive(&socket, &mut buffer) {
            let received = stamps.elapsed();
            let Some(packet) = buffer.get(..length).filter(|packet| packet.len() == size) else { continue };
            let Some(place) = flights.iter().position(|flight| is_answer(packet, flight)) else { continue };
            let flight = flights.remove(place);
            let fields = EchoPlus::parse(packet).unwrap_or_default();
            let packet =
                Packet { sent: flight.sent, received: Some(received), test_gen_sn: flight.test_gen_sn, fields };
            outcome.take(flight.number, packet);
            progress(flight.number, &packet);
        }
    }
}

/// TestIterationNumber, where there is room for it: it matches the instance number of the row (TR-181 2.17 IndividualPacketResult.{i}.).
fn number(packet: &mut [u8], sent: u32) {
    if let Some(place) = packet.get_mut(FIELDS..FIELDS.saturating_add(4)) {
        place.copy_from_slice(&sent.wrapping_add(1).to_be_bytes());
    }
}

/// Whether a packet is the echo of this one: by its TestGenSN, or as much of it as there is room for.
fn is_answer(packet: &[u8], flight: &Flight) -> bool {
    flight.test_gen_sn.to_be_bytes().iter().zip(packet).all(|(wanted, byte)| wanted == byte)
}

fn wait(socket: &UdpSocket, cancel: &Cancel, time: Duration) -> Result<(), Failure> {
    // Rounded up, so that what is due is due then.
    let timeout = PollTimeout::try_from(time.saturating_add(Duration::from_micros(999))).unwrap_or(PollTimeout::MAX);
    let mut descriptors =
        [PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(cancel.event(), PollFlags::POLLIN)];
    match poll(&mut descriptors, timeout) {
        Ok(_) | Err(Errno::EINTR) if cancel.is_cancelled() => Err(Failure::Cancelled),
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(_) => Err(Failure::Internal),
    }
}

/// The next packet; what ICMP says of an earlier one is no packet, and takes nothing away.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match socket.recv(buffer) {
            Ok(length) => return Some(length),
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::Interrupted) => {}
            Err(_) => return None,
        }
    }
}
