//! The messages between ubusd and its clients, as bytes and back; free of IO.
//!
//! ```text
//! head   8 bits version, 0 | 8 bits kind | 16 bits sequence | 32 bits peer     all big endian
//! body   one blob that holds the attributes
//!
//! ubusd  --HELLO-->                       the number of the client is its peer
//!        <--LOOKUP path--                 --DATA path, object--> (for each that matches)   --STATUS-->
//!        <--INVOKE object, method, data-- --DATA data--> (any number)                      --STATUS-->
//!        <--ADD_OBJECT--                  --DATA object-->                                 --STATUS-->
//!        <--SUBSCRIBE object, target--                                                     --STATUS-->
//!        --INVOKE object, method, data--> an event, a notification, or a call of an own object; answered with STATUS unless
//!                                         NO_REPLY is set
//! ```

use serde_json::Value as Json;

use super::blob::{self, Attributes, BlobError, Writer};

/// The length of the head and of the head of the body, in bytes.
const HEADS: usize = 12;

/// What a message is for (`enum ubus_msg_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Kind {
    Hello = 0,
    Status = 1,
    Data = 2,
    Ping = 3,
    Lookup = 4,
    Invoke = 5,
    AddObject = 6,
    RemoveObject = 7,
    Subscribe = 8,
    Unsubscribe = 9,
    Notify = 10,
}

const KINDS: [Kind; 11] = [
    Kind::Hello,
    Kind::Status,
    Kind::Data,
    Kind::Ping,
    Kind::Lookup,
    Kind::Invoke,
    Kind::AddObject,
    Kind::RemoveObject,
    Kind::Subscribe,
    Kind::Unsubscribe,
    Kind::Notify,
];

/// What an attribute says (`enum ubus_msg_attr`).
pub mod attribute {
    /// How a request ended, a number.
    pub const STATUS: u8 = 1;
    /// The path of an object, a text; in a lookup it may end with `*`.
    pub const PATH: u8 = 2;
    /// The number of an object.
    pub const OBJECT: u8 = 3;
    /// The name of a method or event, a text.
    pub const METHOD: u8 = 4;
    /// The methods of an object, members of members: of each the names of its arguments with their types.
    pub const SIGNATURE: u8 = 6;
    /// The members of the arguments or of the answer.
    pub const DATA: u8 = 7;
    /// The number of the object that is subscribed to.
    pub const TARGET: u8 = 8;
    /// Whether nobody waits for the answer, a byte.
    pub const NO_REPLY: u8 = 10;
}

/// The number of the object that events are registered with (`UBUS_SYSTEM_OBJECT_EVENT`).
pub const EVENTS: u32 = 1;

/// A message that has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// What it is for.
    pub kind: Kind,
    /// Of the request that it belongs to.
    pub sequence: u16,
    /// The object or client at the other end.
    pub peer: u32,
    body: Vec<u8>,
}

impl Message {
    /// An attribute; the last of its kind counts.
    fn find(&self, id: u8) -> Option<blob::Attribute<'_>> {
        Attributes::new(&self.body).flatten().filter(|attribute| attribute.id == id).last()
    }

    /// A number among the attributes.
    #[must_use]
    pub fn number(&self, id: u8) -> Option<u32> {
        self.find(id)?.number().ok()
    }

    /// A text among the attributes, if it is UTF-8.
    #[must_use]
    pub fn text(&self, id: u8) -> Option<&str> {
        std::str::from_utf8(self.find(id)?.text().ok()?).ok()
    }

    /// Whether the sender does not wait for an answer.
    #[must_use]
    pub fn no_reply(&self) -> bool {
        self.find(attribute::NO_REPLY).is_some_and(|attribute| attribute.data.first().is_some_and(|byte| *byte != 0))
    }

    /// The members in its data; `None` where it carries none.
    ///
    /// # Errors
    /// When they are no members.
    pub fn data(&self) -> Result<Option<Json>, BlobError> {
        self.members(attribute::DATA)
    }

    /// The members in an attribute; `None` where it is not there.
    ///
    /// # Errors
    /// When they are no members.
    pub fn members(&self, id: u8) -> Result<Option<Json>, BlobError> {
        self.find(id).map(|attribute| blob::decode_table(attribute.data)).transpose()
    }
}

/// The bytes of a message with the attributes that were put together.
///
/// # Errors
/// When it would be longer than 1 MiB.
pub fn encode(kind: Kind, sequence: u16, peer: u32, attributes: Writer) -> Result<Vec<u8>, BlobError> {
    let body = attributes.finish()?;
    let length = u32::try_from(body.len() + 4).map_err(|_| BlobError::Size)?;
    let mut bytes = Vec::with_capacity(HEADS + body.len());
    bytes.extend_from_slice(&[0, kind as u8]);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&peer.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Cuts what comes from a socket into messages.
#[derive(Debug, Default)]
pub struct Incoming(Vec<u8>);

impl Incoming {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next message, if all of it is there. Messages of a kind that is not known are passed over.
    ///
    /// # Errors
    /// When this is no message, or longer than 1 MiB; nothing that comes after it can be understood.
    pub fn next_message(&mut self) -> Result<Option<Message>, BlobError> {
        loop {
            let Some((head, _)) = self.0.split_first_chunk::<HEADS>() else { return Ok(None) };
            let [version, kind, s0, s1, p0, p1, p2, p3, b0, b1, b2, b3] = *head;
            let length = blob::stated_length([b0, b1, b2, b3]).ok_or(BlobError::Length)?;
            if version != 0 {
                return Err(BlobError::Type);
            }
            let end = HEADS - 4 + length;
            let Some(body) = self.0.get(HEADS..end) else { return Ok(None) };
            let known = KINDS.get(usize::from(kind)).map(|kind| Message {
                kind: *kind,
                sequence: u16::from_be_bytes([s0, s1]),
                peer: u32::from_be_bytes([p0, p1, p2, p3]),
                body: body.to_vec(),
            });
            self.0.drain(..end);
            if known.is_some() {
                return Ok(known);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A call of the method `board` of object 0x12345678 with an argument. A length counts the padding of what lies in it, but not its own.
    const CALL: &[u8] = b"\0\x05\0\x07\x12\x34\x56\x78\0\0\0\x28\x03\0\0\x08\x12\x34\x56\x78\x04\0\0\x0aboard\0\0\0\
        \x07\0\0\x10\x87\0\0\x09\0\x01a\0\x01\0\0\0";

    fn call() -> Vec<u8> {
        let mut attributes = Writer::default();
        attributes.put_number(attribute::OBJECT, 0x1234_5678);
        attributes.put_text(attribute::METHOD, "board").unwrap();
        attributes.put_members(attribute::DATA, &json!({"a": true})).unwrap();
        encode(Kind::Invoke, 7, 0x1234_5678, attributes).unwrap()
    }

    #[test]
    fn a_call_has_its_bytes() {
        assert_eq!(call(), CALL);
    }

    #[test]
    fn messages_are_found_however_the_bytes_come() {
        let bytes = [call(), call()].concat();
        for size in [1, 3, 13, bytes.len()] {
            let mut incoming = Incoming::default();
            let mut found = Vec::new();
            for part in bytes.chunks(size) {
                incoming.push(part);
                while let Some(message) = incoming.next_message().unwrap() {
                    found.push(message);
                }
            }
            assert_eq!(found.len(), 2);
            let message = &found[1];
            assert_eq!((message.kind, message.sequence, message.peer), (Kind::Invoke, 7, 0x1234_5678));
            assert_eq!(message.number(attribute::OBJECT), Some(0x1234_5678));
            assert_eq!(message.text(attribute::METHOD), Some("board"));
            assert_eq!(message.data(), Ok(Some(json!({"a": true}))));
            assert_eq!((message.text(attribute::PATH), message.number(attribute::STATUS)), (None, None));
            assert!(!message.no_reply());
        }
    }

    #[test]
    fn what_is_no_message_is_refused_and_what_is_unknown_passed_over() {
        let next = |bytes: &[u8]| {
            let mut incoming = Incoming::default();
            incoming.push(bytes);
            incoming.next_message()
        };
        assert_eq!(next(b"\x01\0\0\0\0\0\0\0\0\0\0\x04"), Err(BlobError::Type));
        assert_eq!(next(b"\0\0\0\0\0\0\0\0\0\0\0\x03"), Err(BlobError::Length));
        assert_eq!(next(b"\0\0\0\0\0\0\0\0\0\x10\0\x01"), Err(BlobError::Length));
        assert_eq!(next(b"\0\0\0\0\0\0\0\0\0\x10\0\0"), Ok(None));
        let unknown = b"\0\x0b\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x09\0\0\0\x04";
        assert_eq!(next(unknown).unwrap().map(|message| (message.kind, message.peer)), Some((Kind::Hello, 9)));
        let largest = encode(Kind::Data, 0, 0, {
            let mut attributes = Writer::default();
            attributes.put(attribute::DATA, &vec![0; blob::LONGEST - 8]);
            attributes
        });
        assert!(next(&largest.unwrap()).unwrap().is_some());
    }
}
