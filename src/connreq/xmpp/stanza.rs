//! Writes what the agent sends to an XMPP server.

use super::{BIND, CLIENT, PING, SASL, STANZAS, STREAM, TLS};
use crate::xml::writer::Writer;

/// The error of a stanza (RFC 6120 8.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Wrong credentials.
    NotAuthorized,
    /// Not offered, not to this sender, or not now.
    ServiceUnavailable,
}

/// `<name attribute="value" ...>`, with `/` at its end if it is empty.
fn tag(out: &mut Vec<u8>, name: &str, attributes: &[(&str, &str)], empty: bool) {
    let mut w = Writer::new(out);
    w.raw("<");
    w.raw(name);
    for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
        w.raw(" ");
        w.raw(name);
        w.raw("=\"");
        w.text(value);
        w.raw("\"");
    }
    w.raw(if empty { "/>" } else { ">" });
}

/// Opens a stream to a domain (RFC 6120 4.2).
#[must_use]
pub fn opening(domain: &str) -> Vec<u8> {
    let mut out = b"<?xml version=\"1.0\"?>".to_vec();
    let attributes = [("to", domain), ("version", "1.0"), ("xmlns", CLIENT), ("xmlns:stream", STREAM)];
    tag(&mut out, "stream:stream", &attributes, false);
    out
}

/// Closes the stream.
pub const CLOSING: &[u8] = b"</stream:stream>";

/// Asks for TLS (RFC 6120 5.4.2.1).
#[must_use]
pub fn starttls() -> Vec<u8> {
    let mut out = Vec::new();
    tag(&mut out, "starttls", &[("xmlns", TLS)], true);
    out
}

/// A message of SASL (RFC 6120 6.4): `auth` with a mechanism, or `response` with none. `data` is in Base64.
#[must_use]
pub fn sasl(name: &str, mechanism: &str, data: &str) -> Vec<u8> {
    let mut out = Vec::new();
    tag(&mut out, name, &[("xmlns", SASL), ("mechanism", mechanism)], false);
    let mut w = Writer::new(&mut out);
    w.raw(data);
    w.close(name);
    out
}

/// Asks for a resource; the server chooses one where it is empty (RFC 6120 7.6, 7.7).
#[must_use]
pub fn bind(id: &str, resource: &str) -> Vec<u8> {
    let mut out = Vec::new();
    tag(&mut out, "iq", &[("type", "set"), ("id", id)], false);
    tag(&mut out, "bind", &[("xmlns", BIND)], false);
    let mut w = Writer::new(&mut out);
    if !resource.is_empty() {
        w.leaf("resource", resource);
    }
    w.close("bind");
    w.close("iq");
    out
}

/// Asks whether the server is still there (XEP-0199).
#[must_use]
pub fn ping(id: &str, domain: &str) -> Vec<u8> {
    let mut out = Vec::new();
    tag(&mut out, "iq", &[("type", "get"), ("id", id), ("to", domain)], false);
    tag(&mut out, "ping", &[("xmlns", PING)], true);
    Writer::new(&mut out).close("iq");
    out
}

/// The answer to an `iq` of somebody (RFC 6120 8.2.3): a result without content, or an error.
#[must_use]
pub fn answer(id: &str, to: &str, error: Option<Condition>) -> Vec<u8> {
    let mut out = Vec::new();
    let attributes = |kind| [("type", kind), ("id", id), ("to", to)];
    let Some(condition) = error else {
        tag(&mut out, "iq", &attributes("result"), true);
        return out;
    };
    let (kind, name) = match condition {
        Condition::NotAuthorized => ("auth", "not-authorized"),
        Condition::ServiceUnavailable => ("cancel", "service-unavailable"),
    };
    tag(&mut out, "iq", &attributes("error"), false);
    tag(&mut out, "error", &[("type", kind)], false);
    tag(&mut out, name, &[("xmlns", STANZAS)], true);
    let mut w = Writer::new(&mut out);
    w.close("error");
    w.close("iq");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn k03_answers() {
        assert_eq!(text(answer("1", "a@b/c", None)), "<iq type=\"result\" id=\"1\" to=\"a@b/c\"/>");
        assert_eq!(
            text(answer("\"<", "", Some(Condition::NotAuthorized))),
            "<iq type=\"error\" id=\"&quot;&lt;\"><error type=\"auth\">\
             <not-authorized xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/></error></iq>"
        );
        assert!(text(answer("1", "a", Some(Condition::ServiceUnavailable))).contains("type=\"cancel\"><service-un"));
    }

    #[test]
    fn requests_of_ours() {
        assert_eq!(
            text(opening("example.com")),
            "<?xml version=\"1.0\"?><stream:stream to=\"example.com\" version=\"1.0\" xmlns=\"jabber:client\" \
             xmlns:stream=\"http://etherx.jabber.org/streams\">"
        );
        assert_eq!(
            text(bind("b", "a&b")),
            "<iq type=\"set\" id=\"b\"><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\">\
             <resource>a&amp;b</resource></bind></iq>"
        );
        assert!(!text(bind("b", "")).contains("resource"));
        assert_eq!(
            text(sasl("auth", "PLAIN", "AGE=")),
            "<auth xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\" mechanism=\"PLAIN\">AGE=</auth>"
        );
        assert_eq!(text(ping("p", "d")), "<iq type=\"get\" id=\"p\" to=\"d\"><ping xmlns=\"urn:xmpp:ping\"/></iq>");
    }
}
