//! Time zones in the form of POSIX's `TZ` (IEEE Std 1003.1-2024, 8.3), as UCI keeps them in `system.@system[0].timezone`.

use super::{SECONDS_PER_DAY, UtcTime, civil_from_days, days_from_civil, days_in_month, is_leap};

/// A time zone such as `CET-1CEST,M3.5.0,M10.5.0/3` or `<+03>-3`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PosixTz {
    /// Seconds east of UTC.
    standard: i32,
    daylight: Option<Daylight>,
}

/// When and how the clocks are changed.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Daylight {
    /// Seconds east of UTC.
    offset: i32,
    start: Rule,
    end: Rule,
}

/// One change of the clocks in a year.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    day: Day,
    /// Seconds after that day's midnight, on the clock as it stands before the change; may lie some days off.
    time: i32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Day {
    /// `Jn`: 1 to 365, 29 February is never counted.
    Julian(i64),
    /// `n`: 0 to 365, 29 February counts.
    OfYear(i64),
    /// `Mm.w.d`: the w-th weekday d of month m, the 5th is the last.
    Weekday { month: i64, week: i64, weekday: i64 },
}

impl PosixTz {
    /// Universal time.
    pub const UTC: Self = Self { standard: 0, daylight: None };

    /// Reads a zone; `None` if the text is not of that form. A zone that has a daylight saving name but no rule changes its clocks as in the
    /// United States, as C libraries do.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut text = Scanner(text.trim().as_bytes());
        text.name()?;
        // OpenWrt's own default is `UTC`, with no offset.
        let standard = if text.0.is_empty() { 0 } else { text.offset()?.checked_neg()? };
        if text.0.is_empty() {
            return Some(Self { standard, daylight: None });
        }
        text.name()?;
        let offset = match text.0.first() {
            None | Some(b',') => standard + 3600,
            Some(_) => text.offset()?.checked_neg()?,
        };
        let (start, end) = if text.0.is_empty() {
            let second_sunday_in_march = Rule { day: Day::Weekday { month: 3, week: 2, weekday: 0 }, time: 7200 };
            let first_sunday_in_november = Rule { day: Day::Weekday { month: 11, week: 1, weekday: 0 }, time: 7200 };
            (second_sunday_in_march, first_sunday_in_november)
        } else {
            (text.rule()?, text.rule()?)
        };
        text.0.is_empty().then_some(Self { standard, daylight: Some(Daylight { offset, start, end }) })
    }

    /// Seconds east of UTC at a moment.
    #[must_use]
    pub fn offset(&self, utc: UtcTime) -> i32 {
        let Some(daylight) = &self.daylight else { return self.standard };
        let (year, _, _) = civil_from_days(utc.seconds().div_euclid(SECONDS_PER_DAY));
        let mut latest = (i64::MIN, self.standard);
        // A change may be set for a day of the year before or after the one that it belongs to.
        for year in year - 1..=year + 1 {
            let end = daylight.end.seconds(year) - i64::from(daylight.offset);
            let start = daylight.start.seconds(year) - i64::from(self.standard);
            // Where it ends in the moment in which the next year's begins it never ends: the later one looked at counts.
            for (moment, offset) in [(end, self.standard), (start, daylight.offset)] {
                if moment <= utc.seconds() && moment >= latest.0 {
                    latest = (moment, offset);
                }
            }
        }
        latest.1
    }
}

impl Rule {
    /// Seconds from 1970 to the change in a year, as the clock on the wall counts them.
    fn seconds(&self, year: i64) -> i64 {
        let new_year = days_from_civil(year, 1, 1);
        let day = match self.day {
            Day::Julian(day) => new_year + day - 1 + i64::from(is_leap(year) && day >= 60),
            Day::OfYear(day) => new_year + day,
            Day::Weekday { month, week, weekday } => {
                let first = days_from_civil(year, month, 1);
                // 1970-01-01 was a Thursday, day 4 of a week that begins on Sunday.
                let until_weekday = (weekday - (first + 4)).rem_euclid(7);
                let day = until_weekday + (week - 1) * 7;
                first + if day < days_in_month(year, month) { day } else { day - 7 }
            }
        };
        day * SECONDS_PER_DAY + i64::from(self.time)
    }
}

/// Reads a zone piece by piece.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.0.iter().take_while(|byte| accept(**byte)).count();
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    fn skip(&mut self, mark: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == mark => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Three letters or more, or anything like `+03` in angle brackets.
    fn name(&mut self) -> Option<()> {
        let length = if self.skip(b'<') {
            let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'-');
            self.skip(b'>').then_some(name.len())?
        } else {
            self.take_while(|byte| byte.is_ascii_alphabetic()).len()
        };
        (length >= 3).then_some(())
    }

    fn number(&mut self, least: i32, greatest: i32) -> Option<i32> {
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let number = match digits.len() {
            1..=3 => digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0')),
            _ => return None,
        };
        (least..=greatest).contains(&number).then_some(number)
    }

    /// `[+|-]hh[:mm[:ss]]` in seconds.
    fn time(&mut self, greatest_hour: i32) -> Option<i32> {
        let negative = self.skip(b'-');
        if !negative {
            self.skip(b'+');
        }
        let mut seconds = self.number(0, greatest_hour)? * 3600;
        if self.skip(b':') {
            seconds += self.number(0, 59)? * 60;
            if self.skip(b':') {
                seconds += self.number(0, 59)?;
            }
        }
        Some(if negative { -seconds } else { seconds })
    }

    fn offset(&mut self) -> Option<i32> {
        self.time(24)
    }

    /// `,date[/time]`
    fn rule(&mut self) -> Option<Rule> {
        if !self.skip(b',') {
            return None;
        }
        let day = if self.skip(b'J') {
            Day::Julian(self.number(1, 365)?.into())
        } else if self.skip(b'M') {
            let month = self.number(1, 12)?.into();
            let week = self.skip(b'.').then(|| self.number(1, 5))??.into();
            let weekday = self.skip(b'.').then(|| self.number(0, 6))??.into();
            Day::Weekday { month, week, weekday }
        } else {
            Day::OfYear(self.number(0, 365)?.into())
        };
        let time = if self.skip(b'/') { self.time(167)? } else { 7200 };
        Some(Rule { day, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Zones of all parts of the world and every form of rule.
    const ZONES: &[&str] = &[
        "UTC0",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "<+03>-3",
        "<+0330>-3:30",
        "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
        "NST3:30NDT,M3.2.0,M11.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "EET-2EEST,M3.4.4/50,M10.4.4/50",
        "<-01>1<+00>,M3.5.0/0,M10.5.0/1",
        "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
        "AAA3BBB,J60/0,J300/4:30",
        "AAA-3BBB,59,299/1:02:03",
        "CCC12DDD13:30:15,0/0,J365",
    ];

    #[test]
    fn refuses_what_is_not_a_zone() {
        for text in [
            "",
            "1",
            "CE-1",
            ":Europe/Berlin",
            "Europe/Berlin",
            "<+0>-3",
            "<+03-3",
            "CET-25",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0",
            "CET-1CEST,J0,J365",
            "CET-1CEST,J366,J365",
            "CET-1CEST,366,1",
            "CET-1CEST,M3.5.0/168,M10.5.0",
            "CET-1CEST,M3.5.0,M10.5.0,",
            "CET-1,M3.5.0,M10.5.0",
            "CET--1",
            "CET-1:60",
            "CET-99999999999999",
        ] {
            assert_eq!(PosixTz::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_bare_name_is_universal_time() {
        assert_eq!(PosixTz::parse("UTC"), Some(PosixTz::UTC));
        assert_eq!(PosixTz::parse(" GMT0\n"), Some(PosixTz::UTC));
    }

    #[test]
    fn a_zone_without_rules_uses_those_of_the_united_states() {
        assert_eq!(PosixTz::parse("EST5EDT"), PosixTz::parse("EST5EDT,M3.2.0,M11.1.0"));
    }

    #[test]
    fn daylight_saving_that_never_ends() {
        let zone = PosixTz::parse("XXX3EDT4,0/0,J365/23").unwrap();
        for month in 1..=12 {
            let moment = UtcTime::new(days_from_civil(2025, month, 1) * SECONDS_PER_DAY + 4 * 3600, 0);
            assert_eq!(zone.offset(moment), -4 * 3600);
        }
    }

    fn expected(zone: &str, seconds: i64) -> i32 {
        let timestamp = jiff::Timestamp::from_second(seconds).unwrap();
        jiff::tz::TimeZone::posix(zone).unwrap().to_offset(timestamp).seconds()
    }

    #[test]
    fn agrees_with_an_independent_reader_around_every_change_of_the_clocks() {
        for text in ZONES {
            let zone = PosixTz::parse(text).unwrap();
            // Every six hours of eight years, with two leap years among them.
            let start = days_from_civil(2023, 1, 1) * SECONDS_PER_DAY;
            let mut before = zone.offset(UtcTime::new(start, 0));
            for step in 1..8 * 365 * 4 {
                let seconds = start + step * 21_600;
                let offset = zone.offset(UtcTime::new(seconds, 0));
                assert_eq!(offset, expected(text, seconds), "{text} at {seconds}");
                if offset != before {
                    let (mut low, mut high) = (seconds - 21_600, seconds);
                    while high - low > 1 {
                        let middle = (low + high) / 2;
                        if zone.offset(UtcTime::new(middle, 0)) == before { low = middle } else { high = middle }
                    }
                    assert_eq!(expected(text, low), before, "{text} just before {high}");
                    assert_eq!(expected(text, high), offset, "{text} at {high}");
                }
                before = offset;
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_an_independent_reader(zone in 0..ZONES.len(), seconds in -10_000_000_000i64..100_000_000_000) {
            let text = ZONES[zone];
            let offset = PosixTz::parse(text).unwrap().offset(UtcTime::new(seconds, 0));
            prop_assert_eq!(offset, expected(text, seconds), "{}", text);
        }

        #[test]
        fn any_text_is_a_zone_or_refused(text in "\\PC{0,40}|[A-Z<>+0-9.,/MJ:-]{0,40}", seconds in any::<i64>()) {
            if let Some(zone) = PosixTz::parse(&text) {
                let _ = zone.offset(UtcTime::new(seconds, 0));
            }
        }
    }
}
