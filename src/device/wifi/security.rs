//! `Device.WiFi.AccessPoint.{i}.Security.`: the mode, its keys and the protection of management frames, judged together.
//!
//! OpenWrt keeps one secret, `key`: the passphrase or the key of WPA and WPA2, the passphrase of WPA3, or which of the WEP keys is used.

use super::{LINE, ONE_LINE, PACKAGE};
use super::{features, halves, words};
use crate::device::own_keys;
use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::format::IP_ADDRESS;
use crate::model::schema::{Object, Text, Values, get, get_set, ro, rw, together, uci, uci_or};
use crate::model::value::{BOOLEAN, Format, HEX_BINARY, STRING, Type, UNSIGNED_INT};

const MODE: Type = STRING.values(&[
    "None",
    "WEP-64",
    "WEP-128",
    "WPA-Personal",
    "WPA2-Personal",
    "WPA3-Personal",
    "WPA-WPA2-Personal",
    "WPA3-Personal-Transition",
    "WPA-Enterprise",
    "WPA2-Enterprise",
    "WPA3-Enterprise",
    "WPA-WPA2-Enterprise",
    "OWE",
]);
/// IEEE 802.11-2020 J.4.1: characters of a passphrase.
const PASSPHRASE: Type = STRING.format(Format {
    name: "a passphrase of printable ASCII characters",
    check: |text| text.bytes().all(|byte| (32..=126).contains(&byte)) && (LINE.check)(text),
});
const PORT: Type = UNSIGNED_INT.ranges(&[(1, 65_535)]);

pub(super) static SECURITY: Object = Object::single(
    "Device.WiFi.AccessPoint.{i}.Security.",
    &[
        ro("ModesSupported", MODE.list(), get(modes_supported)),
        rw("ModeEnabled", MODE, together(|cx, row| Ok(Text::Borrowed(read(cx, row)?.0.name())))),
        rw("EncryptionMode", STRING.values(&["TKIP", "AES"]).list(), together(encryption)),
        rw("WEPKey", HEX_BINARY.lengths(&[(5, 5), (13, 13)]), together(hidden)).hidden(),
        rw("PreSharedKey", HEX_BINARY.lengths(&[(0, 32)]), together(hidden)).hidden(),
        rw("KeyPassphrase", PASSPHRASE.lengths(&[(8, 63)]), together(hidden)).hidden(),
        rw("RekeyingInterval", UNSIGNED_INT, uci_or("wpa_group_rekey", "3600")).default("3600"),
        rw("SAEPassphrase", PASSPHRASE, together(hidden)).hidden(),
        rw("RadiusServerIPAddr", IP_ADDRESS, together(radius_server)),
        rw("RadiusServerPort", PORT, uci_or("auth_port", "1812")).default("1812"),
        rw("RadiusSecret", ONE_LINE, uci("auth_secret")).hidden(),
        rw(
            "MFPConfig",
            STRING.values(&["Disabled", "Optional", "Required"]),
            together(|cx, row| Ok(Text::Borrowed(protection(cx, row)?.name()))),
        )
        .default("Disabled"),
        rw("Reset", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), reset)).command(),
    ],
)
.set_together(set);

fn hidden(_: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Borrowed(""))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    None,
    Wep64,
    Wep128,
    Wpa,
    Wpa2,
    WpaWpa2,
    Wpa3,
    Wpa3Transition,
    WpaEnterprise,
    Wpa2Enterprise,
    WpaWpa2Enterprise,
    Wpa3Enterprise,
    Owe,
}

/// A mode, its name in TR-181, its word in UCI, and what hostapd must be built with for it.
const MODES: [(Mode, &str, &str, &str); 13] = [
    (Mode::None, "None", "none", ""),
    (Mode::Wep64, "WEP-64", "wep", "wep"),
    (Mode::Wep128, "WEP-128", "wep", "wep"),
    (Mode::Wpa, "WPA-Personal", "psk", ""),
    (Mode::Wpa2, "WPA2-Personal", "psk2", ""),
    (Mode::Wpa3, "WPA3-Personal", "sae", "sae"),
    (Mode::WpaWpa2, "WPA-WPA2-Personal", "psk-mixed", ""),
    (Mode::Wpa3Transition, "WPA3-Personal-Transition", "sae-mixed", "sae"),
    (Mode::WpaEnterprise, "WPA-Enterprise", "wpa", "eap"),
    (Mode::Wpa2Enterprise, "WPA2-Enterprise", "wpa2", "eap"),
    (Mode::Wpa3Enterprise, "WPA3-Enterprise", "wpa3", "eap"),
    (Mode::WpaWpa2Enterprise, "WPA-WPA2-Enterprise", "wpa-mixed", "eap"),
    (Mode::Owe, "OWE", "owe", "owe"),
];

impl Mode {
    fn entry(self) -> (&'static str, &'static str, &'static str) {
        let found = MODES.iter().find(|(mode, ..)| *mode == self);
        found.map_or(("None", "none", ""), |(_, name, word, feature)| (name, word, feature))
    }

    fn name(self) -> &'static str {
        self.entry().0
    }

    fn is_wep(self) -> bool {
        matches!(self, Self::Wep64 | Self::Wep128)
    }

    fn is_sae(self) -> bool {
        matches!(self, Self::Wpa3 | Self::Wpa3Transition)
    }

    fn is_personal(self) -> bool {
        matches!(self, Self::Wpa | Self::Wpa2 | Self::WpaWpa2) || self.is_sae()
    }

    fn is_enterprise(self) -> bool {
        matches!(self, Self::WpaEnterprise | Self::Wpa2Enterprise | Self::WpaWpa2Enterprise | Self::Wpa3Enterprise)
    }

    /// Whether stations may use TKIP.
    fn has_ciphers(self) -> bool {
        matches!(
            self,
            Self::Wpa
                | Self::Wpa2
                | Self::WpaWpa2
                | Self::WpaEnterprise
                | Self::Wpa2Enterprise
                | Self::WpaWpa2Enterprise
        )
    }

    /// The least protection of management frames that the mode has.
    fn least_protection(self) -> Protection {
        match self {
            Self::Wpa3 | Self::Wpa3Enterprise | Self::Owe => Protection::Required,
            Self::Wpa3Transition => Protection::Optional,
            _ => Protection::Disabled,
        }
    }
}

/// How management frames are protected (`ieee80211w`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Protection {
    Disabled,
    Optional,
    Required,
}

impl Protection {
    const ALL: [Self; 3] = [Self::Disabled, Self::Optional, Self::Required];

    fn name(self) -> &'static str {
        match self {
            Self::Disabled => "Disabled",
            Self::Optional => "Optional",
            Self::Required => "Required",
        }
    }

    fn uci(self) -> &'static str {
        match self {
            Self::Disabled => "0",
            Self::Optional => "1",
            Self::Required => "2",
        }
    }
}

/// Which pairwise ciphers there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ciphers {
    tkip: bool,
    aes: bool,
}

impl Ciphers {
    fn text(self) -> Text {
        Text::Borrowed(match (self.tkip, self.aes) {
            (true, true) => "TKIP,AES",
            (true, false) => "TKIP",
            (false, true) => "AES",
            (false, false) => "",
        })
    }

    fn parse(value: &str) -> Self {
        let has = |name| value.split(',').any(|item| item == name);
        Self { tkip: has("TKIP"), aes: has("AES") }
    }

    fn suffix(self) -> &'static str {
        match (self.tkip, self.aes) {
            (true, true) => "+tkip+ccmp",
            (true, false) => "+tkip",
            (false, _) => "+ccmp",
        }
    }
}

/// The mode that is set, and what stands behind its word in UCI.
fn read(cx: &mut Context, row: &Row) -> Result<(Mode, String)> {
    let text = cx.option(row, "encryption")?.unwrap_or_default();
    let (word, rest) = match text.find('+') {
        Some(place) => text.split_at_checked(place).unwrap_or((text.as_str(), "")),
        None => (text.as_str(), ""),
    };
    let word = match word {
        "wep-open" | "wep-shared" | "wep-mixed" => "wep",
        "wpa3-192" | "wpa3-mixed" => "wpa3",
        "psk2-mixed" | "mixed" => "psk-mixed",
        "psk3" => "sae",
        // The last one is WPA2 with WPA3 beside it in an element of its own.
        "psk3-mixed" | "sae-compat" => "sae-mixed",
        "wpa2-mixed" => "wpa-mixed",
        word => word,
    };
    let found = MODES.iter().find(|(_, _, known, _)| *known == word).map_or(Mode::None, |(mode, ..)| *mode);
    let rest = String::from(rest);
    let mode = if found.is_wep() && wep_length(cx, row)? == Some(13) { Mode::Wep128 } else { found };
    Ok((mode, rest))
}

/// How many bytes the WEP key in use has.
fn wep_length(cx: &mut Context, row: &Row) -> Result<Option<usize>> {
    let key = match cx.option(row, "key")?.as_deref() {
        Some(number @ ("1" | "2" | "3" | "4")) => cx.option(row, &format!("key{number}"))?,
        _ => cx.option(row, "key1")?,
    };
    Ok(key.and_then(|key| match (key.strip_prefix("s:").map_or(key.len(), |text| text.len()), key.starts_with("s:")) {
        (5, _) | (10, false) => Some(5),
        (13, _) | (26, false) => Some(13),
        _ => None,
    }))
}

fn ciphers(cx: &mut Context, row: &Row) -> Result<Ciphers> {
    let (mode, rest) = read(cx, row)?;
    let tkip = rest.contains("tkip");
    let aes = rest.contains("ccmp") || rest.contains("aes");
    Ok(match mode {
        Mode::None | Mode::Wep64 | Mode::Wep128 => Ciphers { tkip: false, aes: false },
        mode if !mode.has_ciphers() || !(tkip || aes) => Ciphers { tkip: false, aes: true },
        _ => Ciphers { tkip, aes },
    })
}

fn encryption(cx: &mut Context, row: &Row) -> Result<Text> {
    let now = ciphers(cx, row)?.text();
    Ok(words::shown(cx, row, "EncryptionMode", now))
}

fn protection(cx: &mut Context, row: &Row) -> Result<Protection> {
    let set = cx.option(row, "ieee80211w")?;
    let found = Protection::ALL.into_iter().find(|protection| set.as_deref() == Some(protection.uci()));
    Ok(match found {
        Some(found) => found,
        None => read(cx, row)?.0.least_protection(),
    })
}

/// Whether the access point is in the 6 GHz band, be it with one of several radios.
fn is_in_six(cx: &mut Context, row: &Row) -> Result<bool> {
    let radios = halves::radios(cx, row)?;
    let package = cx.package(PACKAGE)?;
    Ok(radios.iter().any(|radio| package.find(radio).and_then(|radio| radio.get("band")) == Some("6g")))
}

/// Whether the router can have a mode: in the 6 GHz band hostapd starts none of the networks of a radio if one of them does without the protection of
/// management frames (IEEE 802.11ax-2021 12.12.2).
fn is_possible(cx: &mut Context, row: &Row, mode: Mode) -> Result<bool> {
    let protected = mode.least_protection() == Protection::Required;
    Ok(features::has(cx, mode.entry().2) && (protected || !is_in_six(cx, row)?))
}

fn modes_supported(cx: &mut Context, row: &Row) -> Result<Text> {
    let now = read(cx, row)?.0;
    let mut names = Vec::new();
    for (mode, name, ..) in MODES {
        if mode == now || is_possible(cx, row, mode)? {
            names.push(name);
        }
    }
    Ok(Text::Owned(names.join(",")))
}

/// Whether a text can be `key` in the modes of WPA and WPA2 that have one.
fn is_key(key: &str) -> bool {
    (8..=63).contains(&key.len()) || (key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What a mode lacks to work; `None` for nothing.
fn missing(cx: &mut Context, row: &Row, mode: Mode) -> Result<Option<&'static str>> {
    Ok(if mode.is_personal() {
        let key = cx.option(row, "key")?.unwrap_or_default();
        // SAE has passphrases only: with a key of 32 bytes no station could use it.
        let fits = is_key(&key) && (!mode.is_sae() || key.len() < 64);
        (!fits).then_some("KeyPassphrase")
    } else if mode.is_wep() {
        wep_length(cx, row)?.is_none().then_some("WEPKey")
    } else if mode.is_enterprise() {
        cx.section(row)?.list("auth_server").is_empty().then_some("RadiusServerIPAddr")
    } else {
        None
    })
}

/// Whether the security of an access point has all that its mode needs.
pub(super) fn is_complete(cx: &mut Context, row: &Row) -> Result<bool> {
    let mode = read(cx, row)?.0;
    Ok(missing(cx, row, mode)?.is_none())
}

type Blame = (&'static str, Fault);

/// Stages what a request has of these parameters, when the access point can work with it.
fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), Blame> {
    let broken = |error: crate::error::Error| ("ModeEnabled", Fault::from(error));
    let (before, _) = read(cx, row).map_err(broken)?;
    let wanted = values.get("ModeEnabled").and_then(|name| MODES.iter().find(|(_, known, ..)| *known == name));
    let mode = wanted.map_or(before, |(mode, ..)| *mode);
    if mode != before && !is_possible(cx, row, mode).map_err(broken)? {
        return Err(("ModeEnabled", Fault::value("not one of ModesSupported")));
    }
    set_mode(cx, row, values, before, mode)?;
    set_keys(cx, row, values, before, mode)?;
    set_protection(cx, row, values, before, mode)?;
    set_radius(cx, row, values, before, mode).map_err(|fault| ("RadiusServerIPAddr", fault))?;
    if mode != before && (halves::on(cx, row).map_err(broken)? || mode.is_wep()) {
        // A request that would take the access point off the air is refused; while it is off, its parts may come one by one.
        if let Some(lacking) = missing(cx, row, mode).map_err(broken)? {
            return Err(("ModeEnabled", Fault::value(format!("{} needs {lacking}", mode.name()))));
        }
    }
    if let Some(value) = values.get("EncryptionMode") {
        let now = ciphers(cx, row).map_err(broken)?.text();
        words::keep(cx, row, "EncryptionMode", value, &now);
    }
    Ok(())
}

fn set_mode(cx: &mut Context, row: &Row, values: &Values<'_>, before: Mode, mode: Mode) -> Result<(), Blame> {
    let blame = |fault: Fault| ("ModeEnabled", fault);
    let now = ciphers(cx, row).map_err(|error| blame(error.into()))?;
    let asked = values.get("EncryptionMode").map(Ciphers::parse);
    if let Some(asked) = asked {
        let possible = if mode.has_ciphers() { asked.tkip || asked.aes } else { asked == default_ciphers(mode) };
        if !possible {
            return Err(("EncryptionMode", Fault::value(format!("not possible with {}", mode.name()))));
        }
    }
    let (_, rest) = read(cx, row).map_err(|error| blame(error.into()))?;
    let suffix = match asked {
        Some(asked) if mode.has_ciphers() && asked != now => asked.suffix(),
        // What was chosen stays where the new mode can have it.
        _ if mode.has_ciphers() && before.has_ciphers() => rest.as_str(),
        _ if mode == before => rest.as_str(),
        _ => "",
    };
    if mode == before && suffix == rest {
        return Ok(());
    }
    let word = mode.entry().1;
    cx.set_option(row, "encryption", Some(&format!("{word}{suffix}"))).map_err(blame)
}

fn default_ciphers(mode: Mode) -> Ciphers {
    let aes = !mode.is_wep() && mode != Mode::None;
    Ciphers { tkip: false, aes }
}

fn set_keys(cx: &mut Context, row: &Row, values: &Values<'_>, before: Mode, mode: Mode) -> Result<(), Blame> {
    if before.is_wep() && !mode.is_wep() {
        for option in ["key", "key1", "key2", "key3", "key4"] {
            cx.set_option(row, option, None).map_err(|fault| ("ModeEnabled", fault))?;
        }
    }
    let passphrase = values.get("KeyPassphrase");
    // The last one of a request wins.
    for (name, value) in values.0 {
        let staged = match *name {
            "KeyPassphrase" if mode.is_wep() => Err(Fault::value("WEP has no passphrase")),
            "KeyPassphrase" => cx.set_option(row, "key", Some(value)),
            "PreSharedKey" | "SAEPassphrase" if value.is_empty() => Ok(()),
            "PreSharedKey" if mode.is_wep() || mode.is_sae() => {
                Err(Fault::value(format!("{} has no PreSharedKey", mode.name())))
            }
            "PreSharedKey" if value.len() != 64 => Err(Fault::value("a key has 32 bytes")),
            "PreSharedKey" => cx.set_option(row, "key", Some(value)),
            "SAEPassphrase" if passphrase == Some(value.as_str()) => Ok(()),
            "SAEPassphrase" if passphrase.is_some() => {
                Err(Fault::value("the router has one passphrase; KeyPassphrase is another"))
            }
            "SAEPassphrase" if !mode.is_sae() => Err(Fault::value(format!("{} has no SAE", mode.name()))),
            "SAEPassphrase" if !(8..=63).contains(&value.len()) => Err(Fault::value("8 to 63 characters are allowed")),
            "SAEPassphrase" => cx.set_option(row, "key", Some(value)),
            "WEPKey" => set_wep_key(cx, row, values, mode, value),
            _ => Ok(()),
        };
        staged.map_err(|fault| (*name, fault))?;
    }
    let length = wep_length(cx, row).map_err(|error| ("WEPKey", Fault::from(error)))?;
    if mode != before && mode.is_wep() && length != Some(if mode == Mode::Wep64 { 5 } else { 13 }) {
        return Err(("ModeEnabled", Fault::value(format!("{} needs a WEPKey of its length", mode.name()))));
    }
    Ok(())
}

fn set_wep_key(cx: &mut Context, row: &Row, values: &Values<'_>, mode: Mode, value: &str) -> Result<(), Fault> {
    if !mode.is_wep() {
        return Err(crate::error::FaultCode::NON_WRITABLE_PARAMETER.into());
    }
    let fits = value.len() == if mode == Mode::Wep64 { 10 } else { 26 };
    if !fits && values.get("ModeEnabled").is_some() {
        return Err(Fault::value(format!("the length is not that of {}", mode.name())));
    }
    cx.set_option(row, "key", Some("1"))?;
    cx.set_option(row, "key1", Some(value))
}

fn set_protection(cx: &mut Context, row: &Row, values: &Values<'_>, before: Mode, mode: Mode) -> Result<(), Blame> {
    let blame = |fault: Fault| ("MFPConfig", fault);
    let asked = values.get("MFPConfig").and_then(|name| Protection::ALL.into_iter().find(|p| p.name() == name));
    if let Some(asked) = asked {
        if asked < mode.least_protection() {
            return Err(blame(Fault::value(format!("{} needs more", mode.name()))));
        }
        if asked != Protection::Disabled && matches!(mode, Mode::None | Mode::Wep64 | Mode::Wep128) {
            return Err(blame(Fault::value(format!("{} cannot protect them", mode.name()))));
        }
        let same = mode == before && protection(cx, row).map_err(|error| blame(error.into()))? == asked;
        return if same { Ok(()) } else { cx.set_option(row, "ieee80211w", Some(asked.uci())).map_err(blame) };
    }
    if mode == before {
        return Ok(());
    }
    // What came with the old mode goes with it.
    let least = mode.least_protection();
    let kept = cx.option(row, "ieee80211w").map_err(|error| blame(error.into()))?;
    let value = match least {
        Protection::Disabled if before.least_protection() == Protection::Disabled && mode.has_ciphers() => {
            kept.as_deref()
        }
        Protection::Disabled => None,
        least => Some(least.uci()),
    };
    cx.set_option(row, "ieee80211w", value).map_err(blame)
}

/// Where the server of RADIUS is kept while the mode has no use for it: with `auth_server` hostapd asks it in every other mode whether a station may come
/// in (`macaddr_acl=2`), and lets none in that the server does not know by its MAC address.
fn kept_server(cx: &mut Context, row: &Row) -> Result<String> {
    Ok(format!("{PACKAGE}.{}.auth_server", cx.key(row)?))
}

fn radius_server(cx: &mut Context, row: &Row) -> Result<Text> {
    let kept = kept_server(cx, row)?;
    // There may be several, of which TR-181 knows the first.
    let server = cx.section(row)?.list("auth_server").first().map(|server| String::from(*server));
    let server = server.filter(|server| !server.is_empty()).or_else(|| cx.own(&kept));
    Ok(server.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_radius(cx: &mut Context, row: &Row, values: &Values<'_>, before: Mode, mode: Mode) -> Result<(), Fault> {
    let now = radius_server(cx, row)?.into_owned();
    let asked = values.get("RadiusServerIPAddr").unwrap_or(&now);
    if *asked == now && before.is_enterprise() == mode.is_enterprise() {
        return Ok(());
    }
    let server = Some(asked).filter(|server| !server.is_empty());
    let (used, kept) = if mode.is_enterprise() { (server, None) } else { (None, server) };
    let name = kept_server(cx, row)?;
    own_keys::set_own(cx, &name, kept);
    cx.set_option(row, "auth_server", used)
}

/// Where the factory settings of OpenWrt are told from what the ACS has made of them: `board.json` has the name and key of the first start.
fn reset(cx: &mut Context, row: &Row, _: &str) -> Result<(), Fault> {
    let board = cx.file("/etc/board.json").unwrap_or_else(|_| std::rc::Rc::from(""));
    let board: serde_json::Value = crate::json::value(board.as_bytes()).unwrap_or_default();
    let defaults = board.pointer("/wlan/defaults/ssids/all").cloned().unwrap_or_default();
    let text = |member| defaults.get(member).and_then(serde_json::Value::as_str).map(String::from);
    let (mut encryption, key) = (text("encryption"), text("key").filter(|key| is_key(key)));
    let six = is_in_six(cx, row)?;
    if six {
        encryption = encryption.map(|_| String::from("sae"));
    }
    for option in
        ["key1", "key2", "key3", "key4", "ieee80211w", "wpa_group_rekey", "auth_server", "auth_port", "auth_secret"]
    {
        cx.set_option(row, option, None)?;
    }
    let server = kept_server(cx, row)?;
    own_keys::set_own(cx, &server, None);
    match (encryption, key) {
        (Some(encryption), Some(key)) => {
            cx.set_option(row, "encryption", Some(&encryption))?;
            cx.set_option(row, "key", Some(&key))
        }
        // Without a key from the factory the access point keeps its own rather than become an open one.
        _ => {
            let key = cx.option(row, "key")?.filter(|key| is_key(key));
            cx.set_option(row, "key", key.as_deref())?;
            cx.set_option(row, "encryption", Some(if six { "sae" } else { "psk2" }))
        }
    }
}
