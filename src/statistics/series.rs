//! The samples of one parameter: how they are calculated, and how often they left their range.

use std::collections::VecDeque;

use super::{LONGEST_VALUE, list, push};

/// SampleMode
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Mode {
    /// The value itself.
    #[default]
    Current,
    /// By how much it has changed.
    Change,
}

/// CalculationMode
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Calculation {
    /// At the end of the interval.
    #[default]
    Latest,
    /// The least within it.
    Minimum,
    /// The greatest within it.
    Maximum,
    /// The average over it, rounded towards zero.
    Average,
}

impl Calculation {
    /// Reads the value of CalculationMode.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "Average" => Self::Average,
            _ => Self::Latest,
        }
    }
}

/// How samples are made and judged.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Rule {
    /// SampleMode
    pub mode: Mode,
    /// CalculationMode
    pub calculation: Calculation,
    /// LowThreshold: what is not greater is out of range.
    pub low: i32,
    /// HighThreshold: what is not less is out of range. There is no range unless it is greater than `low`.
    pub high: i32,
}

/// Where a sample lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Within,
    Low,
    High,
}

#[derive(Clone, Debug)]
struct Sample {
    seconds: u32,
    suspect: bool,
    value: Box<str>,
}

/// What was seen in the running interval.
#[derive(Clone, Copy, Default, Debug)]
struct Seen {
    least: i128,
    greatest: i128,
    sum: i128,
    count: i128,
}

/// The samples of one parameter.
#[derive(Clone, Debug)]
pub struct Series {
    rule: Rule,
    samples: VecDeque<Sample>,
    failures: u32,
    place: Place,
    /// Where the change of the whole interval is counted from, and that since the last look.
    start: Option<i128>,
    before: Option<i128>,
    seen: Seen,
    latest: Option<String>,
    /// A value was missing, or was no number where one is needed.
    suspect: bool,
}

impl Series {
    pub(super) fn new(rule: Rule, value: Option<&str>) -> Self {
        let number = value.and_then(number);
        Self {
            rule,
            samples: VecDeque::new(),
            failures: 0,
            place: Place::Within,
            start: number,
            before: number,
            seen: Seen::default(),
            latest: None,
            suspect: false,
        }
    }

    pub(super) fn looks_between(&self) -> bool {
        self.rule.calculation != Calculation::Latest
    }

    pub(super) fn look(&mut self, value: Option<&str>) {
        self.latest = value.map(String::from);
        let number = value.and_then(number);
        let raw = match self.rule.mode {
            Mode::Current => number,
            Mode::Change => number.zip(self.before).map(|(now, before)| now.saturating_sub(before)),
        };
        self.before = number;
        let Some(raw) = raw else {
            // Only the latest value itself may be any text.
            let takes_text = self.rule.mode == Mode::Current && !self.looks_between();
            self.suspect |= value.is_none() || !takes_text;
            return;
        };
        let first = self.seen.count == 0;
        self.seen.least = if first { raw } else { self.seen.least.min(raw) };
        self.seen.greatest = if first { raw } else { self.seen.greatest.max(raw) };
        self.seen.sum = self.seen.sum.saturating_add(raw);
        self.seen.count = self.seen.count.saturating_add(1);
    }

    pub(super) fn sample(&mut self, seconds: u32, replaces: bool, most: usize) {
        let (value, whole) = self.calculate();
        let has_value = value.is_some();
        if let Some(number) = value.as_deref().and_then(number) {
            self.judge(number);
        }
        if replaces {
            self.samples.pop_back();
        }
        let sample = Sample {
            seconds: if has_value { seconds } else { 0 },
            suspect: self.suspect || !has_value || !whole,
            value: value.unwrap_or_default().into_boxed_str(),
        };
        push(&mut self.samples, sample, most);
    }

    /// The value of the interval up to now, and whether it is all of it.
    fn calculate(&self) -> (Option<String>, bool) {
        let seen = |number: i128| (self.seen.count > 0).then(|| number.to_string());
        match (self.rule.calculation, self.rule.mode) {
            (Calculation::Latest, Mode::Current) => {
                let Some(latest) = &self.latest else { return (None, true) };
                let mut end = latest.len().min(LONGEST_VALUE);
                while !latest.is_char_boundary(end) {
                    end = end.saturating_sub(1);
                }
                (latest.get(..end).map(String::from), end == latest.len())
            }
            (Calculation::Latest, Mode::Change) => {
                let number = self.latest.as_deref().and_then(number);
                (number.zip(self.start).map(|(end, start)| end.saturating_sub(start).to_string()), true)
            }
            (Calculation::Minimum, _) => (seen(self.seen.least), true),
            (Calculation::Maximum, _) => (seen(self.seen.greatest), true),
            (Calculation::Average, _) => (seen(self.seen.sum.checked_div(self.seen.count).unwrap_or(0)), true),
        }
    }

    /// Counts each way out of the range, and from one side of it to the other.
    fn judge(&mut self, number: i128) {
        let Rule { low, high, .. } = self.rule;
        if high <= low {
            return;
        }
        let place = if number <= i128::from(low) {
            Place::Low
        } else if number >= i128::from(high) {
            Place::High
        } else {
            Place::Within
        };
        if place != self.place && place != Place::Within {
            self.failures = self.failures.saturating_add(1);
        }
        self.place = place;
    }

    pub(super) fn begin_interval(&mut self) {
        self.start = self.before;
        self.seen = Seen::default();
        self.latest = None;
        self.suspect = false;
    }

    /// SampleSeconds
    #[must_use]
    pub fn sample_seconds(&self) -> String {
        list(self.samples.iter().map(|sample| sample.seconds))
    }

    /// SuspectData
    #[must_use]
    pub fn suspect_data(&self) -> String {
        list(self.samples.iter().map(|sample| u32::from(sample.suspect)))
    }

    /// Values; what would be taken for the end of one is percent-encoded (TR-106a8 3.2.3).
    #[must_use]
    pub fn values(&self) -> String {
        list(self.samples.iter().map(|sample| sample.value.replace('%', "%25").replace(',', "%2C")))
    }

    /// Failures
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

fn number(text: &str) -> Option<i128> {
    // No number of the data model is longer; with i64 and u64 sums of many fit too.
    text.parse().ok().filter(|number: &i128| number.unsigned_abs() <= u128::from(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(mode: Mode, calculation: Calculation) -> Rule {
        Rule { mode, calculation, ..Rule::default() }
    }

    /// The samples of intervals with these readings each, after one at the beginning; `-` is a value that is missing.
    fn samples(rule: Rule, begin: &str, intervals: &[&[&str]]) -> Series {
        let mut series = Series::new(rule, Some(begin));
        for interval in intervals {
            for value in *interval {
                series.look(Some(*value).filter(|value| *value != "-"));
            }
            series.sample(10, false, 9);
            series.begin_interval();
        }
        series
    }

    #[test]
    fn each_mode_has_its_value() {
        let intervals: &[&[&str]] = &[&["5", "1", "4"], &["10", "10", "11"]];
        for (calculation, current, change) in [
            (Calculation::Latest, "4,11", "2,7"),
            (Calculation::Minimum, "1,10", "-4,0"),
            (Calculation::Maximum, "5,11", "3,6"),
            (Calculation::Average, "3,10", "0,2"),
        ] {
            assert_eq!(samples(rule(Mode::Current, calculation), "2", intervals).values(), current, "{calculation:?}");
            assert_eq!(samples(rule(Mode::Change, calculation), "2", intervals).values(), change, "{calculation:?}");
        }
    }

    #[test]
    fn a_value_that_is_missing_is_suspect() {
        let series = samples(rule(Mode::Current, Calculation::Latest), "1", &[&["1"], &["-"], &["3"]]);
        assert_eq!((series.values().as_str(), series.suspect_data().as_str()), ("1,,3", "0,1,0"));
        assert_eq!(series.sample_seconds(), "10,0,10");
        let series = samples(rule(Mode::Change, Calculation::Latest), "1", &[&["-"], &["3"], &["5"]]);
        assert_eq!((series.values().as_str(), series.suspect_data().as_str()), (",,2", "1,1,0"));
        let series = samples(rule(Mode::Current, Calculation::Maximum), "1", &[&["1", "-", "2"], &["up"]]);
        assert_eq!((series.values().as_str(), series.suspect_data().as_str()), ("2,", "1,1"));
    }

    #[test]
    fn texts_are_kept_as_items_of_a_list() {
        let long = "\u{e9}".repeat(LONGEST_VALUE);
        let series = samples(Rule::default(), "", &[&["Up"], &["a,b 5%"], &[&long]]);
        let short = "\u{e9}".repeat(LONGEST_VALUE / 2);
        assert_eq!((series.values(), series.suspect_data().as_str()), (format!("Up,a%2Cb 5%25,{short}"), "0,0,1"));
    }

    #[test]
    fn failures_count_ways_out_of_the_range() {
        let failures = |low, high, values: &[&str]| {
            let intervals: Vec<&[&str]> = values.iter().map(std::slice::from_ref).collect();
            samples(Rule { low, high, ..Rule::default() }, "", &intervals).failures()
        };
        assert_eq!(failures(10, 20, &["11", "19"]), 0);
        assert_eq!(failures(10, 20, &["10", "9", "15", "20", "21", "15"]), 2);
        assert_eq!(failures(10, 20, &["5", "25", "5", "text", "5"]), 3, "from one side to the other");
        assert_eq!(failures(0, 0, &["-5", "5"]), 0, "there is no range");
        assert_eq!(failures(20, 10, &["5", "25"]), 0);
    }

    proptest! {
        #[test]
        fn whatever_is_read_all_lists_are_as_long(readings in proptest::collection::vec(proptest::option::of("[-0-9]{0,25}|\\PC{0,9}"), 1..20), change: bool, how in 0..4) {
            let calculation = [Calculation::Latest, Calculation::Minimum, Calculation::Maximum, Calculation::Average][how as usize];
            let mode = if change { Mode::Change } else { Mode::Current };
            let mut series = Series::new(Rule { mode, calculation, low: -5, high: 5 }, None);
            for reading in &readings {
                series.look(reading.as_deref());
                series.sample(1, false, 5);
                series.begin_interval();
            }
            let count = readings.len().min(5);
            for list in [series.values(), series.suspect_data(), series.sample_seconds()] {
                prop_assert_eq!(list.split(',').count(), count);
            }
        }
    }
}
