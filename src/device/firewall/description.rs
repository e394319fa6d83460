//! `Description` of rules and redirects, which is the option `name`.
//!
//! fw4 puts the name into a comment of nft, with words of its own around it. nft takes 128 bytes there, and refuses the whole set of rules for one that is
//! longer: the router would boot without a firewall. The same becomes of a quotation mark: fw4 puts a backslash before it, which nft does not know, so that
//! the comment ends there. So a description is cut off in UCI, without such characters, and the whole of it is the agent's own state.

use crate::device::own_keys;
use crate::error::{Fault, Result};
use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::schema::Text;

/// As many bytes as leave room for `!fw4: ` and ` (reflection)`.
const LONGEST: usize = 100;

fn shortened(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        '"' => '\'',
        // Doubled by fw4.
        '\\' => '/',
        c => c,
    });
    let mut length = 0_usize;
    plain
        .take_while(|c| {
            length = length.saturating_add(c.len_utf8());
            length <= LONGEST
        })
        .collect()
}

/// The description of a row, as long as nobody else has given it another one.
pub(in crate::device) fn read(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.option(row, "name")?.unwrap_or_default();
    let whole = cx.own(&full_name(cx, row.node(), row, "Description"));
    Ok(Text::Owned(whole.filter(|whole| shortened(whole) == name).unwrap_or(name)))
}

/// Sets the description of a row.
pub(in crate::device) fn set(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if read(cx, row)? == value {
        return Ok(());
    }
    let short = shortened(value);
    let whole = full_name(cx, row.node(), row, "Description");
    own_keys::set_own(cx, &whole, (short != value).then_some(value));
    cx.set_option(row, "name", Some(&short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_cut_between_characters() {
        assert_eq!(shortened("Web"), "Web");
        assert_eq!(shortened(&"a".repeat(256)).len(), LONGEST);
        assert_eq!(shortened(&format!("a{}", "é".repeat(99))).len(), LONGEST - 1);
    }

    #[test]
    fn what_ends_a_comment_of_nft_is_left_out() {
        assert_eq!(shortened(r#"Tom's 24" TV \o/"#), "Tom's 24' TV /o/");
        assert_eq!(shortened(&"\\".repeat(256)), "/".repeat(LONGEST));
    }
}
