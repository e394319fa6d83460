//! The form in which rows are kept that stand beside UCI: `last;number enabled one other;...`, where `last` is the greatest number that a row ever
//! had. Neither word holds a blank or a semicolon.

use std::fmt::Write as _;

/// Reads the rows with a function from number, enabled and the two words; what is no row is left out.
pub(super) fn parse<T>(text: &str, make: impl Fn(u32, bool, &str, &str) -> T) -> (u32, Vec<T>) {
    let mut parts = text.split(';');
    let last = parts.next().and_then(|last| last.parse().ok()).unwrap_or(0);
    let slot = |part: &str| {
        let mut words = part.split(' ');
        let number = words.next()?.parse().ok()?;
        let enabled = words.next()? == "1";
        Some(make(number, enabled, words.next()?, words.next()?))
    };
    (last, parts.filter_map(slot).collect())
}

/// Adds a row to a text that begins with the greatest number.
pub(super) fn push(text: &mut String, number: u32, enabled: bool, one: &str, other: &str) {
    // Writing into a text does not fail.
    let _ = write!(text, ";{number} {} {one} {other}", u8::from(enabled));
}
