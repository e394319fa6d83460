//! An object of the agent's own on the bus: what it is called, what can be called of it, and the messages of that; free of IO.
//!
//! ```text
//! <--ADD_OBJECT path, signature--   --DATA object-->   --STATUS-->
//! --INVOKE object, method, data-->  <--DATA object, data--   <--STATUS object, status--
//! <--INVOKE of the events, send--   an event for everybody who listens
//! ```

use serde_json::{Map, Value as Json};

use super::blob::{BlobError, Writer};
use super::message::{EVENTS, Kind, Message, attribute, encode};

/// The type of an argument (`enum blobmsg_type`), as the program `ubus` shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Argument {
    /// A list.
    Array = 1,
    /// Members.
    Table = 2,
    /// A text.
    Text = 3,
}

/// A method: its name, and its arguments.
pub type Method = (&'static str, &'static [(&'static str, Argument)]);

/// An object that others can call.
#[derive(Debug)]
pub struct Object {
    /// Its name on the bus.
    pub path: &'static str,
    /// What can be called.
    pub methods: &'static [Method],
}

/// How a call ended (`enum ubus_msg_status`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Status {
    Ok = 0,
    InvalidArgument = 2,
    MethodNotFound = 3,
    PermissionDenied = 6,
    UnknownError = 9,
}

/// Who waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The connection that the call came over, counted by its listener: an answer goes nowhere else.
    pub(super) connection: u32,
    object: u32,
    peer: u32,
    sequence: u16,
    no_reply: bool,
}

/// A call of the object.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Who called.
    pub caller: Caller,
    /// What was called; it need not exist.
    pub method: String,
    /// The arguments: an object, whose members are whatever was sent.
    pub arguments: Json,
}

impl Object {
    /// The request to put it on the bus.
    pub(super) fn add(&self, sequence: u16) -> Result<Vec<u8>, BlobError> {
        let mut signature = Map::new();
        for (name, arguments) in self.methods {
            let types = arguments.iter().map(|(name, kind)| ((*name).to_owned(), Json::from(*kind as u8)));
            signature.insert((*name).to_owned(), Json::Object(types.collect()));
        }
        let mut attributes = Writer::default();
        attributes.put_text(attribute::PATH, self.path)?;
        attributes.put_members(attribute::SIGNATURE, &Json::Object(signature))?;
        encode(Kind::AddObject, sequence, 0, attributes)
    }
}

impl Call {
    /// Of a message to the object with this number, over this connection; `None` where its arguments are no members.
    pub(super) fn of(message: &Message, object: u32, connection: u32) -> (Caller, Option<Self>) {
        let caller =
            Caller { connection, object, peer: message.peer, sequence: message.sequence, no_reply: message.no_reply() };
        let method = message.text(attribute::METHOD).unwrap_or_default().to_owned();
        let arguments = message.data().map(|data| data.unwrap_or_else(|| Json::Object(Map::new())));
        (caller, arguments.ok().map(|arguments| Self { caller, method, arguments }))
    }
}

impl Caller {
    /// The messages of an answer; nothing where none is waited for.
    pub(super) fn answer(self, status: Status, data: Option<&Json>) -> Result<Vec<u8>, BlobError> {
        if self.no_reply {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        if let Some(data) = data {
            let mut attributes = Writer::default();
            attributes.put_number(attribute::OBJECT, self.object);
            attributes.put_members(attribute::DATA, data)?;
            bytes = encode(Kind::Data, self.sequence, self.peer, attributes)?;
        }
        let mut attributes = Writer::default();
        attributes.put_number(attribute::STATUS, status as u32);
        attributes.put_number(attribute::OBJECT, self.object);
        bytes.extend(encode(Kind::Status, self.sequence, self.peer, attributes)?);
        Ok(bytes)
    }
}

/// The message that tells an event of this name.
pub(super) fn event(sequence: u16, name: &str, data: Json) -> Result<Vec<u8>, BlobError> {
    let mut members = Map::new();
    members.insert("id".into(), name.into());
    members.insert("data".into(), data);
    let mut attributes = Writer::default();
    attributes.put_number(attribute::OBJECT, EVENTS);
    attributes.put_text(attribute::METHOD, "send")?;
    attributes.put_members(attribute::DATA, &Json::Object(members))?;
    encode(Kind::Invoke, sequence, EVENTS, attributes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::ubus::message::Incoming;

    const LAMP: Object = Object { path: "lamp", methods: &[("get", &[]), ("set", &[("on", Argument::Text)])] };

    fn messages(bytes: &[u8]) -> Vec<Message> {
        let mut incoming = Incoming::default();
        incoming.push(bytes);
        std::iter::from_fn(|| incoming.next_message().unwrap()).collect()
    }

    #[test]
    fn an_object_has_its_bytes() {
        let bytes = b"\0\x06\0\x04\0\0\0\0\0\0\0\x3c\x02\0\0\x09lamp\0\0\0\0\x06\0\0\x2c\
            \x82\0\0\x0c\0\x03get\0\0\0\x82\0\0\x1c\0\x03set\0\0\0\x85\0\0\x10\0\x02on\0\0\0\0\0\0\0\x03";
        assert_eq!(LAMP.add(4).unwrap(), bytes);
    }

    #[test]
    fn an_answer_goes_to_whoever_has_called() {
        let caller = Caller { connection: 1, object: 0xf000_0001, peer: 77, sequence: 9, no_reply: false };
        let answer = messages(&caller.answer(Status::Ok, Some(&json!({"a": 1}))).unwrap());
        assert_eq!(answer.len(), 2);
        for message in &answer {
            assert_eq!((message.peer, message.sequence), (77, 9));
            assert_eq!(message.number(attribute::OBJECT), Some(0xf000_0001));
        }
        assert_eq!(answer[0].data(), Ok(Some(json!({"a": 1}))));
        assert_eq!((answer[1].kind, answer[1].number(attribute::STATUS)), (Kind::Status, Some(0)));
        let refused = messages(&caller.answer(Status::MethodNotFound, None).unwrap());
        assert_eq!(refused.iter().map(|message| message.number(attribute::STATUS)).collect::<Vec<_>>(), [Some(3)]);
        let silent = Caller { no_reply: true, ..caller };
        assert_eq!(silent.answer(Status::Ok, Some(&json!({}))), Ok(Vec::new()));
        let large = json!({"a": "x".repeat(1 << 20)});
        assert_eq!(caller.answer(Status::Ok, Some(&large)), Err(BlobError::Size));
    }

    #[test]
    fn an_event_is_a_call_of_the_events() {
        let message = messages(&event(3, "lamp.on", json!({"by": "hand"})).unwrap()).remove(0);
        assert_eq!(
            (message.kind, message.peer, message.number(attribute::OBJECT)),
            (Kind::Invoke, EVENTS, Some(EVENTS))
        );
        assert_eq!(message.text(attribute::METHOD), Some("send"));
        assert_eq!(message.data(), Ok(Some(json!({"id": "lamp.on", "data": {"by": "hand"}}))));
    }
}
