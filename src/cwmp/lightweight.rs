//! Lightweight notifications: changed values in a UDP message that nobody answers (TR-069a6 Annex M, CONFORMANCE N-10, N-11).
//!
//! A message looks like an HTTP request whose body is XML (`cwmp-UDPLightweightNotification-1-0.xsd`); its header `Signature` is the HMAC-SHA1 of
//! the body with the password of the ACS as the key, in hexadecimal digits. What does not go into one datagram goes into several messages.

use std::fmt::Write as _;

use crate::auth::mac::hmac_sha1;
use crate::soap::rpc::{DeviceId, ParameterValue};
use crate::xml::writer::Writer;

/// The port of the ACS where UDPLightweightNotificationPort says nothing else.
pub const PORT: u16 = 7547;

/// How long a body is if it can be, in bytes: with the header it goes through every network in one piece.
const FITTING: usize = 1100;

/// The longest body that a datagram can carry with room for its header, in bytes.
const LONGEST: usize = 65_000;

const START: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    r#"<Notification xmlns="urn:broadband-forum-org:cwmp:lwnotif-1-0" "#,
    r#"xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">"#,
);
const END: &str = "</Notification>";

/// What all messages of an agent have in common.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// The router.
    pub device: &'a DeviceId,
    /// ManagementServer.Username
    pub username: &'a str,
    /// ManagementServer.Password, the key of the signature.
    pub password: &'a str,
    /// Host and port that the messages go to, as they stand in a URL.
    pub authority: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// The messages that tell these values, each a datagram. `cnonce` makes a random text for each.
///
/// A value that no datagram can carry is left out.
#[must_use]
pub fn messages(sender: Sender<'_>, values: &[ParameterValue], cnonce: &mut dyn FnMut() -> String) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut body = Vec::new();
    let begin = |cnonce: String| {
        let mut body = Vec::new();
        let mut w = Writer::new(&mut body);
        w.raw(START);
        // The schema has an int of 32 bits there.
        w.number_leaf("TS", sender.now.clamp(0, i64::from(i32::MAX)));
        w.leaf("UN", sender.username);
        w.leaf("CN", &cnonce);
        w.leaf("OUI", &sender.device.oui);
        w.leaf("ProductClass", &sender.device.product_class);
        w.leaf("SerialNumber", &sender.device.serial_number);
        body
    };
    for value in values {
        let mut entry = Vec::new();
        let mut w = Writer::new(&mut entry);
        w.raw("<Param>");
        w.leaf("Name", &value.name);
        w.open_with("Value", "xsi:type", &["xsd:", value.value.kind.as_deref().unwrap_or("string")]);
        w.text(&value.value.text);
        w.raw("</Value></Param>");
        if entry.len() > LONGEST {
            log::warn!("{} is too long for a lightweight notification", value.name);
            continue;
        }
        if !body.is_empty() && body.len().saturating_add(entry.len()).saturating_add(END.len()) > FITTING {
            messages.push(finish(sender, std::mem::take(&mut body)));
        }
        if body.is_empty() {
            body = begin(cnonce());
        }
        body.append(&mut entry);
    }
    if !body.is_empty() {
        messages.push(finish(sender, body));
    }
    messages
}

fn finish(sender: Sender<'_>, mut body: Vec<u8>) -> Vec<u8> {
    body.extend_from_slice(END.as_bytes());
    let mut message = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nContent-Length: {}\r\nSignature: {}\r\n\r\n",
        sender.authority,
        body.len(),
        signature(sender.password, &body)
    )
    .into_bytes();
    message.append(&mut body);
    message
}

/// HMAC-SHA1 in 40 hexadecimal digits.
#[must_use]
pub fn signature(password: &str, body: &[u8]) -> String {
    let mut text = String::with_capacity(40);
    for byte in hmac_sha1(password.as_bytes(), &[body]).into_iter().flatten() {
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::rpc::Value;

    fn value(name: &str, kind: &str, text: &str) -> ParameterValue {
        ParameterValue { name: name.into(), value: Value { kind: Some(kind.into()), text: text.into() } }
    }

    fn tell(values: &[ParameterValue]) -> Vec<String> {
        let device = DeviceId {
            manufacturer: "Example".into(),
            oui: "00005E".into(),
            product_class: "AX<1>".into(),
            serial_number: "7".into(),
        };
        let sender = Sender { device: &device, username: "u&", password: "key", authority: "acs:7547", now: 1 << 40 };
        let mut number = 0;
        let mut cnonce = || {
            number += 1;
            format!("n{number}")
        };
        messages(sender, values, &mut cnonce).into_iter().map(|message| String::from_utf8(message).unwrap()).collect()
    }

    #[test]
    fn n10_the_bytes_of_a_message() {
        let found = tell(&[value("Device.WiFi.SSID.1.SSID", "string", "a<b"), value("Device.X", "boolean", "true")]);
        let [message] = found.as_slice() else { panic!("{found:?}") };
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Notification xmlns=\"urn:broadband-forum-org:cwmp:lwnotif-1-0\" \
             xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
             <TS>2147483647</TS><UN>u&amp;</UN><CN>n1</CN><OUI>00005E</OUI><ProductClass>AX&lt;1&gt;</ProductClass>\
             <SerialNumber>7</SerialNumber><Param><Name>Device.WiFi.SSID.1.SSID</Name>\
             <Value xsi:type=\"xsd:string\">a&lt;b</Value></Param><Param><Name>Device.X</Name>\
             <Value xsi:type=\"xsd:boolean\">true</Value></Param></Notification>"
        );
        let signature = signature("key", body.as_bytes());
        assert_eq!(
            head,
            format!(
                "POST / HTTP/1.1\r\nHost: acs:7547\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nContent-Length: {}\r\n\
                 Signature: {signature}",
                body.len()
            )
        );
    }

    /// The second test case of RFC 2202.
    #[test]
    fn n10_the_signature_is_that_of_rfc_2202() {
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), "EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79");
    }

    #[test]
    fn n10_many_values_go_into_several_datagrams() {
        let values: Vec<_> = (0..50).map(|i| value(&format!("Device.X.{i}.Name"), "string", "0123456789")).collect();
        let found = tell(&values);
        assert!(found.len() > 3);
        assert!(found.iter().all(|message| message.len() < 1400));
        for (number, message) in found.iter().enumerate() {
            assert!(message.contains(&format!("<CN>n{}</CN>", number + 1)), "each has a nonce of its own");
        }
        let all = found.concat();
        assert!(values.iter().all(|value| all.matches(&format!("<Name>{}</Name>", value.name)).count() == 1));
        let long = value("Device.Long", "string", &"x".repeat(3000));
        assert_eq!(tell(&[values[0].clone(), long, values[1].clone()]).len(), 3);
        let longest = value("Device.Longest", "string", &"x".repeat(66_000));
        assert_eq!(tell(&[longest]), [""; 0]);
        assert_eq!(tell(&[]), [""; 0]);
    }
}
