//! When a test of some connections began and ended, and how much went through meanwhile, without IO.
//!
//! All times count from the beginning of the test. What TR-181 wants of several connections (TR-181 2.17 Device.IP.Diagnostics.DownloadDiagnostics.):
//! the earliest ROMTime and BOMTime, the latest EOMTime, TCPOpenRequestTime and TCPOpenResponseTime; and full loading is from the latest BOMTime to the
//! earliest EOMTime.

use std::time::Duration;

/// The most rows of IncrementalResult that are kept.
pub const MOST_INTERVALS: usize = 100;

/// What the device of the test has carried since its boot, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Carried {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

impl Carried {
    /// What was carried since an earlier look; nothing where the counters began anew.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let less = |now: u64, then: u64| now.saturating_sub(then);
        Self { received: less(self.received, earlier.received), sent: less(self.sent, earlier.sent) }
    }
}

/// A moment of the test.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Look {
    /// When.
    pub at: Duration,
    /// The bytes of the test so far, of all connections, with the heads of HTTP.
    pub bytes: u64,
    /// What the device has carried.
    pub carried: Carried,
}

/// From one moment to another.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Span {
    /// The beginning.
    pub from: Duration,
    /// The end.
    pub to: Duration,
    /// The bytes of the test.
    pub bytes: u64,
    /// What the device has carried.
    pub carried: Carried,
}

impl Span {
    fn between(from: Look, to: Look) -> Self {
        let bytes = to.bytes.saturating_sub(from.bytes);
        Self { from: from.at, to: to.at, bytes, carried: to.carried.since(from.carried) }
    }
}

/// One connection.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Line {
    /// TCPOpenRequestTime: the SYN goes out.
    pub open_request: Option<Duration>,
    /// TCPOpenResponseTime: the connection is there.
    pub open_response: Option<Duration>,
    /// ROMTime: the request goes out.
    pub request: Option<Duration>,
    /// BOMTime: the first data comes in, or goes out.
    pub begin: Option<Duration>,
    /// EOMTime: the last data has come in, or the answer to what went out.
    pub end: Option<Duration>,
    /// The bytes of the test, with the heads of HTTP.
    pub bytes: u64,
    /// What the device carried from `begin` to `end`.
    pub carried: Carried,
}

/// The times of a test that is ended by time; all of them zero for one that is ended by the size of its file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Timing {
    /// TimeBasedTestDuration, from the first BOMTime.
    pub duration: Duration,
    /// TimeBasedTestMeasurementInterval; zero for none.
    pub interval: Duration,
    /// TimeBasedTestMeasurementOffset, from the first BOMTime.
    pub offset: Duration,
}

/// What is measured.
#[derive(Clone, Debug)]
pub struct Meter {
    lines: Vec<Line>,
    timing: Timing,
    bytes: u64,
    /// When the first line began, and what the device had carried by then.
    first: Option<Look>,
    /// The last end of a line.
    last: Look,
    full_from: Option<Look>,
    full: Option<Span>,
    /// Where the interval under way began, and when it is to end.
    interval: Option<(Look, Duration)>,
    intervals: Vec<Span>,
}

impl Meter {
    /// A test of this many connections.
    #[must_use]
    pub fn new(connections: usize, timing: Timing) -> Self {
        Self {
            lines: vec![Line::default(); connections],
            timing,
            bytes: 0,
            first: None,
            last: Look::default(),
            full_from: None,
            full: None,
            interval: None,
            intervals: Vec::new(),
        }
    }

    /// Something to be noted of a connection; those there are not take no notes.
    pub fn line(&mut self, connection: usize) -> Option<&mut Line> {
        self.lines.get_mut(connection)
    }

    /// The first data of a connection: called before its bytes are counted.
    pub fn begin(&mut self, connection: usize, at: Duration, carried: Carried) {
        let look = Look { at, bytes: self.bytes, carried };
        let Some(line) = self.lines.get_mut(connection).filter(|line| line.begin.is_none()) else { return };
        line.begin = Some(at);
        line.carried = carried;
        self.first.get_or_insert(look);
        let all = self.lines.iter().all(|line| line.begin.is_some() && line.end.is_none());
        if all {
            self.full_from = Some(look);
        }
    }

    /// So many more bytes of a connection.
    pub fn count(&mut self, connection: usize, bytes: usize) {
        let bytes = bytes as u64;
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(line) = self.lines.get_mut(connection) {
            line.bytes = line.bytes.saturating_add(bytes);
        }
    }

    /// The end of a connection: called after its last bytes are counted.
    pub fn end(&mut self, connection: usize, at: Duration, carried: Carried) {
        let look = Look { at, bytes: self.bytes, carried };
        let Some(line) = self.lines.get_mut(connection).filter(|line| line.end.is_none()) else { return };
        line.end = Some(at);
        line.carried = if line.begin.is_some() { carried.since(line.carried) } else { Carried::default() };
        if self.last.at <= at {
            self.last = look;
        }
        if let Some(from) = self.full_from.take() {
            self.full = Some(Span::between(from, look));
        }
    }

    /// When [`Self::tick`] is to be called.
    #[must_use]
    pub fn next_tick(&self) -> Option<Duration> {
        let Timing { interval, offset, .. } = self.timing;
        if interval.is_zero() || self.intervals.len() >= MOST_INTERVALS {
            return None;
        }
        let first = self.first?;
        Some(self.interval.map_or(first.at.saturating_add(offset), |(_, to)| to))
    }

    /// Begins or ends an interval, if it is time to.
    pub fn tick(&mut self, at: Duration, carried: Carried) {
        while let Some(due) = self.next_tick().filter(|due| *due <= at) {
            let look = Look { at, bytes: self.bytes, carried };
            if let Some((from, _)) = self.interval {
                self.intervals.push(Span::between(from, look));
            }
            // From one time that was due to the next, so that being late once does not make all of them late.
            self.interval = Some((look, due.saturating_add(self.timing.interval)));
        }
    }

    /// When a test that is ended by time is over.
    #[must_use]
    pub fn over_at(&self) -> Option<Duration> {
        let first = self.first.filter(|_| !self.timing.duration.is_zero())?;
        Some(first.at.saturating_add(self.timing.duration))
    }

    /// The connections.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// All of them as one: what TR-181 says of the whole test.
    #[must_use]
    pub fn whole(&self) -> Line {
        let earliest = |of: fn(&Line) -> Option<Duration>| self.lines.iter().filter_map(of).min();
        let latest = |of: fn(&Line) -> Option<Duration>| self.lines.iter().filter_map(of).max();
        Line {
            open_request: latest(|line| line.open_request),
            open_response: latest(|line| line.open_response),
            request: earliest(|line| line.request),
            begin: earliest(|line| line.begin),
            end: latest(|line| line.end),
            bytes: self.bytes,
            carried: self.first.map_or(Carried::default(), |first| self.last.carried.since(first.carried)),
        }
    }

    /// While all connections were at work; `None` where they never were.
    #[must_use]
    pub fn full_loading(&self) -> Option<Span> {
        self.full
    }

    /// The intervals that are complete.
    #[must_use]
    pub fn intervals(&self) -> &[Span] {
        &self.intervals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn carried(received: u64) -> Carried {
        Carried { received, sent: received / 10 }
    }

    #[test]
    fn of_one_connection_all_of_it_is_full_loading() {
        let mut meter = Meter::new(1, Timing::default());
        meter.line(0).unwrap().request = Some(ms(3));
        meter.begin(0, ms(5), carried(1000));
        meter.count(0, 700);
        meter.count(0, 300);
        meter.end(0, ms(25), carried(2200));
        let whole = meter.whole();
        assert_eq!(
            (whole.request, whole.begin, whole.end, whole.bytes),
            (Some(ms(3)), Some(ms(5)), Some(ms(25)), 1000)
        );
        assert_eq!(whole.carried, Carried { received: 1200, sent: 120 });
        let full = meter.full_loading().unwrap();
        assert_eq!((full.from, full.to, full.bytes, full.carried), (ms(5), ms(25), 1000, whole.carried));
        assert_eq!(meter.lines(), [whole]);
    }

    #[test]
    fn full_loading_is_from_the_latest_begin_to_the_earliest_end() {
        let mut meter = Meter::new(2, Timing::default());
        for (connection, request) in [(0, 1), (1, 2)] {
            *meter.line(connection).unwrap() = Line {
                open_request: Some(ms(0)),
                open_response: Some(ms(request)),
                request: Some(ms(request)),
                ..Line::default()
            };
        }
        meter.begin(0, ms(10), carried(100));
        meter.count(0, 50);
        meter.begin(1, ms(20), carried(160));
        meter.count(1, 30);
        meter.count(0, 20);
        meter.end(0, ms(30), carried(220));
        meter.count(1, 40);
        meter.end(1, ms(40), carried(270));
        let full = meter.full_loading().unwrap();
        assert_eq!((full.from, full.to, full.bytes, full.carried.received), (ms(20), ms(30), 50, 60));
        let whole = meter.whole();
        assert_eq!((whole.request, whole.begin, whole.end), (Some(ms(1)), Some(ms(10)), Some(ms(40))));
        assert_eq!((whole.open_response, whole.bytes, whole.carried.received), (Some(ms(2)), 140, 170));
        assert_eq!(meter.lines()[0].bytes + meter.lines()[1].bytes, 140);
        assert_eq!(meter.lines()[1].carried.received, 110);
    }

    #[test]
    fn connections_that_were_never_at_work_together_have_no_full_loading() {
        let mut meter = Meter::new(2, Timing::default());
        meter.begin(0, ms(1), carried(0));
        meter.end(0, ms(2), carried(0));
        meter.begin(1, ms(3), carried(0));
        meter.end(1, ms(4), carried(0));
        assert_eq!(meter.full_loading(), None);
    }

    #[test]
    fn intervals_begin_after_the_offset_and_are_kept_when_they_are_complete() {
        let timing = Timing { duration: ms(3000), interval: ms(1000), offset: ms(500) };
        let mut meter = Meter::new(1, timing);
        assert_eq!((meter.next_tick(), meter.over_at()), (None, None));
        meter.begin(0, ms(100), carried(0));
        assert_eq!((meter.next_tick(), meter.over_at()), (Some(ms(600)), Some(ms(3100))));
        meter.count(0, 10);
        meter.tick(ms(599), carried(10));
        assert_eq!(meter.next_tick(), Some(ms(600)));
        meter.tick(ms(605), carried(20));
        meter.count(0, 100);
        // Late, and the next is due in time all the same.
        meter.tick(ms(1650), carried(130));
        assert_eq!(meter.next_tick(), Some(ms(2600)));
        meter.count(0, 5);
        meter.tick(ms(2600), carried(140));
        let rows: Vec<_> =
            meter.intervals().iter().map(|span| (span.from, span.to, span.bytes, span.carried.received)).collect();
        assert_eq!(rows, [(ms(605), ms(1650), 100, 110), (ms(1650), ms(2600), 5, 10)]);
    }

    #[test]
    fn only_so_many_intervals_are_kept() {
        let timing = Timing { duration: ms(999_000), interval: ms(1), offset: Duration::ZERO };
        let mut meter = Meter::new(1, timing);
        meter.begin(0, ms(0), carried(0));
        meter.tick(ms(100_000), carried(0));
        assert_eq!(meter.intervals().len(), MOST_INTERVALS);
        assert_eq!(meter.next_tick(), None);
    }
}
