//! What must hold for every text whatever: the body of the fuzz target, and of a shorter loop in the tests.

use super::export::{export, split_export};
use super::package::{EditError, Package, SectionId};

/// Reads `data` as a package, walks it, and makes edits that `data` itself chooses. Nothing may panic; the unedited text must come out as it
/// went in, and after every edit the bytes must read back as the very values in memory.
///
/// # Errors
/// Says which of these did not hold.
pub fn exercise(data: &[u8]) -> Result<(), String> {
    exercise_export(data)?;
    let mut package = Package::parse("test", data);
    if package.to_bytes() != data {
        return Err("the text has changed without an edit".to_owned());
    }
    for section in package.sections() {
        let named = section.name().unwrap_or_default();
        if !named.is_empty()
            && package.find(named).map(|found| found.kind()) != Some(section.kind())
            && !named.starts_with("cfg")
        {
            return Err(format!("section {named} is not found"));
        }
        for (name, value) in section.options() {
            if section.value(name) != Some(value) {
                return Err(format!("option {name} has two values"));
            }
        }
    }
    // A text with errors is not written, and sections named like libuci's inventions may change places with them.
    if !package.problems().is_empty()
        || package.sections().any(|section| section.name().is_some_and(|n| n.starts_with("cfg")))
    {
        return Ok(());
    }
    let mut choices = data.iter().rev().copied();
    for _ in 0..16 {
        let Some(choice) = choices.next() else { break };
        let before = package.to_bytes();
        let edit = edit(&mut package, choice, &mut choices);
        let back = Package::parse("test", &package.to_bytes());
        if !back.problems().is_empty() || !package.same_values(&back) {
            return Err(format!(
                "{edit:?} of {:?} gives {:?}",
                before.escape_ascii(),
                package.to_bytes().escape_ascii()
            ));
        }
        if choice & 0x80 != 0 {
            package.rebase(package.to_bytes());
            if !package.same_values(&back) {
                return Err(format!("a commit changes {:?}", package.to_bytes().escape_ascii()));
            }
        }
    }
    Ok(())
}

/// What is read as several packages is written as the same packages.
fn exercise_export(data: &[u8]) -> Result<(), String> {
    let Ok(packages) = split_export(data) else { return Ok(()) };
    let mut text = Vec::new();
    packages.iter().for_each(|package| export(package, &mut text));
    let again = split_export(&text).map_err(|problem| format!("what was written is refused: {problem:?}"))?;
    let same = again.len() == packages.len()
        && again.iter().zip(&packages).all(|(a, b)| a.name() == b.name() && a.same_values(b));
    if same { Ok(()) } else { Err(format!("{:?} is not the same", text.escape_ascii())) }
}

fn edit(
    package: &mut Package,
    choice: u8,
    choices: &mut dyn Iterator<Item = u8>,
) -> (&'static str, Option<SectionId>, Result<bool, EditError>) {
    const OPTIONS: [&str; 4] = ["a", "b", "new", "x1"];
    const VALUES: [&str; 7] = ["", "v", "it's", "two words", "line\nend\\", "# no; \"comment\"", "ü\t"];
    let mut pick = |count: usize| usize::from(choices.next().unwrap_or(0)) % count.max(1);
    let ids: Vec<SectionId> = package.sections().map(|section| section.id()).collect();
    let at = pick(ids.len());
    let Some(&id) = ids.get(at) else { return ("add_section", None, package.add_section("first", None).map(|_| true)) };
    let present: Vec<String> = package
        .section(id)
        .map(|section| section.options().map(|(name, _)| name.to_owned()).collect())
        .unwrap_or_default();
    let names: Vec<&str> = present.iter().map(String::as_str).chain(OPTIONS).collect();
    let option = names.get(pick(names.len())).copied().unwrap_or("a");
    let value = VALUES.get(pick(VALUES.len())).copied().unwrap_or("v");
    let (what, result) = match choice % 7 {
        0 => ("set", package.set(id, option, value)),
        1 => {
            let mut items = VALUES.to_vec();
            items.rotate_left(pick(VALUES.len()));
            items.truncate(pick(4));
            ("set_list", package.set_list(id, option, &items))
        }
        2 => ("remove", Ok(package.remove(id, option))),
        3 => ("add_section", package.add_section("kind", ["n1", "n2"].get(at % 3).copied()).map(|_| true)),
        4 => ("remove_section", Ok(package.remove_section(id))),
        5 => ("rename_section", package.rename_section(id, if at % 2 == 0 { "n1" } else { "n3" })),
        _ => {
            let before = ids.get(pick(ids.len() + 1)).copied();
            ("move_section", Ok(package.move_section(id, before)))
        }
    };
    (what, Some(id), result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that are mostly right, so that edits are reached, with everything in them that can go wrong.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = proptest::sample::select(
            &[
                "config a\n",
                "config a 'b'\n",
                "config c d # x\n",
                "\nconfig a # y",
                "config a\n",
                "config c\n\n",
                "\toption a 'v'\n",
                "\toption a \"q\\\"\" # c\n",
                " list b i\n",
                "\tlist b 'j\nk'\n",
                " list b l\n",
                "option b ''\n",
                "o a \\\nv\n",
                "option 'b' it\\'s ; list a 'x'\n",
                "option a v;ignored\n",
                "# comment\n",
                "\n",
                "config a 'e' ; option a 'b' ; config f ; option b c\n",
                "package p\n",
                "option a 'b\\'",
                "option a b\\",
                "\r\n",
                ";",
                "\\",
                " ",
                "#",
            ][..],
        );
        let last = proptest::sample::select(
            &["", "\n", "\nconfig z", "\noption a b", "\noption a b\\", "\noption a 'b' # c"][..],
        );
        let tail = proptest::collection::vec(any::<u8>(), 0..24);
        (proptest::collection::vec(piece, 0..12), tail, last).prop_map(|(pieces, tail, last)| {
            // The choices come from the end of the text: a comment carries them.
            let mut text = pieces.concat().into_bytes();
            text.extend_from_slice(b"\n#");
            text.extend(tail.into_iter().map(|byte| if matches!(byte, 0 | b'\n') { b'.' } else { byte }));
            text.extend_from_slice(last.as_bytes());
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn edits_read_back(text in text()) {
            exercise(&text).map_err(TestCaseError::fail)?;
        }

        #[test]
        fn any_bytes_survive(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            exercise(&text).map_err(TestCaseError::fail)?;
        }
    }
}
