//! Statements to bytes: what a line that is new, or cannot be kept, looks like. It is the form in which libuci writes.

use super::parse::{Keyword, Statement, sole_statement};

/// Puts a value into single quotes; a quote within becomes `'\''`.
pub(super) fn quote(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'\'');
    for (i, part) in value.split(|&byte| byte == b'\'').enumerate() {
        if i > 0 {
            out.extend_from_slice(b"'\\''");
        }
        out.extend_from_slice(part);
    }
    out.push(b'\'');
}

/// A whole line for this statement. An empty `second` leaves a section without a name.
pub(super) fn line(keyword: Keyword, first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(first.len() + second.len() + 16);
    out.extend_from_slice(match keyword {
        Keyword::Package => b"package ",
        Keyword::Config => b"config ",
        Keyword::Option => b"\toption ",
        Keyword::List => b"\tlist ",
    });
    if first.iter().all(|&c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.')) {
        out.extend_from_slice(first);
    } else {
        quote(&mut out, first);
    }
    if keyword != Keyword::Config || !second.is_empty() {
        out.push(b' ');
        quote(&mut out, second);
    }
    out.push(b'\n');
    out
}

/// The line `old` with another second argument: its layout and comment stay. `None` where the line is too odd for that.
pub(super) fn spliced(old: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let old = with_newline(old);
    let before = sole_statement(&old)?;
    let mut new = Vec::with_capacity(old.len() + second.len() + 3);
    if before.second.raw.is_empty() {
        new.extend_from_slice(old.get(..before.first.raw.end)?);
        new.push(b' ');
        quote(&mut new, second);
        new.extend_from_slice(old.get(before.first.raw.end..)?);
    } else {
        new.extend_from_slice(old.get(..before.second.raw.start)?);
        quote(&mut new, second);
        new.extend_from_slice(old.get(before.second.raw.end..)?);
    }
    let after = sole_statement(&new)?;
    let same = after.keyword == before.keyword
        && after.first.bytes(&new) == before.first.bytes(&old)
        && after.second.bytes(&new) == second;
    same.then_some(new)
}

/// The line `old` with a newline at its end. `None` where that would make it say something else.
pub(super) fn closed(old: &[u8], first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let new = with_newline(old);
    let says = |statement: &Statement| statement.first.bytes(&new) == first && statement.second.bytes(&new) == second;
    let same = sole_statement(&new).as_ref().is_some_and(says);
    same.then_some(new)
}

fn with_newline(line: &[u8]) -> Vec<u8> {
    let mut line = line.to_vec();
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_as_libuci_does() {
        assert_eq!(line(Keyword::Option, b"a", b"it's"), b"\toption a 'it'\\''s'\n");
        assert_eq!(line(Keyword::List, b"a", b""), b"\tlist a ''\n");
        assert_eq!(line(Keyword::Config, b"wifi-iface", b""), b"config wifi-iface\n");
        assert_eq!(line(Keyword::Config, b"interface", b"lan"), b"config interface 'lan'\n");
        // libuci would write this type bare, and not read it back.
        assert_eq!(line(Keyword::Config, b"a#b", b""), b"config 'a#b'\n");
    }

    #[test]
    fn a_new_value_leaves_layout_and_comment() {
        let splice =
            |old: &str, new: &str| spliced(old.as_bytes(), new.as_bytes()).map(|l| String::from_utf8(l).unwrap());
        assert_eq!(splice("  option  a\tb  # why\n", "c d").unwrap(), "  option  a\t'c d'  # why\n");
        assert_eq!(splice("option a \"b\"", "c").unwrap(), "option a 'c'\n");
        assert_eq!(splice("option a\n", "c").unwrap(), "option a 'c'\n");
        assert_eq!(splice("config rule # x\n", "c").unwrap(), "config rule 'c' # x\n");
        // What follows the separator was never read, and must not come to life.
        assert_eq!(splice("option a b; option c d\n", "e"), None);
    }
}
