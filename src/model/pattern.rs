//! Patterns of values: the part of XML Schema's regular expressions (TR-106a8 5.2.2) that patterns of data models use.
//!
//! A pattern covers the whole value. It knows characters, `.` (any), classes such as `[A-F0-9]` and `[^,]`, `\d \D \s \S \w \W`, a backslash before
//! anything that has a meaning, groups in `( )`, alternatives with `|`, and `? * + {n} {n,} {n,m}` after any of these.
//!
//! A regular expression crate is as large as the rest of the model (16 MB of flash is all there is), and one that goes back and forth can be made to
//! take for ever by the value. Here all ways through a value are followed at once, so that the time is bounded by the lengths of both.

/// The longest pattern in bytes, and the most repetitions that it can count.
const LONGEST: usize = 512;
const MOST: u32 = 1000;

/// How deep groups may lie in each other.
const DEPTH: u32 = 8;

/// The longest value that is compared, in characters; a longer one does not match.
const VALUE: usize = 2048;

/// A pattern that values must have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// As it was written.
    text: String,
    any_of: Vec<Vec<Piece>>,
}

/// A part of a pattern with how often it comes.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Piece {
    atom: Atom,
    least: u32,
    most: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Atom {
    Class(Class),
    Group(Vec<Vec<Piece>>),
}

/// A set of characters.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
    /// Classes in it, such as `\d`.
    within: Vec<Class>,
}

impl Class {
    fn has(&self, c: char) -> bool {
        let found = self.ranges.iter().any(|&(first, last)| first <= c && c <= last)
            || self.within.iter().any(|class| class.has(c));
        found != self.negated
    }

    fn single(c: char) -> Self {
        Self { ranges: vec![(c, c)], ..Self::default() }
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the pattern is longer than {LONGEST} bytes"));
        }
        let mut reader = Reader { rest: text, depth: 0 };
        let any_of = reader.alternatives()?;
        match reader.next() {
            None => Ok(Self { text: String::from(text), any_of }),
            Some(c) => Err(format!("{c} has no beginning: write \\{c} for the character itself")),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole value is of this form.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let value: Vec<char> = value.chars().take(VALUE.saturating_add(1)).collect();
        if value.len() > VALUE {
            return false;
        }
        let mut start = vec![false; value.len().saturating_add(1)];
        if let Some(first) = start.first_mut() {
            *first = true;
        }
        alternatives(&self.any_of, &value, &start).last() == Some(&true)
    }
}

/// For each place in a value, its end too, whether it can be reached.
type Places = Vec<bool>;

fn none(places: &Places) -> bool {
    !places.contains(&true)
}

fn alternatives(any_of: &[Vec<Piece>], value: &[char], from: &Places) -> Places {
    let mut reached = vec![false; from.len()];
    for pieces in any_of {
        let mut places = from.clone();
        for piece in pieces {
            places = repeated(piece, value, places);
        }
        reached.iter_mut().zip(places).for_each(|(reached, place)| *reached |= place);
    }
    reached
}

fn repeated(piece: &Piece, value: &[char], mut places: Places) -> Places {
    for _ in 0..piece.least {
        let next = once(&piece.atom, value, &places);
        // Where nothing changes any more, no repetition changes anything.
        if next == places {
            break;
        }
        places = next;
    }
    // Beyond the least only places that are new lead anywhere new.
    let mut reached = places.clone();
    let mut times = piece.least;
    while !none(&places) && piece.most.is_none_or(|most| times < most) {
        places = once(&piece.atom, value, &places);
        for (place, reached) in places.iter_mut().zip(&mut reached) {
            *place &= !*reached;
            *reached |= *place;
        }
        times = times.saturating_add(1);
    }
    reached
}

fn once(atom: &Atom, value: &[char], from: &Places) -> Places {
    match atom {
        Atom::Class(class) => {
            let steps = from.iter().zip(value).map(|(place, c)| *place && class.has(*c));
            std::iter::once(false).chain(steps).collect()
        }
        Atom::Group(any_of) => alternatives(any_of, value, from),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: u32,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn alternatives(&mut self) -> Result<Vec<Vec<Piece>>, String> {
        let mut any_of = Vec::new();
        loop {
            let mut pieces = Vec::new();
            while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
                let atom = self.atom(c)?;
                let (least, most) = self.repetition()?;
                pieces.push(Piece { atom, least, most });
            }
            any_of.push(pieces);
            if !self.take('|') {
                return Ok(any_of);
            }
        }
    }

    fn atom(&mut self, c: char) -> Result<Atom, String> {
        self.next();
        Ok(Atom::Class(match c {
            '(' => {
                self.depth = self.depth.saturating_add(1);
                if self.depth > DEPTH {
                    return Err(format!("more than {DEPTH} groups lie in each other"));
                }
                if self.peek() == Some('?') {
                    return Err(String::from("(? has no meaning in a pattern"));
                }
                let any_of = self.alternatives()?;
                self.depth = self.depth.saturating_sub(1);
                if !self.take(')') {
                    return Err(String::from("a ( has no )"));
                }
                return Ok(Atom::Group(any_of));
            }
            '[' => self.class()?,
            '.' => Class { negated: true, ranges: vec![('\n', '\n'), ('\r', '\r')], within: Vec::new() },
            '\\' => self.escape()?,
            '?' | '*' | '+' | '{' => return Err(format!("{c} has nothing before it that it could repeat")),
            '^' | '$' => {
                return Err(format!("a pattern covers the whole value without {c}: write \\{c} for the character"));
            }
            ']' | '}' => return Err(format!("{c} has no beginning: write \\{c} for the character itself")),
            c => Class::single(c),
        }))
    }

    /// What comes after a backslash.
    fn escape(&mut self) -> Result<Class, String> {
        let known = |ranges: &[(char, char)], negated| Class { negated, ranges: ranges.to_vec(), within: Vec::new() };
        let c = self.next().ok_or("the pattern ends with a backslash")?;
        let negated = c.is_ascii_uppercase();
        Ok(match c {
            'd' | 'D' => known(&[('0', '9')], negated),
            's' | 'S' => known(&[(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')], negated),
            'w' | 'W' => known(&[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')], negated),
            't' => Class::single('\t'),
            'n' => Class::single('\n'),
            'r' => Class::single('\r'),
            c if c.is_ascii_alphanumeric() => return Err(format!("\\{c} is not known in a pattern")),
            c => Class::single(c),
        })
    }

    /// What comes after `[`.
    fn class(&mut self) -> Result<Class, String> {
        let mut class = Class { negated: self.take('^'), ..Class::default() };
        loop {
            let first = match self.next() {
                None => return Err(String::from("a [ has no ]")),
                Some(']') if class.ranges.is_empty() && class.within.is_empty() => {
                    return Err(String::from("[] holds no character"));
                }
                Some(']') => return Ok(class),
                Some('[') => return Err(String::from("a class holds no class: write \\[ for the character itself")),
                Some('\\') => {
                    let escaped = self.escape()?;
                    match escaped.ranges.as_slice() {
                        &[(first, last)] if first == last && !escaped.negated => first,
                        _ => {
                            class.within.push(escaped);
                            continue;
                        }
                    }
                }
                Some(c) => c,
            };
            // A hyphen is itself at the end of a class.
            if self.peek() != Some('-') || self.rest.starts_with("-]") {
                class.ranges.push((first, first));
                continue;
            }
            self.next();
            let last = match self.next() {
                Some('\\') => self.escape()?.ranges.first().map(|(first, _)| *first),
                Some('[') | None => None,
                last => last,
            };
            let last = last.ok_or("a range in a [ ] has no end")?;
            if last < first {
                return Err(format!("{first}-{last} is no range: its end comes before its beginning"));
            }
            class.ranges.push((first, last));
        }
    }

    fn repetition(&mut self) -> Result<(u32, Option<u32>), String> {
        let found = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => {
                let (inside, rest) = self.rest.split_once('}').ok_or("a { has no }")?;
                let inside = inside.get(1..).unwrap_or_default();
                self.rest = rest;
                let bad = || format!("{{{inside}}} is neither {{n}}, {{n,}} nor {{n,m}} with numbers up to {MOST}");
                let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
                    true => text.parse().ok().filter(|number| *number <= MOST).ok_or_else(bad),
                    false => Err(bad()),
                };
                let counted = match inside.split_once(',') {
                    None => (number(inside)?, Some(number(inside)?)),
                    Some((least, "")) => (number(least)?, None),
                    Some((least, most)) => (number(least)?, Some(number(most)?)),
                };
                return match counted {
                    (least, Some(most)) if most < least => Err(bad()),
                    counted => Ok(counted),
                };
            }
            _ => return Ok((1, Some(1))),
        };
        self.next();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        Pattern::parse(pattern).unwrap_or_else(|reason| panic!("{pattern}: {reason}")).matches(value)
    }

    #[test]
    fn patterns_of_tr_181() {
        for (pattern, good, bad) in [
            ("[0-9A-F]{6}", &["00005E", "ABCDEF"][..], &["00005", "00005e", "00005E0", ""][..]),
            (r"\d+(\.\d+)*", &["1", "1.2.30"], &["", ".1", "1.", "a"]),
            ("X [0-9A-F]{6} .*", &["X 00005E ", "X 00005E Something else"], &["X 00005E", "Y 00005E x"]),
            ("1 Firmware Upgrade Image|2 Web Content", &["2 Web Content"], &["1 Firmware Upgrade Image|2 Web Content"]),
            ("([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", &["00:00:5e:00:53:01"], &["00:00:5e:00:53", "00-00-5e-00-53-01"]),
            ("|[a-z]{2,3}", &["", "de", "deu"], &["d", "deut", "DE"]),
            ("[^,;]+", &["a b", "ä"], &["a,b", ""]),
            (r"a\.b\|c\(\)\[\]\{\}\^\$\\", &[r"a.b|c()[]{}^$\"], &["axb"]),
            (r"[\d,.-]*", &["1,2.3-4", ""], &["a"]),
            (r"[\^\]a-]", &["^", "]", "a", "-"], &["b", "\\"]),
            (r"\D\S\W", &["a-:"], &["1-:", "a :", "a-b"]),
            ("(a|bc)?d{0,2}e{2,}", &["ee", "aee", "bcddeee"], &["e", "bee", "adddee"]),
            ("()", &[""], &["a"]),
            (".", &["a", "€"], &["", "\n", "ab"]),
        ] {
            for value in good {
                assert!(matches(pattern, value), "{pattern} and {value:?}");
            }
            for value in bad {
                assert!(!matches(pattern, value), "{pattern} and {value:?}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for (pattern, reason) in [
            ("(a", "a ( has no )"),
            ("a)", ") has no beginning: write \\) for the character itself"),
            ("[a", "a [ has no ]"),
            ("[]", "[] holds no character"),
            ("[a[b]]", "a class holds no class: write \\[ for the character itself"),
            ("[z-a]", "z-a is no range: its end comes before its beginning"),
            ("a]", "] has no beginning: write \\] for the character itself"),
            ("*a", "* has nothing before it that it could repeat"),
            ("a|+", "+ has nothing before it that it could repeat"),
            ("a**", "* has nothing before it that it could repeat"),
            ("a{2", "a { has no }"),
            ("a{x}", "{x} is neither {n}, {n,} nor {n,m} with numbers up to 1000"),
            ("a{3,2}", "{3,2} is neither {n}, {n,} nor {n,m} with numbers up to 1000"),
            ("a{,2}", "{,2} is neither {n}, {n,} nor {n,m} with numbers up to 1000"),
            ("a{9999}", "{9999} is neither {n}, {n,} nor {n,m} with numbers up to 1000"),
            ("^a$", "a pattern covers the whole value without ^: write \\^ for the character"),
            ("a\\", "the pattern ends with a backslash"),
            ("\\p{L}", "\\p is not known in a pattern"),
            ("(?i)a", "(? has no meaning in a pattern"),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err(), reason, "{pattern}");
        }
        assert!(Pattern::parse(&"(".repeat(400)).is_err());
        assert!(Pattern::parse(&"a".repeat(600)).is_err());
    }

    /// What takes others for ever takes no time here.
    #[test]
    fn no_value_takes_long() {
        // With a way back for every choice, a tenth of this length would take for ever.
        let value = "a".repeat(300);
        for pattern in [
            "(a*)*b",
            "(a+)+b",
            "((a|a)*)*b",
            "(a{0,90}){0,90}b",
            "(.*.*.*.*)*b",
            "(((a*)*)*)*b",
            "((a?){1000}){1000}b",
        ] {
            assert!(!matches(pattern, &value), "{pattern}");
        }
        assert!(!matches("a*", &"a".repeat(2049)), "a longer value is not compared");
    }
}
