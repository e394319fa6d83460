//! The syntax of a UCI file: bytes to statements, exactly as libuci reads them, its oddities included.
//!
//! What a reader of the format would not guess, and services on the router rely on all the same:
//!
//! * An error costs the rest of its line, nothing more; the next line is read as if nothing had happened.
//! * `;` ends a statement only after a space or a quote: in `option a b; option c d` it silently ends the whole line.
//! * A keyword ends at a space or tab only, so `config` alone on a line is an unknown command.
//! * A backslash before the end of a line joins lines, except inside single quotes; before anything else it takes that literally.
//! * `#` starts a comment even in the middle of an unquoted word.
//!
//! libuci works on a line buffer which it changes as it goes, ending strings with NUL bytes. Here `end` moves down to where it would put one.

use std::ops::Range;

/// What a statement is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keyword {
    Package,
    Config,
    Option,
    List,
}

/// An argument of a statement.
#[derive(Debug)]
pub(super) struct Word {
    /// Where it stands in the text, with its quotes.
    pub raw: Range<usize>,
    /// Where its value stands, if it stands there byte for byte.
    value: Range<usize>,
    /// Its value, if quotes or escapes come in between.
    decoded: Option<Vec<u8>>,
}

impl Word {
    fn at(position: usize) -> Self {
        Self { raw: position..position, value: position..position, decoded: None }
    }

    /// The value as a range of the text or, failing that, decoded.
    pub fn value(&self) -> Result<Range<usize>, &[u8]> {
        match &self.decoded {
            Some(decoded) => Err(decoded),
            None => Ok(self.value.clone()),
        }
    }

    /// The value, given the text that it was read from.
    pub fn bytes<'a>(&'a self, text: &'a [u8]) -> &'a [u8] {
        match self.value() {
            Ok(range) => text.get(range).unwrap_or_default(),
            Err(decoded) => decoded,
        }
    }

    fn is_empty(&self) -> bool {
        self.decoded.as_ref().map_or(self.value.is_empty(), Vec::is_empty)
    }

    fn push(&mut self, text: &[u8], position: usize) {
        if self.decoded.is_none() {
            if self.value.is_empty() {
                self.value = position..position;
            }
            if self.value.end == position {
                self.value.end = position + 1;
                return;
            }
        }
        let start = self.value.clone();
        let decoded = self.decoded.get_or_insert_with(|| text.get(start).unwrap_or_default().to_vec());
        decoded.extend(text.get(position));
    }
}

/// A statement with its two arguments; one that is missing is an empty word.
#[derive(Debug)]
pub(super) struct Statement {
    pub keyword: Keyword,
    pub first: Word,
    pub second: Word,
    /// What a strict reader refuses and a lenient one overlooks.
    pub complaint: Option<&'static str>,
}

/// How far a [`Scanner`] has come.
#[derive(Clone, Copy, Default)]
pub(super) struct Cursor {
    /// The next byte to be looked at.
    pos: usize,
    /// Where the present line counts as ended.
    end: usize,
    /// Where the next line starts.
    next: usize,
    line: usize,
    starved: bool,
}

impl Cursor {
    /// The number of the line reached, from 1.
    pub fn line(self) -> usize {
        self.line
    }

    /// How far the text has been read.
    pub fn position(self) -> usize {
        self.pos
    }

    /// Where the line reached ends, its newline included.
    pub fn line_end(self) -> usize {
        self.next
    }

    /// Whether the text ended where a quote or a joined line wanted more of it.
    pub fn starved(self) -> bool {
        self.starved
    }
}

/// Reads statements one after the other.
pub(super) struct Scanner<'t> {
    text: &'t [u8],
    at: Cursor,
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        Self::resume(text, Cursor::default())
    }

    /// Goes on where another scanner of the same text has left off.
    pub fn resume(text: &'t [u8], at: Cursor) -> Self {
        Self { text, at }
    }

    /// Where [`Self::resume`] can go on.
    pub fn cursor(&self) -> Cursor {
        self.at
    }

    /// Goes to the next line; false at the end of the text.
    pub fn begin_line(&mut self) -> bool {
        let more = self.fetch();
        self.at.starved = false;
        self.skip_space();
        more
    }

    /// The next statement of the line; `None` when only space or a comment is left. After an error, go on with [`Self::begin_line`].
    pub fn statement(&mut self, in_section: bool) -> Option<Result<Statement, &'static str>> {
        let mut start = self.at.pos;
        while matches!(self.byte(start), b' ' | b'\t') {
            start += 1;
        }
        let mut end = start;
        while !matches!(self.byte(end), 0 | b' ' | b'\t') {
            end += 1;
        }
        let keyword = match self.text.get(start..end).unwrap_or_default() {
            [] | [b'#', ..] => return None,
            b"package" | b"p" => Keyword::Package,
            b"config" | b"c" => Keyword::Config,
            b"option" | b"o" => Keyword::Option,
            b"list" | b"l" => Keyword::List,
            _ => return Some(Err("unknown command")),
        };
        if matches!(keyword, Keyword::Option | Keyword::List) && !in_section {
            return Some(Err("option or list before the first section"));
        }
        if self.byte(end) == 0 {
            return Some(Err("command without a name"));
        }
        self.at.pos = end + 1;
        Some(self.arguments(keyword))
    }

    fn arguments(&mut self, keyword: Keyword) -> Result<Statement, &'static str> {
        let first = self.argument()?;
        if first.is_empty() {
            return Err("missing argument");
        }
        let valid = match keyword {
            Keyword::Package => is_package(first.bytes(self.text)),
            Keyword::Config => is_kind(first.bytes(self.text)),
            Keyword::Option | Keyword::List => is_name(first.bytes(self.text)),
        };
        if !valid {
            return Err("invalid character in a name");
        }
        let second = match keyword {
            Keyword::Package => Word::at(self.at.pos),
            _ => self.argument()?,
        };
        if keyword == Keyword::Config && !second.is_empty() && !is_name(second.bytes(self.text)) {
            return Err("invalid character in a name");
        }
        let rest = self.argument()?;
        let complaint = if rest.is_empty() { None } else { Some("too many arguments") };
        Ok(Statement { keyword, first, second, complaint })
    }

    fn argument(&mut self) -> Result<Word, &'static str> {
        self.skip_space();
        if self.current() == b';' {
            let word = Word::at(self.at.pos);
            self.at.pos += 1;
            return Ok(word);
        }
        self.word()
    }

    fn word(&mut self) -> Result<Word, &'static str> {
        let mut word = Word::at(self.at.pos);
        let mut plain = true;
        let mut separator = false;
        loop {
            match self.current() {
                b'\'' => {
                    plain = false;
                    self.single_quoted(&mut word)?;
                }
                b'"' => {
                    plain = false;
                    self.double_quoted(&mut word)?;
                }
                b'#' => self.at.end = self.at.pos,
                0 => break,
                b';' => {
                    separator = true;
                    break;
                }
                b'\\' => {
                    plain = false;
                    if self.escape() {
                        self.take(&mut word);
                    }
                }
                _ => self.take(&mut word),
            }
            if self.current() == 0 || is_space(self.current()) {
                break;
            }
        }
        word.raw.end = self.at.pos;
        if separator {
            if plain {
                // The end of the word is written over the separator, and the rest of the line is never seen.
                self.at.end = self.at.pos;
            }
        } else if self.current() != 0 {
            self.at.pos += 1;
        }
        Ok(word)
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), &'static str> {
        self.at.pos += 1;
        loop {
            match self.current() {
                b'\'' => {
                    self.at.pos += 1;
                    return Ok(());
                }
                0 => self.next_quoted_line()?,
                _ => self.take(word),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), &'static str> {
        self.at.pos += 1;
        loop {
            match self.current() {
                b'"' => {
                    self.at.pos += 1;
                    return Ok(());
                }
                0 => self.next_quoted_line()?,
                b'\\' => {
                    if self.escape() {
                        self.take(word);
                    }
                }
                _ => self.take(word),
            }
        }
    }

    fn next_quoted_line(&mut self) -> Result<(), &'static str> {
        if self.fetch() { Ok(()) } else { Err("quote without an end") }
    }

    /// Goes past a backslash; whether the byte after it is to be taken literally. If not, it was the end of a line, and the next one follows.
    fn escape(&mut self) -> bool {
        self.at.pos += 1;
        match self.current() {
            0 | b'\n' => {}
            b'\r' if self.byte(self.at.pos + 1) == b'\n' => {}
            _ => return true,
        }
        self.fetch();
        false
    }

    fn take(&mut self, word: &mut Word) {
        word.push(self.text, self.at.pos);
        self.at.pos += 1;
    }

    fn fetch(&mut self) -> bool {
        self.at.pos = self.at.next;
        let rest = self.text.get(self.at.next..).unwrap_or_default();
        if rest.is_empty() {
            self.at.end = self.at.pos;
            self.at.starved = true;
            return false;
        }
        let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |newline| newline + 1);
        self.at.next += length;
        self.at.end = self.at.next;
        self.at.line += 1;
        true
    }

    fn skip_space(&mut self) {
        while is_space(self.current()) {
            self.at.pos += 1;
        }
    }

    fn current(&self) -> u8 {
        self.byte(self.at.pos)
    }

    /// The byte there; 0 at the end of the line.
    fn byte(&self, position: usize) -> u8 {
        if position < self.at.end { self.text.get(position).copied().unwrap_or(0) } else { 0 }
    }
}

/// The only statement of `text`, if there is exactly one, a strict reader has nothing to say, and whatever follows starts on a line of its own.
pub(super) fn sole_statement(text: &[u8]) -> Option<Statement> {
    let mut scanner = Scanner::new(text);
    if !scanner.begin_line() || text.last() != Some(&b'\n') {
        return None;
    }
    let statement = scanner.statement(true)?.ok()?;
    let sole = statement.complaint.is_none()
        && !scanner.at.starved()
        && scanner.statement(true).is_none()
        && scanner.at.line_end() == text.len();
    sole.then_some(statement)
}

/// Whether libuci takes it as the name of a section or an option: letters, digits and `_`.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&c| c.is_ascii_alphanumeric() || c == b'_')
}

/// Whether libuci takes it as the type of a section: printable ASCII without spaces.
pub(super) fn is_kind(kind: &[u8]) -> bool {
    !kind.is_empty() && kind.iter().all(u8::is_ascii_graphic)
}

/// Whether libuci takes it as the name of a package in a `package` line: letters, digits, `_` and `-`.
pub(super) fn is_package(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'))
}

/// The white space of C.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Keyword, String, String)> {
        let mut scanner = Scanner::new(text.as_bytes());
        let mut found = Vec::new();
        while scanner.begin_line() {
            while let Some(Ok(statement)) = scanner.statement(true) {
                let decode = |word: &Word| String::from_utf8(word.bytes(text.as_bytes()).to_vec()).unwrap();
                found.push((statement.keyword, decode(&statement.first), decode(&statement.second)));
            }
        }
        found
    }

    fn values(text: &str) -> Vec<String> {
        read(text).into_iter().map(|(_, _, value)| value).collect()
    }

    #[test]
    fn words_may_be_bare_quoted_or_mixed() {
        assert_eq!(values("option a b\n"), ["b"]);
        assert_eq!(values("option a 'b c'\n"), ["b c"]);
        assert_eq!(values("option a \"b 'c'\"\n"), ["b 'c'"]);
        assert_eq!(values("option a b'c d'\"e f\"g\n"), ["bc de fg"]);
        assert_eq!(values("option a 'it'\\''s'\n"), ["it's"]);
        assert_eq!(values("option 'a' ''\n"), [""]);
        assert_eq!(values("option a\n"), [""]);
    }

    #[test]
    fn a_backslash_takes_the_next_byte_literally_but_not_in_single_quotes() {
        assert_eq!(values("option a b\\ c\\\"\\#\\;\\\\\n"), ["b c\"#;\\"]);
        assert_eq!(values(r#"option a "\"\\\n""#), [r#""\n"#]);
        assert_eq!(values(r"option a '\n\'"), [r"\n\"]);
    }

    #[test]
    fn a_backslash_joins_lines_and_quotes_run_over_them() {
        assert_eq!(values("option a b\\\nc\n"), ["bc"]);
        assert_eq!(values("option a b\\\r\nc\n"), ["bc"]);
        assert_eq!(values("option a \"b\\\nc\"\n"), ["bc"]);
        assert_eq!(values("option a 'b\nc\n'\n"), ["b\nc\n"]);
        assert_eq!(values("option a \"b\r\nc\"\n"), ["b\r\nc"]);
        assert_eq!(values("option a 'b\\\nc'\n"), ["b\\\nc"]);
        // The joined line starts with a space: the word had ended.
        assert_eq!(values("option a \\\n b\n"), [""]);
    }

    #[test]
    fn a_hash_starts_a_comment_anywhere_but_in_quotes() {
        assert_eq!(values("# option a b\n  #x\noption a b # c\n"), ["b"]);
        assert_eq!(values("option a b#c\n"), ["b"]);
        assert_eq!(values("option a 'b#c'#d\n"), ["b#c"]);
    }

    #[test]
    fn a_semicolon_separates_after_a_space_or_quote_and_else_ends_the_line() {
        assert_eq!(values("option a 'b';option c d\n"), ["b", "d"]);
        assert_eq!(values("option a b ; option c d\n"), ["b", "d"]);
        assert_eq!(values("option a b; option c d\noption e f\n"), ["b", "f"]);
    }

    #[test]
    fn keywords_have_short_forms() {
        assert_eq!(
            read("p x\nc y z\no a b\nl c d\n").into_iter().map(|(keyword, ..)| keyword).collect::<Vec<_>>(),
            [Keyword::Package, Keyword::Config, Keyword::Option, Keyword::List]
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, reason) in [
            ("config\n", "unknown command"),
            ("config", "command without a name"),
            ("foo bar\n", "unknown command"),
            ("config ''\n", "missing argument"),
            ("config a b-c\n", "invalid character in a name"),
            ("option a.b c\n", "invalid character in a name"),
            ("option a 'b\n", "quote without an end"),
            ("option a \"b\n", "quote without an end"),
        ] {
            let mut scanner = Scanner::new(text.as_bytes());
            assert!(scanner.begin_line());
            assert_eq!(scanner.statement(true).unwrap().unwrap_err(), reason, "{text:?}");
        }
        let mut scanner = Scanner::new(b"option a b c\n");
        assert!(scanner.begin_line());
        assert_eq!(scanner.statement(true).unwrap().unwrap().complaint, Some("too many arguments"));
    }
}
