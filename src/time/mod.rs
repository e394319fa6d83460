//! Dates, time zones and clocks.
//!
//! [`UtcTime`] is a moment, read from and written as an xsd:dateTime (TR-106a8 3.2.1). [`PosixTz`] turns it into local time.
//! [`Clock`] is where the time comes from, so that everything that depends on time can be tested without waiting.

mod deadline;
mod zone;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use deadline::Deadline;
pub use zone::PosixTz;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: u32 = 1_000_000_000;
/// Days from 0000-03-01, where the internal count of years begins, to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;
const DAYS_PER_400_YEARS: i64 = 146_097;

/// A moment between the years 1 and 9999, in nanoseconds, on the proleptic Gregorian calendar, without leap seconds.
///
/// `Display` writes it as TR-106a8 wants dateTime parameters (CONFORMANCE J-01): in UTC with `Z`, with a fraction only if there is one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UtcTime {
    seconds: i64,
    nanos: u32,
}

impl UtcTime {
    /// Unknown Time, `0001-01-01T00:00:00Z` (TR-106a8 3.2.1).
    pub const UNKNOWN: Self = Self { seconds: -62_135_596_800, nanos: 0 };
    /// The infinite future, `9999-12-31T23:59:59Z` (TR-106a8 3.2.1).
    pub const INFINITE: Self = Self { seconds: 253_402_300_799, nanos: 0 };
    /// `1970-01-01T00:00:00Z`
    pub const EPOCH: Self = Self { seconds: 0, nanos: 0 };

    /// The moment this many seconds after 1970 and nanoseconds (below 10^9) after that. What lies outside the years 1 to 9999 becomes their end.
    #[must_use]
    pub fn new(seconds: i64, nanos: u32) -> Self {
        if seconds < Self::UNKNOWN.seconds {
            Self::UNKNOWN
        } else if seconds > Self::INFINITE.seconds {
            Self::INFINITE
        } else {
            Self { seconds, nanos: nanos.min(NANOS_PER_SECOND - 1) }
        }
    }

    /// Reads an xsd:dateTime (CONFORMANCE X-19): with `Z`, with an offset or without a zone (then it is UTC), with or without a fraction, white
    /// space around it. `None` for anything else and for moments outside the years 1 to 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut text = Scanner(text.trim_matches([' ', '\t', '\r', '\n']).as_bytes());
        let year = text.digits(4)?;
        let month = text.after(b'-')?.digits(2)?;
        let day = text.after(b'-')?.digits(2)?;
        let hour = text.after(b'T')?.digits(2)?;
        let minute = text.after(b':')?.digits(2)?;
        let second = text.after(b':')?.digits(2)?;
        let nanos = text.fraction()?;
        let offset = text.offset()?;
        if !text.0.is_empty()
            || year == 0
            || !(1..=12).contains(&month)
            || !(1..=days_in_month(year, month)).contains(&day)
            || minute > 59
            || second > 59
            || hour > 24
            || (hour == 24 && (minute, second, nanos) != (0, 0, 0))
        {
            return None;
        }
        let seconds =
            days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset * 60;
        (Self::UNKNOWN.seconds..=Self::INFINITE.seconds).contains(&seconds).then_some(Self { seconds, nanos })
    }

    /// Seconds since 1970, negative before.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after the full second.
    #[must_use]
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    /// The same moment without its fraction.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self { nanos: 0, ..self }
    }

    /// The moment this much later, at most the end of the year 9999.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let nanos = self.nanos + duration.subsec_nanos();
        let carry = i64::from(nanos / NANOS_PER_SECOND);
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::new(self.seconds.saturating_add(seconds).saturating_add(carry), nanos % NANOS_PER_SECOND)
    }

    /// How long `earlier` is ago at this moment; zero if it lies in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let seconds = u64::try_from(self.seconds - earlier.seconds).unwrap_or(0);
        // The later moment may have the smaller fraction; then the seconds are at least one.
        Duration::from_secs(seconds) + Duration::from_nanos(self.nanos.into())
            - Duration::from_nanos(earlier.nanos.into())
    }
}

impl From<SystemTime> for UtcTime {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::EPOCH.plus(after),
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).map_or(i64::MIN, |seconds| -seconds);
                match before.subsec_nanos() {
                    0 => Self::new(seconds, 0),
                    nanos => Self::new(seconds.saturating_sub(1), NANOS_PER_SECOND - nanos),
                }
            }
        }
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_civil(f, self.seconds)?;
        if self.nanos != 0 {
            let (mut digits, mut width) = (self.nanos, 9);
            while digits % 10 == 0 {
                digits /= 10;
                width -= 1;
            }
            write!(f, ".{digits:0width$}")?;
        }
        f.write_str("Z")
    }
}

/// As the text of an xsd:dateTime.
impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a dateTime"))
    }
}

/// The dateTime of a CPE that does not know the time: counted from year 1, without a zone (TR-106a8 3.2.1, CONFORMANCE J-02).
#[must_use]
pub fn relative(since_boot: Duration) -> String {
    struct Relative(UtcTime);
    impl fmt::Display for Relative {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_civil(f, self.0.seconds)
        }
    }
    Relative(UtcTime::UNKNOWN.plus(since_boot)).to_string()
}

/// The moment as local time with its offset from UTC, such as `2026-03-29T03:00:00+02:00` (CONFORMANCE I-03, J-01).
///
/// A dateTime has offsets of full minutes up to 14 hours; a zone that is further away is written in UTC.
#[must_use]
pub fn local(utc: UtcTime, zone: &PosixTz) -> String {
    struct Local(i64, i64);
    impl fmt::Display for Local {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_civil(f, self.0 + self.1 * 60)?;
            let sign = if self.1 < 0 { '-' } else { '+' };
            let minutes = self.1.abs();
            write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    }
    let minutes = i64::from(zone.offset(utc)) / 60;
    let shown = utc.seconds.saturating_add(minutes * 60);
    let written = (UtcTime::UNKNOWN.seconds..=UtcTime::INFINITE.seconds).contains(&shown);
    if minutes.abs() > 14 * 60 || !written {
        utc.whole_seconds().to_string()
    } else {
        Local(utc.seconds, minutes).to_string()
    }
}

/// Where the time comes from.
pub trait Clock {
    /// The clock on the wall, right or wrong.
    fn utc(&self) -> UtcTime;

    /// Time since the boot of the system; never goes back, whatever happens to the clock on the wall.
    fn monotonic(&self) -> Duration;
}

/// One look at the clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Time since the boot of the system; never goes back.
    pub monotonic: Duration,
    /// The time of day; `None` as long as the clock is not known to be right.
    pub utc: Option<UtcTime>,
}

impl Now {
    /// Looks at a clock of which it is known whether it is right.
    #[must_use]
    pub fn of(clock: &dyn Clock, known: bool) -> Self {
        Self { monotonic: clock.monotonic(), utc: known.then(|| clock.utc()) }
    }
}

/// Reads a dateTime piece by piece.
struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn after(&mut self, mark: u8) -> Option<&mut Self> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (*first == mark).then_some(self)
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    }

    /// Nanoseconds; digits beyond those are cut off.
    fn fraction(&mut self) -> Option<u32> {
        let Some((b'.', rest)) = self.0.split_first() else { return Some(0) };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at_checked(count)?;
        self.0 = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        (count > 0).then(|| padded.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    }

    /// Minutes east of UTC.
    fn offset(&mut self) -> Option<i64> {
        let Some((sign, rest)) = self.0.split_first() else { return Some(0) };
        self.0 = rest;
        let sign = match sign {
            b'Z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.digits(2)?;
        let minutes = self.after(b':')?.digits(2)?;
        let total = hours * 60 + minutes;
        (minutes <= 59 && total <= 14 * 60).then_some(sign * total)
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date. Years are counted from March, so that the leap day is the last one of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // Five months from March or August on always have 153 days.
    year * 365 + leap_days + (153 * month_from_march + 2) / 5 + day - 1 - DAYS_TO_1970
}

/// Year, month and day of a count of days from 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_400_YEARS), days.rem_euclid(DAYS_PER_400_YEARS));
    // Without the leap days that came before, every year has 365 days.
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (DAYS_PER_400_YEARS - 1);
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month_from_march < 10 { (year, month_from_march + 3, day) } else { (year + 1, month_from_march - 9, day) }
}

/// Writes seconds since 1970 as a date and time of day, without a zone.
fn write_civil(f: &mut fmt::Formatter<'_>, seconds: i64) -> fmt::Result {
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
    let time = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(text: &str) -> Option<i64> {
        UtcTime::parse(text).map(UtcTime::seconds)
    }

    #[test]
    fn x19_reads_every_form_of_a_date_time() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00", Some(0)),
            (" \n1970-01-01T00:00:01Z\t", Some(1)),
            ("1970-01-01T02:00:00+02:00", Some(0)),
            ("1969-12-31T18:30:00-05:30", Some(0)),
            ("1970-01-01T14:00:00+14:00", Some(0)),
            ("1970-01-01T00:00:05.9Z", Some(5)),
            ("1970-01-01T00:00:05.999999999999Z", Some(5)),
            ("1970-01-01T24:00:00Z", Some(86_400)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2038-01-19T03:14:08Z", Some(2_147_483_648)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
            ("0001-01-03T03:04:05", Some(-62_135_596_800 + 2 * 86_400 + 11_045)),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799)),
            ("", None),
            ("now", None),
            ("1970-01-01", None),
            ("1970-01-01T00:00Z", None),
            ("1970-01-01 00:00:00Z", None),
            ("1970-01-01T00:00:00z", None),
            ("1970-01-01T00:00:00.Z", None),
            ("1970-01-01T00:00:00Z0", None),
            ("1970-01-01T00:00:00+0200", None),
            ("1970-01-01T00:00:00+14:01", None),
            ("1970-01-01T00:00:00+01:60", None),
            ("1970-01-01T24:00:01Z", None),
            ("1970-01-01T24:00:00.5Z", None),
            ("1970-01-01T25:00:00Z", None),
            ("1970-01-01T00:60:00Z", None),
            ("1970-01-01T00:00:60Z", None),
            ("1970-13-01T00:00:00Z", None),
            ("1970-00-01T00:00:00Z", None),
            ("1970-04-31T00:00:00Z", None),
            ("1900-02-29T00:00:00Z", None),
            ("0000-01-01T00:00:00Z", None),
            ("-0001-01-01T00:00:00Z", None),
            ("10000-01-01T00:00:00Z", None),
            ("0001-01-01T00:00:00+01:00", None),
            ("9999-12-31T24:00:00Z", None),
            ("+970-01-01T00:00:00Z", None),
            ("1970-01-01T00:00:0٣Z", None),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn j01_writes_utc_with_seconds_and_a_fraction_only_if_there_is_one() {
        for (text, written) in [
            ("2026-02-28T23:59:59Z", "2026-02-28T23:59:59Z"),
            ("2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00Z"),
            ("2024-02-29T00:00:00.5", "2024-02-29T00:00:00.5Z"),
            ("2024-02-29T00:00:00.000000001Z", "2024-02-29T00:00:00.000000001Z"),
            ("2024-02-29T00:00:00.000120Z", "2024-02-29T00:00:00.00012Z"),
        ] {
            assert_eq!(UtcTime::parse(text).unwrap().to_string(), written);
        }
        assert_eq!(UtcTime::parse("2024-01-01T00:00:00+02:00").unwrap().to_string(), "2023-12-31T22:00:00Z");
    }

    #[test]
    fn j02_unknown_infinite_and_relative_time() {
        assert_eq!(UtcTime::UNKNOWN.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(UtcTime::INFINITE.to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(relative(Duration::ZERO), "0001-01-01T00:00:00");
        assert_eq!(relative(Duration::from_secs(2 * 86_400 + 11_045)), "0001-01-03T03:04:05");
        assert_eq!(relative(Duration::MAX), "9999-12-31T23:59:59");
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let late = UtcTime::new(10, 900_000_000);
        assert_eq!(late.plus(Duration::from_millis(200)), UtcTime::new(11, 100_000_000));
        assert_eq!(late.plus(Duration::MAX), UtcTime::INFINITE);
        assert_eq!(late.since(UtcTime::new(9, 950_000_000)), Duration::from_millis(1950 - 1000));
        assert_eq!(late.since(UtcTime::INFINITE), Duration::ZERO);
        assert_eq!(UtcTime::INFINITE.since(UtcTime::UNKNOWN).as_secs(), 315_537_897_599);
        assert_eq!(UtcTime::new(i64::MIN, 5), UtcTime::UNKNOWN);
        assert_eq!(UtcTime::from(UNIX_EPOCH - Duration::from_millis(1)), UtcTime::new(-1, 999_000_000));
        assert_eq!(UtcTime::from(UNIX_EPOCH + Duration::from_secs(3)), UtcTime::new(3, 0));
    }

    #[test]
    fn a_moment_is_kept_in_json_as_its_text() {
        let time = UtcTime::new(1_700_000_000, 0);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, "\"2023-11-14T22:13:20Z\"");
        assert_eq!(serde_json::from_str::<UtcTime>(&json).unwrap(), time);
        assert!(serde_json::from_str::<UtcTime>("\"soon\"").is_err());
    }

    #[test]
    fn i03_local_time_at_the_edges() {
        let berlin = PosixTz::parse("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let at = |text| local(UtcTime::parse(text).unwrap(), &berlin);
        assert_eq!(at("2026-03-29T00:59:59Z"), "2026-03-29T01:59:59+01:00");
        assert_eq!(at("2026-03-29T01:00:00.7Z"), "2026-03-29T03:00:00+02:00");
        assert_eq!(at("2026-10-25T00:59:59Z"), "2026-10-25T02:59:59+02:00");
        assert_eq!(at("2026-10-25T01:00:00Z"), "2026-10-25T02:00:00+01:00");
        assert_eq!(at("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59Z");
        assert_eq!(local(UtcTime::EPOCH, &PosixTz::UTC), "1970-01-01T00:00:00+00:00");
        let far = PosixTz::parse("XXX-20").unwrap();
        assert_eq!(local(UtcTime::EPOCH, &far), "1970-01-01T00:00:00Z");
        let half = PosixTz::parse("<-0330>3:30").unwrap();
        assert_eq!(local(UtcTime::EPOCH, &half), "1969-12-31T20:30:00-03:30");
    }

    proptest! {
        #[test]
        fn every_moment_reads_back_as_itself(
            seconds in -62_135_596_800i64..=253_402_300_799, nanos in 0u32..1_000_000_000
        ) {
            let time = UtcTime::new(seconds, nanos);
            prop_assert_eq!(UtcTime::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn agrees_with_an_independent_calendar(seconds in -62_135_596_800i64..=253_402_200_000) {
            let expected = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            prop_assert_eq!(UtcTime::new(seconds, 0).to_string(), expected);
        }

        #[test]
        fn local_time_is_the_same_moment(
            seconds in -62_135_596_800i64..=253_402_300_799,
            hours in 0..=24, minutes in 0..60, odd in 0..60, sign in "[+-]",
        ) {
            let zone = PosixTz::parse(&format!("<zone>{sign}{hours}:{minutes}:{odd}")).unwrap();
            let time = UtcTime::new(seconds, 0);
            prop_assert_eq!(UtcTime::parse(&local(time, &zone)), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[-0-9TZ:.+]{0,40}") {
            if let Some(time) = UtcTime::parse(&text) {
                prop_assert_eq!(UtcTime::parse(&time.to_string()), Some(time));
            }
        }
    }
}
