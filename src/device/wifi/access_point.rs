//! `Device.WiFi.AccessPoint.{i}.`: the other half of a `wifi-iface` section of mode `ap`.

use super::halves::{self, Half};
use super::{PACKAGE, SSID, features, live, security, words};
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::MAC_ADDRESS;
use crate::model::schema::{
    Object, Rows, Table, Text, alias, change, constant, count, functional, get, get_set, ro, rw, uci, uci_bool,
    uci_custom, uci_not,
};
use crate::model::value::{BOOLEAN, Format, STRING, Type, UNSIGNED_INT};

pub(super) static ACCESS_POINT: Object = Object::table(
    "Device.WiFi.AccessPoint.{i}.",
    Table::new(Rows::SomeSections { package: PACKAGE, list: |cx, _| halves::sections(cx, Half::AccessPoint) })
        .added_by(|cx, _| halves::add(cx, Half::AccessPoint))
        .deleted_by(|cx, row| halves::delete(cx, row, Half::AccessPoint))
        .keys(&[functional(&["SSIDReference"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        alias(),
        rw("SSIDReference", STRING.strong(&[SSID]).lengths(&[(0, 256)]), change(reference, set_reference)).default(""),
        rw("SSIDAdvertisementEnabled", BOOLEAN, uci_not("hidden")),
        ro("WMMCapability", BOOLEAN, constant("true")),
        ro("UAPSDCapability", BOOLEAN, constant("true")),
        rw("WMMEnable", BOOLEAN, uci_bool("wmm", "true")),
        rw("UAPSDEnable", BOOLEAN, uci_bool("uapsd", "true")),
        ro("AssociatedDeviceNumberOfEntries", UNSIGNED_INT, count("AssociatedDevice")),
        rw("IsolationEnable", BOOLEAN, uci_bool("isolate", "false")),
        rw("MACAddressControlEnabled", BOOLEAN, get_set(control, set_control)),
        rw("AllowedMACAddress", MAC_ADDRESS.list(), change(allowed, set_allowed)),
        rw(
            "MaxAllowedAssociations",
            UNSIGNED_INT.ranges(&[(0, 2007)]),
            uci_custom("maxassoc", "0", read_limit, write_limit),
        ),
    ],
);

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(halves::enabled(cx, row, Half::AccessPoint)?))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    halves::set_enabled(cx, row, Half::AccessPoint, value == "true")
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    if !halves::enabled(cx, row, Half::AccessPoint)? {
        return Ok(Text::Borrowed("Disabled"));
    }
    let radio = halves::radios(cx, row)?.into_iter().next();
    let (Some(radio), true) = (radio, halves::has(cx, row, Half::Ssid)?) else {
        return Ok(Text::Borrowed("Error_Misconfigured"));
    };
    if cx.option(row, "ssid")?.is_none() || !security::is_complete(cx, row)? {
        return Ok(Text::Borrowed("Error_Misconfigured"));
    }
    let wireless = live::wireless(cx)?;
    let switched_off = !halves::on(cx, row)? || wireless.radio(&radio).is_some_and(|radio| radio.disabled);
    Ok(Text::Borrowed(if switched_off {
        "Disabled"
    } else if !wireless.known() || live::device(cx, row)?.is_some() || wireless.radio(&radio).is_some_and(|r| r.pending)
    {
        "Enabled"
    } else {
        "Error"
    }))
}

fn reference(cx: &mut Context, row: &Row) -> Result<Text> {
    if !halves::has(cx, row, Half::Ssid)? {
        return Ok(Text::Borrowed(""));
    }
    let name = cx.key(row)?;
    Ok(cx.path_of_key(SSID, &name).map_or(Text::Borrowed(""), Text::Owned))
}

fn set_reference(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value.is_empty() {
        return halves::bind(cx, row, None);
    }
    let ssid = cx.row_of_path(SSID, value).ok_or_else(|| Fault::value(format!("there is no {value}")))?;
    halves::bind(cx, row, Some(&ssid))
}

fn filter(cx: &mut Context, row: &Row) -> Result<Option<String>> {
    cx.option(row, "macfilter")
}

fn control(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(filter(cx, row)?.as_deref() == Some("allow")))
}

fn set_control(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    match (value == "true", filter(cx, row)?.as_deref() == Some("allow")) {
        (true, false) => {
            // A list of those that are kept out is not a list of those that may come in.
            if filter(cx, row)?.as_deref() == Some("deny") {
                cx.set_list(row, "maclist", &[])?;
            }
            cx.set_option(row, "macfilter", Some("allow"))
        }
        (false, true) => cx.set_option(row, "macfilter", None),
        _ => Ok(()),
    }
}

fn allowed(cx: &mut Context, row: &Row) -> Result<Text> {
    if filter(cx, row)?.as_deref() == Some("deny") {
        return Ok(Text::Borrowed(""));
    }
    let items = cx.section(row)?.list("maclist");
    Ok(Text::Owned(items.iter().flat_map(|item| item.split_ascii_whitespace()).collect::<Vec<_>>().join(",")))
}

fn set_allowed(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if filter(cx, row)?.as_deref() == Some("deny") {
        cx.set_option(row, "macfilter", None)?;
    }
    let items: Vec<&str> = value.split(',').filter(|item| !item.is_empty()).collect();
    cx.set_list(row, "maclist", &items)
}

fn read_limit(text: &str) -> Text {
    text.parse::<u32>().map_or(Text::Borrowed("0"), |limit| Text::Owned(limit.to_string()))
}

fn write_limit(value: &str) -> Result<Option<String>, Fault> {
    Ok((value != "0").then(|| String::from(value)))
}

/// The ways of WPS that OpenWrt has options for.
const METHODS: [(&str, &str); 2] = [("PushButton", "wps_pushbutton"), ("Label", "wps_label")];
const METHOD: Type = STRING
    .values(&[
        "USBFlashDrive",
        "Ethernet",
        "Label",
        "Display",
        "ExternalNFCToken",
        "IntegratedNFCToken",
        "NFCInterface",
        "PushButton",
        "PIN",
        "PhysicalPushButton",
        "PhysicalDisplay",
        "VirtualPushButton",
        "VirtualDisplay",
    ])
    .list();

const PIN: Format = Format {
    name: "PIN of 4 or 8 digits",
    check: |text| matches!(text.len(), 0 | 4 | 8) && text.bytes().all(|byte| byte.is_ascii_digit()),
};

pub(super) static WPS: Object = Object::single(
    "Device.WiFi.AccessPoint.{i}.WPS.",
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(!methods(cx, row)?.is_empty())), set_wps)),
        ro("ConfigMethodsSupported", METHOD, get(supported_methods)),
        rw("ConfigMethodsEnabled", METHOD, get_set(enabled_methods, set_methods)),
        // What stands on the label; without it nobody can join by that way.
        rw("PIN", STRING.lengths(&[(0, 8)]).format(PIN), uci("wps_pin")).hidden(),
    ],
);

fn methods(cx: &mut Context, row: &Row) -> Result<Vec<&'static str>> {
    let section = cx.section(row)?;
    let on = |option: &str| section.get(option).and_then(uci_truth) == Some(true);
    Ok(METHODS.iter().filter(|(_, option)| on(option)).map(|(method, _)| *method).collect())
}

fn supported_methods(cx: &mut Context, _: &Row) -> Result<Text> {
    if !features::has(cx, "wps") {
        return Ok(Text::Borrowed(""));
    }
    Ok(Text::Owned(METHODS.map(|(method, _)| method).join(",")))
}

/// The ways that are used when WPS is enabled again.
fn kept(cx: &mut Context, row: &Row) -> Result<String> {
    Ok(format!("{PACKAGE}.{}.wps_methods", cx.key(row)?))
}

fn write_methods(cx: &mut Context, row: &Row, wanted: &[&str]) -> Result<(), Fault> {
    let now = methods(cx, row)?;
    for (method, option) in METHODS {
        if now.contains(&method) != wanted.contains(&method) {
            cx.set_option(row, option, wanted.contains(&method).then_some("1"))?;
        }
    }
    Ok(())
}

fn set_wps(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let now = methods(cx, row)?;
    if (value == "true") != now.is_empty() {
        return Ok(());
    }
    let kept = kept(cx, row)?;
    if value == "false" {
        cx.set_own(&kept, Some(&now.join(",")));
        return write_methods(cx, row, &[]);
    }
    if !features::has(cx, "wps") {
        return Err(Fault::value("this hostapd has no WPS"));
    }
    let wanted = cx.own(&kept).unwrap_or_default();
    let wanted = if wanted.is_empty() { "PushButton" } else { wanted.as_str() };
    write_methods(cx, row, &wanted.split(',').collect::<Vec<_>>())?;
    cx.set_own(&kept, None);
    Ok(())
}

fn enabled_methods(cx: &mut Context, row: &Row) -> Result<Text> {
    let now = methods(cx, row)?;
    if now.is_empty() {
        let kept = kept(cx, row)?;
        return Ok(Text::Owned(cx.own(&kept).unwrap_or_default()));
    }
    Ok(words::shown(cx, row, "ConfigMethodsEnabled", Text::Owned(now.join(","))))
}

fn set_methods(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let wanted: Vec<&str> = value.split(',').filter(|method| !method.is_empty()).collect();
    let supported = supported_methods(cx, row)?;
    if wanted.iter().any(|method| !supported.split(',').any(|known| known == *method)) {
        return Err(Fault::value("not one of ConfigMethodsSupported"));
    }
    if methods(cx, row)?.is_empty() {
        if enabled_methods(cx, row)? != value {
            let kept = kept(cx, row)?;
            cx.set_own(&kept, (!wanted.is_empty()).then_some(value));
        }
        return Ok(());
    }
    write_methods(cx, row, &wanted)?;
    let now = methods(cx, row)?.join(",");
    words::keep(cx, row, "ConfigMethodsEnabled", value, &now);
    Ok(())
}
