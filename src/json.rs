//! JSON in and out: each goes one way, whatever it comes from and goes to, because serde makes all its code anew for every kind of reader and
//! writer that it is given. Reading takes two steps, text to [`Value`] and [`Value`] to the type, of which only the short second one is made
//! for each type.

use std::fmt::{self, Display};
use std::io::{self, Write};

use serde::Serialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value, map};

/// Reads a value.
///
/// # Errors
/// When the text is no JSON, or not that of such a value.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Wrong> {
    from_value(&value(text)?)
}

/// Reads JSON of whatever form.
///
/// # Errors
/// When the text is no JSON.
pub fn value(text: &[u8]) -> Result<Value, Wrong> {
    serde_json::from_slice(text).map_err(|error| Wrong::new(&error))
}

/// Makes a value of JSON.
///
/// # Errors
/// When it is not that of such a value.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Wrong> {
    T::deserialize(Node(value))
}

/// Writes a value in one line, without its end.
///
/// # Errors
/// When it cannot be written there.
pub fn write(out: &mut dyn Write, value: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(out, value)
}

/// A value in one line; empty when it cannot be one, as a map with keys that are no texts.
pub fn bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    match write(&mut bytes, value) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Why something is not the JSON that it should be, in one line without the values that it has.
#[derive(Debug)]
pub struct Wrong(crate::error::Error);

impl Wrong {
    #[cold]
    #[inline(never)]
    fn new(text: &dyn Display) -> Self {
        Self(crate::error::Error::other(text.to_string()))
    }

    #[cold]
    #[inline(never)]
    fn form() -> Self {
        Self::new(&"a value has another form than it should")
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Wrong {}

impl From<Wrong> for io::Error {
    fn from(wrong: Wrong) -> Self {
        Self::new(io::ErrorKind::InvalidData, wrong)
    }
}

impl Error for Wrong {
    fn custom<T: Display>(text: T) -> Self {
        Self::new(&text)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::form()
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::form()
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::form()
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::form()
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(&format_args!("{field} is missing"))
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::form()
    }
}

/// A value that a type is made of.
#[derive(Clone, Copy)]
struct Node<'a>(&'a Value);

/// What a kind of value is asked as, and which one it has to be.
macro_rules! only {
    ($($method:ident($($ignored:ty),*) takes $kind:ident($inner:ident) => $visit:ident($give:expr);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $ignored,)* visitor: V) -> Result<V::Value, Wrong> {
            match self.0 {
                Value::$kind($inner) => visitor.$visit($give),
                _ => Err(Wrong::form()),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Wrong;

    only! {
        deserialize_bool() takes Bool(truth) => visit_bool(*truth);
        deserialize_str() takes String(text) => visit_borrowed_str(text);
        deserialize_string() takes String(text) => visit_borrowed_str(text);
        deserialize_seq() takes Array(list) => visit_seq(List(list.iter()));
        deserialize_tuple(usize) takes Array(list) => visit_seq(List(list.iter()));
        deserialize_map() takes Object(map) => visit_map(Members::of(map));
        deserialize_struct(&'static str, &'static [&'static str]) takes Object(map) =>
            visit_map(Members::of(map));
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(_) => self.deserialize_bool(visitor),
            Value::Number(_) => self.deserialize_f64(visitor),
            Value::String(_) => self.deserialize_str(visitor),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.as_u64() {
            Some(number) => visitor.visit_u64(number),
            None => Err(Wrong::form()),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.as_i64() {
            Some(number) => visitor.visit_i64(number),
            None => Err(Wrong::form()),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match (self.0.as_u64(), self.0.as_i64(), self.0.as_f64()) {
            (Some(number), ..) => visitor.visit_u64(number),
            (_, Some(number), _) => visitor.visit_i64(number),
            (.., Some(number)) => visitor.visit_f64(number),
            _ => Err(Wrong::form()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let (name, content) = match self.0 {
            Value::String(name) => (name, None),
            Value::Object(map) if map.len() == 1 => {
                let (name, content) = map.iter().next().ok_or_else(Wrong::form)?;
                (name, Some(content))
            }
            _ => return Err(Wrong::form()),
        };
        visitor.visit_enum(Variant { name, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char bytes byte_buf unit unit_struct tuple_struct identifier
    }
}

/// The rest of a list.
struct List<'a>(std::slice::Iter<'a, Value>);

impl<'a> SeqAccess<'a> for List<'a> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        match self.0.next() {
            Some(value) => seed.deserialize(Node(value)).map(Some),
            None => Ok(None),
        }
    }
}

/// The rest of the members of an object.
struct Members<'a> {
    rest: map::Iter<'a>,
    value: Option<&'a Value>,
}

impl<'a> Members<'a> {
    fn of(map: &'a Map<String, Value>) -> Self {
        Self { rest: map.iter(), value: None }
    }

    #[inline(never)]
    fn name(&mut self) -> Option<&'a str> {
        let (name, value) = self.rest.next()?;
        self.value = Some(value);
        Some(name)
    }
}

impl<'a> MapAccess<'a> for Members<'a> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        match self.name() {
            Some(name) => seed.deserialize(Name(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        match self.value.take() {
            Some(value) => seed.deserialize(Node(value)),
            None => Err(Wrong::form()),
        }
    }
}

/// The name of a member: a text, or a number written as one.
struct Name<'a>(&'a str);

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.parse() {
            Ok(number) => visitor.visit_u32(number),
            Err(_) => Err(Wrong::form()),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// One of the kinds that a value may be of: its name alone, or the only member of an object.
struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Value>,
}

impl<'a> EnumAccess<'a> for Variant<'a> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let name: StrDeserializer<'a, Wrong> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'a> VariantAccess<'a> for Variant<'a> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        if self.content.is_none() { Ok(()) } else { Err(Wrong::form()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(Node(self.content.ok_or_else(Wrong::form)?))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        Node(self.content.ok_or_else(Wrong::form)?).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Wrong> {
        Node(self.content.ok_or_else(Wrong::form)?).deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Kind {
        Plain,
        Of(u16),
        Pair(bool, String),
        Named { text: Box<str>, number: Option<i64> },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Inner(u32);

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Whole {
        kinds: Vec<Kind>,
        inner: Inner,
        by_name: BTreeMap<String, u8>,
        by_number: BTreeMap<u32, ()>,
        set: BTreeSet<Vec<String>>,
        pairs: Vec<(String, u64)>,
        hash: [u8; 4],
        any: Value,
        #[serde(default)]
        left_out: usize,
        nothing: Option<bool>,
    }

    fn whole() -> Whole {
        Whole {
            kinds: vec![
                Kind::Plain,
                Kind::Of(65535),
                Kind::Pair(true, "ä\u{0}\"".into()),
                Kind::Named { text: "".into(), number: Some(i64::MIN) },
                Kind::Named { text: "x".into(), number: None },
            ],
            inner: Inner(u32::MAX),
            by_name: [(String::from("a"), 255)].into(),
            by_number: [(7, ())].into(),
            set: [vec![], vec![String::from("b")]].into(),
            pairs: vec![(String::new(), u64::MAX)],
            hash: [0, 1, 254, 255],
            any: json!({"a": [null, true, -1, 1.5, "t", {}]}),
            left_out: 9,
            nothing: None,
        }
    }

    #[test]
    fn all_comes_back() {
        let whole = whole();
        assert_eq!(read::<Whole>(&bytes(&whole)).unwrap(), whole);
    }

    #[test]
    fn what_may_be_missing_may_be_missing_and_what_is_unknown_is_passed_over() {
        let mut json = value(&bytes(&whole())).unwrap();
        let map = json.as_object_mut().unwrap();
        map.remove("left_out");
        map.remove("nothing");
        map.insert("unknown".into(), json!([{"deep": [1]}]));
        assert_eq!(from_value::<Whole>(&json).unwrap(), Whole { left_out: 0, ..whole() });
        json.as_object_mut().unwrap().remove("inner");
        assert_eq!(from_value::<Whole>(&json).unwrap_err().to_string(), "inner is missing");
    }

    #[test]
    fn another_form_is_refused() {
        for (name, wrong) in [
            ("kinds", json!([{"Of": 65536}])),
            ("kinds", json!([{"Of": -1}])),
            ("kinds", json!(["Of"])),
            ("kinds", json!([{"Plain": 1}])),
            ("kinds", json!([{"Of": 1, "Plain": null}])),
            ("kinds", json!(["Other"])),
            ("kinds", json!({})),
            ("inner", json!("7")),
            ("inner", json!(1.5)),
            ("by_name", json!([])),
            ("by_name", json!({"a": 256})),
            ("by_number", json!({"a": null})),
            ("hash", json!([1, 2, 3])),
            ("pairs", json!([["a"]])),
            ("nothing", json!(0)),
            ("left_out", json!(null)),
        ] {
            let mut json = value(&bytes(&whole())).unwrap();
            json.as_object_mut().unwrap().insert(name.into(), wrong.clone());
            assert!(from_value::<Whole>(&json).is_err(), "{name} {wrong}");
        }
        assert!(read::<Whole>(b"{").is_err());
        assert!(read::<u8>(b"1 2").is_err());
    }
}
