//! Dates and time zones: any text is read or refused, and what was read is written as a text that reads back as the same moment.
#![no_main]

use cwmpd::time::{PosixTz, UtcTime, local};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (zone, moment) = text.split_once('\n').unwrap_or((text, text));
    let zone = PosixTz::parse(zone).unwrap_or(PosixTz::UTC);
    if let Some(time) = UtcTime::parse(moment) {
        assert_eq!(UtcTime::parse(&time.to_string()), Some(time));
        // A dateTime has no offsets of parts of a minute, so local time is the same moment all the same.
        assert_eq!(UtcTime::parse(&local(time, &zone)), Some(time.whole_seconds()));
    }
});
