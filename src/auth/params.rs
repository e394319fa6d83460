//! The grammar that `WWW-Authenticate`, `Authorization` and `Authentication-Info` share (RFC 9110 11.2): schemes, and parameters
//! whose values are tokens or quoted strings, in one comma-separated list.

/// One element of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A scheme's name; the parameters up to the next scheme belong to it.
    Scheme(&'a str),
    /// A parameter.
    Parameter {
        /// Its name, spelled as in the header.
        name: &'a str,
        /// Its value without quotes, but with its escapes.
        raw: &'a str,
    },
    /// Something that is neither; it ends at the next comma.
    Malformed,
}

/// Takes a header value apart from left to right.
pub(super) struct Items<'a> {
    rest: &'a str,
}

/// The elements of a header value.
pub(super) fn items(header: &str) -> Items<'_> {
    Items { rest: header }
}

/// Removes the backslashes of a quoted string (RFC 9110 5.6.4).
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

/// Appends `, name="value"` with the escapes it needs; the first parameter of a header has no comma.
pub(super) fn push_quoted(header: &mut String, name: &str, value: &str) {
    push_name(header, name);
    header.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            header.push('\\');
        }
        header.push(character);
    }
    header.push('"');
}

/// Appends `, name=value`, for values that are written as they are.
pub(super) fn push_plain(header: &mut String, name: &str, value: &str) {
    push_name(header, name);
    header.push_str(value);
}

fn push_name(header: &mut String, name: &str) {
    if !header.ends_with(' ') {
        header.push_str(", ");
    }
    header.push_str(name);
    header.push('=');
}

impl<'a> Items<'a> {
    /// Takes the text up to the first character that `stop` names.
    fn take_until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(stop).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// The inside of a quoted string whose first quote is already taken; `None` where the last one is missing.
    fn quoted(&mut self) -> Option<&'a str> {
        let mut escaped = false;
        let end = self.rest.find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        })?;
        let (inside, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.strip_prefix('"')?;
        Some(inside)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
        if self.rest.is_empty() {
            return None;
        }
        let name = self.take_until(|character| !is_token(character));
        let blank = self.rest.starts_with([' ', '\t']);
        self.skip_blanks();
        if name.is_empty() {
            self.take_until(|character| character == ',');
            return Some(Item::Malformed);
        }
        if let Some(rest) = self.rest.strip_prefix('=') {
            self.rest = rest;
            self.skip_blanks();
            let raw = if let Some(rest) = self.rest.strip_prefix('"') {
                self.rest = rest;
                match self.quoted() {
                    Some(raw) => raw,
                    None => {
                        self.rest = "";
                        return Some(Item::Malformed);
                    }
                }
            } else {
                let token = self.take_until(|character| matches!(character, ',' | ' ' | '\t'));
                if token.contains(['"', '\\']) {
                    return Some(Item::Malformed);
                }
                token
            };
            return Some(Item::Parameter { name, raw });
        }
        if blank || self.rest.is_empty() || self.rest.starts_with(',') {
            return Some(Item::Scheme(name));
        }
        self.take_until(|character| character == ',');
        Some(Item::Malformed)
    }
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter<'a>(name: &'a str, raw: &'a str) -> Item<'a> {
        Item::Parameter { name, raw }
    }

    #[test]
    fn takes_several_challenges_of_one_header_apart() {
        let header = r#"Basic realm="a, b" , Digest realm = "q\"x", nonce=n,, qop="auth,auth-int", Negotiate"#;
        assert_eq!(
            items(header).collect::<Vec<_>>(),
            [
                Item::Scheme("Basic"),
                parameter("realm", "a, b"),
                Item::Scheme("Digest"),
                parameter("realm", r#"q\"x"#),
                parameter("nonce", "n"),
                parameter("qop", "auth,auth-int"),
                Item::Scheme("Negotiate"),
            ]
        );
    }

    #[test]
    fn malformed_parts_end_at_a_comma_or_at_the_end() {
        assert_eq!(items("a@b, c=d").collect::<Vec<_>>(), [Item::Malformed, parameter("c", "d")]);
        assert_eq!(items(r#"Digest realm="open, nonce=x"#).last(), Some(Item::Malformed));
        assert_eq!(items(r#"a="b\""#).last(), Some(Item::Malformed));
        assert_eq!(items(r#"a=b\, c=d"e"#).collect::<Vec<_>>(), [Item::Malformed, Item::Malformed]);
        assert_eq!(items(" , ,\t").count(), 0);
        assert_eq!(items("\u{e9}=\"x\", a=").collect::<Vec<_>>(), [Item::Malformed, parameter("a", "")]);
    }

    #[test]
    fn quoting_and_unescaping_are_inverse() {
        let mut header = String::from("X ");
        push_quoted(&mut header, "a", r#"q"\ü,"#);
        push_plain(&mut header, "b", "c");
        assert_eq!(header, r#"X a="q\"\\ü,", b=c"#);
        let Some(Item::Parameter { raw, .. }) = items(&header).nth(1) else { panic!("no parameter in {header}") };
        assert_eq!(unescape(raw), r#"q"\ü,"#);
    }
}
