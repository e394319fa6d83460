//! Basic authentication (RFC 7617).

use super::params::{Item, items};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The value of an `Authorization` header: the credentials as they are, in base64. A colon in the user name cannot be told from the
/// separator, so such a name is the caller's to refuse.
#[must_use]
pub fn authorization(username: &str, password: &str) -> String {
    let mut header = String::from("Basic ");
    STANDARD.encode_string(format!("{username}:{password}"), &mut header);
    header
}

/// Whether one value of `WWW-Authenticate` offers Basic.
#[must_use]
pub fn is_offered(header: &str) -> bool {
    items(header).any(|item| matches!(item, Item::Scheme(name) if name.eq_ignore_ascii_case("basic")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_in_rfc_7617_2() {
        assert_eq!(authorization("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(authorization("test", "123£"), "Basic dGVzdDoxMjPCow==");
    }

    #[test]
    fn finds_the_offer_among_others() {
        assert!(is_offered(r#"Digest realm="x", nonce="Basic y", basic realm="z""#));
        assert!(!is_offered(r#"Digest realm="a, Basic b", nonce="y""#));
    }
}
