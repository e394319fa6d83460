//! Samples of parameters, taken again and again (TR-181 2.17 Device.PeriodicStatistics.).
//!
//! ```text
//!   values --look--> Series (least, greatest, sum, last of the interval) --finish--> Sample --> Values, SampleSeconds, SuspectData, Failures
//! ```
//!
//! Free of IO: values and times come in. All of it is in memory, and bounded by [`MOST_SAMPLES`] and [`LONGEST_VALUE`].

mod series;

pub use series::{Calculation, Mode, Rule, Series};

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{Now, UtcTime};

/// How many samples of a parameter are kept, whatever ReportSamples says (MaxReportSamples).
pub const MOST_SAMPLES: usize = 96;

/// The longest value that is kept, in bytes.
pub const LONGEST_VALUE: usize = 256;

/// The values of the parameters of a set at one moment, in their order; `None` for one that cannot be read.
pub type Readings = [Option<String>];

/// The samples of a SampleSet since it was enabled.
#[derive(Clone, Debug)]
pub struct SampleSet {
    /// ReportSamples, within [`MOST_SAMPLES`].
    samples: usize,
    /// FetchSamples; 0 for never.
    fetch: u32,
    parameters: Vec<Series>,
    /// How long each sample took, in seconds.
    seconds: VecDeque<u32>,
    /// When the running interval began.
    since: Duration,
    /// When the last sample ended, where the clock was known.
    end: Option<UtcTime>,
    /// The last sample was forced and is of the interval that is still running.
    forced: bool,
    /// How many samples there were since `fetch` was reached.
    fetched: u32,
}

impl SampleSet {
    /// Begins the first interval, with the values of now. `samples` is ReportSamples.
    #[must_use]
    pub fn new(samples: u32, rules: Vec<Rule>, readings: &Readings, now: Now) -> Self {
        let mut readings = readings.iter();
        let begin = |rule| Series::new(rule, readings.next().and_then(Option::as_deref));
        Self {
            samples: usize::try_from(samples).unwrap_or(MOST_SAMPLES).clamp(1, MOST_SAMPLES),
            fetch: 0,
            parameters: rules.into_iter().map(begin).collect(),
            seconds: VecDeque::new(),
            since: now.monotonic,
            end: None,
            forced: false,
            fetched: 0,
        }
    }

    /// Takes over FetchSamples.
    pub fn fetch_after(&mut self, samples: u32) {
        self.fetch = samples;
    }

    /// How often its parameters have failed, all together.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.parameters.iter().fold(0, |failures: u32, series| failures.saturating_add(series.failures()))
    }

    /// Whether what lies between the ends of an interval counts for any of the parameters.
    #[must_use]
    pub fn looks_between(&self) -> bool {
        self.parameters.iter().any(Series::looks_between)
    }

    /// Takes the values of a moment within the interval.
    pub fn look(&mut self, readings: &Readings) {
        for (series, reading) in self.parameters.iter_mut().zip(readings) {
            series.look(reading.as_deref());
        }
    }

    /// The interval is over: makes its samples, and begins the next. Says whether FetchSamples is reached.
    pub fn finish(&mut self, readings: &Readings, now: Now) -> bool {
        self.sample(readings, now);
        self.forced = false;
        self.since = now.monotonic;
        self.parameters.iter_mut().for_each(Series::begin_interval);
        self.fetched = self.fetched.saturating_add(1);
        let reached = self.fetch != 0 && self.fetched >= self.fetch;
        if reached {
            self.fetched = 0;
        }
        reached
    }

    /// ForceSample: makes the samples of the running interval as if it were over now; they give way to those of its end.
    pub fn force(&mut self, readings: &Readings, now: Now) {
        self.sample(readings, now);
        self.forced = true;
    }

    fn sample(&mut self, readings: &Readings, now: Now) {
        self.look(readings);
        if self.forced {
            self.seconds.pop_back();
        }
        // To the nearest second, because timers are never early and a little late.
        let length = now.monotonic.saturating_sub(self.since).saturating_add(Duration::from_millis(500));
        let seconds = u32::try_from(length.as_secs()).unwrap_or(u32::MAX);
        push(&mut self.seconds, seconds, self.samples);
        for series in &mut self.parameters {
            series.sample(seconds, self.forced, self.samples);
        }
        self.end = now.utc;
    }

    /// The parameters, in their order.
    #[must_use]
    pub fn parameters(&self) -> &[Series] {
        &self.parameters
    }

    /// SampleSeconds of the set.
    #[must_use]
    pub fn sample_seconds(&self) -> String {
        list(self.seconds.iter())
    }

    /// ReportStartTime and ReportEndTime; Unknown Time where there are no samples, or the clock was not known.
    #[must_use]
    pub fn times(&self) -> (UtcTime, UtcTime) {
        let Some(end) = self.end.map(UtcTime::whole_seconds) else { return (UtcTime::UNKNOWN, UtcTime::UNKNOWN) };
        let length = self.seconds.iter().fold(0_i64, |length, seconds| length.saturating_add((*seconds).into()));
        (UtcTime::new(end.seconds().saturating_sub(length), 0), end)
    }
}

fn push<T>(ring: &mut VecDeque<T>, item: T, most: usize) {
    while ring.len() >= most {
        ring.pop_front();
    }
    ring.push_back(item);
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    let mut text = String::new();
    for (number, item) in items.enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&item.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATEST: Rule = Rule { mode: Mode::Current, calculation: Calculation::Latest, low: 0, high: 0 };

    fn at(seconds: u64) -> Now {
        let utc = UtcTime::new(1_900_000_000, 0).plus(Duration::from_secs(seconds));
        Now { monotonic: Duration::from_secs(seconds), utc: Some(utc) }
    }

    fn reading(value: &str) -> [Option<String>; 1] {
        [Some(value.into())]
    }

    fn values(set: &SampleSet) -> String {
        set.parameters()[0].values()
    }

    #[test]
    fn the_newest_samples_are_kept() {
        let mut set = SampleSet::new(2, vec![LATEST], &reading("0"), at(0));
        assert_eq!(
            (values(&set), set.sample_seconds(), set.times()),
            (String::new(), String::new(), (UtcTime::UNKNOWN, UtcTime::UNKNOWN))
        );
        for (time, value) in [(10, "a"), (20, "b"), (35, "c")] {
            assert!(!set.finish(&reading(value), at(time)));
        }
        assert_eq!((values(&set).as_str(), set.sample_seconds().as_str()), ("b,c", "10,15"));
        assert_eq!(set.times(), (at(10).utc.unwrap(), at(35).utc.unwrap()));
        let mut most = SampleSet::new(u32::MAX, vec![LATEST], &reading("0"), at(0));
        for time in 1..300 {
            most.finish(&reading("1"), at(time));
        }
        assert_eq!(most.sample_seconds().split(',').count(), MOST_SAMPLES);
    }

    #[test]
    fn a_forced_sample_gives_way_to_that_of_the_whole_interval() {
        let mut set = SampleSet::new(3, vec![LATEST], &reading("0"), at(0));
        set.finish(&reading("1"), at(10));
        set.force(&reading("2"), at(14));
        assert_eq!((values(&set).as_str(), set.sample_seconds().as_str()), ("1,2", "10,4"));
        set.force(&reading("3"), at(17));
        assert_eq!((values(&set).as_str(), set.sample_seconds().as_str()), ("1,3", "10,7"));
        assert_eq!(set.times().1, at(17).utc.unwrap());
        set.finish(&reading("4"), at(20));
        assert_eq!((values(&set).as_str(), set.sample_seconds().as_str()), ("1,4", "10,10"));
        set.finish(&reading("5"), at(30));
        assert_eq!((values(&set).as_str(), set.parameters()[0].sample_seconds().as_str()), ("1,4,5", "10,10,10"));
    }

    #[test]
    fn fetch_samples_is_reached_again_and_again() {
        let mut set = SampleSet::new(9, vec![LATEST], &reading("0"), at(0));
        set.fetch_after(3);
        let reached: Vec<bool> = (1..=7).map(|time| set.finish(&reading("1"), at(time))).collect();
        assert_eq!(reached, [false, false, true, false, false, true, false]);
    }

    #[test]
    fn without_a_clock_the_times_are_unknown() {
        let now = |seconds| Now { utc: None, ..at(seconds) };
        let mut set = SampleSet::new(2, vec![LATEST], &reading("0"), now(0));
        set.finish(&reading("1"), now(10));
        assert_eq!((set.sample_seconds().as_str(), set.times()), ("10", (UtcTime::UNKNOWN, UtcTime::UNKNOWN)));
    }
}
