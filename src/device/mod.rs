//! TR-181 itself: one file an object, a table first, and code only where a table cannot say it.
//!
//! The model announced is Device:2.17 (`Device.RootDataModelVersion`). Someone who knows TR-181 and UCI but no Rust can read a table here,
//! correct it, and add a parameter; the words that a table uses are explained in [`crate::model::schema`].

pub mod bridging;
#[cfg(feature = "bulk-data")]
pub mod bulk_data;
pub mod cellular;
pub mod device_info;
pub mod dhcpv4;
pub mod dhcpv6;
pub mod dns;
pub mod dynamic_dns;
pub mod ethernet;
pub mod firewall;
pub mod hosts;
pub mod interface_stack;
pub mod ip;
pub mod kept;
pub mod layers;
mod lease;
pub mod leds;
pub mod management_server;
pub mod nat;
pub mod neighbor_discovery;
pub mod net;
pub mod netifd_client;
pub mod odhcpd;
pub mod option_rows;
pub mod order;
mod own_keys;
#[cfg(feature = "periodic-statistics")]
pub mod periodic_statistics;
pub mod ppp;
#[cfg(feature = "diagnostics")]
pub mod probe;
pub mod qos;
pub mod root;
pub mod router_advertisement;
pub mod routing;
pub mod schedules;
pub mod sections;
#[cfg(feature = "tls")]
pub mod security;
#[cfg(feature = "diagnostics")]
pub mod self_test;
mod slots;
pub mod software_modules;
pub mod ssh;
pub mod syslog;
pub mod time;
pub mod upkeep;
pub mod upnp;
pub mod usb;
pub mod user_interface;
pub mod users;
pub mod wifi;
#[cfg(feature = "xmpp")]
pub mod xmpp;

use crate::model::context::Context;
use crate::model::schema::Object;

/// Every standard object, tables before what lies in them.
pub fn objects() -> impl Iterator<Item = &'static Object> {
    let groups = [
        root::OBJECTS,
        device_info::OBJECTS,
        management_server::OBJECTS,
        time::OBJECTS,
        ethernet::OBJECTS,
        bridging::OBJECTS,
        ip::OBJECTS,
        #[cfg(feature = "diagnostics")]
        ip::diagnostics::OBJECTS,
        #[cfg(feature = "diagnostics")]
        dns::diagnostics::OBJECTS,
        #[cfg(feature = "diagnostics")]
        wifi::neighbors::OBJECTS,
        #[cfg(feature = "diagnostics")]
        self_test::OBJECTS,
        #[cfg(feature = "speed-tests")]
        ip::diagnostics::SPEED_OBJECTS,
        ppp::OBJECTS,
        cellular::OBJECTS,
        interface_stack::OBJECTS,
        wifi::OBJECTS,
        routing::OBJECTS,
        dhcpv4::OBJECTS,
        dhcpv6::OBJECTS,
        router_advertisement::OBJECTS,
        neighbor_discovery::OBJECTS,
        dns::OBJECTS,
        nat::OBJECTS,
        firewall::OBJECTS,
        schedules::OBJECTS,
        hosts::OBJECTS,
        users::OBJECTS,
        user_interface::OBJECTS,
        ssh::OBJECTS,
        syslog::OBJECTS,
        upnp::OBJECTS,
        qos::OBJECTS,
        dynamic_dns::OBJECTS,
        leds::OBJECTS,
        usb::OBJECTS,
        software_modules::OBJECTS,
        #[cfg(feature = "xmpp")]
        xmpp::OBJECTS,
        #[cfg(feature = "periodic-statistics")]
        periodic_statistics::OBJECTS,
        #[cfg(feature = "bulk-data")]
        bulk_data::OBJECTS,
        #[cfg(feature = "tls")]
        security::OBJECTS,
    ];
    groups.into_iter().flatten().copied()
}

/// Whether a package that not every router has is there: its configuration, or the script that starts it.
fn is_installed(cx: &mut Context, package: &str, service: &str) -> bool {
    let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
    has(&cx.directory("/etc/config"), package) || has(&cx.directory("/etc/init.d"), service)
}
