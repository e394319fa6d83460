//! `Device.UserInterface.` (TR-181 2.17): the web interface, which is uhttpd, and who gets to it.

mod http_access;
mod listeners;
mod remote_access;

use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Text, constant, count, get, get_set, ro, rw};
use crate::model::value::{STRING, Type, UNSIGNED_INT};

/// The rule of the firewall that lets the web interface be reached from outside; its ports are those that are open.
pub(super) const REMOTE_ACCESS: &str = "cwmpd_remote_access";

/// The protocols of uhttpd.
const PROTOCOL: Type = STRING.values(&["HTTP", "HTTPS"]);

static USER_INTERFACE: Object = Object::single(
    "Device.UserInterface.",
    &[
        ro("AvailableLanguages", STRING.list_within((0, u32::MAX), 256), get(|cx, _| available_languages(cx))),
        rw("CurrentLanguage", STRING.lengths(&[(0, 16)]), get_set(|cx, _| current_language(cx), set_language)),
        ro("HTTPAccessSupportedProtocols", PROTOCOL.list(), constant("HTTP,HTTPS")),
        ro("HTTPAccessNumberOfEntries", UNSIGNED_INT, count("HTTPAccess")),
    ],
);

/// The objects of the web interface, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&USER_INTERFACE, &remote_access::REMOTE_ACCESS_OBJECT, &http_access::HTTP_ACCESS];

/// LuCI writes `pt_br` what TR-181 (RFC 5646) writes `pt-BR`.
fn tag(word: &str) -> String {
    match word.split_once('_') {
        Some((language, region)) => format!("{language}-{}", region.to_ascii_uppercase()),
        None => String::from(word),
    }
}

fn available_languages(cx: &mut Context) -> Result<Text> {
    let mut tags = vec![String::from("en")];
    if let Some(languages) = cx.package("luci")?.find("languages") {
        tags.extend(languages.options().map(|(word, _)| tag(word)).filter(|tag| tag != "en"));
    }
    let mut list = String::new();
    for tag in tags {
        if list.len().saturating_add(tag.len()) < 255 {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&tag);
        }
    }
    Ok(Text::Owned(list))
}

/// Empty where the browser chooses.
pub(super) fn current_language(cx: &mut Context) -> Result<Text> {
    let word = cx.package("luci")?.find("main").and_then(|main| main.get("lang"));
    Ok(word.filter(|word| *word != "auto").map_or(Text::Borrowed(""), |word| Text::Owned(tag(word))))
}

pub(super) fn set_language(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if current_language(cx)? == value {
        return Ok(());
    }
    let available = available_languages(cx)?;
    if !value.is_empty() && !available.split(',').any(|tag| tag.eq_ignore_ascii_case(value)) {
        return Err(Fault::value(format!("not one of {available}")));
    }
    let found = cx.package("luci")?.find("main").map(|main| main.id());
    let id = found.ok_or_else(|| Fault::value("there is no web interface"))?;
    let word = value.to_ascii_lowercase().replace('-', "_");
    let package = cx.package_mut("luci")?;
    package.set(id, "lang", if word.is_empty() { "auto" } else { &word }).map_err(|e| Fault::value(e.to_string()))?;
    Ok(())
}
