//! The URL of the ACS: the part of RFC 3986 that TR-069a6 3.1 allows, and how a `Location` header changes it. What the model takes from the ACS and
//! what the client goes to are judged here, so that no URL is taken that cannot be used.

use std::fmt;
use std::net::Ipv6Addr;

/// The longest URL that is taken, in bytes; as long as the parameter ManagementServer.URL may be.
pub const LONGEST_URL: usize = 2048;

/// A checked `http` or `https` URL without user information and fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// Whether it is `https`.
    pub tls: bool,
    /// A name or an address in lower case; an IPv6 address without its brackets.
    pub host: String,
    /// The port, also where the URL leaves it out.
    pub port: u16,
    /// Path and query as they are sent; begins with `/`.
    pub target: String,
}

/// Why a text is not such a URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadUrl(&'static str);

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadUrl {}

impl Url {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// When it is too long, has another scheme, user information, or characters, a host or a port that no URL may have.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        if text.len() > LONGEST_URL {
            return Err(BadUrl("the URL is too long"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err(BadUrl("the URL has a blank or another character that must be percent-encoded"));
        }
        let (scheme, rest) = text.split_once("://").ok_or(BadUrl("the URL does not begin with http:// or https://"))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(BadUrl("the URL does not begin with http:// or https://")),
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(BadUrl("the URL contains a user name or password; they belong into the options for them"));
        }
        let (host, port) = split_port(authority)?;
        Ok(Self {
            tls,
            host: check_host(host)?,
            port: match port {
                None | Some("") => Self::default_port(tls),
                Some(port) => match port.parse() {
                    Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => number,
                    _ => return Err(BadUrl("the port of the URL is not a number from 1 to 65535")),
                },
            },
            target: if target.starts_with('/') { target.to_owned() } else { format!("/{target}") },
        })
    }

    /// What a `Location` header on this URL's answer means (RFC 3986 5.2; dot segments are for the server).
    ///
    /// # Errors
    /// As for [`Url::parse`].
    pub fn join(&self, location: &str) -> Result<Self, BadUrl> {
        let before_path = location.find(['/', '?', '#']).unwrap_or(location.len());
        let has_scheme = location.find(':').is_some_and(|colon| colon < before_path);
        if has_scheme {
            return Self::parse(location);
        }
        let scheme = if self.tls { "https" } else { "http" };
        if location.starts_with("//") {
            return Self::parse(&format!("{scheme}:{location}"));
        }
        let path = self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path);
        let target = if location.starts_with('/') {
            location.to_owned()
        } else if location.is_empty() || location.starts_with('#') {
            self.target.clone()
        } else if location.starts_with('?') {
            format!("{path}{location}")
        } else {
            let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
            format!("{directory}/{location}")
        };
        Self::parse(&format!("{}{target}", self.origin()))
    }

    /// Scheme, host and port: what credentials and connections belong to, and what may be logged.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// Whether both are the same server.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.tls == other.tls && self.host == other.host && self.port == other.port
    }

    /// The `Host` header: the port only where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == Self::default_port(self.tls) { host } else { format!("{host}:{}", self.port) }
    }

    fn default_port(tls: bool) -> u16 {
        if tls { 443 } else { 80 }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.target)
    }
}

/// Host (with the brackets of an IPv6 address) and port.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), BadUrl> {
    if authority.starts_with('[') {
        let (host, rest) = authority.split_once(']').ok_or(BadUrl("the IPv6 address has no closing bracket"))?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(BadUrl("something other than a port follows the IPv6 address")),
        };
    }
    Ok(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

fn check_host(host: &str) -> Result<String, BadUrl> {
    if let Some(address) = host.strip_prefix('[') {
        let address: Ipv6Addr =
            address.parse().map_err(|_| BadUrl("what stands in brackets is not an IPv6 address"))?;
        return Ok(address.to_string());
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || host.len() > 253 || host.starts_with('.') || !host.bytes().all(known) {
        return Err(BadUrl("the URL has no proper host name"));
    }
    Ok(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn reads_what_an_acs_url_may_be() {
        let plain = url("HTTP://ACS.Example.com");
        assert_eq!(
            (plain.tls, plain.host.as_str(), plain.port, plain.target.as_str()),
            (false, "acs.example.com", 80, "/")
        );
        assert_eq!(url("https://a:8443/x/y?z=1&u=a@b#top").to_string(), "https://a:8443/x/y?z=1&u=a@b");
        assert_eq!(url("https://a:443").origin(), "https://a");
        assert_eq!(url("http://a:/x").port, 80);
        assert_eq!(url("http://a?q").target, "/?q");
    }

    #[test]
    fn t28_ipv6_addresses_stand_in_brackets() {
        let literal = url("http://[2001:DB8:0::1]:7547/acs");
        assert_eq!((literal.host.as_str(), literal.port), ("2001:db8::1", 7547));
        assert_eq!(literal.authority(), "[2001:db8::1]:7547");
        assert_eq!(url("https://[::1]").authority(), "[::1]");
        for bad in
            ["http://[::1", "http://[::1]x", "http://2001:db8::1/", "http://[1.2.3.4]/", "http://[fe80::1%25eth0]/"]
        {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_mean() {
        for bad in [
            "",
            "acs.example.com",
            "ftp://a/",
            "http://",
            "http:///x",
            "http://.a/",
            "http://a:0/",
            "http://a:65536/",
            "http://a:+1/",
            "http://a b/",
            "http://a/\u{fc}",
            "http://a/\r\nX: y",
            "http://a%20b/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
        assert!(Url::parse(&format!("http://a/{}", "x".repeat(LONGEST_URL))).is_err());
        let text = Url::parse("http://user:secret@a/").unwrap_err().to_string();
        assert!(text.contains("user name") && !text.contains("secret"));
    }

    #[test]
    fn t10_a_location_may_be_relative() {
        let base = url("https://a:8443/x/y?q=1");
        for (location, result) in [
            ("http://b/z", "http://b/z"),
            ("//b/z", "https://b/z"),
            ("/z?a:b", "https://a:8443/z?a:b"),
            ("z", "https://a:8443/x/z"),
            ("?r=http://c/", "https://a:8443/x/y?r=http://c/"),
            ("", "https://a:8443/x/y?q=1"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), result, "{location}");
        }
        for bad in ["ftp://b", "mailto:x", "http://u:p@b/", "/a b", "//"] {
            assert!(base.join(bad).is_err(), "{bad}");
        }
    }
}
