//! The client of UDPEchoDiagnostics: sends packets of UDP echo or UDPEchoPlus at a pace, and waits for each to come back (TR-143 A.1).

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::echo::{EchoPlus, FIELDS};
use super::stamp::Stamps;
use crate::diagnostics::{
    CANNOT_RESOLVE, COMPLETE, INTERNAL, Kind, OTHER, Report, Test, Trouble, Way, address_text, micros, spread,
};

/// The test.
pub static UDP_ECHO: Kind = Kind { path: "Device.IP.Diagnostics.UDPEchoDiagnostics.", run: carry_out };

/// The most rows of IndividualPacketResult: UDPEchoDiagnosticsMaxResults.
const MOST_RESULTS: usize = 100;
/// The largest packet, in bytes: IPv4 carries no more in UDP.
const LARGEST: usize = 65_507;

/// What became of a packet.
#[derive(Clone, Copy, Default)]
struct Packet {
    /// When it was sent, after the beginning of the test.
    sent: Duration,
    /// When it came back; `None`: not in time.
    received: Option<Duration>,
    /// TestGenSN as it was sent.
    test_gen_sn: u32,
    /// What the server wrote into it; zeros from a server of UDP echo.
    fields: EchoPlus,
}

fn carry_out(test: &Test<'_>) -> Result<Report, Trouble> {
    // The object has fewer states than others.
    run(test).map_err(|trouble| match trouble.state {
        CANNOT_RESOLVE | INTERNAL => trouble,
        _ => Trouble { state: OTHER, ..trouble },
    })
}

fn run(test: &Test<'_>) -> Result<Report, Trouble> {
    let way = Way::of(test)?;
    let host = test.text("Host");
    let port = u16::try_from(test.number("Port")).unwrap_or(0);
    let target = way.target(test, host, port)?;
    let mut client = Client::new(test, way.udp(target)?, target)?;
    test.tell(&format!("UDP echo with {host} ({target}), {} bytes of data", client.out.len()));
    let state = client.run()?;
    Ok(Report { state, ..client.report() })
}

/// A packet that is on its way.
struct Flight {
    number: u32,
    sent: Duration,
    test_gen_sn: u32,
}

/// Sends packets and takes them back.
struct Client<'a> {
    test: &'a Test<'a>,
    socket: UdpSocket,
    local: Option<IpAddr>,
    stamps: Stamps,
    /// How long each packet is waited for.
    timeout: Duration,
    /// From one packet to the next.
    pace: Duration,
    out: Vec<u8>,
    input: Vec<u8>,
    /// TestGenSN of the first packet; a random one, so that late packets of an earlier test are known for what they are.
    first: u32,
    flights: Vec<Flight>,
    /// Response times in microseconds.
    times: Vec<u32>,
    failures: u32,
    /// The first of them, in the order in which they were sent.
    rows: Vec<Packet>,
}

impl<'a> Client<'a> {
    fn new(test: &'a Test<'a>, socket: UdpSocket, target: SocketAddr) -> Result<Self, Trouble> {
        let mut first = [0; 4];
        getrandom::fill(&mut first).map_err(|error| Trouble::new(INTERNAL, error.to_string()))?;
        // IPv6 has a longer head, and its own way with longer packets.
        let largest = if target.is_ipv4() { LARGEST } else { LARGEST.saturating_sub(20) };
        let size = usize::try_from(test.number("DataBlockSize")).unwrap_or(largest).clamp(1, largest);
        Ok(Self {
            local: socket.local_addr().ok().map(|address| address.ip()),
            test,
            socket,
            stamps: Stamps::of(test.live),
            timeout: test.milliseconds("Timeout"),
            pace: test.milliseconds("InterTransmissionTime"),
            out: vec![0; size],
            input: vec![0; size.saturating_add(1)],
            first: u32::from_be_bytes(first),
            flights: Vec::new(),
            times: Vec::new(),
            failures: 0,
            rows: Vec::new(),
        })
    }

    /// The state that it ends in.
    fn run(&mut self) -> Result<&'static str, Trouble> {
        let packets = self.test.number("NumberOfRepetitions").max(1);
        let mut sent = 0;
        let mut next = Duration::ZERO;
        loop {
            let now = self.stamps.elapsed();
            if sent < packets && next <= now {
                self.send(sent);
                sent = sent.saturating_add(1);
                next = now.saturating_add(self.pace);
            }
            self.lose(self.stamps.elapsed());
            let lost = self.flights.iter().map(|flight| flight.sent.saturating_add(self.timeout)).min();
            let due = (sent < packets).then_some(next);
            let Some(until) = [lost, due].into_iter().flatten().min() else { return Ok(COMPLETE) };
            let came = self.test.wait_readable(&self.socket, self.stamps.instant(until));
            match self.test.in_time(came)? {
                Some(true) => self.receive(),
                Some(false) => {}
                None => {
                    // What is still on its way has not come back.
                    self.timeout = Duration::ZERO;
                    self.lose(self.stamps.elapsed());
                    return Ok(OTHER);
                }
            }
        }
    }

    fn send(&mut self, number: u32) {
        let test_gen_sn = self.first.wrapping_add(number);
        EchoPlus { test_gen_sn, ..EchoPlus::default() }.write(&mut self.out);
        // TestIterationNumber: that of the row (TR-181 2.17 IndividualPacketResult.{i}.).
        if let Some(place) = self.out.get_mut(FIELDS..FIELDS.saturating_add(4)) {
            place.copy_from_slice(&number.saturating_add(1).to_be_bytes());
        }
        self.flights.push(Flight { number, sent: self.stamps.elapsed(), test_gen_sn });
        // What ICMP said of an earlier packet is told first; one that does not leave does not come back.
        if let Err(error) = self.socket.send(&self.out).or_else(|_| self.socket.send(&self.out)) {
            log::debug!("a packet of UDP echo does not leave: {error}");
        }
    }

    /// Gives up those that have not come back in time.
    fn lose(&mut self, now: Duration) {
        let late = |flight: &Flight, timeout| flight.sent.saturating_add(timeout) <= now;
        while let Some(place) = self.flights.iter().position(|flight| late(flight, self.timeout)) {
            let flight = self.flights.remove(place);
            self.test.tell(&format!("{}: no answer in time", flight.number.saturating_add(1)));
            self.failures = self.failures.saturating_add(1);
            self.keep(&flight, None, EchoPlus::default());
        }
    }

    fn receive(&mut self) {
        loop {
            let length = match self.socket.recv(&mut self.input) {
                Ok(length) => length,
                // What ICMP says of an earlier packet is no packet, and takes nothing away.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::Interrupted) => continue,
                Err(_) => return,
            };
            let received = self.stamps.elapsed();
            let Some(packet) = self.input.get(..length).filter(|packet| packet.len() == self.out.len()) else {
                continue;
            };
            let Some(place) = self.flights.iter().position(|flight| is_answer(packet, flight)) else { continue };
            let fields = EchoPlus::parse(packet).unwrap_or_default();
            let flight = self.flights.remove(place);
            let time = micros(received.saturating_sub(flight.sent)).max(1);
            self.test.tell(&format!("{}: {}.{:03} ms", flight.number.saturating_add(1), time / 1000, time % 1000));
            self.times.push(time);
            self.keep(&flight, Some(received), fields);
        }
    }

    /// Keeps a packet as a row, if it is one of the first; they may end in another order than they were sent.
    fn keep(&mut self, flight: &Flight, received: Option<Duration>, fields: EchoPlus) {
        let place = usize::try_from(flight.number).unwrap_or(usize::MAX);
        if place >= MOST_RESULTS || self.test.text("EnableIndividualPacketResults") != "true" {
            return;
        }
        if self.rows.len() <= place {
            self.rows.resize(place.saturating_add(1), Packet::default());
        }
        if let Some(row) = self.rows.get_mut(place) {
            *row = Packet { sent: flight.sent, received, test_gen_sn: flight.test_gen_sn, fields };
        }
    }

    fn report(&self) -> Report {
        let (least, mean, greatest) = spread(&self.times);
        let mut report = Report::new();
        report.set("IPAddressUsed", self.local.map(address_text).unwrap_or_default());
        report.set("SuccessCount", self.times.len());
        report.set("FailureCount", self.failures);
        report.set("AverageResponseTime", mean);
        report.set("MinimumResponseTime", least);
        report.set("MaximumResponseTime", greatest);
        let columns = [
            "PacketSuccess",
            "PacketSendTime",
            "PacketReceiveTime",
            "TestGenSN",
            "TestRespSN",
            "TestRespRcvTimeStamp",
            "TestRespReplyTimeStamp",
            "TestRespReplyFailureCount",
        ];
        report.table("IndividualPacketResult", &columns, self.rows.iter().map(|row| row.texts(&self.stamps)));
        report
    }
}

impl Packet {
    fn texts(&self, stamps: &Stamps) -> Vec<String> {
        let fields = &self.fields;
        let mut row = vec![
            String::from(if self.received.is_some() { "true" } else { "false" }),
            stamps.text(Some(self.sent)),
            stamps.text(self.received),
        ];
        let server = [fields.test_resp_sn, fields.received_at, fields.replied_at, fields.reply_failures];
        row.extend([self.test_gen_sn].iter().chain(&server).map(u32::to_string));
        row
    }
}

/// Whether a packet is the echo of this one: by its TestGenSN, or as much of it as there is room for.
fn is_answer(packet: &[u8], flight: &Flight) -> bool {
    flight.test_gen_sn.to_be_bytes().iter().zip(packet).all(|(wanted, byte)| wanted == byte)
}
