//! Who may start a session: the answer to each request (TR-069a6 3.2.2.2, CONFORMANCE C-01 to C-11 and C-18). Free of IO.
//!
//! The checks go from what a stranger may know to what only the ACS knows. A wrong path is a 404 whatever else is in the request, so that
//! nobody who does not know the path learns that there is something to authenticate for; whether requests come too often is told only to
//! who has proven to know the password.

use std::net::IpAddr;
use std::time::Duration;

use subtle::ConstantTimeEq;

use super::limits::{Allowance, Failures};
use super::request::{Credentials, Head};
use crate::auth::digest::{self, Algorithm, Challenge};
use crate::auth::nonces::{Nonces, Standing};

/// Says what the credentials are for; a stranger learns no more than that.
const REALM: &str = "cwmp";

/// What a request must know.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// The path of ConnectionRequestURL, from its first `/`.
    pub path: &'a str,
    /// ConnectionRequestUsername; while it is empty, every request is refused.
    pub username: &'a str,
    /// ConnectionRequestPassword; while it is empty, every request is refused.
    pub password: &'a str,
}

/// Decides about requests, and remembers what that takes.
pub struct Gate {
    nonces: Nonces,
    accepted: Allowance,
    failures: Failures,
}

/// What to answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The response, from its status line to the empty line; it never has a body.
    pub response: Vec<u8>,
    /// Why no session starts; `None` when one does.
    pub refused: Option<Reason>,
    /// Bytes of body to skip until the next request of the connection; `None` where the connection ends with this answer.
    pub next: Option<usize>,
    /// The peer guesses passwords: whatever the answer is, it should come late (SECURITY S14).
    pub late: bool,
}

/// Why a request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// It came to an address that is not the interface's.
    Interface,
    /// It was not complete in time, or was given up for newer ones.
    Slow,
    /// It is not HTTP, or breaks a limit.
    Malformed,
    /// It asks for another path.
    Path,
    /// It is not a GET.
    Method,
    /// There are no credentials in the configuration.
    NothingConfigured,
    /// It has no credentials: how every exchange begins, and a failure only if nothing follows.
    NoCredentials,
    /// Its credentials are not one digest of the offered kind.
    NotOffered,
    /// Its nonce was not issued here, or before a restart.
    Nonce,
    /// Its nonce was used before or has expired; the password was right.
    Stale,
    /// The `uri` of its digest is not what it asks for.
    Uri,
    /// It has another user name or realm.
    Username,
    /// It was made with another password.
    Password,
    /// All is right, but sessions were asked for too often.
    Often,
}

impl Reason {
    /// The reason as a clause for a person.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Interface => "it came to an address of another interface",
            Self::Slow => "it was not complete in time",
            Self::Malformed => "it was not a proper HTTP request",
            Self::Path => "the path was wrong",
            Self::Method => "the method was not GET",
            Self::NothingConfigured => "no connection request credentials are configured",
            Self::NoCredentials => "it carried no credentials",
            Self::NotOffered => "its credentials were not a proper MD5 digest",
            Self::Nonce => "its nonce was not issued here",
            Self::Stale => "its nonce was used before or expired",
            Self::Uri => "its digest was for another uri",
            Self::Username => "the user name was wrong",
            Self::Password => "the password was wrong",
            Self::Often => "requests came too often",
        }
    }
}

impl Gate {
    /// A gate whose nonces are made with `key`: random, and of this process only.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            nonces: Nonces::new(key),
            accepted: Allowance::new(5, Duration::from_secs(10)),
            failures: Failures::default(),
        }
    }

    /// Answers the request with this head. `now` is monotonic time; `more` says whether the connection may carry another request.
    pub fn answer(&mut self, head: &[u8], peer: IpAddr, access: Access<'_>, now: Duration, more: bool) -> Answer {
        let Ok(head) = Head::parse(head) else { return Answer::malformed() };
        if !bool::from(head.path().as_bytes().ct_eq(access.path.as_bytes())) {
            return Answer::last("404 Not Found", "", Some(Reason::Path));
        }
        if head.method != "GET" {
            return Answer::last("405 Method Not Allowed", "Allow: GET\r\n", Some(Reason::Method));
        }
        let late = head.credentials != Credentials::Absent && self.failures.is_guesser(peer, now);
        match self.authenticate(&head, access, now) {
            Ok(()) => Answer { late, ..Answer::last("200 OK", "", None) },
            Err(Reason::Often) => Answer { late, ..Answer::last("503 Service Unavailable", "", Some(Reason::Often)) },
            Err(reason) => {
                if !matches!(reason, Reason::NoCredentials | Reason::NothingConfigured | Reason::Stale) {
                    self.failures.note(peer, now);
                }
                self.challenge(reason, head.next.filter(|_| more), late, now)
            }
        }
    }

    fn authenticate(&mut self, head: &Head<'_>, access: Access<'_>, now: Duration) -> Result<(), Reason> {
        if access.username.is_empty() || access.password.is_empty() {
            return Err(Reason::NothingConfigured);
        }
        let header = match head.credentials {
            Credentials::Absent => return Err(Reason::NoCredentials),
            Credentials::Header(header) => header,
            Credentials::Unusable => return Err(Reason::NotOffered),
        };
        let digest = digest::parse_authorization(header).map_err(|_| Reason::NotOffered)?;
        // A sender of RFC 2069 knows no qop; with nonces of a single use its digest is as good as any.
        if !matches!(digest.algorithm, None | Some(Algorithm::Md5)) {
            return Err(Reason::NotOffered);
        }
        let standing = self.nonces.standing(&digest.nonce, now);
        let known_user = digest.username.as_bytes().ct_eq(access.username.as_bytes());
        let right_password = digest::verify(&digest, head.method, access.password);
        if standing == Standing::Foreign {
            return Err(Reason::Nonce);
        }
        if !bool::from(known_user) || digest.realm != REALM {
            return Err(Reason::Username);
        }
        if !right_password {
            return Err(Reason::Password);
        }
        if !head.is_named_by(&digest.uri) {
            return Err(Reason::Uri);
        }
        let Standing::Fresh(stamp) = standing else { return Err(Reason::Stale) };
        self.nonces.use_up(stamp);
        if self.accepted.take(now) { Ok(()) } else { Err(Reason::Often) }
    }

    fn challenge(&mut self, reason: Reason, next: Option<usize>, late: bool, now: Duration) -> Answer {
        let challenge = Challenge {
            realm: REALM.to_owned(),
            nonce: self.nonces.issue(now),
            opaque: None,
            algorithm: Some(Algorithm::Md5),
            qop_auth: true,
            stale: reason == Reason::Stale,
        };
        let mut headers = format!("WWW-Authenticate: {}\r\n", challenge.to_header());
        if next.is_none() {
            headers.push_str(CLOSE);
        }
        Answer { next, late, ..Answer::new("401 Unauthorized", &headers, Some(reason)) }
    }
}

const CLOSE: &str = "Connection: close\r\n";

impl Answer {
    /// The answer to what is not a request; the connection ends with it, because nothing says where the next request would begin.
    #[must_use]
    pub fn malformed() -> Self {
        Self::last("400 Bad Request", "", Some(Reason::Malformed))
    }

    fn last(status: &str, headers: &str, refused: Option<Reason>) -> Self {
        Self::new(status, &format!("{headers}{CLOSE}"), refused)
    }

    fn new(status: &str, headers: &str, refused: Option<Reason>) -> Self {
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{headers}\r\n").into_bytes();
        Self { response, refused, next: None, late: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ACCESS: Access<'_> = Access { path: "/cr", username: "acs", password: "secret" };
    const NOW: Duration = Duration::from_secs(100);
    const SECOND: Duration = Duration::from_secs(1);
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    /// A gate and a clock.
    struct Scene {
        gate: Gate,
        now: Duration,
        access: Access<'static>,
        peer: IpAddr,
    }

    fn scene() -> Scene {
        Scene { gate: Gate::new([1; 32]), now: NOW, access: ACCESS, peer: PEER }
    }

    impl Scene {
        fn ask(&mut self, head: &str) -> Answer {
            self.gate.answer(head.as_bytes(), self.peer, self.access, self.now, true)
        }

        fn challenge(&mut self) -> Challenge {
            let answer = self.ask("GET /cr HTTP/1.1\r\n\r\n");
            assert_eq!(answer.refused, Some(Reason::NoCredentials));
            challenge_of(&answer)
        }

        /// Answers a challenge for `/cr`, with one thing or another changed.
        fn digest(&mut self, challenge: &Challenge, user: (&str, &str), uri: &str) -> Answer {
            let digest = digest::answer(challenge, user, ("GET", uri), 1, "c").to_header();
            self.ask(&format!("GET /cr HTTP/1.1\r\nHost: cpe:7547\r\nAuthorization: {digest}\r\n\r\n"))
        }

        fn good(&mut self) -> Answer {
            let challenge = self.challenge();
            self.digest(&challenge, ("acs", "secret"), "/cr")
        }

        fn bad(&mut self) -> Answer {
            let challenge = self.challenge();
            self.digest(&challenge, ("acs", "guess"), "/cr")
        }
    }

    fn text(answer: &Answer) -> &str {
        std::str::from_utf8(&answer.response).unwrap()
    }

    fn challenge_of(answer: &Answer) -> Challenge {
        let line = text(answer).lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).unwrap();
        let mut found = digest::parse_challenges(line);
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn c05_a_right_digest_is_answered_with_an_empty_200() {
        let answer = scene().good();
        assert_eq!(text(&answer), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(answer.refused, None);
    }

    #[test]
    fn c02_the_challenge_is_one_digest_with_md5_and_qop_auth() {
        let answer = scene().ask("GET /cr HTTP/1.1\r\n\r\n");
        let text = text(&answer);
        assert!(text.starts_with("HTTP/1.1 401 "), "{text}");
        assert!(text.contains("\r\nContent-Length: 0\r\n"), "{text}");
        assert_eq!(text.matches("WWW-Authenticate").count(), 1);
        assert!(!text.contains("Basic"));
        let challenge = challenge_of(&answer);
        assert_eq!((challenge.algorithm, challenge.qop_auth, challenge.stale), (Some(Algorithm::Md5), true, false));
        assert_eq!(answer.next, Some(0), "the digest may come on the same connection");
    }

    #[test]
    fn c02_basic_and_other_digests_are_refused() {
        let mut scene = scene();
        // "acs:secret"
        let answer = scene.ask("GET /cr HTTP/1.1\r\nAuthorization: Basic YWNzOnNlY3JldA==\r\n\r\n");
        assert_eq!(answer.refused, Some(Reason::NotOffered));
        for algorithm in [Algorithm::Sha256, Algorithm::Md5Sess] {
            let challenge = Challenge { algorithm: Some(algorithm), ..scene.challenge() };
            assert_eq!(scene.digest(&challenge, ("acs", "secret"), "/cr").refused, Some(Reason::NotOffered));
        }
    }

    #[test]
    fn c02_a_digest_without_qop_or_algorithm_is_an_old_clients_right() {
        let mut scene = scene();
        let challenge = Challenge { qop_auth: false, algorithm: None, ..scene.challenge() };
        assert_eq!(scene.digest(&challenge, ("acs", "secret"), "/cr").refused, None);
    }

    #[test]
    fn c03_s15_without_credentials_everyone_is_refused() {
        for (username, password) in [("", ""), ("acs", ""), ("", "secret")] {
            let mut scene = Scene { access: Access { username, password, ..ACCESS }, ..scene() };
            let answer = scene.ask("GET /cr HTTP/1.1\r\n\r\n");
            assert_eq!(answer.refused, Some(Reason::NothingConfigured));
            let answer = scene.digest(&challenge_of(&answer), (username, password), "/cr");
            assert_eq!(answer.refused, Some(Reason::NothingConfigured));
            assert!(text(&answer).starts_with("HTTP/1.1 401 "));
        }
    }

    #[test]
    fn c04_s12_a_nonce_is_good_for_one_use_and_a_minute() {
        let mut scene = scene();
        let challenge = scene.challenge();
        assert_eq!(scene.digest(&challenge, ("acs", "secret"), "/cr").refused, None);
        let replayed = scene.digest(&challenge, ("acs", "secret"), "/cr");
        assert_eq!(replayed.refused, Some(Reason::Stale));
        let new = challenge_of(&replayed);
        assert!(new.stale, "the client may try again without asking its user");
        assert_ne!(new.nonce, challenge.nonce);
        assert_eq!(scene.digest(&Challenge { stale: false, ..new }, ("acs", "secret"), "/cr").refused, None);

        let challenge = scene.challenge();
        scene.now += 61 * SECOND;
        let expired = scene.digest(&challenge, ("acs", "secret"), "/cr");
        assert_eq!((expired.refused, challenge_of(&expired).stale), (Some(Reason::Stale), true));
    }

    #[test]
    fn c04_stale_is_told_only_to_who_knows_the_password() {
        let mut scene = scene();
        let challenge = scene.challenge();
        scene.now += 61 * SECOND;
        let answer = scene.digest(&challenge, ("acs", "guess"), "/cr");
        assert_eq!((answer.refused, challenge_of(&answer).stale), (Some(Reason::Password), false));
        let foreign = Challenge { nonce: "0".repeat(48), ..challenge };
        let answer = scene.digest(&foreign, ("acs", "secret"), "/cr");
        assert_eq!((answer.refused, challenge_of(&answer).stale), (Some(Reason::Nonce), false));
    }

    #[test]
    fn c08_user_realm_and_password_are_all_checked() {
        let mut scene = scene();
        for (user, realm, reason) in [
            (("acs", "Secret"), REALM, Reason::Password),
            (("acs", ""), REALM, Reason::Password),
            (("Acs", "secret"), REALM, Reason::Username),
            (("acs", "secret"), "other", Reason::Username),
        ] {
            let challenge = Challenge { realm: realm.into(), ..scene.challenge() };
            let answer = scene.digest(&challenge, user, "/cr");
            assert_eq!(answer.refused, Some(reason));
            assert!(text(&answer).starts_with("HTTP/1.1 401 "), "every one looks the same from outside");
        }
    }

    #[test]
    fn c08_a_stranger_learns_nothing_from_a_wrong_path() {
        let mut scene = scene();
        let mut answers = Vec::new();
        for head in
            ["GET / ", "POST / ", "GET /cr/ ", "GET /CR ", "GET /c ", "HEAD /%63r ", "OPTIONS * ", "CONNECT cpe:7547 "]
        {
            let answer = scene.ask(&format!("{head}HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n"));
            assert_eq!(answer.refused, Some(Reason::Path), "{head}");
            answers.push(text(&answer).to_owned());
        }
        answers.dedup();
        assert_eq!(answers, ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]);
    }

    #[test]
    fn c08_another_method_is_405_with_allow() {
        let mut scene = scene();
        for method in ["POST", "HEAD", "PUT", "OPTIONS", "get", "CONNECT"] {
            let answer = scene.ask(&format!("{method} /cr HTTP/1.1\r\n\r\n"));
            assert_eq!(answer.refused, Some(Reason::Method));
            assert!(text(&answer).starts_with("HTTP/1.1 405 ") && text(&answer).contains("\r\nAllow: GET\r\n"));
        }
    }

    #[test]
    fn c09_too_many_are_503_without_retry_after_and_only_with_right_credentials() {
        let mut scene = scene();
        let refused = |scene: &mut Scene, count| (0..count).filter(|_| scene.good().refused.is_some()).count();
        assert_eq!(refused(&mut scene, 5), 0, "a burst of five is welcome");
        let often = scene.good();
        assert_eq!(often.refused, Some(Reason::Often));
        assert_eq!(text(&often), "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert!(text(&scene.bad()).starts_with("HTTP/1.1 401 "), "before credentials always 401");
        scene.now += 10 * SECOND;
        assert_eq!(refused(&mut scene, 3), 2, "then one in ten seconds");
    }

    #[test]
    fn c09_a_503_uses_the_nonce_up() {
        let mut scene = scene();
        for _ in 0..5 {
            scene.good();
        }
        let challenge = scene.challenge();
        assert_eq!(scene.digest(&challenge, ("acs", "secret"), "/cr").refused, Some(Reason::Often));
        scene.now += 10 * SECOND;
        assert_eq!(scene.digest(&challenge, ("acs", "secret"), "/cr").refused, Some(Reason::Stale));
    }

    #[test]
    fn s14_a_guesser_gets_every_answer_late_and_a_right_guess_still_counts() {
        let mut scene = scene();
        for _ in 0..10 {
            let answer = scene.bad();
            assert!(!answer.late);
        }
        assert!(scene.bad().late);
        let right = scene.good();
        assert_eq!((right.late, right.refused), (true, None), "C-10 knows no other reason to refuse it");
        assert!(!scene.ask("GET /cr HTTP/1.1\r\n\r\n").late, "a challenge tells nothing");
        scene.peer = "192.0.2.2".parse().unwrap();
        assert!(!scene.good().late, "others do not wait");
    }

    #[test]
    fn c18_the_uri_of_the_digest_is_the_request_or_the_root() {
        for uri in ["/cr", "/", "http://cpe:7547/cr"] {
            let mut scene = scene();
            let challenge = scene.challenge();
            assert_eq!(scene.digest(&challenge, ("acs", "secret"), uri).refused, None, "{uri}");
        }
        for uri in ["", "/other", "/cr?x", "http://other/cr", "*"] {
            let mut scene = scene();
            let challenge = scene.challenge();
            assert_eq!(scene.digest(&challenge, ("acs", "secret"), uri).refused, Some(Reason::Uri), "{uri}");
        }
    }

    #[test]
    fn the_last_request_of_a_connection_says_so() {
        let answer = scene().gate.answer(b"GET /cr HTTP/1.1\r\n\r\n", PEER, ACCESS, NOW, false);
        assert_eq!(answer.next, None);
        assert!(text(&answer).contains("\r\nConnection: close\r\n"));
    }

    proptest! {
        #[test]
        fn s1_whatever_comes_in_there_is_an_answer_and_no_session(
            bytes in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), Just(b'"'), any::<u8>()], 0..300),
        ) {
            for prefix in ["", "GET /cr HTTP/1.1\r\n", "GET /cr HTTP/1.1\r\nAuthorization: Digest "] {
                let head = [prefix.as_bytes(), &bytes, b"\r\n\r\n"].concat();
                let answer = scene().gate.answer(&head, PEER, ACCESS, NOW, true);
                prop_assert!(answer.refused.is_some());
                prop_assert!(answer.response.starts_with(b"HTTP/1.1 4"));
                prop_assert!(answer.response.ends_with(b"\r\n\r\n"));
            }
        }
    }
}
