//! The cookies of one session (RFC 6265, TR-069a6 3.4.2): stored from every response, sent back where domain, path and scheme match, and
//! gone with the session.

use super::date;
use crate::url::Url;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The most cookies that are kept; a further one replaces the oldest.
const MOST_COOKIES: usize = 32;
/// The longest `Set-Cookie` header that is read, in bytes.
const LONGEST_COOKIE: usize = 4096;
/// The longest `Cookie` header that is sent, in bytes; cookies beyond it are left out.
const LONGEST_HEADER: usize = 8192;

/// The jar of one session.
#[derive(Default)]
pub(super) struct Cookies {
    /// In the order of their creation.
    jar: Vec<Cookie>,
}

struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Without a `Domain` attribute only the very host gets it back.
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<Instant>,
}

impl Cookies {
    /// Takes one `Set-Cookie` header of a response from `url`. `date` is the time at the server in seconds since 1970, if known: `Expires` counts from there.
    pub(super) fn store(&mut self, url: &Url, header: &str, now: Instant, date: Option<u64>) {
        let Some(cookie) = Cookie::parse(url, header, now, date) else { return };
        let same =
            |other: &Cookie| other.name == cookie.name && other.domain == cookie.domain && other.path == cookie.path;
        let gone = cookie.is_expired(now);
        match self.jar.iter_mut().find(|other| same(other)) {
            Some(other) => *other = cookie,
            None if !gone => self.jar.push(cookie),
            None => {}
        }
        self.jar.retain(|cookie| !cookie.is_expired(now));
        if self.jar.len() > MOST_COOKIES {
            self.jar.remove(0);
        }
    }

    /// The `Cookie` header of a request to `url`, if there is any cookie for it: longer paths first, then older ones.
    pub(super) fn header(&self, url: &Url, now: Instant) -> Option<String> {
        let mut wanted: Vec<_> = self.jar.iter().filter(|cookie| cookie.belongs_to(url, now)).collect();
        wanted.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut header = String::new();
        for cookie in wanted {
            let separator = if header.is_empty() { "" } else { "; " };
            let entry = format!("{separator}{}={}", cookie.name, cookie.value);
            if header.len() + entry.len() <= LONGEST_HEADER {
                header.push_str(&entry);
            }
        }
        (!header.is_empty()).then_some(header)
    }
}

impl Cookie {
    fn parse(url: &Url, header: &str, now: Instant, date: Option<u64>) -> Option<Self> {
        if header.len() > LONGEST_COOKIE
            || header.contains(|character: char| character.is_control() && character != '\t')
        {
            return None;
        }
        let mut attributes = header.split(';');
        let (name, value) = attributes.next()?.split_once('=')?;
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            domain: url.host.clone(),
            host_only: true,
            path: default_path(url).to_owned(),
            secure: false,
            expires: None,
        };
        if cookie.name.is_empty() {
            return None;
        }
        let mut max_age = None;
        for attribute in attributes {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
                    if !domain.is_empty() {
                        cookie.host_only = false;
                        cookie.domain = domain;
                    }
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "path" => default_path(url).clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "expires" => cookie.expires = expiry(value, now, date).or(cookie.expires),
                "max-age" => max_age = age(value).or(max_age),
                _ => {}
            }
        }
        if let Some(age) = max_age {
            cookie.expires = now.checked_add(age);
        }
        if !cookie.host_only && !cookie.take_domain(url) {
            return None;
        }
        Some(cookie)
    }

    /// Whether the host may set a cookie for this domain; one that is the host itself and cannot have others below it stays there.
    fn take_domain(&mut self, url: &Url) -> bool {
        if self.domain == url.host {
            self.host_only = is_address(&url.host) || !url.host.contains('.');
            return true;
        }
        self.domain.contains('.') && domain_matches(&url.host, &self.domain)
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    fn belongs_to(&self, url: &Url, now: Instant) -> bool {
        let host = url.host == self.domain || (!self.host_only && domain_matches(&url.host, &self.domain));
        host && (url.tls || !self.secure) && path_matches(path(url), &self.path) && !self.is_expired(now)
    }
}

fn path(url: &Url) -> &str {
    url.target.split_once('?').map_or(url.target.as_str(), |(path, _)| path)
}

/// RFC 6265 5.1.4: up to the last slash, without it.
fn default_path(url: &Url) -> &str {
    match path(url).rsplit_once('/') {
        Some((directory, _)) if directory.starts_with('/') => directory,
        _ => "/",
    }
}

fn path_matches(path: &str, cookie: &str) -> bool {
    path.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

fn domain_matches(host: &str, domain: &str) -> bool {
    !is_address(host) && host.strip_suffix(domain).is_some_and(|before| before.ends_with('.'))
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// When a cookie with this `Expires` goes. Where the server's time is not known, only the beginning of time, which deletes, means anything.
fn expiry(value: &str, now: Instant, date: Option<u64>) -> Option<Instant> {
    const YEAR: u64 = 366 * 86_400;
    let at = date::parse(value)?;
    match date {
        Some(date) => now.checked_add(Duration::from_secs(at.saturating_sub(date))),
        None => (at < YEAR).then_some(now),
    }
}

/// `Max-Age` in seconds; zero and below delete. `None` where it is not a number.
fn age(value: &str) -> Option<Duration> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = if value.starts_with('-') { 0 } else { digits.parse().unwrap_or(u64::from(u32::MAX)) };
    Some(Duration::from_secs(seconds.min(u64::from(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Session {
        cookies: Cookies,
        now: Instant,
    }

    impl Session {
        fn new() -> Self {
            Self { cookies: Cookies::default(), now: Instant::now() }
        }

        fn set(&mut self, url: &str, header: &str) -> &mut Self {
            self.cookies.store(&Url::parse(url).unwrap(), header, self.now, Some(784_111_777));
            self
        }

        fn get(&self, url: &str) -> String {
            self.cookies.header(&Url::parse(url).unwrap(), self.now).unwrap_or_default()
        }
    }

    #[test]
    fn t08_replaces_by_name_and_deletes() {
        let mut session = Session::new();
        session.set("http://acs/", "a=1").set("http://acs/", "b = \"2\" ; HttpOnly").set("http://acs/", "c=3");
        session.set("http://acs/", "b=x=y").set("http://acs/", "c=; Max-Age=0");
        assert_eq!(session.get("http://acs/"), "a=1; b=x=y");
        session.set("http://acs/", "a=; expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(session.get("http://acs/"), "b=x=y");
    }

    #[test]
    fn t08_expiry_counts_from_the_time_of_the_server() {
        let mut session = Session::new();
        session.set("http://acs/", "a=1; Expires=Sun, 06 Nov 1994 08:49:47 GMT").set("http://acs/", "b=1; max-age=20");
        session.set("http://acs/", "c=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=30");
        session.set("http://acs/", "d=1; Max-Age=-99999999999999999999");
        assert_eq!(session.get("http://acs/"), "a=1; b=1; c=1");
        session.now += Duration::from_secs(10);
        assert_eq!(session.get("http://acs/"), "b=1; c=1");
        session.now += Duration::from_secs(10);
        assert_eq!(session.get("http://acs/"), "c=1");
        session.cookies.store(
            &Url::parse("http://acs/").unwrap(),
            "e=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT",
            session.now,
            None,
        );
        assert_eq!(session.get("http://acs/"), "c=1; e=1", "the past means nothing while the time is not known");
    }

    #[test]
    fn t08_paths_and_schemes_match() {
        let mut session = Session::new();
        session
            .set("https://acs/x/y", "default=1")
            .set("https://acs/x/y", "root=1; Path=/")
            .set("https://acs/x/y", "s=1; Path=/; Secure");
        session.set("https://acs/x/y", "deep=1; path=/x/y/").set("https://acs/x/y", "bad=1; path=q");
        assert_eq!(session.get("https://acs/x/z?q=/x/y/"), "default=1; bad=1; root=1; s=1");
        assert_eq!(session.get("https://acs/x/y/z"), "deep=1; default=1; bad=1; root=1; s=1");
        assert_eq!(session.get("http://acs/xy"), "root=1");
    }

    #[test]
    fn t08_domains_match() {
        let mut session = Session::new();
        session.set("http://a.acs.net/", "host=1").set("http://a.acs.net/", "all=1; Domain=.ACS.net");
        session.set("http://a.acs.net/", "evil=1; Domain=b.net").set("http://a.acs.net/", "tld=1; Domain=net");
        session
            .set("http://a.acs.net/", "below=1; Domain=x.a.acs.net")
            .set("http://a.acs.net/", "self=1; domain=a.acs.net");
        assert_eq!(session.get("http://a.acs.net/"), "host=1; all=1; self=1");
        assert_eq!(session.get("http://b.acs.net/"), "all=1");
        assert_eq!(session.get("http://x.a.acs.net/"), "all=1; self=1");
        assert_eq!(session.get("http://aacs.net/"), "");
        session.set("http://192.0.2.1/", "ip=1; Domain=192.0.2.1").set("http://192.0.2.1/", "no=1; Domain=2.1");
        assert_eq!(session.get("http://192.0.2.1/"), "ip=1");
    }

    #[test]
    fn s10_number_and_size_are_limited() {
        let mut session = Session::new();
        for i in 0..100 {
            session.set("http://acs/", &format!("n{i}=1"));
        }
        session
            .set("http://acs/", &format!("huge={}", "x".repeat(LONGEST_COOKIE)))
            .set("http://acs/", "novalue")
            .set("http://acs/", "=x");
        session.set("http://acs/", "split=1\r\nX: y");
        let header = session.get("http://acs/");
        assert_eq!(header.split("; ").count(), MOST_COOKIES);
        assert!(header.starts_with("n68=1") && header.ends_with("n99=1"), "{header}");
        for i in 0..10 {
            session.set("http://acs/", &format!("n{i}={}", "x".repeat(2000)));
        }
        assert!(session.get("http://acs/").len() <= LONGEST_HEADER);
    }
}
