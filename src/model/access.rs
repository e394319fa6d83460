//! One parameter: its value from where it lives, and a new value on the way there.

use serde_json::Value as Json;

use super::context::{Context, Row, set_section_option};
use super::fleeting;
use super::schema::{Map, Parameter, Source, Text};
use super::tree::{NodeId, Target, resolve};
use super::value::{Kind, Type};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::platform::uci::{OptionValue, Section, SectionId};

/// The value that the ACS sees: never a secret.
///
/// # Errors
/// When its source cannot be read.
pub fn read(context: &mut Context, node: NodeId, row: &Row, parameter: &Parameter) -> Result<Text> {
    if parameter.hidden {
        return Ok(Text::Borrowed(""));
    }
    if parameter.command {
        return Ok(Text::Borrowed(parameter.value.null()));
    }
    stored(context, node, row, parameter)
}

/// The value as it is stored, secrets too.
///
/// # Errors
/// When its source cannot be read.
pub(super) fn stored(context: &mut Context, node: NodeId, row: &Row, parameter: &Parameter) -> Result<Text> {
    let value = from_source(context, node, row, parameter, &parameter.source)?;
    match parameter.value.reference {
        // A strong reference to a row that is gone is empty (CONFORMANCE P-67); those in UCI are so by themselves.
        Some(reference) if reference.strong && matches!(parameter.source, Source::Own(_)) && !value.is_empty() => {
            let mut left = Vec::new();
            for path in value.split(',') {
                if exists(context, path) {
                    left.push(path);
                }
            }
            Ok(Text::Owned(left.join(",")))
        }
        _ => Ok(value),
    }
}

fn from_source(context: &mut Context, node: NodeId, row: &Row, parameter: &Parameter, source: &Source) -> Result<Text> {
    let value = &parameter.value;
    match *source {
        Source::Constant(value) => Ok(Text::Borrowed(value)),
        Source::Uci { option, map, missing } => {
            let missing = Text::Borrowed(missing.unwrap_or(value.null()));
            from_uci(context, row, value, option, map, missing)
        }
        Source::File(path) => {
            let path = fill_path(context, row, path)?;
            let text = context.file(&path)?;
            canonical(value, text.lines().next().unwrap_or_default())
        }
        Source::Ubus { object, method, arguments, pointer } => {
            let object = fill(context, row, object)?;
            let mut arguments: Json = crate::json::value(arguments.as_bytes()).unwrap_or(Json::Null);
            fill_json(context, row, &mut arguments)?;
            let reply = context.ubus(&object, method, &arguments)?;
            match super::vendor::find(context, row, &reply, pointer)?.unwrap_or(&Json::Null) {
                Json::Object(_) => Err(Error::other(format!("{object} {method}: {pointer} is an object"))),
                Json::Array(_) if value.list.is_none() => {
                    Err(Error::other(format!("{object} {method}: {pointer} is a list")))
                }
                found => canonical(value, &json_text(found, value)),
            }
        }
        Source::Program(argv) => {
            let argv = argv.iter().map(|part| fill(context, row, part)).collect::<Result<Vec<_>>>()?;
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            let text = context.program(&argv)?;
            canonical(value, &text)
        }
        Source::Vendor { read, .. } => from_source(context, node, row, parameter, read),
        Source::Own(initial) => {
            let name = full_name(context, node, row, parameter.name);
            Ok(context.own(&name).map_or(Text::Borrowed(initial), Text::Owned))
        }
        Source::Fleeting(initial) => {
            let name = full_name(context, node, row, parameter.name);
            Ok(context.fleeting().get(&name).map_or(Text::Borrowed(initial), |value| Text::Owned(value.into())))
        }
        Source::Test => {
            let name = full_name(context, node, row, parameter.name);
            let state = context.fleeting().get(&name);
            Ok(state.map_or(Text::Borrowed(fleeting::NONE), |state| Text::Owned(state.into())))
        }
        Source::Alias => {
            let name = full_name(context, node, row, parameter.name);
            Ok(Text::Owned(context.own(&name).unwrap_or_else(|| format!("cpe-{}", row.number()))))
        }
        Source::Count(table) => {
            let child = context.schema().child(node, table).ok_or_else(|| Error::other("no such table"))?;
            let around = std::rc::Rc::new(row.clone());
            Ok(Text::Owned(context.rows(child, &around)?.len().to_string()))
        }
        Source::Get(get) | Source::GetSet(get, _) | Source::Change(get, _) | Source::Together(get) => get(context, row),
    }
}

fn from_uci(context: &mut Context, row: &Row, value: &Type, option: &str, map: Map, missing: Text) -> Result<Text> {
    let found = match absolute(option) {
        // What has no section in a table of sections has no option.
        None if context.is_foreign(row) => None,
        None => {
            let section = context.section(row)?;
            uci_text(section, option, map)
        }
        Some((package, selector, option)) => {
            let selector = selector.split_once('=').map_or(selector, |(name, _)| name);
            let section = context.package(package)?.find(selector);
            section.and_then(|section| uci_text(section, option, map))
        }
    };
    let Some(text) = found else { return Ok(missing) };
    Ok(match map {
        // What a person has written there may be no number; the router's own scripts take their default then.
        Map::Text if value.kind != Kind::String => canonical(value, &text).unwrap_or(missing),
        Map::Text | Map::Items => Text::Owned(text),
        Map::Truth => uci_truth(&text).map_or(missing, truth),
        Map::Inverse => uci_truth(&text).map_or(missing, |value| truth(!value)),
        Map::Words(words) => {
            words.iter().find(|(word, _)| *word == text).map_or(missing, |(_, value)| Text::Borrowed(value))
        }
        Map::Row(table) => context.path_of_key(table, &text).map_or(Text::Borrowed(""), Text::Owned),
        Map::Custom(read, _) => read(&text),
    })
}

fn uci_text(section: Section<'_>, option: &str, map: Map) -> Option<String> {
    if let Map::Items = map {
        return Some(match section.value(option)? {
            // A text with blanks is how older files write a list.
            OptionValue::Text(text) => text.split_ascii_whitespace().collect::<Vec<_>>().join(","),
            OptionValue::List(items) => items.join(","),
        });
    }
    section.get(option).map(String::from)
}

/// A boolean as the text of a parameter.
#[must_use]
pub fn truth(value: bool) -> Text {
    Text::Borrowed(if value { "true" } else { "false" })
}

/// The forms of a boolean that OpenWrt's own scripts take.
#[must_use]
pub fn uci_truth(text: &str) -> Option<bool> {
    match text {
        "1" | "on" | "true" | "yes" | "enabled" => Some(true),
        "0" | "off" | "false" | "no" | "disabled" => Some(false),
        _ => None,
    }
}

/// Package, section and option of an absolute name.
fn absolute(option: &'_ str) -> Option<(&'_ str, &'_ str, &'_ str)> {
    let (package, rest) = option.split_once('.')?;
    let (section, option) = rest.rsplit_once('.')?;
    Some((package, section, option))
}

/// Stages a value that its type has accepted. What says [`Source::Together`] is staged by its object.
///
/// # Errors
/// What is wrong with the value, 9008 when it cannot be written after all, 9002 when its place cannot be used.
pub fn stage(context: &mut Context, node: NodeId, row: &Row, parameter: &Parameter, value: &str) -> Result<(), Fault> {
    match parameter.source {
        Source::Change(get, _) if get(context, row)? == value => Ok(()),
        Source::GetSet(_, set) | Source::Change(_, set) => set(context, row, value),
        Source::Own(_) => {
            let name = full_name(context, node, row, parameter.name);
            context.set_own(&name, Some(value));
            Ok(())
        }
        Source::Alias => {
            let name = full_name(context, node, row, parameter.name);
            let made = format!("cpe-{}", row.number());
            context.set_own(&name, (value != made).then_some(value));
            Ok(())
        }
        Source::Test => {
            let name = full_name(context, node, row, parameter.name);
            let wish = fleeting::wish(context.fleeting(), &name, value)?;
            let object = context.schema().path(node, row);
            context.stage_test(object, wish);
            Ok(())
        }
        // What it is already is left alone, so that a default is not written down and no service disturbed (CONFORMANCE P-12).
        Source::Uci { .. } if stored(context, node, row, parameter).is_ok_and(|now| now == value) => Ok(()),
        Source::Uci { .. } | Source::File(_) | Source::Program(_) => {
            to_place(context, row, &parameter.value, &parameter.source, value)
        }
        Source::Vendor { write, .. } => to_place(context, row, &parameter.value, write, value),
        Source::Constant(_)
        | Source::Count(_)
        | Source::Fleeting(_)
        | Source::Get(_)
        | Source::Together(_)
        | Source::Ubus { .. } => Err(FaultCode::NON_WRITABLE_PARAMETER.into()),
    }
}

fn to_place(context: &mut Context, row: &Row, kind: &Type, place: &Source, value: &str) -> Result<(), Fault> {
    match *place {
        Source::Uci { option, map, .. } => to_uci(context, row, option, map, value),
        Source::File(path) => {
            let path = fill_path(context, row, path)?;
            // The kernel knows booleans as digits.
            let value = match value {
                "true" if kind.kind == Kind::Boolean => "1",
                "false" if kind.kind == Kind::Boolean => "0",
                other => other,
            };
            context.stage_file(&path, value);
            Ok(())
        }
        Source::Program(argv) => {
            let mut argv = argv.iter().map(|part| fill(context, row, part)).collect::<Result<Vec<_>>>()?;
            argv.push(String::from(value));
            context.stage_program(argv);
            Ok(())
        }
        _ => Err(FaultCode::NON_WRITABLE_PARAMETER.into()),
    }
}

fn to_uci(context: &mut Context, row: &Row, option: &str, map: Map, value: &str) -> Result<(), Fault> {
    let text: Option<String> = match map {
        Map::Text => Some(String::from(value)),
        Map::Truth => Some(String::from(if value == "true" { "1" } else { "0" })),
        Map::Inverse => (value != "true").then(|| String::from("1")),
        Map::Words(words) => {
            let word = words.iter().find(|(_, meaning)| *meaning == value);
            Some(String::from(word.ok_or_else(|| Fault::value("the router has no word for this value"))?.0))
        }
        Map::Items => {
            let items: Vec<&str> = value.split(',').filter(|item| !item.is_empty()).collect();
            return match absolute(option) {
                None => context.set_list(row, option, &items),
                Some(place) => {
                    let (id, option) = section_for_writing(context, place)?;
                    let package = context.options_mut(place.0)?;
                    package.set_list(id, option, &items).map_err(|error| Fault::value(error.to_string()))?;
                    Ok(())
                }
            };
        }
        Map::Row(table) => context.section_of_path(table, value)?,
        Map::Custom(_, write) => write(value)?,
    };
    match absolute(option) {
        None => context.set_option(row, option, text.as_deref()),
        Some(place) => {
            let (id, option) = section_for_writing(context, place)?;
            set_section_option(context.options_mut(place.0)?, id, option, text.as_deref())
        }
    }
}

fn section_for_writing<'a>(
    context: &mut Context,
    (package, selector, option): (&str, &str, &'a str),
) -> Result<(SectionId, &'a str), Fault> {
    let (name, kind) = match selector.split_once('=') {
        Some((name, kind)) => (name, Some(kind)),
        None => (selector, None),
    };
    if let Some(section) = context.package(package)?.find(name) {
        return Ok((section.id(), option));
    }
    let (kind, name) = match name.strip_prefix('@').and_then(|name| name.split_once('[')) {
        Some((kind, "0]" | "-1]")) => (kind, None),
        // One more section would not be the one that is meant.
        Some(_) => return Err(Fault::internal(format!("there is no section {package}.{name}"))),
        None => (kind.unwrap_or(name), Some(name)),
    };
    let id =
        context.package_mut(package)?.add_section(kind, name).map_err(|error| Fault::internal(error.to_string()))?;
    Ok((id, option))
}

/// The full name of a parameter of a row.
#[must_use]
pub fn full_name(context: &Context, node: NodeId, row: &Row, parameter: &str) -> String {
    let mut name = context.schema().path(node, row);
    name.push_str(parameter);
    name
}

/// Whether a path without its last dot is that of an object or row that is there, or a name that of a parameter.
pub fn exists(context: &mut Context, path: &str) -> bool {
    let object = resolve(context, &format!("{path}."));
    matches!(object.as_deref(), Ok([Target::Object(..), ..])) || resolve(context, path).is_ok()
}

/// Puts what the row is known by (`{key}`), what the row around it is (`{around}`), and options of its section (`{uci:option}`) into a text.
pub(super) fn fill(context: &mut Context, row: &Row, text: &str) -> Result<String> {
    fill_with(context, row, text, |_| true)
}

/// As [`fill`], for the path of a file: what is put in is the name of one file or directory and never leads elsewhere.
pub(super) fn fill_path(context: &mut Context, row: &Row, path: &str) -> Result<String> {
    fill_with(context, row, path, |name| !name.is_empty() && !name.contains(['/', '\0']) && name != "." && name != "..")
}

fn fill_with(context: &mut Context, row: &Row, text: &str, good: fn(&str) -> bool) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').ok_or_else(|| Error::other("a { without its }"))?;
        let value = match name.strip_prefix("uci:") {
            Some(option) => context.option(row, option)?.unwrap_or_default(),
            None if name == "key" => context.key(row)?,
            None if name == "around" => match row.parent() {
                Some(around) => context.key(around)?,
                None => return Err(Error::other("there is no row around")),
            },
            None => return Err(Error::other(format!("{{{name}}} is none of {{key}}, {{around}} and {{uci:option}}"))),
        };
        if !good(&value) {
            return Err(Error::other(format!("{{{name}}} is {value:?}, which is no name of a file")));
        }
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

pub(super) fn fill_json(context: &mut Context, row: &Row, json: &mut Json) -> Result<()> {
    match json {
        Json::String(text) => *text = fill(context, row, text)?,
        Json::Array(items) => items.iter_mut().try_for_each(|item| fill_json(context, row, item))?,
        Json::Object(members) => members.values_mut().try_for_each(|member| fill_json(context, row, member))?,
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
    Ok(())
}

/// A JSON value as the text of a parameter.
#[must_use]
pub fn json_text(json: &Json, value: &Type) -> String {
    match json {
        Json::Null => String::from(value.null()),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => match number.as_f64() {
            // A number has no fraction as a parameter; in a reply it may. A text shows it.
            Some(fraction) if value.kind != Kind::String && !number.is_i64() && !number.is_u64() => {
                format!("{:.0}", fraction.trunc())
            }
            _ => number.to_string(),
        },
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(|item| json_text(item, value)).collect::<Vec<_>>().join(","),
        Json::Object(_) => String::new(),
    }
}

/// What came from outside, in the canonical form of its type. What is none of its values is an error, not a lie.
fn canonical(value: &Type, text: &str) -> Result<Text> {
    if text.is_empty() {
        return Ok(Text::Borrowed(value.null()));
    }
    // What can only be read may have values that cannot be written.
    let readable = Type { read_only_values: &[], ..*value };
    match readable.accept(None, text) {
        Ok(value) => Ok(Text::Owned(value)),
        Err(fault) => Err(Error::other(fault.into_text())),
    }
}
