//! The connection request URL: `http://ADDRESS:PORT/PATH` (TR-069a6 3.2.2.1, CONFORMANCE C-01 and C-17).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// The longest path taken from the configuration: with address and port, ConnectionRequestURL stays below the 256 characters of older data models.
const MAX_PATH: usize = 200;

/// `ConnectionRequestURL` for requests to this address and port. `path` begins with `/`.
#[must_use]
pub fn connection_request_url(address: IpAddr, port: u16, path: &str) -> String {
    format!("http://{}{path}", SocketAddr::new(address.to_canonical(), port))
}

/// A path that cannot be guessed, made from 128 random bits: `/` and 32 hexadecimal digits.
#[must_use]
pub fn random_path(random: [u8; 16]) -> String {
    let mut path = String::from("/");
    for byte in random {
        let _ = write!(path, "{byte:02x}");
    }
    path
}

/// The path of the configuration's option `path`; a missing `/` at its front is added.
///
/// # Errors
/// One line that says what is wrong with it. Only characters are taken that every HTTP client sends unchanged, because the path of a request
/// is compared byte by byte: no percent-encoding, no `.` or `..` and no empty segments.
pub fn configured_path(option: &str) -> Result<String, String> {
    let path = option.strip_prefix('/').unwrap_or(option);
    if path.len() > MAX_PATH {
        return Err(format!("the path is longer than {MAX_PATH} characters"));
    }
    if let Some(bad) = path.chars().find(|&c| !c.is_ascii_alphanumeric() && !"-._~/+=:@,;".contains(c)) {
        return Err(format!("the path has {bad:?}; letters, digits and -._~/+=:@,; can be used"));
    }
    let inner = path.strip_suffix('/').unwrap_or(path);
    if path == "/" || (!inner.is_empty() && inner.split('/').any(|segment| matches!(segment, "" | "." | ".."))) {
        return Err("the path has a segment that is empty, . or ..".into());
    }
    Ok(format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c01_the_url_carries_address_port_and_path() {
        let address = "192.0.2.7".parse().unwrap();
        assert_eq!(connection_request_url(address, 7547, "/ab"), "http://192.0.2.7:7547/ab");
        assert_eq!(
            connection_request_url("::ffff:192.0.2.7".parse().unwrap(), 80, "/ab"),
            "http://192.0.2.7:80/ab",
            "an IPv4 address seen through an IPv6 socket stays one"
        );
    }

    #[test]
    fn c17_an_ipv6_address_is_in_brackets() {
        let address = "2001:db8::7".parse().unwrap();
        assert_eq!(connection_request_url(address, 7547, "/ab"), "http://[2001:db8::7]:7547/ab");
    }

    #[test]
    fn c01_the_random_path_carries_all_bits_and_is_itself_a_valid_path() {
        let path = random_path([0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]);
        assert_eq!(path, "/00010203040506070809aabbccddeeff");
        assert_eq!(configured_path(&path).as_ref(), Ok(&path));
    }

    #[test]
    fn a_configured_path_is_taken_only_if_no_client_would_rewrite_it() {
        for (option, path) in
            [("cr", "/cr"), ("/cr", "/cr"), ("/", "/"), ("", "/"), ("/a/b/", "/a/b/"), ("/a.b", "/a.b")]
        {
            assert_eq!(configured_path(option).as_deref(), Ok(path), "{option}");
        }
        let long = "a".repeat(MAX_PATH + 1);
        for option in [
            "/a b", "/a?b", "/a#b", "/%61", "//a", "/a//b", "/./a", "/a/..", "/a\r\nb", "/ä", "/\"", "///", "//", &long,
        ] {
            assert!(configured_path(option).is_err(), "{option}");
        }
    }
}
