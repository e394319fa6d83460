//! How the pieces of a message are read: children one after the other, texts, and records of leaf elements.

use super::ErrorKind;
use crate::xml::reader::{self, Element, Event, Reader};

/// Why reading stopped.
pub(super) enum Failure {
    /// The document is not sound.
    Xml(reader::Error),
    /// It is sound but no envelope that is taken.
    Envelope(ErrorKind),
    /// An argument is missing or wrong: which, and how. Never quotes a value.
    Arguments(String),
}

pub(super) type Step<T> = Result<T, Failure>;

/// Walks through a document. Every element that [`Decoder::child`] gives is read to its end by `text`, `skip`, `record` or by
/// taking its own children until there are no more.
pub(super) struct Decoder<'a> {
    reader: Reader<'a>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(reader: Reader<'a>) -> Self {
        Self { reader }
    }

    pub(super) fn next(&mut self) -> Step<Event> {
        Ok(self.reader.next()?)
    }

    /// The next child of the element that is open, or `None` once its end tag has been read. Text between children is passed over.
    pub(super) fn child(&mut self) -> Step<Option<Element>> {
        loop {
            match self.next()? {
                Event::Start(element) => return Ok(Some(element)),
                Event::Text(_) => {}
                Event::End | Event::Done => return Ok(None),
            }
        }
    }

    /// The text of the element that is open, to its end tag, as sent.
    pub(super) fn text(&mut self) -> Step<String> {
        let mut all = String::new();
        loop {
            match self.next()? {
                Event::Text(text) if all.is_empty() => all = text,
                Event::Text(text) => all.push_str(&text),
                Event::End | Event::Done => return Ok(all),
                // A value whose markup was not escaped: part of it would be lost.
                Event::Start(element) => {
                    return Err(Failure::Arguments(format!("element {} where only text belongs", element.local())));
                }
            }
        }
    }

    /// The text without the white space around it.
    pub(super) fn trimmed(&mut self) -> Step<String> {
        Ok(self.text()?.trim().to_owned())
    }

    /// Passes over the element that is open.
    pub(super) fn skip(&mut self) -> Step<()> {
        let mut open = 1u32;
        while open > 0 {
            match self.next()? {
                Event::Start(_) => open = open.saturating_add(1),
                Event::End => open = open.saturating_sub(1),
                Event::Text(_) => {}
                Event::Done => break,
            }
        }
        Ok(())
    }

    /// Reads to the end of the document.
    pub(super) fn finish(&mut self) -> Step<()> {
        while !matches!(self.next()?, Event::Done) {}
        Ok(())
    }

    /// The children with the given names as a record; other children are passed over.
    pub(super) fn record(&mut self, names: &'static [&'static str]) -> Step<Record> {
        let mut record = Record::default();
        while let Some(element) = self.child()? {
            record.take(self, &element, names)?;
        }
        Ok(record)
    }
}

/// The texts of all children, whatever they are called, without white space around them.
pub(super) fn names(d: &mut Decoder) -> Step<Vec<String>> {
    let mut all = Vec::new();
    while d.child()?.is_some() {
        all.push(d.trimmed()?);
    }
    Ok(all)
}

/// Leaf elements by name, as sent.
#[derive(Default)]
pub(super) struct Record {
    fields: Vec<(&'static str, String)>,
}

impl Record {
    /// Reads the element just opened into the record when its name is one of `names`, else passes over it.
    pub(super) fn take(&mut self, d: &mut Decoder, element: &Element, names: &[&'static str]) -> Step<()> {
        match names.iter().find(|&&name| name == element.local()) {
            Some(&name) => {
                let text = d.text()?;
                self.fields.push((name, text));
                Ok(())
            }
            None => d.skip(),
        }
    }

    /// Whether nothing was read into it.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The text as sent, `None` when the element is not there.
    pub(super) fn find(&mut self, name: &str) -> Option<String> {
        self.fields.iter_mut().find(|(field, _)| *field == name).map(|(_, text)| std::mem::take(text))
    }

    /// The text as sent, empty when the element is not there.
    pub(super) fn optional(&mut self, name: &str) -> String {
        self.find(name).unwrap_or_default()
    }

    /// The text as sent, of an element that has to be there.
    pub(super) fn string(&mut self, name: &str) -> Step<String> {
        self.find(name).ok_or_else(|| missing(name))
    }

    /// The text without white space around it, of an element that has to be there.
    pub(super) fn name(&mut self, name: &str) -> Step<String> {
        Ok(self.string(name)?.trim().to_owned())
    }

    /// A number that has to be there.
    pub(super) fn number<T: TryFrom<i64>>(&mut self, name: &str) -> Step<T> {
        let text = self.string(name)?;
        number(&text).ok_or_else(|| Failure::Arguments(format!("{name} is not a number in its range")))
    }

    /// A number, or 0 when its element is missing or empty.
    pub(super) fn number_or_zero<T: TryFrom<i64> + Default>(&mut self, name: &str) -> Step<T> {
        let text = self.optional(name);
        if text.trim().is_empty() {
            return Ok(T::default());
        }
        number(&text).ok_or_else(|| Failure::Arguments(format!("{name} is not a number in its range")))
    }

    /// A boolean that has to be there.
    pub(super) fn boolean(&mut self, name: &str) -> Step<bool> {
        let text = self.string(name)?;
        boolean(&text).ok_or_else(|| Failure::Arguments(format!("{name} is not a boolean")))
    }
}

/// That an argument is not there.
pub(super) fn missing(name: &str) -> Failure {
    Failure::Arguments(format!("{name} is missing"))
}

fn number<T: TryFrom<i64>>(text: &str) -> Option<T> {
    text.trim().parse::<i64>().ok().and_then(|number| T::try_from(number).ok())
}

/// CONFORMANCE X-19.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim();
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// What follows the prefix of a qualified name in a value; the prefix need not be declared.
pub(super) fn local_name(text: &str) -> &str {
    text.rsplit(':').next().unwrap_or_default().trim()
}
