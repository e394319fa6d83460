//! Rows that are not in the configuration: those that the ACS has made and not finished, and those that it has switched off where UCI can only leave
//! them out. They are kept in the agent's own state.

use crate::model::context::Context;

/// What the name of a row begins with that stands for nothing yet. No device or section has a name with a space.
const NEW: &str = "new ";

/// A row that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptRow {
    /// What it is known by.
    pub key: String,
    /// Whether it is enabled.
    pub on: bool,
    /// What else is known of it; without `;` and `|`.
    pub fields: Vec<String>,
}

/// The rows of a table that are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    name: String,
    /// The greatest number that a row which stands for nothing ever had.
    last: u32,
    /// The rows, in the order in which they were made.
    pub rows: Vec<KeptRow>,
}

impl Kept {
    /// What is kept under a name.
    #[must_use]
    pub fn read(cx: &Context, name: &str) -> Self {
        Self::parse(name, &cx.own(name).unwrap_or_default())
    }

    /// `last;flag key|field|...;...`
    fn parse(name: &str, text: &str) -> Self {
        let mut parts = text.split(';');
        let last = parts.next().and_then(|last| last.parse().ok()).unwrap_or(0);
        let row = |part: &str| {
            let (on, part) =
                part.strip_prefix('+').map(|part| (true, part)).or(part.strip_prefix('-').map(|part| (false, part)))?;
            let mut fields = part.split('|').map(String::from);
            let key = fields.next().filter(|key| !key.is_empty())?;
            Some(KeptRow { key, on, fields: fields.collect() })
        };
        Self { name: String::from(name), last, rows: parts.filter_map(row).collect() }
    }

    fn to_text(&self) -> String {
        let mut text = self.last.to_string();
        for row in &self.rows {
            text.push_str(if row.on { ";+" } else { ";-" });
            text.push_str(&row.key);
            for field in &row.fields {
                text.push('|');
                text.push_str(field);
            }
        }
        text
    }

    /// Stages it.
    pub fn store(&self, cx: &mut Context) {
        let text = (*self != Self { name: self.name.clone(), ..Self::default() }).then(|| self.to_text());
        if cx.own(&self.name) != text {
            cx.set_own(&self.name, text.as_deref());
        }
    }

    /// A row.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&KeptRow> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// Keeps a row, in the place of the one with its key.
    pub fn put(&mut self, row: KeptRow) {
        match self.rows.iter_mut().find(|known| known.key == row.key) {
            Some(known) => *known = row,
            None => self.rows.push(row),
        }
    }

    /// Keeps a row no more.
    pub fn remove(&mut self, key: &str) {
        self.rows.retain(|row| row.key != key);
    }

    /// A key for a row that stands for nothing, never given before.
    pub fn new_key(&mut self) -> String {
        self.last = self.last.saturating_add(1);
        format!("{NEW}{}", self.last)
    }
}

/// Whether a row stands for nothing yet.
#[must_use]
pub fn is_new(key: &str) -> bool {
    key.starts_with(NEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_as_they_were_kept() {
        let mut kept = Kept { name: "x".into(), ..Kept::default() };
        let key = kept.new_key();
        kept.put(KeptRow { key: key.clone(), on: true, fields: vec!["a b".into(), String::new()] });
        kept.put(KeptRow { key: "lan3".into(), on: false, fields: Vec::new() });
        assert_eq!(Kept::parse("x", &kept.to_text()), kept);
        assert!(is_new(&key) && kept.get(&key).is_some_and(|row| row.on));
        kept.remove("lan3");
        assert_ne!(kept.new_key(), key);
        assert!(Kept::parse("x", "garbage;;-;?").rows.is_empty());
    }
}
