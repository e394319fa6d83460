//! The datagram by which an ACS asks for a session, and who may send it (TR-069a6 G.2.2; CONFORMANCE U-05 to U-07, SECURITY S14, S23).
//!
//! ```text
//! GET http://192.0.2.7:7547?ts=1120673700&id=1234&un=CPE57689&cn=XTGRWIPC6D3IPXS3&sig=3545F7B5820D76A3DF45A3A509DA8D8C38F13512 HTTP/1.1
//! ```
//!
//! The signature is the HMAC-SHA1 of `ts`, `id`, `un` and `cn`, one after the other, with ConnectionRequestPassword as the key. It says nothing
//! of where one ends and the next begins; so that digits of a request that somebody has overheard cannot be moved from one to the other, `ts` has
//! ten digits at most (enough until 2286), `id` digits only, and `un` is known.
//!
//! No answer is ever sent, whatever comes.

use std::time::Duration;

use subtle::ConstantTimeEq;

use crate::auth::mac::hmac_sha1;
use crate::connreq::limits::Allowance;
use crate::connreq::request::Head;

/// The longest request, in bytes; longer datagrams are none.
pub const LONGEST: usize = 2048;

/// The most requests of one second of the ACS; it copies each of them a few times.
const MOST_IDS: usize = 16;

/// What a request must know. While one of them is empty, every request is refused.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// ConnectionRequestUsername
    pub username: &'a str,
    /// ConnectionRequestPassword
    pub password: &'a str,
}

/// Why a request starts no session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It is not the head of a GET with what it needs, and nothing behind it.
    Malformed,
    /// There are no credentials in the configuration.
    NothingConfigured,
    /// It has another user name.
    Username,
    /// It was made with another password.
    Signature,
    /// It is older than one that was accepted, or a copy of it.
    Old,
    /// All is right, but sessions were asked for too often.
    Often,
}

impl Reason {
    /// The reason as a clause for a person.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Malformed => "it was not a proper UDP connection request",
            Self::NothingConfigured => "no connection request credentials are configured",
            Self::Username => "the user name was wrong",
            Self::Signature => "the signature was wrong",
            Self::Old => "it was older than the last one, or a copy of it",
            Self::Often => "requests came too often",
        }
    }
}

/// Decides about requests, and remembers what that takes.
pub struct Requests {
    seen: Seen,
    accepted: Allowance,
}

/// The newest requests that were right: those of one second.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Seen {
    /// Seconds since 1970, by the clock of the ACS.
    timestamp: u64,
    ids: Vec<String>,
}

impl Requests {
    /// With what [`Self::seen`] gave before a restart.
    #[must_use]
    pub fn new(seen: &[String]) -> Self {
        let (timestamp, ids) =
            seen.split_first().map_or((0, &[][..]), |(first, ids)| (first.parse().unwrap_or(0), ids));
        Self { seen: Seen { timestamp, ids: ids.to_vec() }, accepted: Allowance::new(5, Duration::from_secs(10)) }
    }

    /// What is to be kept over a restart, so that nothing can be sent again then: the time, and the ids of the requests with it.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        let mut seen = vec![self.seen.timestamp.to_string()];
        seen.extend_from_slice(&self.seen.ids);
        seen
    }

    /// There is another password, under which nothing has been sent yet; the ACS may have another clock.
    pub fn forget(&mut self) {
        self.seen = Seen::default();
    }

    /// Judges a datagram; `now` is monotonic time.
    ///
    /// # Errors
    /// Why it starts no session; that of the sender's copies is `Old` for all but one.
    pub fn judge(&mut self, datagram: &[u8], access: Access<'_>, now: Duration) -> Result<(), Reason> {
        let query = Query::parse(datagram).ok_or(Reason::Malformed)?;
        let timestamp = query.verify(access)?;
        if timestamp < self.seen.timestamp {
            return Err(Reason::Old);
        }
        if timestamp > self.seen.timestamp {
            self.seen = Seen { timestamp, ids: Vec::new() };
        }
        let ids = &mut self.seen.ids;
        if ids.len() >= MOST_IDS || ids.contains(&query.id) {
            return Err(Reason::Old);
        }
        ids.push(query.id);
        if self.accepted.take(now) { Ok(()) } else { Err(Reason::Often) }
    }
}

/// The arguments of a request, without their percent-encoding.
#[derive(Default)]
struct Query {
    timestamp: String,
    id: String,
    username: String,
    nonce: String,
    signature: String,
}

impl Query {
    /// Other arguments, headers and the address are passed over: a gateway on the way may have changed the address.
    fn parse(datagram: &[u8]) -> Option<Self> {
        let head = Head::parse(datagram).ok().filter(|_| datagram.len() <= LONGEST)?;
        let has_body = head.next.is_some_and(|body| body > 0);
        let (_, arguments) = head.target.split_once('?').filter(|_| head.method == "GET" && !has_body)?;
        let mut query = Self::default();
        for argument in arguments.split('&') {
            let (name, value) = argument.split_once('=')?;
            let place = match name {
                "ts" => &mut query.timestamp,
                "id" => &mut query.id,
                "un" => &mut query.username,
                "cn" => &mut query.nonce,
                "sig" => &mut query.signature,
                _ => continue,
            };
            if !place.is_empty() {
                return None;
            }
            *place = decode(value)?;
        }
        let is_number = |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        (is_number(&query.timestamp, 10) && is_number(&query.id, 20)).then_some(query)
    }

    /// Its time, if the sender knows the password.
    fn verify(&self, access: Access<'_>) -> Result<u64, Reason> {
        if access.username.is_empty() || access.password.is_empty() {
            return Err(Reason::NothingConfigured);
        }
        let known_user = self.username.as_bytes().ct_eq(access.username.as_bytes());
        let text = [self.timestamp.as_bytes(), self.id.as_bytes(), self.username.as_bytes(), self.nonce.as_bytes()];
        let code = hmac_sha1(access.password.as_bytes(), &text);
        let right = code.is_some_and(|code| from_hex(&self.signature).is_some_and(|sent| code.ct_eq(&sent).into()));
        match (known_user.into(), right) {
            (false, _) => Err(Reason::Username),
            (true, false) => Err(Reason::Signature),
            (true, true) => self.timestamp.parse().map_err(|_| Reason::Malformed),
        }
    }
}

/// Takes the percent-encoding off (RFC 3986 2.1).
fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// 40 hexadecimal digits, in capitals or not.
fn from_hex(text: &str) -> Option<[u8; 20]> {
    let mut code = [0; 20];
    let mut digits = text.bytes();
    for byte in &mut code {
        *byte = digit(digits.next()?)? << 4 | digit(digits.next()?)?;
    }
    digits.next().is_none().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ACCESS: Access<'_> = Access { username: "CPE57689", password: "secret" };
    const NOW: Duration = Duration::from_secs(100);

    /// The signature was computed with Python's hmac.
    const GOOD: &str = "GET http://10.1.1.1:8080?ts=1120673700&id=1234&un=CPE57689&cn=XTGRWIPC6D3IPXS3&sig=FDA44088E52A347CE49D6312521D5621EEB40037 HTTP/1.1\r\n\r\n";

    fn sign(timestamp: &str, id: &str, username: &str, nonce: &str, password: &str) -> String {
        let text = [timestamp, id, username, nonce].concat();
        let code = hmac_sha1(password.as_bytes(), &[text.as_bytes()]).unwrap();
        code.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn request(timestamp: &str, id: &str) -> String {
        let signature = sign(timestamp, id, "CPE57689", "n0nce", "secret");
        format!(
            "GET http://10.1.1.1:8080?ts={timestamp}&id={id}&un=CPE57689&cn=n0nce&sig={signature} HTTP/1.1\r\nHost: 10.1.1.1:8080\r\n\r\n"
        )
    }

    fn judge(requests: &mut Requests, datagram: &str) -> Result<(), Reason> {
        requests.judge(datagram.as_bytes(), ACCESS, NOW)
    }

    fn once(datagram: &str) -> Result<(), Reason> {
        judge(&mut Requests::new(&[]), datagram)
    }

    #[test]
    fn u05_the_form_of_the_standard_is_accepted() {
        assert_eq!(once(GOOD), Ok(()));
        assert_eq!(once(&GOOD.replace("sig=", "x=1&sig=")), Ok(()), "other arguments do not count");
        assert_eq!(once(&GOOD.replace("10.1.1.1:8080", "10.1.1.1:8080/")), Ok(()));
        assert_eq!(once(&GOOD.replace("http://10.1.1.1:8080", "/")), Ok(()));
        let (head, rest) = GOOD.split_once("&sig=").unwrap();
        let (signature, end) = rest.split_at(40);
        assert_eq!(once(&format!("{head}&sig={}{end}", signature.to_ascii_lowercase())), Ok(()));
    }

    #[test]
    fn u05_names_may_be_percent_encoded() {
        let signature = sign("1", "2", "a b&c=ä", "n", "secret");
        let access = Access { username: "a b&c=ä", ..ACCESS };
        let datagram = format!("GET /?ts=1&id=2&un=a%20b%26c%3d%C3%A4&cn=n&sig={signature} HTTP/1.1\r\n\r\n");
        assert_eq!(Requests::new(&[]).judge(datagram.as_bytes(), access, NOW), Ok(()));
    }

    #[test]
    fn u06_only_a_get_without_body_with_all_that_it_needs() {
        for bad in [
            GOOD.replace("GET", "POST"),
            GOOD.replace("GET", "get"),
            format!("{GOOD}body"),
            GOOD.replace("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\n"),
            GOOD.replace("\r\n\r\n", "\r\n"),
            GOOD.replace("ts=1120673700&", ""),
            GOOD.replace("id=1234", "id="),
            GOOD.replace("id=1234", "id=12a4"),
            GOOD.replace("un=", "un"),
            GOOD.replace("&cn=", "&ts=1&cn="),
            GOOD.replace("cn=", "cn=%"),
            GOOD.replace("cn=", "cn=%ff"),
            GOOD.replace('?', ""),
            String::new(),
        ] {
            assert_eq!(once(&bad), Err(Reason::Malformed), "{bad}");
        }
    }

    #[test]
    fn u06_s23_user_and_signature_have_to_be_right() {
        assert_eq!(once(&GOOD.replace("un=CPE57689", "un=CPE57688")), Err(Reason::Username));
        for wrong in ["id=1235", "id=0"] {
            assert_eq!(once(&GOOD.replace("id=1234", wrong)), Err(Reason::Signature));
        }
        assert_eq!(once(&GOOD.replace("cn=X", "cn=Y")), Err(Reason::Signature));
        assert_eq!(once(&GOOD.replace("ts=1120673700", "ts=1120673701")), Err(Reason::Signature));
        assert_eq!(once(&GOOD.replace("sig=", "sig=0")), Err(Reason::Signature));
        let (head, _) = GOOD.split_once("&sig=").unwrap();
        assert_eq!(once(&format!("{head} HTTP/1.1\r\n\r\n")), Err(Reason::Signature));
        for access in [Access { password: "Secret", ..ACCESS }, Access { password: " secret", ..ACCESS }] {
            assert_eq!(Requests::new(&[]).judge(GOOD.as_bytes(), access, NOW), Err(Reason::Signature));
        }
    }

    #[test]
    fn s23_without_a_shared_secret_nobody_is_let_in() {
        let signature = sign("1", "1", "CPE57689", "n", "");
        let datagram = format!("GET /?ts=1&id=1&un=CPE57689&cn=n&sig={signature} HTTP/1.1\r\n\r\n");
        let access = Access { password: "", ..ACCESS };
        assert_eq!(Requests::new(&[]).judge(datagram.as_bytes(), access, NOW), Err(Reason::NothingConfigured));
        let access = Access { username: "", ..ACCESS };
        assert_eq!(Requests::new(&[]).judge(datagram.as_bytes(), access, NOW), Err(Reason::NothingConfigured));
    }

    #[test]
    fn u06_u07_copies_and_older_ones_start_nothing() {
        let mut requests = Requests::new(&[]);
        assert_eq!(judge(&mut requests, &request("1000", "7")), Ok(()));
        for _ in 0..4 {
            assert_eq!(judge(&mut requests, &request("1000", "7")), Err(Reason::Old));
        }
        assert_eq!(judge(&mut requests, &request("1000", "8")), Ok(()), "another one of the same second");
        assert_eq!(judge(&mut requests, &request("999", "9")), Err(Reason::Old));
        assert_eq!(judge(&mut requests, &request("1001", "7")), Ok(()), "an id may come back with another time");
        assert_eq!(judge(&mut requests, &request("1000", "10")), Err(Reason::Old));
    }

    #[test]
    fn u06_what_was_seen_is_known_after_a_restart() {
        let mut requests = Requests::new(&[]);
        assert_eq!(judge(&mut requests, &request("1000", "7")), Ok(()));
        let mut requests = Requests::new(&requests.seen());
        assert_eq!(judge(&mut requests, &request("1000", "7")), Err(Reason::Old));
        assert_eq!(judge(&mut requests, &request("1000", "8")), Ok(()));
        requests.forget();
        assert_eq!(judge(&mut requests, &request("900", "8")), Ok(()), "under another password");
    }

    #[test]
    fn u06_a_wrong_one_does_not_move_the_time() {
        let mut requests = Requests::new(&[]);
        let forged = request("2000", "1").replace("cn=n0nce", "cn=other");
        assert_eq!(judge(&mut requests, &forged), Err(Reason::Signature));
        assert_eq!(judge(&mut requests, &request("1000", "1")), Ok(()));
    }

    /// The signature of both is the same; with the second, who has overheard the first would start a session, and stop the ACS from starting any.
    #[test]
    fn s23_digits_cannot_be_moved_from_one_argument_to_the_next() {
        let overheard = request("1120673700", "1234");
        let moved = overheard.replace("ts=1120673700&id=1234", "ts=11206737001&id=234");
        assert_eq!(once(&moved), Err(Reason::Malformed));
        let access = Access { username: "a", ..ACCESS };
        let signature = sign("1120673700", "1", "a", "xay", "secret");
        let moved = format!("GET /?ts=1120673700&id=1ax&un=a&cn=y&sig={signature} HTTP/1.1\r\n\r\n");
        assert_eq!(Requests::new(&[]).judge(moved.as_bytes(), access, NOW), Err(Reason::Malformed));
    }

    #[test]
    fn s14_too_many_right_ones_start_no_storm() {
        let mut requests = Requests::new(&[]);
        let started = (0..100).filter(|n| judge(&mut requests, &request(&(1000 + n).to_string(), "1")).is_ok()).count();
        assert_eq!(started, 5);
        let same_second = (0..100).map(|n| judge(&mut requests, &request("2000", &n.to_string())));
        assert_eq!(same_second.filter(|judged| *judged == Err(Reason::Old)).count(), 100 - MOST_IDS);
        let later = request("3000", "1");
        assert_eq!(requests.judge(later.as_bytes(), ACCESS, NOW + Duration::from_secs(10)), Ok(()));
    }

    proptest! {
        #[test]
        fn s23_whatever_comes_starts_no_session(
            bytes in prop::collection::vec(prop_oneof![Just(b'&'), Just(b'='), Just(b'%'), Just(b'?'), Just(b'1'), any::<u8>()], 0..300),
        ) {
            for (prefix, suffix) in [("", ""), ("GET /?", " HTTP/1.1\r\n\r\n"), ("GET /?ts=1&id=1&un=CPE57689&cn=1&sig=", " HTTP/1.1\r\n\r\n")] {
                let datagram = [prefix.as_bytes(), &bytes, suffix.as_bytes()].concat();
                prop_assert!(Requests::new(&[]).judge(&datagram, ACCESS, NOW).is_err());
            }
        }
    }
}
