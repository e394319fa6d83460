//! How often something may happen (CONFORMANCE C-09, SECURITY S14). Free of IO; time is monotonic and passed in.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// A burst at once, and then one more an interval.
#[derive(Clone, Copy)]
pub struct Allowance {
    burst: u32,
    interval: Duration,
    left: u32,
    /// Since when `left` has been right.
    since: Duration,
}

impl Allowance {
    /// `burst` times at once, and one more after each `interval`; `interval` is not zero.
    #[must_use]
    pub fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval, left: burst, since: Duration::ZERO }
    }

    /// Takes one if there is one left.
    pub fn take(&mut self, now: Duration) -> bool {
        self.refill(now);
        let some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        some
    }

    /// Whether none is left.
    pub fn is_used_up(&mut self, now: Duration) -> bool {
        self.refill(now);
        self.left == 0
    }

    /// Whether it is as if nothing had ever been taken.
    fn is_full(&mut self, now: Duration) -> bool {
        self.refill(now);
        self.left == self.burst
    }

    fn refill(&mut self, now: Duration) {
        while self.left < self.burst {
            let next = self.since.saturating_add(self.interval);
            if next > now {
                return;
            }
            self.since = next;
            self.left += 1;
        }
        self.since = now;
    }
}

/// How many peers are watched at once.
const SOURCES: usize = 32;

/// Peers that failed to authenticate: after ten failures at once, or more than ten a minute for longer, a peer counts as a guesser.
///
/// An IPv6 peer is its /64, because whoever has one address of it has them all.
#[derive(Default)]
pub struct Failures {
    sources: Vec<(IpAddr, Allowance)>,
}

impl Failures {
    /// Notes that `peer` sent wrong credentials.
    pub fn note(&mut self, peer: IpAddr, now: Duration) {
        let source = source(peer);
        if let Some((_, allowance)) = self.sources.iter_mut().find(|(known, _)| *known == source) {
            allowance.take(now);
            return;
        }
        self.sources.retain_mut(|(_, allowance)| !allowance.is_full(now));
        if self.sources.len() >= SOURCES {
            self.sources.remove(0);
        }
        let mut allowance = Allowance::new(10, Duration::from_secs(6));
        allowance.take(now);
        self.sources.push((source, allowance));
    }

    /// Whether `peer` failed so often that its answers are to come slowly.
    pub fn is_guesser(&mut self, peer: IpAddr, now: Duration) -> bool {
        let source = source(peer);
        self.sources.iter_mut().any(|(known, allowance)| *known == source && allowance.is_used_up(now))
    }
}

fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NOW: Duration = Duration::from_secs(500);

    #[test]
    fn c09_a_burst_and_then_one_an_interval() {
        let mut allowance = Allowance::new(5, 10 * SECOND);
        assert_eq!((0..100).filter(|_| allowance.take(NOW)).count(), 5);
        assert!(!allowance.take(NOW + 10 * SECOND - Duration::from_millis(1)));
        assert!(allowance.take(NOW + 10 * SECOND));
        assert!(!allowance.take(NOW + 10 * SECOND));
        let taken = (0..600).filter(|tenth| allowance.take(NOW + 10 * SECOND + *tenth * SECOND / 10)).count();
        assert_eq!(taken, 5, "one each 10 s for the rest of a minute");
        assert_eq!((0..100).filter(|_| allowance.take(NOW + 1000 * SECOND)).count(), 5, "never more than the burst");
    }

    #[test]
    fn s14_ten_failures_make_a_guesser_until_time_passes() {
        let mut failures = Failures::default();
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..9 {
            failures.note(peer, NOW);
        }
        assert!(!failures.is_guesser(peer, NOW));
        failures.note(peer, NOW);
        assert!(failures.is_guesser(peer, NOW));
        assert!(failures.is_guesser("::ffff:192.0.2.1".parse().unwrap(), NOW));
        assert!(!failures.is_guesser("192.0.2.2".parse().unwrap(), NOW));
        assert!(!failures.is_guesser(peer, NOW + 6 * SECOND));
    }

    #[test]
    fn s14_all_addresses_of_one_ipv6_network_are_one_source() {
        let mut failures = Failures::default();
        for host in 0..10 {
            failures.note(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into(), NOW);
        }
        assert!(failures.is_guesser("2001:db8:0:1::ffff".parse().unwrap(), NOW));
        assert!(!failures.is_guesser("2001:db8:0:2::1".parse().unwrap(), NOW));
    }

    #[test]
    fn s14_the_number_of_watched_sources_is_bounded() {
        let mut failures = Failures::default();
        for host in 0..=255 {
            failures.note(IpAddr::from([192, 0, 2, host]), NOW);
        }
        assert_eq!(failures.sources.len(), SOURCES);
        failures.note("192.0.3.1".parse().unwrap(), NOW + 60 * SECOND);
        assert_eq!(failures.sources.len(), 1, "who has waited is forgotten");
    }
}
