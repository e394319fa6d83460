//! Options on their way from one section of UCI to another.

use crate::error::{Fault, Result};
use crate::model::context::Context;
use crate::platform::uci::{EditError, OptionValue, SectionId};

/// Moves options, texts or lists, from one section of a package to another. What the first one lacks, the second one has no more.
///
/// # Errors
/// When the package cannot be read or edited.
pub fn move_options(
    cx: &mut Context,
    package: &str,
    from: SectionId,
    to: SectionId,
    options: &[&str],
) -> Result<(), Fault> {
    for option in options {
        let section = cx.package(package)?.section(from);
        let value = section.and_then(|section| section.value(option)).map(|value| match value {
            OptionValue::Text(text) => (false, vec![String::from(text)]),
            OptionValue::List(items) => (true, items.into_iter().map(String::from).collect()),
        });
        let package = cx.package_mut(package)?;
        match value {
            Some((true, items)) => {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                package.set_list(to, option, &items).map_err(refused)?;
            }
            Some((false, items)) => {
                package.set(to, option, items.first().map_or("", String::as_str)).map_err(refused)?;
            }
            None => {
                package.remove(to, option);
            }
        }
        package.remove(from, option);
    }
    Ok(())
}

/// Gives a section the name that it is known by, if it has none, and tells it.
///
/// # Errors
/// When there is no such section.
pub fn name(cx: &mut Context, package: &str, id: SectionId) -> Result<String, Fault> {
    let name = cx.section_name(package, id)?;
    cx.package_mut(package)?.rename_section(id, &name).map_err(refused)?;
    Ok(name)
}

/// What UCI cannot hold, though its type has accepted it.
pub fn refused(error: EditError) -> Fault {
    Fault::internal(error.to_string())
}
