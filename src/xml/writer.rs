//! Writes XML piece by piece into a buffer.
//!
//! The writer of the `xml` crate wants the whole document in one go, keeps a stack of owned names and allocates for each element.
//! A large answer is written an entry at a time into one small buffer, some of it in another pass than its start tag, so this one
//! holds no state at all: who opens an element closes it.
//!
//! Text is escaped so that a reader gets back exactly what was written: `& < > "` as entities; tabs, line ends and the control
//! characters that XML allows as numeric references. Characters that XML 1.0 cannot carry at all, which are the other control
//! characters and U+FFFE and U+FFFF, become U+FFFD, so that their place stays visible and no two texts join.

use std::io::Write;

/// Appends to a buffer; see the module's documentation. Names are written as they are and have to be names.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Writes markup as it stands.
    pub fn raw(&mut self, markup: &str) {
        self.out.extend_from_slice(markup.as_bytes());
    }

    /// `<name>`
    pub fn open(&mut self, name: &str) {
        self.raw("<");
        self.raw(name);
        self.raw(">");
    }

    /// `<name attribute="value">`, where the value is the concatenation of `value`.
    pub fn open_with(&mut self, name: &str, attribute: &str, value: &[&str]) {
        self.raw("<");
        self.raw(name);
        self.raw(" ");
        self.raw(attribute);
        self.raw("=\"");
        for part in value {
            self.text(part);
        }
        self.raw("\">");
    }

    /// `</name>`
    pub fn close(&mut self, name: &str) {
        self.raw("</");
        self.raw(name);
        self.raw(">");
    }

    /// `<name>text</name>`, never `<name/>`.
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close(name);
    }

    /// A number in its shortest decimal form.
    pub fn number(&mut self, number: impl Into<i64>) {
        // Writing into a vector cannot fail.
        let _ = write!(self.out, "{}", number.into());
    }

    /// `<name>number</name>`
    pub fn number_leaf(&mut self, name: &str, number: impl Into<i64>) {
        self.open(name);
        self.number(number);
        self.close(name);
    }

    /// Content of an element or of an attribute, escaped.
    pub fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some((at, special)) = rest.char_indices().find(|&(_, c)| is_special(c)) {
            let (plain, tail) = rest.split_at(at);
            self.raw(plain);
            self.special(special);
            rest = tail.get(special.len_utf8()..).unwrap_or_default();
        }
        self.raw(rest);
    }

    fn special(&mut self, c: char) {
        match c {
            '&' => self.raw("&amp;"),
            '<' => self.raw("&lt;"),
            '>' => self.raw("&gt;"),
            '"' => self.raw("&quot;"),
            '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}' => {
                self.raw("&#");
                self.number(u32::from(c));
                self.raw(";");
            }
            _ => self.raw("\u{fffd}"),
        }
    }
}

fn is_special(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '"' | '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Writer)) -> String {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn x17_text_is_escaped() {
        assert_eq!(written(|w| w.text("a<b&\"c\">'")), "a&lt;b&amp;&quot;c&quot;&gt;'");
        assert_eq!(written(|w| w.text("\t\n\r\u{7f}\u{85}")), "&#9;&#10;&#13;&#127;&#133;");
        assert_eq!(written(|w| w.text("\u{1}é\u{1f}\u{ffff}ü😊")), "\u{fffd}é\u{fffd}\u{fffd}ü😊");
    }

    #[test]
    fn elements() {
        assert_eq!(written(|w| w.leaf("a", "")), "<a></a>");
        assert_eq!(written(|w| w.number_leaf("a", -1)), "<a>-1</a>");
        assert_eq!(written(|w| w.open_with("a", "b", &["c:", "\""])), "<a b=\"c:&quot;\">");
    }
}
