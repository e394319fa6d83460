//! Tables of DHCP options with `Enable`, `Tag` and `Value`.
//!
//! UCI has the options that are in effect, each in the form that its daemon takes. So that a row keeps its number when its tag changes, and waits
//! while it is switched off or has no tag yet, each has a slot in the agent's own state, which goes with the row around the table.

use std::fmt::Write;
use std::rc::Rc;

use crate::device::slots;
use crate::error::{Error, Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Text, Values};

/// The options in effect: tags with their values in hexadecimal digits.
pub type Present = Vec<(u16, String)>;

/// Writes the options that are to be in effect.
pub type WriteOptions = fn(&mut Context, &Row, &[(u16, String)]) -> Result<(), Fault>;

/// Judges a tag with its value; the fault names the parameter that is to blame.
pub type JudgeOption = fn(u16, &str) -> Result<(), (&'static str, Fault)>;

/// How a table of options reads and writes them.
pub struct Options {
    /// The last part of the table's name.
    pub table: &'static str,
    /// What is in effect for the row around the table, in its order.
    pub read: fn(&mut Context, &Row) -> Result<Present>,
    /// Writes what is to be in effect.
    pub write: WriteOptions,
    /// Judges a tag with its value; the fault names the parameter that is to blame.
    pub judge: JudgeOption,
    /// Whether a row without a value waits for one.
    pub valued: bool,
}

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Slot {
    number: u32,
    enabled: bool,
    tag: Option<u16>,
    value: String,
}

/// The rows of a table, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Slots {
    /// The greatest number that a slot ever had.
    last: u32,
    slots: Vec<Slot>,
}

impl Slot {
    /// The tag and value that UCI has of it.
    fn in_effect(&self, valued: bool) -> Option<(u16, String)> {
        let tag = self.tag.filter(|_| self.enabled && !(valued && self.value.is_empty()))?;
        Some((tag, self.value.clone()))
    }
}

impl Slots {
    /// `last;number enabled tag value;...`
    fn parse(text: &str) -> Self {
        let (last, slots) = slots::parse(text, |number, enabled, tag, value| Slot {
            number,
            enabled,
            tag: tag.parse().ok(),
            value: String::from(value),
        });
        Self { last, slots }
    }

    fn to_text(&self) -> String {
        let mut text = self.last.to_string();
        for slot in &self.slots {
            let tag = slot.tag.map_or_else(String::new, |tag| tag.to_string());
            slots::push(&mut text, slot.number, slot.enabled, &tag, &slot.value);
        }
        text
    }

    /// Brings what was kept together with what UCI has now. What is in effect stands in UCI's order; what waits keeps its place among it.
    fn reconcile(&mut self, present: Present, valued: bool) {
        let mut found: Vec<Slot> = Vec::with_capacity(present.len());
        for (tag, value) in present {
            if found.iter().any(|slot| slot.tag == Some(tag)) {
                continue;
            }
            let known = self.slots.iter().find(|slot| slot.in_effect(valued).is_some_and(|(known, _)| known == tag));
            found.push(match known {
                // The digits come back as they were written.
                Some(slot) if slot.value.eq_ignore_ascii_case(&value) => slot.clone(),
                Some(slot) => Slot { value, ..slot.clone() },
                None => {
                    self.last = self.last.saturating_add(1);
                    Slot { number: self.last, enabled: true, tag: Some(tag), value }
                }
            });
        }
        let mut found = found.into_iter();
        let mut slots = Vec::with_capacity(self.slots.len());
        for slot in std::mem::take(&mut self.slots) {
            if slot.in_effect(valued).is_some() {
                slots.extend(found.next());
            } else {
                slots.push(slot);
            }
        }
        slots.extend(found);
        self.slots = slots;
    }

    fn place(&self, key: &str) -> Option<usize> {
        let number: u32 = key.parse().ok()?;
        self.slots.iter().position(|slot| slot.number == number)
    }
}

fn around(row: &Row) -> Result<Rc<Row>> {
    row.parent().cloned().ok_or_else(|| Error::other("an option without a row around it"))
}

impl Options {
    fn own_name(&self, cx: &Context, around: &Row) -> String {
        format!("{}{}", cx.schema().path(around.node(), around), self.table)
    }

    fn slots(&self, cx: &mut Context, around: &Row) -> Result<Slots> {
        let name = self.own_name(cx, around);
        let mut slots = cx.own(&name).map(|text| Slots::parse(&text)).unwrap_or_default();
        slots.reconcile((self.read)(cx, around)?, self.valued);
        Ok(slots)
    }

    fn slot(&self, cx: &mut Context, row: &Row) -> Result<Slot> {
        let slots = self.slots(cx, &*around(row)?)?;
        let key = cx.key(row)?;
        let slot = slots.place(&key).and_then(|place| slots.slots.get(place).cloned());
        slot.ok_or_else(|| Error::other("the option is gone"))
    }

    /// What the rows are known by.
    ///
    /// # Errors
    /// When UCI cannot be read.
    pub fn keys(&self, cx: &mut Context, around: &Row) -> Result<Vec<String>> {
        Ok(self.slots(cx, around)?.slots.iter().map(|slot| slot.number.to_string()).collect())
    }

    /// `Enable`
    ///
    /// # Errors
    /// When the row is gone.
    pub fn enabled(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        Ok(truth(self.slot(cx, row)?.enabled))
    }

    /// `Tag`; 0 where it has none yet.
    ///
    /// # Errors
    /// When the row is gone.
    pub fn tag(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        Ok(Text::Owned(self.slot(cx, row)?.tag.unwrap_or(0).to_string()))
    }

    /// `Value`
    ///
    /// # Errors
    /// When the row is gone.
    pub fn value(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        Ok(Text::Owned(self.slot(cx, row)?.value))
    }

    /// `Order`, from 1.
    ///
    /// # Errors
    /// When the row is gone.
    pub fn order(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        let key = cx.key(row)?;
        let place = self.slots(cx, &*around(row)?)?.place(&key).unwrap_or(0);
        Ok(Text::Owned(place.saturating_add(1).to_string()))
    }

    /// A new row, switched off and without a tag.
    ///
    /// # Errors
    /// When UCI cannot be read.
    pub fn add(&self, cx: &mut Context, around: &Row) -> Result<String, Fault> {
        let mut slots = self.slots(cx, around)?;
        slots.last = slots.last.saturating_add(1);
        let number = slots.last;
        slots.slots.push(Slot { number, enabled: false, tag: None, value: String::new() });
        let name = self.own_name(cx, around);
        cx.set_own(&name, Some(&slots.to_text()));
        Ok(number.to_string())
    }

    /// Takes a row away.
    ///
    /// # Errors
    /// When UCI cannot be read or written.
    pub fn delete(&self, cx: &mut Context, row: &Row) -> Result<(), Fault> {
        let (around, key) = (around(row)?, cx.key(row)?);
        let mut slots = self.slots(cx, &around)?;
        if let Some(place) = slots.place(&key) {
            slots.slots.remove(place);
        }
        self.store(cx, &around, &slots)
    }

    /// Writes `Enable`, `Order`, `Tag` and `Value` of a row.
    ///
    /// # Errors
    /// What is wrong with the end state, and the parameter to blame.
    pub fn set(&self, cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
        let broken = |error: Error| ("Enable", Fault::from(error));
        let around = around(row).map_err(broken)?;
        let key = cx.key(row).map_err(broken)?;
        let mut slots = self.slots(cx, &around).map_err(broken)?;
        let before = slots.clone();
        let place = slots.place(&key).ok_or_else(|| broken(Error::other("the option is gone")))?;
        let mut slot = slots.slots.remove(place);
        if let Some(value) = values.get("Enable") {
            slot.enabled = value == "true";
        }
        if let Some(value) = values.get("Tag") {
            slot.tag = value.parse().ok().or(slot.tag);
        }
        if let Some(value) = values.get("Value") {
            slot.value = String::from(value);
        }
        if let Some((tag, value)) = slot.in_effect(self.valued) {
            (self.judge)(tag, &value).map_err(|(blamed, fault)| {
                let sent = values.get(blamed).is_some();
                (if sent { blamed } else { "Enable" }, fault)
            })?;
            if slots.slots.iter().any(|other| other.enabled && other.tag == Some(tag)) {
                let blamed = if values.get("Tag").is_some() { "Tag" } else { "Enable" };
                return Err((blamed, Fault::value("another enabled row has the same Tag")));
            }
        }
        let wanted = values.get("Order").and_then(|order| order.parse::<usize>().ok());
        let place = wanted.map_or(place, |order| order.saturating_sub(1)).min(slots.slots.len());
        slots.slots.insert(place, slot);
        if slots == before {
            return Ok(());
        }
        self.store(cx, &around, &slots).map_err(|fault| ("Value", fault))
    }

    fn store(&self, cx: &mut Context, around: &Row, slots: &Slots) -> Result<(), Fault> {
        let wanted: Present = slots.slots.iter().filter_map(|slot| slot.in_effect(self.valued)).collect();
        let before = (self.read)(cx, around)?;
        let same = before.len() == wanted.len()
            && before.iter().zip(&wanted).all(|(a, b)| a.0 == b.0 && a.1.eq_ignore_ascii_case(&b.1));
        if !same {
            (self.write)(cx, around, &wanted)?;
        }
        let name = self.own_name(cx, around);
        cx.set_own(&name, Some(&slots.to_text()));
        Ok(())
    }
}

/// The items of a UCI option that may be a list or one text with blanks, such as `sendopts`.
///
/// # Errors
/// When the section of the row is gone.
pub fn words(cx: &mut Context, row: &Row, option: &str) -> Result<Vec<String>> {
    let section = cx.section(row)?;
    Ok(section.list(option).into_iter().flat_map(str::split_ascii_whitespace).map(String::from).collect())
}

/// The value in an item of `sendopts`: a text in quotes, or hexadecimal digits; in digits, whether they are some or not.
#[must_use]
pub fn value_of(text: &str) -> String {
    let inside = text.trim_matches(['"', '\'']);
    if inside.len() == text.len() { text.to_ascii_lowercase() } else { hex(inside.as_bytes()) }
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String never fails.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Hexadecimal digits as bytes.
#[must_use]
pub fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| std::str::from_utf8(pair).ok().and_then(byte)).collect()
}

fn byte(pair: &str) -> Option<u8> {
    let digits = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
}

/// Hexadecimal digits as a text that can stand in a file and in a list of arguments: no control characters, nothing that is not UTF-8.
#[must_use]
pub fn printable(hex: &str) -> Option<String> {
    let text = String::from_utf8(bytes(hex)?).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u32, enabled: bool, tag: u16, value: &str) -> Slot {
        Slot { number, enabled, tag: Some(tag), value: value.into() }
    }

    #[test]
    fn p62_slots_keep_their_numbers_while_uci_changes() {
        let mut slots = Slots::default();
        slots.reconcile(vec![(12, "61".into()), (60, "62".into()), (12, "63".into())], true);
        assert_eq!(slots.slots, [slot(1, true, 12, "61"), slot(2, true, 60, "62")]);
        slots.slots.insert(1, slot(3, false, 61, ""));
        slots.last = 3;
        // Another order, another value, one that is new.
        slots.reconcile(vec![(60, "AA".into()), (12, "61".into()), (77, "00".into())], true);
        assert_eq!(
            slots.slots,
            [slot(2, true, 60, "AA"), slot(3, false, 61, ""), slot(1, true, 12, "61"), slot(4, true, 77, "00")]
        );
        slots.reconcile(vec![(60, "aa".into())], true);
        assert_eq!(slots.slots, [slot(2, true, 60, "AA"), slot(3, false, 61, "")]);
    }

    #[test]
    fn slots_are_read_back_as_they_were_written() {
        let waiting = Slot { number: 7, enabled: true, tag: None, value: String::new() };
        let slots = Slots { last: 9, slots: vec![slot(2, true, 60, "6a"), waiting] };
        assert_eq!(Slots::parse(&slots.to_text()), slots);
        assert_eq!(Slots::parse("garbage; ;x"), Slots::default());
    }

    #[test]
    fn only_texts_are_printable() {
        assert_eq!(printable("6d79").as_deref(), Some("my"));
        for hex in ["", "6", "zz", "+1", "0a", "ff", "00"] {
            assert_eq!(printable(hex), None, "{hex}");
        }
    }
}
