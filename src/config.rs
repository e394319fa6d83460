//! Typed settings from `/etc/config/cwmpd`.
//!
//! Reading never fails: what is missing or wrong has its default, and what is wrong is told as [`Problem`]s.

use std::fmt;

use log::LevelFilter;

use crate::platform::System;
use crate::platform::identity::{Identity, Overrides, is_oui};
use crate::platform::uci::{OptionValue, Package, Section};
use crate::url::Url;

/// The name of the package.
pub const PACKAGE: &str = "cwmpd";

/// All settings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// `config acs 'acs'`: the way to the ACS.
    pub acs: Acs,
    /// `config cpe 'cpe'`: the agent itself.
    pub cpe: Cpe,
    /// `config device 'device'`: what DeviceInfo says instead of what is found on the system.
    pub device: Overrides,
    /// `list parameter` of `config inform 'inform'`: what goes into every Inform besides the forced parameters.
    pub inform: Vec<String>,
    /// Each `config notify`: attributes at the first boot.
    pub notify: Vec<Notify>,
}

/// `config acs 'acs'`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acs {
    /// URL; empty for no sessions.
    pub url: String,
    /// Username; empty for no credentials, `auto` for the form of TR-069a6 3.4.4 ([`Config::acs_username`]).
    pub username: String,
    /// Password
    pub password: Secret,
    /// PeriodicInformEnable
    pub periodic_enable: bool,
    /// PeriodicInformInterval in seconds, at least 1.
    pub periodic_interval: u32,
    /// PeriodicInformTime, an xsd:dateTime.
    pub periodic_time: String,
    /// CWMPRetryMinimumWaitInterval in seconds, 1 to 65535.
    pub retry_min_wait: u32,
    /// CWMPRetryIntervalMultiplier in thousandths, 1000 to 65535.
    pub retry_multiplier: u32,
    /// PEM file with the roots that are trusted.
    pub ca_file: String,
    /// PEM file with the chain of the client certificate; empty for none.
    pub client_cert: String,
    /// PEM file with its key.
    pub client_key: String,
    /// Whether the certificate of the ACS is verified.
    pub verify: bool,
    /// Whether the URL may come by DHCP.
    pub dhcp_discovery: bool,
    /// Whether DHCP may only name an ACS that is reached over https.
    pub discovery_https_only: bool,
    /// PEM file with the roots that are trusted for an ACS that DHCP has named; empty for those of `ca_file`.
    pub discovery_ca_file: String,
    /// Seconds without an ACS that DHCP has named after which DHCP is asked again, and again, at least 1.
    pub rediscovery_wait: u32,
    /// Whether the DHCP request says that there is an agent here. Read by `/usr/lib/cwmpd/dhcp-request`.
    pub dhcp_vendor_class: bool,
    /// Seconds until an answer of the ACS is given up, at least 1.
    pub http_timeout: u32,
    /// Whether Basic authentication is used without TLS.
    pub basic_over_http: bool,
    /// The longest message taken from the ACS, in bytes.
    pub max_envelope: u32,
    /// HTTPCompression
    pub compression: Compression,
    /// The highest version of CWMP offered.
    pub cwmp_version: CwmpVersion,
}

/// `config cpe 'cpe'`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cpe {
    /// EnableCWMP
    pub enable: bool,
    /// The logical interface whose address the connection request URL carries.
    pub interface: String,
    /// The only address on which connection requests are heard; empty for those of `interface`.
    pub listen_address: String,
    /// The port of connection requests.
    pub listen_port: u16,
    /// The path of the connection request URL, without its first slash; empty to make one.
    pub path: String,
    /// ConnectionRequestUsername
    pub username: String,
    /// ConnectionRequestPassword
    pub password: Secret,
    /// The longest random wait before the first session after a boot, in seconds.
    pub start_delay: u32,
    /// Whether devices on the LAN hear who the gateway is, and say who they are (TR-069a6 Annex F).
    pub manageable_devices: bool,
    /// ProvisioningCode
    pub provisioning_code: String,
    /// The directory of the state.
    pub state_dir: String,
    /// Seconds within which the ACS must be reached after a change; 0 for no such limit.
    pub rollback_timeout: u32,
    /// Whether new firmware begins with the settings of the router, or only with those and the state of the agent.
    pub keep_settings: bool,
    /// The least important messages that are logged.
    pub log_level: LevelFilter,
}

/// `config notify`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notify {
    /// The name of a parameter, or a partial path.
    pub parameter: String,
    /// The Notification attribute, 0 to 6 (TR-069a6 A.3.2.4).
    pub notification: u8,
}

/// How bodies are compressed on the way to the ACS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip
    Gzip,
    /// deflate, with the header of zlib
    Deflate,
}

/// CWMP 1.x, by its x: 0 to 4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CwmpVersion(pub u8);

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "unset" } else { "set" })
    }
}

/// Something wrong with the settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong; never a secret.
    pub text: String,
    /// It is used as given, though it may not be meant so.
    pub warning: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.warning { "warning: " } else { "" };
        match self.line {
            Some(line) => write!(f, "{}:{line}: {warning}{}", self.file, self.text),
            None => write!(f, "{}: {warning}{}", self.file, self.text),
        }
    }
}

impl Default for Acs {
    fn default() -> Self {
        Self {
            url: String::new(),
            username: String::new(),
            password: Secret::default(),
            periodic_enable: true,
            periodic_interval: 3600,
            periodic_time: "0001-01-01T00:00:00Z".to_owned(),
            retry_min_wait: 5,
            retry_multiplier: 2000,
            ca_file: "/etc/ssl/certs/ca-certificates.crt".to_owned(),
            client_cert: String::new(),
            client_key: String::new(),
            verify: true,
            dhcp_discovery: true,
            discovery_https_only: false,
            discovery_ca_file: String::new(),
            rediscovery_wait: 300,
            dhcp_vendor_class: true,
            http_timeout: 30,
            basic_over_http: true,
            max_envelope: 1 << 20,
            compression: Compression::None,
            cwmp_version: CwmpVersion(4),
        }
    }
}

impl Default for Cpe {
    fn default() -> Self {
        Self {
            enable: true,
            interface: "wan".to_owned(),
            listen_address: String::new(),
            listen_port: 7547,
            path: String::new(),
            username: String::new(),
            password: Secret::default(),
            start_delay: 0,
            manageable_devices: false,
            provisioning_code: String::new(),
            state_dir: "/etc/cwmpd".to_owned(),
            rollback_timeout: 0,
            keep_settings: true,
            // syslog's notice has no level of its own here; it is the part of info that everybody gets.
            log_level: LevelFilter::Info,
        }
    }
}

impl Config {
    /// Reads the package of this name from the router.
    pub fn load(system: &dyn System) -> (Self, Vec<Problem>) {
        match system.load_package(PACKAGE) {
            Ok(package) => Self::from_package(&package),
            Err(error) => {
                let file = format!("/etc/config/{PACKAGE}");
                (Self::default(), vec![Problem { file, line: None, text: error.to_string(), warning: false }])
            }
        }
    }

    /// Reads a package, of whatever name.
    #[must_use]
    pub fn from_package(package: &Package) -> (Self, Vec<Problem>) {
        let own = package.own_file().map(|file| file.display().to_string());
        let file = own.unwrap_or_else(|| format!("/etc/config/{PACKAGE}"));
        let mut reader = Reader { problems: Vec::new(), file: file.clone() };
        let syntax = package.problems().iter();
        reader.problems.extend(syntax.map(|problem| Problem {
            file: file.clone(),
            line: Some(problem.line),
            text: problem.reason.clone(),
            warning: false,
        }));
        let config = reader.config(package);
        (config, reader.problems)
    }

    /// The user name towards the ACS, with `auto` written out (CONFORMANCE T-17).
    #[must_use]
    pub fn acs_username(&self, identity: &Identity) -> String {
        if self.acs.username == "auto" { identity.unique_name() } else { self.acs.username.clone() }
    }
}

/// A boolean as OpenWrt's own scripts take it, in small letters: the scripts of the package and the data model read the same options.
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "on" | "true" | "yes" | "enabled" => Some(true),
        "0" | "off" | "false" | "no" | "disabled" => Some(false),
        _ => None,
    }
}

/// A level by its name in syslog or in this program.
#[must_use]
pub fn parse_log_level(text: &str) -> Option<LevelFilter> {
    Some(match text.to_ascii_lowercase().as_str() {
        "off" | "none" => LevelFilter::Off,
        "error" | "err" | "crit" | "alert" | "emerg" => LevelFilter::Error,
        "warning" | "warn" => LevelFilter::Warn,
        "notice" | "info" => LevelFilter::Info,
        "debug" => LevelFilter::Debug,
        "trace" => LevelFilter::Trace,
        _ => return None,
    })
}

impl CwmpVersion {
    /// `1.0` to `1.4`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let minor = text.strip_prefix("1.")?;
        (0..=4).find(|known: &u8| known.to_string() == minor).map(Self)
    }
}

fn parse_compression(text: &str) -> Option<Compression> {
    // As the data model reads it.
    Some(match text {
        "none" | "disabled" => Compression::None,
        "gzip" => Compression::Gzip,
        "deflate" => Compression::Deflate,
        _ => return None,
    })
}

/// The words of TR-069a6 A.3.2.4, and the numbers that they stand for.
fn parse_notification(text: &str) -> Option<u8> {
    const WORDS: [&str; 7] = [
        "off",
        "passive",
        "active",
        "passive_lightweight",
        "passive_and_passive_lightweight",
        "active_lightweight",
        "passive_and_active_lightweight",
    ];
    let place = WORDS.iter().position(|word| text.eq_ignore_ascii_case(word));
    let number = || (0..=6).find(|number: &u8| number.to_string() == text);
    place.and_then(|place| u8::try_from(place).ok()).or_else(number)
}

/// Whether it is a URL of an ACS that sessions can go to.
pub(crate) fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok()
}

/// Whether it looks like an xsd:dateTime; whether the day exists is found out where it is used.
fn is_date_time(text: &str) -> bool {
    let shape: Vec<u8> = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }).collect();
    let Some(rest) = shape.strip_prefix(b"0000-00-00T00:00:00") else { return false };
    let fraction = rest.strip_prefix(b".").map(|digits| digits.iter().take_while(|byte| **byte == b'0').count());
    let zone = match fraction {
        Some(0) => return false,
        Some(count) => rest.get(count + 1..).unwrap_or_default(),
        None => rest,
    };
    matches!(zone, b"" | b"Z" | b"+00:00" | b"-00:00")
}

fn is_absolute(text: &str) -> bool {
    text.starts_with('/') && !text.split('/').any(|part| part == "..")
}

/// The sections that are known by their names.
const NAMED: [&str; 4] = ["acs", "cpe", "device", "inform"];

/// What is told of any other. Its type and name are not shown: where a quote was forgotten they may be a secret.
const UNREAD: &str =
    "this section is not read: there are acs 'acs', cpe 'cpe', device 'device', inform 'inform', and notify";

/// Reads one option after the other, and notes what is wrong.
struct Reader {
    problems: Vec<Problem>,
    file: String,
}

/// A section that may be missing, and the options that are known in it.
struct Known<'a> {
    kind: &'static str,
    section: Option<Section<'a>>,
    options: Vec<&'static str>,
}

impl<'a> Known<'a> {
    fn get(&mut self, option: &'static str) -> Option<&'a str> {
        self.options.push(option);
        self.section?.get(option)
    }
}

impl Reader {
    fn config(&mut self, package: &Package) -> Config {
        let mut config = Config::default();
        self.acs(&mut self.section(package, "acs"), &mut config.acs);
        self.cpe(&mut self.section(package, "cpe"), &mut config.cpe);
        self.device(&mut self.section(package, "device"), &mut config.device);
        let mut inform = self.section(package, "inform");
        inform.options.push("parameter");
        config.inform = inform
            .section
            .map(|section| section.list("parameter"))
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect();
        self.unknown_options(&inform);
        for section in package.sections() {
            if section.kind() == "notify" {
                config.notify.extend(self.notify(section));
            } else if section.name().is_none_or(|name| !NAMED.contains(&name)) {
                let (file, line) = (self.file.clone(), section.first_line());
                self.problems.push(Problem { file, line, text: UNREAD.to_owned(), warning: false });
            }
        }
        config
    }

    /// The section of this name. The data model and the scripts of the package write into no other, and the first thing that they wrote would
    /// hide one that is only of this type.
    fn section<'a>(&self, package: &'a Package, kind: &'static str) -> Known<'a> {
        let section = package.sections().find(|section| section.name() == Some(kind));
        Known { kind, section, options: Vec::new() }
    }

    fn acs(&mut self, from: &mut Known<'_>, acs: &mut Acs) {
        self.checked(from, "url", &mut acs.url, is_url);
        self.text(from, "username", &mut acs.username);
        self.text(from, "password", &mut acs.password.0);
        self.flag(from, "periodic_enable", &mut acs.periodic_enable);
        self.number(from, "periodic_interval", &mut acs.periodic_interval, 1, u32::MAX);
        self.checked(from, "periodic_time", &mut acs.periodic_time, is_date_time);
        self.number(from, "retry_min_wait", &mut acs.retry_min_wait, 1, 65535);
        self.number(from, "retry_multiplier", &mut acs.retry_multiplier, 1000, 65535);
        self.checked(from, "ca_file", &mut acs.ca_file, is_absolute);
        self.checked(from, "client_cert", &mut acs.client_cert, is_absolute);
        self.checked(from, "client_key", &mut acs.client_key, is_absolute);
        self.flag(from, "verify", &mut acs.verify);
        self.flag(from, "dhcp_discovery", &mut acs.dhcp_discovery);
        self.flag(from, "discovery_https_only", &mut acs.discovery_https_only);
        self.checked(from, "discovery_ca_file", &mut acs.discovery_ca_file, is_absolute);
        self.number(from, "rediscovery_wait", &mut acs.rediscovery_wait, 1, 86_400);
        self.flag(from, "dhcp_vendor_class", &mut acs.dhcp_vendor_class);
        self.number(from, "http_timeout", &mut acs.http_timeout, 1, 3600);
        self.flag(from, "basic_over_http", &mut acs.basic_over_http);
        self.number(from, "max_envelope", &mut acs.max_envelope, 16_384, 1 << 26);
        self.parsed(from, "compression", &mut acs.compression, parse_compression);
        self.parsed(from, "cwmp_version", &mut acs.cwmp_version, CwmpVersion::parse);
        if acs.http_timeout < 30 {
            self.tell(
                from,
                "http_timeout",
                format!("acs.http_timeout is {} s, though an ACS may take 30 s to answer", acs.http_timeout),
            );
            if let Some(problem) = self.problems.last_mut() {
                problem.warning = true;
            }
        }
        if acs.client_cert.is_empty() != acs.client_key.is_empty() {
            let set = if acs.client_cert.is_empty() { "client_key" } else { "client_cert" };
            self.tell(from, set, "acs.client_cert and acs.client_key only work together".to_owned());
        }
        self.unknown_options(from);
    }

    fn cpe(&mut self, from: &mut Known<'_>, cpe: &mut Cpe) {
        self.flag(from, "enable", &mut cpe.enable);
        self.text(from, "interface", &mut cpe.interface);
        self.checked(from, "listen_address", &mut cpe.listen_address, |text| text.parse::<std::net::IpAddr>().is_ok());
        self.parsed(from, "listen_port", &mut cpe.listen_port, |text| text.parse().ok().filter(|port| *port != 0));
        self.checked(from, "path", &mut cpe.path, |text| {
            text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
        });
        cpe.path = cpe.path.trim_start_matches('/').to_owned();
        self.checked(from, "username", &mut cpe.username, |text| text.chars().count() <= 256);
        self.text(from, "password", &mut cpe.password.0);
        self.number(from, "start_delay", &mut cpe.start_delay, 0, 86_400);
        self.flag(from, "manageable_devices", &mut cpe.manageable_devices);
        self.checked(from, "provisioning_code", &mut cpe.provisioning_code, |text| text.chars().count() <= 64);
        self.checked(from, "state_dir", &mut cpe.state_dir, |text| is_absolute(text) && text.len() > 1);
        self.number(from, "rollback_timeout", &mut cpe.rollback_timeout, 0, 86_400);
        self.flag(from, "keep_settings", &mut cpe.keep_settings);
        self.parsed(from, "log_level", &mut cpe.log_level, parse_log_level);
        // The init script reads it; here it is only judged.
        self.flag(from, "jail", &mut false);
        self.unknown_options(from);
    }

    fn device(&mut self, from: &mut Known<'_>, device: &mut Overrides) {
        let short = |text: &str| text.chars().count() <= 64;
        self.checked(from, "manufacturer", &mut device.manufacturer, short);
        self.checked(from, "manufacturer_oui", &mut device.manufacturer_oui, is_oui);
        self.checked(from, "product_class", &mut device.product_class, short);
        self.checked(from, "serial_number", &mut device.serial_number, short);
        self.checked(from, "hardware_version", &mut device.hardware_version, short);
        self.checked(from, "software_version", &mut device.software_version, short);
        self.checked(from, "model_name", &mut device.model_name, short);
        self.checked(from, "description", &mut device.description, |text| text.chars().count() <= 256);
        self.unknown_options(from);
    }

    fn notify(&mut self, section: Section<'_>) -> Option<Notify> {
        let mut from = Known { kind: "notify", section: Some(section), options: Vec::new() };
        let (mut parameter, mut notification) = (String::new(), None);
        self.text(&mut from, "parameter", &mut parameter);
        self.parsed(&mut from, "notification", &mut notification, |text| parse_notification(text).map(Some));
        self.unknown_options(&from);
        let Some(notification) = notification.filter(|_| !parameter.is_empty()) else {
            self.tell(
                &from,
                "parameter",
                "a section of type notify needs a parameter and a notification; it is left out".to_owned(),
            );
            return None;
        };
        Some(Notify { parameter, notification })
    }

    fn text(&mut self, from: &mut Known<'_>, option: &'static str, into: &mut String) {
        self.checked(from, option, into, |_| true);
    }

    fn checked(&mut self, from: &mut Known<'_>, option: &'static str, into: &mut String, good: fn(&str) -> bool) {
        let Some(text) = from.get(option).filter(|text| !text.is_empty()) else { return };
        if good(text) && !text.contains(char::is_control) {
            text.clone_into(into);
        } else {
            self.refuse(from, option, text);
        }
    }

    fn flag(&mut self, from: &mut Known<'_>, option: &'static str, into: &mut bool) {
        self.parsed(from, option, into, parse_bool);
    }

    fn number(&mut self, from: &mut Known<'_>, option: &'static str, into: &mut u32, least: u32, most: u32) {
        let Some(text) = from.get(option).filter(|text| !text.is_empty()) else { return };
        match text.trim().parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => *into = number,
            _ => self.refuse_because(from, option, text, &format!(": it goes from {least} to {most}")),
        }
    }

    fn parsed<T>(&mut self, from: &mut Known<'_>, option: &'static str, into: &mut T, parse: fn(&str) -> Option<T>) {
        let Some(text) = from.get(option).filter(|text| !text.is_empty()) else { return };
        match parse(text.trim()) {
            Some(value) => *into = value,
            None => self.refuse(from, option, text),
        }
    }

    /// A value that is not used.
    fn refuse(&mut self, from: &Known<'_>, option: &str, text: &str) {
        self.refuse_because(from, option, text, "");
    }

    /// The value is shown unless it may be secret. Where a quote was forgotten, a value goes on over the lines of other options, which may be, so
    /// only its first word is.
    fn refuse_because(&mut self, from: &Known<'_>, option: &str, text: &str, reason: &str) {
        let secret = option.contains("password") || text.contains('@');
        let word = text.split(|c: char| c.is_control() || c.is_whitespace()).find(|word| !word.is_empty());
        let shown: String = word.unwrap_or_default().chars().take(80).flat_map(char::escape_debug).collect();
        let value = if secret { String::new() } else { format!(" '{shown}'") };
        self.tell(
            from,
            option,
            format!("the value{value} of {}.{option} is not usable{reason}; the default is used", from.kind),
        );
    }

    fn unknown_options(&mut self, from: &Known<'_>) {
        let Some(section) = from.section else { return };
        for (name, value) in section.options() {
            if !from.options.contains(&name) {
                self.tell(from, name, format!("{}.{name} is not a known option", from.kind));
            } else if name != "parameter" && matches!(value, OptionValue::List(_)) {
                self.tell(
                    from,
                    name,
                    format!("{}.{name} must be an option and not a list; the default is used", from.kind),
                );
            }
        }
    }

    fn tell(&mut self, from: &Known<'_>, option: &str, text: String) {
        let line = from.section.and_then(|section| section.line(option).or_else(|| section.first_line()));
        self.problems.push(Problem { file: self.file.clone(), line, text, warning: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgotten_quotes_do_not_show_the_password_on_the_next_line() {
        for end in ["\n\t", "\\\n  ", "\0\n\t"] {
            let text = format!("config acs 'acs'\n\toption url 'example.com{end}option password SwordFish'\n");
            let (_, problems) = Config::from_package(&Package::parse(PACKAGE, text.as_bytes()));
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert!(told.iter().any(|line| line.contains("'example.com")), "{told:?}");
            assert!(!told.iter().any(|line| line.contains("SwordFish")), "{told:?}");
        }
    }
}
