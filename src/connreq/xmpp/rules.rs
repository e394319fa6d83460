//! Who may start a session over XMPP (TR-069a6 Annex K; CONFORMANCE K-02, K-03). Free of IO; time is monotonic and passed in.
//!
//! The sender is judged first: who is not allowed learns nothing of the credentials. Requests come as often as over HTTP (CONFORMANCE C-09), and who
//! guesses passwords is not heard any more for a while, right or wrong (SECURITY S14).

use std::time::Duration;

use subtle::ConstantTimeEq;

use super::login::Request;
use super::stanza::Condition;
use crate::connreq::limits::Allowance;

/// How many senders that failed are remembered.
const SENDERS: usize = 32;

/// What a request must know.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// ConnReqAllowedJabberIDs; everybody may ask while it is empty.
    pub allowed: &'a [String],
    /// ConnectionRequestUsername; while it is empty, every request is refused.
    pub username: &'a str,
    /// ConnectionRequestPassword; while it is empty, every request is refused.
    pub password: &'a str,
    /// Whether the agent may have sessions at all.
    pub enabled: bool,
}

/// Why a request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Its sender is not in ConnReqAllowedJabberIDs.
    Sender,
    /// Its sender has guessed too often.
    Guesser,
    /// There are no credentials in the configuration.
    NothingConfigured,
    /// It has another user name or password.
    Credentials,
    /// All is right, but there is no ACS, or sessions are switched off.
    Disabled,
    /// All is right, but sessions were asked for too often.
    Often,
}

impl Reason {
    /// The reason as a clause for a person.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Sender => "its sender is not in ConnReqAllowedJabberIDs",
            Self::Guesser => "its sender failed too often",
            Self::NothingConfigured => "no connection request credentials are configured",
            Self::Credentials => "the user name or the password was wrong",
            Self::Disabled => "sessions are switched off",
            Self::Often => "requests came too often",
        }
    }

    /// What the sender is told.
    #[must_use]
    pub fn condition(self) -> Condition {
        match self {
            Self::NothingConfigured | Self::Credentials => Condition::NotAuthorized,
            Self::Sender | Self::Guesser | Self::Disabled | Self::Often => Condition::ServiceUnavailable,
        }
    }
}

/// Judges requests, and remembers what that takes.
pub struct Rules {
    accepted: Allowance,
    failures: Vec<(String, Allowance)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { accepted: Allowance::new(5, Duration::from_secs(10)), failures: Vec::new() }
    }
}

impl Rules {
    /// Judges a request.
    ///
    /// # Errors
    /// Why it starts no session.
    pub fn judge(&mut self, request: &Request, access: Access<'_>, now: Duration) -> Result<(), Reason> {
        if !is_allowed(access.allowed, &request.from) {
            return Err(Reason::Sender);
        }
        if access.username.is_empty() || access.password.is_empty() {
            return Err(Reason::NothingConfigured);
        }
        let sender = bare(&request.from).to_ascii_lowercase();
        if self.failures.iter_mut().any(|(known, left)| *known == sender && left.is_used_up(now)) {
            return Err(Reason::Guesser);
        }
        let same = |own: &str, told: &str| own.as_bytes().ct_eq(told.as_bytes());
        if !bool::from(same(access.username, &request.username) & same(access.password, &request.password)) {
            self.note(sender, now);
            return Err(Reason::Credentials);
        }
        if !access.enabled {
            return Err(Reason::Disabled);
        }
        if self.accepted.take(now) { Ok(()) } else { Err(Reason::Often) }
    }

    fn note(&mut self, sender: String, now: Duration) {
        if let Some((_, left)) = self.failures.iter_mut().find(|(known, _)| *known == sender) {
            left.take(now);
            return;
        }
        if self.failures.len() >= SENDERS {
            self.failures.remove(0);
        }
        let mut left = Allowance::new(10, Duration::from_secs(6));
        left.take(now);
        self.failures.push((sender, left));
    }
}

/// A JID without its resource.
fn bare(jid: &str) -> &str {
    jid.split('/').next().unwrap_or_default()
}

/// Whether a list lets a sender in: a full JID is that one, a bare JID has any resource, and an empty list has everybody.
#[must_use]
pub fn is_allowed(allowed: &[String], from: &str) -> bool {
    let fits = |entry: &String| {
        // Only the resource depends on the case of its letters (RFC 7622 3.3, 3.4).
        let same = bare(entry).eq_ignore_ascii_case(bare(from));
        let resource = entry.split_once('/').map(|(_, resource)| resource);
        same && resource.is_none_or(|resource| from.split_once('/').is_some_and(|(_, own)| own == resource))
    };
    allowed.is_empty() || allowed.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn ask(rules: &mut Rules, from: &str, password: &str, access: Access<'_>) -> Result<(), Reason> {
        let request = Request { id: "1".into(), from: from.into(), username: "acs".into(), password: password.into() };
        rules.judge(&request, access, NOW)
    }

    const ACCESS: Access<'_> = Access { allowed: &[], username: "acs", password: "secret", enabled: true };

    #[test]
    fn k02_full_jid_exact_bare_jid_any_resource_empty_list_all() {
        let list = |entries: &[&str]| entries.iter().map(|entry| String::from(*entry)).collect::<Vec<_>>();
        for (allowed, from, good) in [
            (list(&[]), "anybody@anywhere/x", true),
            (list(&["acs@example.com"]), "acs@example.com/x", true),
            (list(&["acs@example.com"]), "ACS@Example.com", true),
            (list(&["acs@example.com"]), "acs@example.com.evil/x", false),
            (list(&["acs@example.com"]), "evil@example.com/acs@example.com", false),
            (list(&["acs@example.com/one"]), "acs@example.com/one", true),
            (list(&["acs@example.com/one"]), "acs@example.com/One", false),
            (list(&["acs@example.com/one"]), "acs@example.com/one/two", false),
            (list(&["acs@example.com/one"]), "acs@example.com", false),
            (list(&["a@b", "acs@example.com/a/b"]), "acs@example.com/a/b", true),
            (list(&["example.com"]), "acs@example.com/x", false),
            (list(&["example.com"]), "example.com", true),
            (list(&["acs@example.com"]), "", false),
        ] {
            assert_eq!(is_allowed(&allowed, from), good, "{allowed:?} {from}");
        }
    }

    #[test]
    fn k02_k03_each_refusal_has_its_condition() {
        let mut rules = Rules::default();
        let allowed = [String::from("acs@a")];
        let reason = ask(&mut rules, "evil@a", "secret", Access { allowed: &allowed, ..ACCESS }).unwrap_err();
        assert_eq!((reason, reason.condition()), (Reason::Sender, Condition::ServiceUnavailable));
        let reason = ask(&mut rules, "acs@a", "wrong", ACCESS).unwrap_err();
        assert_eq!((reason, reason.condition()), (Reason::Credentials, Condition::NotAuthorized));
        let reason = ask(&mut rules, "acs@a", "secret", Access { enabled: false, ..ACCESS }).unwrap_err();
        assert_eq!((reason, reason.condition()), (Reason::Disabled, Condition::ServiceUnavailable));
        for (username, password) in [("", ""), ("acs", ""), ("", "")] {
            let reason = ask(&mut rules, "acs@a", password, Access { username, password, ..ACCESS }).unwrap_err();
            assert_eq!((reason, reason.condition()), (Reason::NothingConfigured, Condition::NotAuthorized));
        }
    }

    #[test]
    fn k03_c09_requests_that_come_too_often_are_refused_with_right_credentials_only() {
        let mut rules = Rules::default();
        let good = (0..20).filter(|_| ask(&mut rules, "acs@a", "secret", ACCESS).is_ok()).count();
        assert_eq!(good, 5);
        let reason = ask(&mut rules, "acs@a", "secret", ACCESS).unwrap_err();
        assert_eq!((reason, reason.condition()), (Reason::Often, Condition::ServiceUnavailable));
        assert_eq!(ask(&mut rules, "acs@a", "wrong", ACCESS), Err(Reason::Credentials));
    }

    #[test]
    fn k03_s14_who_guesses_is_not_heard_and_others_are() {
        let mut rules = Rules::default();
        for resource in 0..10 {
            assert_eq!(ask(&mut rules, &format!("Evil@a/{resource}"), "guess", ACCESS), Err(Reason::Credentials));
        }
        assert_eq!(ask(&mut rules, "evil@a/new", "secret", ACCESS), Err(Reason::Guesser));
        assert_eq!(ask(&mut rules, "acs@a", "secret", ACCESS), Ok(()));
        for sender in 0..100 {
            let _ = ask(&mut rules, &format!("{sender}@a"), "guess", ACCESS);
        }
        assert_eq!(rules.failures.len(), SENDERS);
    }
}
