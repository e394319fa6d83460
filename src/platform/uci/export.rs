//! Several packages in one text, as `uci export` writes and `uci import` reads it.

use super::package::{OptionValue, Package, Problem};
use super::parse::{Keyword, Scanner};
use super::write;

/// Adds a package to such a text. Comments and layout stay behind.
pub fn export(package: &Package, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("package {}\n\n", package.name()).as_bytes());
    for section in package.sections() {
        let name = section.name().unwrap_or_default();
        out.extend(write::line(Keyword::Config, section.kind().as_bytes(), name.as_bytes()));
        for (option, value) in section.options() {
            match value {
                OptionValue::Text(text) => {
                    out.extend(write::line(Keyword::Option, option.as_bytes(), text.as_bytes()));
                }
                OptionValue::List(items) => {
                    for item in items {
                        out.extend(write::line(Keyword::List, option.as_bytes(), item.as_bytes()));
                    }
                }
            }
        }
        out.push(b'\n');
    }
}

/// The packages of such a text, in its order.
///
/// # Errors
/// The first thing that a strict reader does not take: bad syntax, a section before the first `package` line, the same package twice,
/// bytes that are not UTF-8, or no package at all. Lines are counted from 1.
pub fn split_export(text: &[u8]) -> Result<Vec<Package>, Problem> {
    let problem = |line: usize, reason: &str| Problem { line, reason: reason.to_owned() };
    if std::str::from_utf8(text).is_err() {
        return Err(problem(0, "not a text in UTF-8"));
    }
    if let Some(nul) = text.iter().position(|&byte| byte == 0) {
        return Err(problem(1 + newlines(text.get(..nul)), "NUL byte"));
    }
    // The name of each package, its line, and where the next line begins.
    let mut begins: Vec<(String, usize, usize)> = Vec::new();
    let mut scanner = Scanner::new(text);
    while scanner.begin_line() {
        let line = scanner.cursor().line();
        let mut statements = 0;
        let mut named = false;
        while let Some(result) = scanner.statement(true) {
            let statement = result.map_err(|reason| problem(line, reason))?;
            statements += 1;
            if statement.keyword == Keyword::Package {
                let name = String::from_utf8_lossy(statement.first.bytes(text)).into_owned();
                if begins.iter().any(|(known, ..)| *known == name) {
                    return Err(problem(line, "the same package again"));
                }
                begins.push((name, line, scanner.cursor().line_end()));
                named = true;
            } else if begins.is_empty() {
                return Err(problem(line, "a section before the first package"));
            }
            if named && statements > 1 {
                return Err(problem(line, "a package that does not have its line for itself"));
            }
        }
    }
    let ends = begins.iter().skip(1).map(|(_, line, _)| Some(*line)).chain([None]);
    let mut packages = Vec::new();
    for ((name, _, begin), end) in begins.iter().zip(ends) {
        let end = end.map_or(text.len(), |line| line_start(text, line));
        let package = Package::parse(name, text.get(*begin..end).unwrap_or_default());
        if let Some(first) = package.problems().first() {
            return Err(problem(newlines(text.get(..*begin)) + first.line, &first.reason));
        }
        packages.push(package);
    }
    if packages.is_empty() { Err(problem(0, "there is no package in it")) } else { Ok(packages) }
}

/// The package `new`, to be committed in the place of `current`, which the file holds now; `None` where they hold the same.
#[must_use]
pub fn replacing(current: &Package, new: &Package) -> Option<Package> {
    (!current.same_values(new)).then(|| new.in_place_of(current))
}

fn newlines(text: Option<&[u8]>) -> usize {
    text.unwrap_or_default().iter().filter(|&&byte| byte == b'\n').count()
}

/// Where a line begins, counted from 1.
fn line_start(text: &[u8], line: usize) -> usize {
    let before = text.split_inclusive(|&byte| byte == b'\n').take(line.saturating_sub(1));
    before.map(<[u8]>::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &str) -> Result<Vec<String>, (usize, String)> {
        let packages = split_export(text.as_bytes()).map_err(|problem| (problem.line, problem.reason))?;
        let shown = |package: &Package| {
            let mut out = Vec::new();
            export(package, &mut out);
            String::from_utf8(out).unwrap()
        };
        Ok(packages.iter().map(shown).collect())
    }

    #[test]
    fn what_is_exported_comes_back() {
        let network = "package network\n\nconfig interface 'lan'\n\toption device 'br-lan'\n\tlist dns '192.0.2.1'\n\tlist dns 'it'\\''s'\n\n\
                       config route\n\toption note 'two\nlines'\n\n";
        let empty = "package empty-1\n\n";
        assert_eq!(lines_of(&format!("{network}{empty}")).unwrap(), [network, empty]);
    }

    #[test]
    fn a_package_line_inside_a_quote_is_none() {
        let text = "package a\nconfig b\n\toption c 'x\npackage d\ny'\npackage e\nconfig f g\n";
        let found = lines_of(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], "package a\n\nconfig b\n\toption c 'x\npackage d\ny'\n\n");
        assert_eq!(found[1], "package e\n\nconfig f 'g'\n\n");
    }

    #[test]
    fn what_a_strict_reader_refuses_is_refused_with_its_line() {
        for (text, line) in [
            ("", 0),
            ("# nothing\n", 0),
            ("config a\n", 1),
            ("package a\n\nconfig b\n\toption 'c\n", 4),
            ("package a\nconfig b\noption c d e\n", 3),
            ("package a\nnonsense\n", 2),
            ("package a\noption b c\n", 2),
            ("package a\npackage b\npackage a\n", 3),
            ("package a/../b\n", 1),
            ("package a\nconfig b 'c'; package d\n", 2),
            ("package 'a'; config b\n", 1),
            ("package a\nconfig b\0\n", 2),
            ("package a\nconfig b c\nconfig d c\n", 3),
        ] {
            assert_eq!(lines_of(text).unwrap_err().0, line, "{text:?}");
        }
        assert!(split_export(b"package a\nconfig \xff\n").is_err());
    }

    #[test]
    fn only_what_differs_is_replaced() {
        let current = Package::parse("a", b"# mine\nconfig b 'c'\n\toption d '1'\n");
        let new = |text: &str| split_export(text.as_bytes()).unwrap().remove(0);
        assert!(replacing(&current, &new("package a\nconfig b c\noption d 1\n")).is_none());
        let package = replacing(&current, &new("package a\nconfig b c\noption d 2\n")).unwrap();
        assert!(package.is_changed());
        assert_eq!(package.find("c").unwrap().get("d"), Some("2"));
    }
}
