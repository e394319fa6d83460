//! What DHCP says of the ACS (TR-069a6 3.1; CONFORMANCE D-03 to D-07), and when it is asked again (D-09).
//!
//! It comes from whoever answers first on the way to the provider. Each value is judged by itself; one that is no good is as one that is not
//! there, and a block that breaks off is good up to there.

use std::time::Duration;

/// The enterprise number of the Broadband Forum.
pub const ENTERPRISE: u32 = 3561;

/// The longest URL of an ACS, in bytes (TR-069a6 3.1).
const URL_LENGTH: usize = 256;
/// The longest ProvisioningCode, in characters.
const CODE_LENGTH: usize = 64;

/// The code of the vendor-specific information among the options of DHCPv6 (RFC 8415 21.17).
const VENDOR_OPTIONS: u32 = 17;

/// Where values can lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The value of DHCPv4 option 43 (RFC 2132 8.4): sub-options 1 to 4, or a bare URL.
    Option43,
    /// The value of DHCPv4 option 125 (RFC 3925 4): sub-options 11 to 14 of the [`ENTERPRISE`].
    Option125,
    /// The value of DHCPv6 option 17 (RFC 8415 21.17): sub-options 1 to 4 of the [`ENTERPRISE`].
    Option17,
    /// Options of DHCPv6 one after the other, each with code and length; option 17 is looked for.
    Options6,
}

/// What was offered, in the order of the sub-options: URL, ProvisioningCode, CWMPRetryMinimumWaitInterval in seconds (1 to 65535), and
/// CWMPRetryIntervalMultiplier in thousandths (1000 to 65535).
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Offer {
    /// `None` for what was not offered.
    pub values: [Option<String>; 4],
}

impl Offer {
    /// Adds what lies in a value, for as far as nothing else was offered before.
    pub fn add(&mut self, place: Place, value: &[u8]) {
        match place {
            Place::Option43 => self.add_option_43(value),
            Place::Option125 => {
                each_vendor(value, &mut |block| {
                    let mut offer = Self::default();
                    each(block, Width::One, &mut |code, value| offer.put(code.checked_sub(10), value));
                    // Below 11 there is who the device and the gateway are (TR-069a6 Annex F), but some servers put the URL there.
                    let mut other = Self::default();
                    each(block, Width::One, &mut |code, value| other.put(Some(code), value));
                    self.fill(offer);
                    if other.values.first().is_some_and(Option::is_some) {
                        self.fill(other);
                    }
                });
            }
            Place::Option17 => {
                if let Some((number, block)) = value.split_first_chunk::<4>() {
                    if u32::from_be_bytes(*number) == ENTERPRISE {
                        each(block, Width::Two, &mut |code, value| self.put(Some(code), value));
                    }
                }
            }
            Place::Options6 => each(value, Width::Two, &mut |code, value| {
                if code == VENDOR_OPTIONS {
                    self.add(Place::Option17, value);
                }
            }),
        }
    }

    /// A bare URL is what many servers send (CONFORMANCE D-07). No block of sub-options begins like one.
    fn add_option_43(&mut self, value: &[u8]) {
        let end = value.iter().position(|byte| *byte == 0xff).unwrap_or(value.len());
        let bare = value.get(..end).unwrap_or_default();
        if begins_like_url(bare) {
            self.put(Some(1), bare);
        } else {
            each(value, Width::One, &mut |code, value| self.put(Some(code), value));
        }
    }

    fn fill(&mut self, other: Self) {
        for (slot, value) in self.values.iter_mut().zip(other.values) {
            if slot.is_none() {
                *slot = value;
            }
        }
    }

    /// The value of a sub-option, with 1 for the URL.
    fn put(&mut self, code: Option<u32>, value: &[u8]) {
        let place = code.and_then(|code| usize::try_from(code).ok()?.checked_sub(1));
        let Some((place, slot)) = place.and_then(|place| Some((place, self.values.get_mut(place)?))) else { return };
        if slot.is_none() {
            *slot = text(value).and_then(|text| judge(place, text));
        }
    }
}

/// What may stand at this place; numbers in their plainest form.
fn judge(place: usize, text: &str) -> Option<String> {
    let number = |least: u32| {
        let number = text.parse::<u32>().ok().filter(|number| (least..=65535).contains(number));
        number.map(|number| number.to_string())
    };
    match place {
        0 => is_url(text).then(|| text.into()),
        1 => (text.chars().count() <= CODE_LENGTH).then(|| text.into()),
        2 => number(1),
        _ => number(1000),
    }
}

fn is_url(text: &str) -> bool {
    begins_like_url(text.as_bytes()) && text.len() <= URL_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn begins_like_url(bytes: &[u8]) -> bool {
    let begins = |scheme: &[u8]| bytes.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    begins(b"http://") || begins(b"https://")
}

/// A text, without the NULs that some servers end it with (CONFORMANCE D-06).
fn text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0').trim();
    (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
}

/// How wide codes and lengths are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// A byte; 0 fills up and 255 ends, both without a length (RFC 2132 2).
    One,
    /// Two bytes.
    Two,
}

/// Each sub-option of a block, up to where it breaks off.
fn each(mut block: &[u8], width: Width, take: &mut dyn FnMut(u32, &[u8])) {
    loop {
        let (code, length, rest) = match (width, block) {
            (Width::One, [0, rest @ ..]) => {
                block = rest;
                continue;
            }
            (Width::One, [255, ..]) => return,
            (Width::One, [code, length, rest @ ..]) => (u32::from(*code), usize::from(*length), rest),
            (Width::Two, [a, b, c, d, rest @ ..]) => {
                (u32::from(u16::from_be_bytes([*a, *b])), usize::from(u16::from_be_bytes([*c, *d])), rest)
            }
            _ => return,
        };
        let Some((value, rest)) = rest.split_at_checked(length) else { return };
        take(code, value);
        block = rest;
    }
}

/// Each block of the [`ENTERPRISE`] in option 125.
fn each_vendor(mut value: &[u8], take: &mut dyn FnMut(&[u8])) {
    while let [a, b, c, d, length, rest @ ..] = value {
        let Some((block, rest)) = rest.split_at_checked(usize::from(*length)) else { return };
        if u32::from_be_bytes([*a, *b, *c, *d]) == ENTERPRISE {
            take(block);
        }
        value = rest;
    }
}

/// When DHCP is asked again, because the ACS that it has named cannot be reached (CONFORMANCE D-09). Times are since the boot.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Rediscovery {
    at: Option<Duration>,
}

impl Rediscovery {
    /// A session with an ACS that DHCP has named has failed.
    pub fn failed(&mut self, now: Duration, wait: Duration) {
        self.at.get_or_insert(now.saturating_add(wait));
    }

    /// The ACS was reached, or it is not DHCP that has named it.
    pub fn end(&mut self) {
        self.at = None;
    }

    /// When to look.
    #[must_use]
    pub fn due(self) -> Option<Duration> {
        self.at
    }

    /// Whether DHCP is to be asked now; the next time is as long away again.
    pub fn poll(&mut self, now: Duration, wait: Duration) -> bool {
        let due = self.at.is_some_and(|at| at <= now);
        if due {
            self.at = Some(now.saturating_add(wait));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URL: &str = "http://acs.example/cwmp";

    fn offer(place: Place, value: &[u8]) -> Vec<Option<String>> {
        let mut offer = Offer::default();
        offer.add(place, value);
        offer.values.to_vec()
    }

    fn all(url: &str, code: &str, wait: &str, multiplier: &str) -> Vec<Option<String>> {
        [url, code, wait, multiplier].map(|value| (!value.is_empty()).then(|| value.to_owned())).to_vec()
    }

    /// Sub-options with their codes, each a byte wide.
    fn block(options: &[(u8, &[u8])]) -> Vec<u8> {
        let length = |value: &[u8]| u8::try_from(value.len()).unwrap();
        options.iter().flat_map(|(code, value)| [&[*code, length(value)], *value].concat()).collect()
    }

    /// Option 125 with one enterprise.
    fn vendor(number: u32, block: &[u8]) -> Vec<u8> {
        [&number.to_be_bytes()[..], &[u8::try_from(block.len()).unwrap()], block].concat()
    }

    /// Options of DHCPv6.
    fn wide(options: &[(u16, &[u8])]) -> Vec<u8> {
        let head = |code: u16, value: &[u8]| [code.to_be_bytes(), u16::try_from(value.len()).unwrap().to_be_bytes()];
        options.iter().flat_map(|(code, value)| [head(*code, value).as_flattened(), *value].concat()).collect()
    }

    #[test]
    fn d03_option_43_as_on_the_wire() {
        let bytes = b"\x02\x04prov\x01\x14http://acs.example/x\x03\x0260\x04\x041500\xff";
        assert_eq!(offer(Place::Option43, bytes), all("http://acs.example/x", "prov", "60", "1500"));
        let padded = b"\0\0\x01\x14http://acs.example/x\0\xff\x02\x04prov";
        assert_eq!(offer(Place::Option43, padded), all("http://acs.example/x", "", "", ""), "255 ends it");
    }

    #[test]
    fn d04_option_125_of_the_broadband_forum_and_nobody_else() {
        let own = vendor(ENTERPRISE, &block(&[(11, URL.as_bytes()), (12, b"a.b"), (13, b"7"), (14, b"3000")]));
        assert_eq!(&own[..6], b"\0\0\x0d\xe9\x27\x0b");
        assert_eq!(offer(Place::Option125, &own), all(URL, "a.b", "7", "3000"));
        let other = vendor(9, &block(&[(11, b"http://other.example/")]));
        assert_eq!(offer(Place::Option125, &[other.clone(), own].concat()), all(URL, "a.b", "7", "3000"));
        assert_eq!(offer(Place::Option125, &other), all("", "", "", ""));
        // Who the gateway is (Annex F) is no provisioning code; but a URL in the place of option 43 is what it looks like.
        let gateway = vendor(ENTERPRISE, &block(&[(1, b"00005E"), (2, b"serial"), (4, b"00005E")]));
        assert_eq!(offer(Place::Option125, &gateway), all("", "", "", ""));
        let low = vendor(ENTERPRISE, &block(&[(1, URL.as_bytes()), (2, b"a.b")]));
        assert_eq!(offer(Place::Option125, &low), all(URL, "a.b", "", ""));
    }

    #[test]
    fn d05_option_17_of_dhcpv6_alone_and_among_others() {
        let block = wide(&[(1, URL.as_bytes()), (2, b"code"), (3, b"5"), (4, b"2000")]);
        let value = [&ENTERPRISE.to_be_bytes()[..], &block].concat();
        assert_eq!(offer(Place::Option17, &value), all(URL, "code", "5", "2000"));
        let other = [&9u32.to_be_bytes()[..], &block].concat();
        assert_eq!(offer(Place::Option17, &other), all("", "", "", ""));
        let options = wide(&[(23, &[0; 16]), (17, &other), (17, &value)]);
        assert_eq!(offer(Place::Options6, &options), all(URL, "code", "5", "2000"));
    }

    #[test]
    fn d06_nuls_at_the_end_are_taken_off() {
        let value = block(&[(1, b"http://acs.example/\0"), (2, b"code\0\0"), (3, b"5\0"), (4, b"2000")]);
        assert_eq!(offer(Place::Option43, &value), all("http://acs.example/", "code", "5", "2000"));
        let inside = block(&[(1, b"http://acs\0.example/"), (2, b"\0")]);
        assert_eq!(offer(Place::Option43, &inside), all("", "", "", ""));
        assert_eq!(offer(Place::Option43, b"http://acs.example/\0"), all("http://acs.example/", "", "", ""));
    }

    #[test]
    fn d07_a_bare_url_is_taken() {
        for url in ["http://acs.example:7547/", "https://[2001:db8::1]/x?y=z", "HTTPS://ACS.example"] {
            assert_eq!(offer(Place::Option43, url.as_bytes()), all(url, "", "", ""));
            assert_eq!(offer(Place::Option43, &[url.as_bytes(), b"\xff"].concat()), all(url, "", "", ""));
        }
    }

    #[test]
    fn what_is_no_good_is_not_there() {
        for url in ["ftp://acs.example/", "http://acs example/", "http://\u{e9}", "acs.example"] {
            assert_eq!(
                offer(Place::Option43, &block(&[(1, url.as_bytes()), (2, b"x")])),
                all("", "x", "", ""),
                "{url}"
            );
        }
        for (wait, multiplier) in [("0", "999"), ("65536", "65536"), ("-1", "x"), ("4294967296", ""), ("5s", "1e3")] {
            let value = block(&[(3, wait.as_bytes()), (4, multiplier.as_bytes())]);
            assert_eq!(offer(Place::Option43, &value), all("", "", "", ""), "{wait} {multiplier}");
        }
        assert_eq!(offer(Place::Option43, &block(&[(3, b"007")])), all("", "", "7", ""));
        assert_eq!(offer(Place::Option43, &block(&[(2, &[b'x'; 65])])), all("", "", "", ""));
        assert_eq!(offer(Place::Option43, &block(&[(2, b"\xff\xfe")])), all("", "", "", ""));
        assert_eq!(offer(Place::Option43, &block(&[(2, b"a\nb")])), all("", "", "", ""));
    }

    #[test]
    fn a_block_that_breaks_off_is_good_up_to_there() {
        let whole = block(&[(2, b"code"), (1, URL.as_bytes())]);
        for length in 0..whole.len() {
            let expected = if length < 6 { "" } else { "code" };
            assert_eq!(offer(Place::Option43, &whole[..length]), all("", expected, "", ""), "{length}");
            let cut = [&ENTERPRISE.to_be_bytes()[..], &[255], &whole[..length]].concat();
            assert_eq!(offer(Place::Option125, &cut), all("", "", "", ""), "{length}");
        }
        // As long as an option can be.
        let long = format!("http://{}/", "a".repeat(245));
        let value = block(&[(1, long.as_bytes())]);
        assert_eq!(value.len(), 255);
        assert_eq!(offer(Place::Option43, &value), all(&long, "", "", ""));
    }

    #[test]
    fn what_was_offered_first_counts() {
        let mut offer = Offer::default();
        offer.add(Place::Option125, &vendor(ENTERPRISE, &block(&[(11, b"http://first.example/")])));
        offer.add(Place::Option43, &block(&[(1, URL.as_bytes()), (2, b"code")]));
        assert_eq!(offer.values.to_vec(), all("http://first.example/", "code", "", ""));
    }

    #[test]
    fn d09_dhcp_is_asked_no_sooner_than_after_the_wait() {
        let (wait, mut again) = (Duration::from_secs(300), Rediscovery::default());
        let at = Duration::from_secs;
        assert!(!again.poll(at(1000), wait));
        again.failed(at(1000), wait);
        again.failed(at(1100), wait);
        assert_eq!(again.due(), Some(at(1300)), "the first failure counts");
        assert!(!again.poll(at(1299), wait));
        assert!(again.poll(at(1300), wait));
        assert!(!again.poll(at(1599), wait) && again.poll(at(1600), wait));
        again.end();
        assert!(again.due().is_none() && !again.poll(at(9000), wait));
    }

    proptest! {
        #[test]
        fn anything_can_be_read(value: Vec<u8>, split: prop::sample::Index) {
            for place in [Place::Option43, Place::Option125, Place::Option17, Place::Options6] {
                for value in [&value[..], &value[split.index(value.len() + 1)..], &vendor(ENTERPRISE, &value[..value.len().min(255)])] {
                    for value in offer(place, value).into_iter().flatten() {
                        prop_assert!(!value.is_empty() && value.len() <= 256 && !value.contains(char::is_control));
                    }
                }
            }
        }

        #[test]
        fn good_values_come_back(code in "[a-zA-Z0-9.]{1,64}", wait in 1u32..=65535, multiplier in 1000u32..=65535) {
            let (wait, multiplier) = (wait.to_string(), multiplier.to_string());
            let values = [URL.as_bytes(), code.as_bytes(), wait.as_bytes(), multiplier.as_bytes()];
            let narrow = |from: u8| block(&[(from, values[0]), (from + 1, values[1]), (from + 2, values[2]), (from + 3, values[3])]);
            let expected = all(URL, &code, &wait, &multiplier);
            prop_assert_eq!(offer(Place::Option43, &narrow(1)), expected.clone());
            prop_assert_eq!(offer(Place::Option125, &vendor(ENTERPRISE, &narrow(11))), expected.clone());
            let block = wide(&[(1, values[0]), (2, values[1]), (3, values[2]), (4, values[3])]);
            prop_assert_eq!(offer(Place::Option17, &[&ENTERPRISE.to_be_bytes()[..], &block].concat()), expected);
        }
    }
}
