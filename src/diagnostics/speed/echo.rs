//! UDP echo (RFC 862) and UDPEchoPlus (TR-143 Appendix A.1), without IO: the fields of a packet, and which packets are answered, and how.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The fields that every packet of UDPEchoPlus begins with, in bytes; a shorter one is one of UDP echo.
pub const FIELDS: usize = 20;
/// What the head of UDP takes, in bytes: BytesReceived and BytesResponded count it (TR-181 2.17 UDPEchoConfig).
pub const UDP_HEAD: u32 = 8;

/// How many answers may go out in one second, and how many at once.
const RATE: u32 = 2000;
const BURST: u32 = 200;
/// Below this port there are services that answer whatever they get, such as echo, chargen and time; an answer to them would never end.
const FIRST_CLIENT_PORT: u16 = 128;

/// A packet of UDPEchoPlus: numbers of 32 bits, the most significant byte first.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct EchoPlus {
    /// The number that the client gave the packet.
    pub test_gen_sn: u32,
    /// How many packets the server has answered, this one with them.
    pub test_resp_sn: u32,
    /// When the server got it, in microseconds of a clock of its own.
    pub received_at: u32,
    /// When the server answered, in microseconds of the same clock.
    pub replied_at: u32,
    /// How many good packets the server could not answer.
    pub reply_failures: u32,
}

impl EchoPlus {
    /// Reads the fields; `None` where the packet has no room for them.
    #[must_use]
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let mut words = packet.get(..FIELDS)?.chunks_exact(4);
        let mut next = || words.next().and_then(|word| word.try_into().ok()).map(u32::from_be_bytes);
        Some(Self {
            test_gen_sn: next()?,
            test_resp_sn: next()?,
            received_at: next()?,
            replied_at: next()?,
            reply_failures: next()?,
        })
    }

    /// Writes the fields, as far as the packet has room for them.
    pub fn write(&self, packet: &mut [u8]) {
        let Self { test_gen_sn, test_resp_sn, received_at, replied_at, reply_failures } = *self;
        let words = [test_gen_sn, test_resp_sn, received_at, replied_at, reply_failures];
        for (place, byte) in packet.iter_mut().zip(words.iter().flat_map(|word| word.to_be_bytes())) {
            *place = byte;
        }
    }
}

/// Microseconds in 32 bits, as a packet has them; they begin again every 71 minutes.
#[must_use]
pub fn clock(monotonic: Duration) -> u32 {
    u32::try_from(monotonic.as_micros() & u128::from(u32::MAX)).unwrap_or(0)
}

/// The counters of UDPEchoConfig; they begin with the server.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// PacketsReceived
    pub packets_received: u32,
    /// PacketsResponded
    pub packets_responded: u32,
    /// BytesReceived: payload and head of UDP.
    pub bytes_received: u32,
    /// BytesResponded: payload and head of UDP.
    pub bytes_responded: u32,
    /// TimeFirstPacketReceived, in monotonic time.
    pub first: Option<Duration>,
    /// TimeLastPacketReceived, in monotonic time.
    pub last: Option<Duration>,
    /// TestRespReplyFailureCount
    pub failures: u32,
}

/// What the server does with packets.
#[derive(Clone, Debug)]
pub struct Responder {
    source: IpAddr,
    port: u16,
    plus: bool,
    counters: Counters,
    /// How many answers may go out now, and since when.
    allowance: u32,
    counted_at: Duration,
}

impl Responder {
    /// Answers this one address, from this port; `plus` fills in the fields of UDPEchoPlus.
    #[must_use]
    pub fn new(source: IpAddr, port: u16, plus: bool, counters: Counters) -> Self {
        Self { source, port, plus, counters, allowance: BURST, counted_at: Duration::ZERO }
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Looks at a packet that came at `now` (monotonic time), and makes it the answer, which is as long. `to_us` says that it was for this router
    /// alone: not broadcast, not multicast. False: nothing is said to it.
    pub fn answer(&mut self, peer: SocketAddr, to_us: bool, packet: &mut [u8], now: Duration) -> bool {
        let wanted = to_us && peer.ip().to_canonical() == self.source;
        // Another echo server would send the answer back, and so on for ever.
        if !wanted || peer.port() == self.port || peer.port() < FIRST_CLIENT_PORT {
            return false;
        }
        let counters = &mut self.counters;
        counters.packets_received = counters.packets_received.wrapping_add(1);
        counters.bytes_received = counters.bytes_received.wrapping_add(bytes(packet));
        counters.first.get_or_insert(now);
        counters.last = Some(now);
        if !self.allow(now) {
            self.failed();
            return false;
        }
        if let Some(fields) = EchoPlus::parse(packet).filter(|_| self.plus) {
            let answer = EchoPlus {
                test_gen_sn: fields.test_gen_sn,
                test_resp_sn: self.counters.packets_responded.wrapping_add(1),
                received_at: clock(now),
                replied_at: clock(now),
                reply_failures: self.counters.failures,
            };
            answer.write(packet);
        }
        true
    }

    /// Notes, as late as can be, when the answer goes out.
    pub fn reply_at(&self, packet: &mut [u8], now: Duration) {
        if let Some(mut fields) = EchoPlus::parse(packet).filter(|_| self.plus) {
            fields.replied_at = clock(now);
            fields.write(packet);
        }
    }

    /// The answer went out.
    pub fn responded(&mut self, packet: &[u8]) {
        let counters = &mut self.counters;
        counters.packets_responded = counters.packets_responded.wrapping_add(1);
        counters.bytes_responded = counters.bytes_responded.wrapping_add(bytes(packet));
    }

    /// The answer did not go out.
    pub fn failed(&mut self) {
        self.counters.failures = self.counters.failures.wrapping_add(1);
    }

    /// Whether another answer may go out.
    fn allow(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.counted_at).as_micros();
        let more = u32::try_from(passed.saturating_mul(u128::from(RATE)) / 1_000_000).unwrap_or(u32::MAX);
        if more > 0 {
            self.allowance = self.allowance.saturating_add(more).min(BURST);
            self.counted_at = now;
        }
        let allowed = self.allowance > 0;
        self.allowance = self.allowance.saturating_sub(1);
        allowed
    }
}

fn bytes(packet: &[u8]) -> u32 {
    u32::try_from(packet.len()).unwrap_or(u32::MAX).saturating_add(UDP_HEAD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEER: &str = "192.0.2.7:40000";

    fn peer() -> SocketAddr {
        PEER.parse().unwrap()
    }

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_fields_are_numbers_with_the_most_significant_byte_first() {
        let bytes = [0, 0, 1, 2, 0, 0, 0, 3, 0x80, 0, 0, 4, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 9, 9];
        let fields = EchoPlus::parse(&bytes).unwrap();
        assert_eq!((fields.test_gen_sn, fields.test_resp_sn, fields.received_at), (0x102, 3, 0x8000_0004));
        assert_eq!((fields.replied_at, fields.reply_failures), (5, u32::MAX));
        let mut written = [9; 22];
        fields.write(&mut written);
        assert_eq!(written, bytes);
        assert_eq!(EchoPlus::parse(&bytes[..19]), None);
    }

    #[test]
    fn the_clock_of_packets_begins_again() {
        assert_eq!(clock(Duration::from_micros(u64::from(u32::MAX))), u32::MAX);
        assert_eq!(clock(Duration::from_micros(u64::from(u32::MAX) + 3)), 2);
    }

    #[test]
    fn an_answer_has_the_numbers_of_the_server_and_the_rest_of_the_packet() {
        let mut responder = Responder::new(peer().ip(), 7000, true, Counters::default());
        for number in 1..=3u32 {
            let mut packet = vec![0xaa; 30];
            EchoPlus { test_gen_sn: 40 + number, ..EchoPlus::default() }.write(&mut packet);
            assert!(responder.answer(peer(), true, &mut packet, at(10)));
            responder.reply_at(&mut packet, at(12));
            responder.responded(&packet);
            let fields = EchoPlus::parse(&packet).unwrap();
            assert_eq!((fields.test_gen_sn, fields.test_resp_sn), (40 + number, number));
            assert_eq!((fields.received_at, fields.replied_at, fields.reply_failures), (10_000, 12_000, 0));
            assert_eq!(packet[20..], [0xaa; 10]);
        }
        let counters = responder.counters();
        assert_eq!((counters.packets_received, counters.packets_responded), (3, 3));
        assert_eq!((counters.bytes_received, counters.bytes_responded), (3 * 38, 3 * 38));
    }

    #[test]
    fn without_plus_and_when_too_short_for_it_a_packet_comes_back_as_it_was() {
        for (plus, length) in [(false, 30), (true, 19), (true, 0)] {
            let mut responder = Responder::new(peer().ip(), 7000, plus, Counters::default());
            let mut packet = vec![7; length];
            assert!(responder.answer(peer(), true, &mut packet, at(1)));
            responder.reply_at(&mut packet, at(1));
            assert_eq!(packet, vec![7; length]);
        }
    }

    #[test]
    fn s21_strangers_broadcasts_and_other_echo_servers_hear_nothing() {
        let mut responder = Responder::new(peer().ip(), 7000, true, Counters::default());
        let mut packet = vec![0; 30];
        for (peer, to_us) in [
            ("192.0.2.8:40000", true),
            (PEER, false),
            ("192.0.2.7:7000", true),
            ("192.0.2.7:7", true),
            ("192.0.2.7:19", true),
            ("192.0.2.7:0", true),
        ] {
            assert!(!responder.answer(peer.parse().unwrap(), to_us, &mut packet, at(1)), "{peer}");
        }
        assert_eq!(responder.counters(), Counters::default());
        // The kernel shows an IPv4 peer so on a socket of both families.
        assert!(responder.answer("[::ffff:192.0.2.7]:40000".parse().unwrap(), true, &mut packet, at(1)));
    }

    #[test]
    fn s21_a_flood_is_answered_slowly_and_counted_as_failures() {
        let mut responder = Responder::new(peer().ip(), 7000, true, Counters::default());
        let mut answered = 0;
        for number in 0..10_000u64 {
            // Ten thousand in one second.
            let now = Duration::from_micros(1_000_000 + number * 100);
            let mut packet = vec![0; 24];
            if responder.answer(peer(), true, &mut packet, now) {
                responder.responded(&packet);
                answered += 1;
            }
        }
        let counters = responder.counters();
        assert!((2000..=2300).contains(&answered), "{answered}");
        assert_eq!(counters.packets_received, 10_000);
        assert_eq!(counters.packets_responded + counters.failures, 10_000);
    }

    proptest! {
        #[test]
        fn no_packet_panics_and_every_answer_is_as_long(
            mut packet in proptest::collection::vec(any::<u8>(), 0..100),
            plus: bool,
            now: u64,
        ) {
            let length = packet.len();
            let mut responder = Responder::new(peer().ip(), 7000, plus, Counters::default());
            prop_assert!(responder.answer(peer(), true, &mut packet, Duration::from_nanos(now)));
            prop_assert_eq!(packet.len(), length);
        }
    }
}
