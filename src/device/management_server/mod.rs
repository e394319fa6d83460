//! `Device.ManagementServer.`: the agent itself.
//!
//! What INTERFACE.md names lies in `/etc/config/cwmpd`; the rest is the agent's own state, under the name of the parameter.

mod autonomous_transfer;
#[cfg(feature = "heartbeat")]
mod heartbeat;
mod inform_parameter;
#[cfg(feature = "lightweight")]
mod lightweight;
#[cfg(feature = "manageable-devices")]
mod manageable_device;
#[cfg(feature = "scheduled-reboot")]
mod reboot;
#[cfg(feature = "stun")]
mod stun;
mod unit_policy;
#[cfg(feature = "xmpp")]
pub mod xmpp;

#[cfg(feature = "scheduled-reboot")]
pub use reboot::{DELAY as DELAY_REBOOT, SCHEDULE as SCHEDULE_REBOOT};

#[cfg(feature = "stun")]
pub use stun::UDP_ADDRESS;

use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Notification, Object, Text, change, constant, count, get, own, ro, rw, uci, uci_bool, uci_or, uci_words,
};
use crate::model::value::{BOOLEAN, DATE_TIME, Format, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};
use crate::url::Url;

/// Why and when a change of the ACS was undone: the time in UTC, and the reason in words.
pub const LAST_ROLLBACK: &str = "Device.ManagementServer.X_CWMPD-ORG_LastRollback";

/// The configuration takes no others (a line break at the end of a password comes from copying it): they would lock out the ACS or the router.
const CREDENTIAL: Type = STRING
    .lengths(&[(0, 256)])
    .format(Format { name: "text without tabs and line breaks", check: |text| !text.contains(char::is_control) });

/// Any other URL would be the last that this router hears of its ACS (TR-069a6 3.1).
pub(super) const HTTP_URL: Format = Format { name: "http or https URL", check: is_acs_url };

const COMPRESSIONS: &[(&str, &str)] = &[("none", "Disabled"), ("gzip", "GZIP"), ("deflate", "Deflate")];

/// The ways in that this program has (CONFORMANCE C-16).
const METHODS: &str = match (cfg!(feature = "stun"), cfg!(feature = "xmpp")) {
    (true, true) => "HTTP,STUN,XMPP",
    (true, false) => "HTTP,STUN",
    (false, true) => "HTTP,XMPP",
    (false, false) => "HTTP",
};

/// TR-181 2.17 Device.ManagementServer.
pub static MANAGEMENT_SERVER: Object = Object::single(
    "Device.ManagementServer.",
    &[
        rw("EnableCWMP", BOOLEAN, uci_bool("cwmpd.cpe=cpe.enable", "true")),
        rw("URL", STRING.lengths(&[(0, 2048)]).format(HTTP_URL), uci("cwmpd.acs=acs.url")),
        rw("Username", CREDENTIAL, change(username, set_username)),
        rw("Password", CREDENTIAL, uci("cwmpd.acs=acs.password")).hidden(),
        rw("PeriodicInformEnable", BOOLEAN, uci_bool("cwmpd.acs=acs.periodic_enable", "true")),
        rw(
            "PeriodicInformInterval",
            UNSIGNED_INT.ranges(&[(1, i64::MAX)]),
            uci_or("cwmpd.acs=acs.periodic_interval", "3600"),
        ),
        rw("PeriodicInformTime", DATE_TIME, uci_or("cwmpd.acs=acs.periodic_time", UNKNOWN_TIME)),
        ro("ParameterKey", STRING.lengths(&[(0, 32)]), own("")).forced_inform().notification(Notification::CanDeny),
        ro("ConnectionRequestURL", STRING.lengths(&[(0, 2048)]), get(connection_request_url))
            .forced_inform()
            .notification(Notification::ForceDefaultEnabled),
        rw("ConnectionRequestUsername", CREDENTIAL, uci("cwmpd.cpe=cpe.username")),
        rw("ConnectionRequestPassword", CREDENTIAL, uci("cwmpd.cpe=cpe.password")).hidden(),
        rw("UpgradesManaged", BOOLEAN, own("false")),
        rw("DefaultActiveNotificationThrottle", UNSIGNED_INT, own("0")),
        rw(
            "CWMPRetryMinimumWaitInterval",
            UNSIGNED_INT.ranges(&[(1, 65535)]),
            uci_or("cwmpd.acs=acs.retry_min_wait", "5"),
        ),
        rw(
            "CWMPRetryIntervalMultiplier",
            UNSIGNED_INT.ranges(&[(1000, 65535)]),
            uci_or("cwmpd.acs=acs.retry_multiplier", "2000"),
        ),
        rw("HTTPConnectionRequestEnable", BOOLEAN, own("true")),
        ro("AliasBasedAddressing", BOOLEAN, constant("true")).forced_inform(),
        rw("InstanceMode", STRING.values(&["InstanceNumber", "InstanceAlias"]), own("InstanceNumber")),
        rw("AutoCreateInstances", BOOLEAN, own("false")),
        ro("SupportedConnReqMethods", STRING.values(&["HTTP", "STUN", "XMPP"]).list(), constant(METHODS)),
        ro(
            "HTTPCompressionSupported",
            STRING.values(&["GZIP", "Compress", "Deflate"]).list(),
            constant("GZIP,Deflate"),
        ),
        rw(
            "HTTPCompression",
            STRING.values(&["Disabled", "GZIP", "Deflate"]),
            uci_words("cwmpd.acs=acs.compression", COMPRESSIONS, "Disabled"),
        ),
        ro("InstanceWildcardsSupported", BOOLEAN, constant("true")),
        ro("X_CWMPD-ORG_LastRollback", STRING.lengths(&[(0, 256)]), own(""))
            .notification(Notification::ForceDefaultEnabled),
        ro("InformParameterNumberOfEntries", UNSIGNED_INT, count("InformParameter")),
    ],
);

/// The objects of this directory.
pub static OBJECTS: &[&Object] = &[
    &MANAGEMENT_SERVER,
    #[cfg(feature = "lightweight")]
    &lightweight::LIGHTWEIGHT,
    #[cfg(feature = "scheduled-reboot")]
    &reboot::REBOOT,
    #[cfg(feature = "heartbeat")]
    &heartbeat::HEARTBEAT,
    #[cfg(feature = "heartbeat")]
    &heartbeat::STANDBY,
    #[cfg(feature = "xmpp")]
    &xmpp::XMPP,
    #[cfg(feature = "stun")]
    &stun::STUN,
    &autonomous_transfer::POLICY,
    &unit_policy::POLICY,
    &inform_parameter::INFORM_PARAMETER,
    #[cfg(feature = "manageable-devices")]
    &manageable_device::LIMIT,
    #[cfg(feature = "manageable-devices")]
    &manageable_device::MANAGEABLE_DEVICE,
];

/// `auto` in the configuration stands for the form of TR-069a6 3.4.4.
fn username(cx: &mut Context, _: &Row) -> Result<Text> {
    let acs = cx.package("cwmpd")?.find("acs");
    let name = acs.and_then(|acs| acs.get("username")).map(String::from).unwrap_or_default();
    Ok(Text::Owned(if name == "auto" { super::device_info::shown(cx)?.unique_name() } else { name }))
}

fn set_username(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    let id = match cx.package("cwmpd")?.find("acs").map(|acs| acs.id()) {
        Some(id) => id,
        None => {
            let package = cx.package_mut("cwmpd")?;
            package.add_section("acs", Some("acs")).map_err(|error| Fault::internal(error.to_string()))?
        }
    };
    cx.package_mut("cwmpd")?.set(id, "username", value).map_err(|error| Fault::value(error.to_string()))?;
    Ok(())
}

fn connection_request_url(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Owned(cx.facts().connection_request_url.clone()))
}

fn is_acs_url(text: &str) -> bool {
    Url::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_that_lead_to_an_acs_are_taken() {
        for url in [
            "http://acs.example",
            "https://acs.example:7548/tr069?x=1",
            "HTTPS://[2001:db8::1]/",
            "http://[2001:db8::1]:80",
            "http://192.0.2.1:/?u=a@b",
        ] {
            assert!(is_acs_url(url), "{url}");
        }
        for url in ["ftp://acs.example/", "acs.example", "http://", "https:///path", "http://acs example/", "http:/acs"]
        {
            assert!(!is_acs_url(url), "{url}");
        }
        for host in
            ["user@acs.example", "user:word@acs", "acs:0", "acs:65536", "acs:+80", "acs:x", "[::1", "[::1]x", "[a]"]
        {
            assert!(!is_acs_url(&format!("http://{host}/")), "{host}");
        }
    }
}
