//! The bytes that everything on the bus is made of: libubox' blob, and blobmsg, which is JSON in blobs.
//!
//! ```text
//! attribute   1 bit extended | 7 bits id | 24 bits length, head included | data | zeros up to a multiple of 4
//! blobmsg     an extended attribute whose id is its type and whose data begins with its name:
//!             16 bits length of the name | name | NUL | zeros up to a multiple of 4 | value
//! ```
//!
//! All numbers are big endian. A length does not count the zeros behind the data, so that those of the last attribute may be missing.
//! What comes from the bus is not trusted: each length is checked against what is there, and nesting has a limit.

use serde_json::{Map, Number, Value as Json};

/// How deep tables and arrays may lie in each other.
const DEPTH: usize = 32;

/// The length of the head of an attribute in bytes.
const HEAD: usize = 4;

/// The longest attribute, head included: 1 MiB, which is what libubus takes for a message.
pub const LONGEST: usize = 1 << 20;

const LENGTH: u32 = 0x00ff_ffff;

/// The types of blobmsg (`enum blobmsg_type`).
mod kind {
    pub const NOTHING: u8 = 0;
    pub const ARRAY: u8 = 1;
    pub const TABLE: u8 = 2;
    pub const STRING: u8 = 3;
    pub const INT64: u8 = 4;
    pub const INT32: u8 = 5;
    pub const INT16: u8 = 6;
    pub const BOOL: u8 = 7;
    pub const DOUBLE: u8 = 8;
}

/// Why bytes are no blob, or a value cannot be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlobError {
    /// A length points beyond the end, or a value does not have the length of its type.
    Length,
    /// A type that does not exist.
    Type,
    /// A text without its NUL at the end, or with one in it.
    Text,
    /// Tables in tables in tables.
    Depth,
    /// More than a message can carry.
    Size,
}

impl BlobError {
    /// What is wrong, in a few words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Length => "a length that does not fit",
            Self::Type => "an unknown type",
            Self::Text => "a text that does not end where it should",
            Self::Depth => "too deeply nested",
            Self::Size => "too long",
        }
    }
}

/// An attribute as it lies in its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    /// What it is, 0 to 127.
    pub id: u8,
    /// Whether its data begins with a name.
    pub extended: bool,
    /// Without head and padding.
    pub data: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// Its data as a number of 32 bits.
    ///
    /// # Errors
    /// When it has another length.
    pub fn number(&self) -> Result<u32, BlobError> {
        self.data.try_into().map(u32::from_be_bytes).map_err(|_| BlobError::Length)
    }

    /// Its data as text, without the NUL at its end.
    ///
    /// # Errors
    /// When there is no NUL at the end.
    pub fn text(&self) -> Result<&'a [u8], BlobError> {
        match self.data.split_last() {
            Some((0, text)) => Ok(until_nul(text)),
            _ => Err(BlobError::Text),
        }
    }
}

/// The total length, head included and without padding, that the head of an attribute states; `None` where it cannot be one.
#[must_use]
pub fn stated_length(head: [u8; HEAD]) -> Option<usize> {
    let length = usize::try_from(u32::from_be_bytes(head) & LENGTH).ok()?;
    (HEAD..=LONGEST).contains(&length).then_some(length)
}

/// Goes over the attributes that lie in these bytes, one after the other.
#[derive(Clone, Debug)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Of the data of an attribute that holds others.
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, BlobError>;

    /// The next one; after an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (all, wrong) = (std::mem::take(&mut self.0), Some(Err(BlobError::Length)));
        let Some((head, _)) = all.split_first_chunk::<HEAD>() else { return wrong };
        let Some(length) = stated_length(*head) else { return wrong };
        let Some(data) = all.get(HEAD..length) else { return wrong };
        self.0 = all.get(padded(length)..).unwrap_or_default();
        let id = head[0] & 0x7f;
        Some(Ok(Attribute { id, extended: head[0] & 0x80 != 0, data }))
    }
}

const fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// Reads a list of named attributes: what stands in the data of a call or an answer, as a JSON object.
///
/// Numbers are signed, as the program `ubus` shows them; a double that is not a number is null, as is whatever has no type; text that is not
/// UTF-8 has U+FFFD in place of what is not. Of two members of one name the last counts.
///
/// # Errors
/// See [`BlobError`].
pub fn decode_table(data: &[u8]) -> Result<Json, BlobError> {
    table(data, DEPTH)
}

fn table(data: &[u8], depth: usize) -> Result<Json, BlobError> {
    let depth = depth.checked_sub(1).ok_or(BlobError::Depth)?;
    let mut members = Map::new();
    for attribute in Attributes::new(data) {
        let attribute = attribute?;
        let (name, data) = named(&attribute)?;
        members.insert(lossy(name), value(attribute.id, data, depth)?);
    }
    Ok(Json::Object(members))
}

fn array(data: &[u8], depth: usize) -> Result<Json, BlobError> {
    let depth = depth.checked_sub(1).ok_or(BlobError::Depth)?;
    let mut items = Vec::new();
    for attribute in Attributes::new(data) {
        let attribute = attribute?;
        let (_, data) = named(&attribute)?;
        items.push(value(attribute.id, data, depth)?);
    }
    Ok(Json::Array(items))
}

/// The name in front of the value, and the value; what is not extended has no name.
fn named<'a>(attribute: &Attribute<'a>) -> Result<(&'a [u8], &'a [u8]), BlobError> {
    if !attribute.extended {
        return Ok((&[], attribute.data));
    }
    let (length, rest) = attribute.data.split_first_chunk::<2>().ok_or(BlobError::Length)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (name, end) = rest.split_at_checked(length).ok_or(BlobError::Length)?;
    if end.first() != Some(&0) {
        return Err(BlobError::Text);
    }
    let value = attribute.data.get(padded(2 + length + 1)..).ok_or(BlobError::Length)?;
    Ok((until_nul(name), value))
}

fn value(kind: u8, data: &[u8], depth: usize) -> Result<Json, BlobError> {
    let long = |data: &[u8]| -> Result<[u8; 8], BlobError> { data.try_into().map_err(|_| BlobError::Length) };
    Ok(match kind {
        kind::NOTHING => Json::Null,
        kind::ARRAY => array(data, depth)?,
        kind::TABLE => table(data, depth)?,
        kind::STRING => Json::String(lossy(Attribute { id: kind, extended: false, data }.text()?)),
        kind::INT64 => i64::from_be_bytes(long(data)?).into(),
        kind::INT32 => i32::from_be_bytes(data.try_into().map_err(|_| BlobError::Length)?).into(),
        kind::INT16 => i16::from_be_bytes(data.try_into().map_err(|_| BlobError::Length)?).into(),
        kind::BOOL => match data {
            [byte] => (*byte != 0).into(),
            _ => return Err(BlobError::Length),
        },
        kind::DOUBLE => {
            Number::from_f64(f64::from_bits(u64::from_be_bytes(long(data)?))).map_or(Json::Null, Json::Number)
        }
        _ => return Err(BlobError::Type),
    })
}

/// A text ends at its first NUL, whatever lies behind that.
fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// Attributes being put together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Adds an attribute with this data.
    pub fn put(&mut self, id: u8, data: &[u8]) {
        let start = self.open(id);
        self.0.extend_from_slice(data);
        self.close(start);
    }

    /// Adds a number of 32 bits.
    pub fn put_number(&mut self, id: u8, number: u32) {
        self.put(id, &number.to_be_bytes());
    }

    /// Adds a text.
    ///
    /// # Errors
    /// When it has a NUL in it.
    pub fn put_text(&mut self, id: u8, text: &str) -> Result<(), BlobError> {
        let start = self.open(id);
        self.text(text)?;
        self.close(start);
        Ok(())
    }

    /// Adds an attribute that holds the members of a JSON object, as libubox chooses their types: integers have 32 bits where that is enough, and
    /// what is beyond 64 signed bits is as large as those allow.
    ///
    /// # Errors
    /// When it is no object, is too deeply nested, or has a NUL in a text.
    pub fn put_members(&mut self, id: u8, object: &Json) -> Result<(), BlobError> {
        let start = self.open(id);
        self.members(object, DEPTH)?;
        self.close(start);
        Ok(())
    }

    /// The attributes, as the data of an attribute that holds them.
    ///
    /// # Errors
    /// When that would be longer than a message may be.
    pub fn finish(self) -> Result<Vec<u8>, BlobError> {
        if self.0.len() > LONGEST - HEAD { Err(BlobError::Size) } else { Ok(self.0) }
    }

    fn members(&mut self, object: &Json, depth: usize) -> Result<(), BlobError> {
        let members = object.as_object().ok_or(BlobError::Type)?;
        members.iter().try_for_each(|(name, value)| self.member(name, value, depth))
    }

    fn member(&mut self, name: &str, value: &Json, depth: usize) -> Result<(), BlobError> {
        let depth = depth.checked_sub(1).ok_or(BlobError::Depth)?;
        // A value that is written further than a message can go is not gone on with.
        if self.0.len() > LONGEST {
            return Err(BlobError::Size);
        }
        let kind = match value {
            Json::Null => kind::NOTHING,
            Json::Bool(_) => kind::BOOL,
            Json::Number(number) if number.is_f64() => kind::DOUBLE,
            Json::Number(number) if i32::try_from(integer(number)).is_ok() => kind::INT32,
            Json::Number(_) => kind::INT64,
            Json::String(_) => kind::STRING,
            Json::Array(_) => kind::ARRAY,
            Json::Object(_) => kind::TABLE,
        };
        let start = self.open(kind);
        if let Some(head) = self.0.get_mut(start) {
            *head |= 0x80;
        }
        self.0.extend_from_slice(&u16::try_from(name.len()).map_err(|_| BlobError::Size)?.to_be_bytes());
        self.text(name)?;
        self.pad();
        match value {
            Json::Null => {}
            Json::Bool(truth) => self.0.push(u8::from(*truth)),
            Json::Number(number) if kind == kind::DOUBLE => {
                self.0.extend_from_slice(&number.as_f64().unwrap_or_default().to_bits().to_be_bytes());
            }
            Json::Number(number) => match i32::try_from(integer(number)) {
                Ok(number) => self.0.extend_from_slice(&number.to_be_bytes()),
                Err(_) => self.0.extend_from_slice(&integer(number).to_be_bytes()),
            },
            Json::String(text) => self.text(text)?,
            Json::Array(items) => items.iter().try_for_each(|item| self.member("", item, depth))?,
            Json::Object(_) => self.members(value, depth)?,
        }
        self.close(start);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), BlobError> {
        if text.contains('\0') {
            return Err(BlobError::Text);
        }
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        Ok(())
    }

    /// Begins an attribute, whose length is not known yet; gives the place of its head.
    fn open(&mut self, id: u8) -> usize {
        let start = self.0.len();
        self.0.extend_from_slice(&[id & 0x7f, 0, 0, 0]);
        start
    }

    fn close(&mut self, start: usize) {
        // One that is too long for its head is too long for a message too, and so does not go out: `finish` says so.
        let length = u32::try_from(self.0.len() - start).unwrap_or(LENGTH) & LENGTH;
        if let Some(head) = self.0.get_mut(start..).and_then(|rest| rest.first_chunk_mut::<HEAD>()) {
            *head = (u32::from_be_bytes(*head) & !LENGTH | length).to_be_bytes();
        }
        self.pad();
    }

    fn pad(&mut self) {
        self.0.resize(padded(self.0.len()), 0);
    }
}

/// What is beyond 64 signed bits is as large as those allow.
fn integer(number: &Number) -> i64 {
    number.as_i64().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The data of a call, without the head of the attribute that it stands in.
    fn encoded(value: &Json) -> Result<Vec<u8>, BlobError> {
        let mut writer = Writer::default();
        writer.put_members(0, value)?;
        Ok(writer.finish()?[HEAD..].to_vec())
    }

    #[test]
    fn each_type_has_its_bytes() {
        assert_eq!(encoded(&json!({})), Ok(Vec::new()));
        assert_eq!(encoded(&json!({"a": null})).unwrap(), *b"\x80\0\0\x08\0\x01a\0");
        assert_eq!(encoded(&json!({"a": true})).unwrap(), *b"\x87\0\0\x09\0\x01a\0\x01\0\0\0");
        assert_eq!(encoded(&json!({"name": -2})).unwrap(), *b"\x85\0\0\x10\0\x04name\0\0\xff\xff\xff\xfe");
        let long = b"\x84\0\0\x14\0\x02ab\0\0\0\0\0\0\0\0\x80\0\0\0";
        assert_eq!(encoded(&json!({"ab": 1_u64 << 31})).unwrap(), *long);
        assert_eq!(encoded(&json!({"a": "hi"})).unwrap(), *b"\x83\0\0\x0b\0\x01a\0hi\0\0");
        assert_eq!(encoded(&json!({"a": [1]})).unwrap(), *b"\x81\0\0\x14\0\x01a\0\x85\0\0\x0c\0\0\0\0\0\0\0\x01");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({
            "": "no name", "a": null, "yes": true, "no": false, "zero": 0, "small": i32::MIN, "large": i64::MIN,
            "half": 0.5, "text": "\u{fc} \"quoted\"\n", "empty": [], "none": {},
            "list": [1, "two", [3.25, [null]], {"four": 4}], "table": {"in": {"a": {"table": [true]}}},
        });
        assert_eq!(decode_table(&encoded(&value).unwrap()), Ok(value));
        assert_eq!(decode_table(&encoded(&json!({"a": u64::MAX})).unwrap()), Ok(json!({"a": i64::MAX})));
    }

    #[test]
    fn what_libubox_would_take_is_taken() {
        // Without the padding of the last one.
        assert_eq!(decode_table(b"\x83\0\0\x0b\0\x01a\0hi\0"), Ok(json!({"a": "hi"})));
        // A number of 16 bits, and a text that is not UTF-8.
        assert_eq!(decode_table(b"\x86\0\0\x0a\0\x01a\0\xff\xfe\0\0"), Ok(json!({"a": -2})));
        assert_eq!(decode_table(b"\x83\0\0\x0a\0\x01a\0\xff\0"), Ok(json!({"a": "\u{fffd}"})));
        // A double that is not a number, and bytes without a type.
        let not_a_number = [b"\x88\0\0\x10\0\x01a\0".as_slice(), &f64::NAN.to_bits().to_be_bytes()].concat();
        assert_eq!(decode_table(&not_a_number), Ok(json!({"a": null})));
        assert_eq!(decode_table(b"\x80\0\0\x0b\0\x01a\0xyz"), Ok(json!({"a": null})));
        // The last of two, a text that ends early, items without a name.
        assert_eq!(decode_table(b"\x87\0\0\x09\0\x01a\0\0\0\0\0\x87\0\0\x09\0\x01a\0\x01"), Ok(json!({"a": true})));
        assert_eq!(decode_table(b"\x83\0\0\x0c\0\x01a\0h\0i\0"), Ok(json!({"a": "h"})));
        assert_eq!(decode_table(b"\x80\0\0\x0c\0\x03a\0b\0\0\0"), Ok(json!({"a": null})));
        assert_eq!(decode_table(b"\x81\0\0\x10\0\x01a\0\x05\0\0\x08\0\0\0\x07"), Ok(json!({"a": [7]})));
    }

    #[test]
    fn what_lies_is_refused() {
        let refused: &[(&[u8], BlobError)] = &[
            (b"\x87", BlobError::Length),
            (b"\x87\0\0\x03", BlobError::Length),
            (b"\x87\0\0\x04", BlobError::Length),
            (b"\x87\xff\xff\xff\0\x01a\0", BlobError::Length),
            (b"\x87\0\0\x08\xff\xffa\0", BlobError::Length),
            (b"\x87\0\0\x08\0\x01ab", BlobError::Text),
            (b"\x87\0\0\x08\0\x01a\0", BlobError::Length),
            (b"\x87\0\0\x0a\0\x01a\0\x01\x01", BlobError::Length),
            (b"\x85\0\0\x09\0\x01a\0\x01", BlobError::Length),
            (b"\x84\0\0\x0c\0\x01a\0\0\0\0\x01", BlobError::Length),
            (b"\x88\0\0\x0c\0\x01a\0\0\0\0\x01", BlobError::Length),
            (b"\x83\0\0\x08\0\x01a\0", BlobError::Text),
            (b"\x83\0\0\x0a\0\x01a\0hi", BlobError::Text),
            (b"\x89\0\0\x08\0\x01a\0", BlobError::Type),
            (b"\xff\0\0\x08\0\x01a\0", BlobError::Type),
        ];
        for (bytes, error) in refused {
            assert_eq!(decode_table(bytes), Err(*error), "{bytes:x?}");
        }
    }

    #[test]
    fn nesting_and_length_have_a_limit() {
        let mut deep = json!([]);
        for _ in 2..DEPTH {
            deep = json!([deep]);
        }
        let value = json!({"a": deep});
        let bytes = encoded(&value).unwrap();
        assert_eq!(decode_table(&bytes), Ok(value.clone()));
        let deeper = json!({"a": [value["a"], [value["a"]]]});
        assert_eq!(encoded(&deeper), Err(BlobError::Depth));
        // One more level by hand.
        let inner =
            [b"\x81\0".as_slice(), &u16::try_from(bytes.len() + 8).unwrap().to_be_bytes(), b"\0\x01a\0", &bytes]
                .concat();
        assert_eq!(decode_table(&inner), Err(BlobError::Depth));
        let long = json!({"a": "x".repeat(LONGEST)});
        assert_eq!(encoded(&long), Err(BlobError::Size));
        assert_eq!(encoded(&json!({"x".repeat(70_000): 1})), Err(BlobError::Size));
        assert_eq!(encoded(&json!({"a": "nul \0"})), Err(BlobError::Text));
        assert_eq!(encoded(&json!([])), Err(BlobError::Type));
    }
}
