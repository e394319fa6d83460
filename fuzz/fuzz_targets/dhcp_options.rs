//! Whatever a DHCP server sends in the options for the agent, only good values come out of it, and the first offer is not taken back.
#![no_main]

use cwmpd::cwmp::discovery::{Offer, Place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let places = [Place::Option43, Place::Option125, Place::Option17, Place::Options6];
    let first = places[usize::from(which % 4)];
    let second = places[usize::from(which / 4 % 4)];
    let mut offer = Offer::default();
    offer.add(first, data);
    let before = offer.clone();
    offer.add(second, data);
    for (value, kept) in offer.values.iter().zip(&before.values) {
        assert!(kept.is_none() || kept == value);
    }
    let [url, code, wait, multiplier] = &offer.values;
    let plain = |text: &String| !text.is_empty() && text.len() <= 256 && !text.contains(char::is_control);
    assert!(offer.values.iter().flatten().all(plain));
    assert!(url.as_ref().is_none_or(|url| url.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("http"))));
    assert!(code.as_ref().is_none_or(|code| code.chars().count() <= 64));
    let within = |text: &Option<String>, least| {
        text.as_ref().is_none_or(|text| (least..=65535).contains(&text.parse::<u32>().unwrap()))
    };
    assert!(within(wait, 1) && within(multiplier, 1000));
});
