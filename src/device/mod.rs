//! TR-181 itself: one file an object, a table first, and code only where a table cannot say it.
//!
//! The model announced is Device:2.17 (`Device.RootDataModelVersion`). Someone who knows TR-181 and UCI but no Rust can read a table here,
//! correct it, and add a parameter; the words that a table uses are explained in [`crate::model::schema`].

pub mod device_info;
pub mod dhcpv4;
pub mod ethernet;
pub mod firewall;
pub mod hosts;
pub mod ip;
mod lease;
pub mod management_server;
pub mod nat;
pub mod net;
mod own_keys;
pub mod root;
pub mod time;
pub mod upkeep;
pub mod user_interface;
pub mod users;
pub mod wifi;

use crate::model::schema::Object;

/// Every standard object, tables before what lies in them.
pub fn objects() -> impl Iterator<Item = &'static Object> {
    let groups = [
        root::OBJECTS,
        device_info::OBJECTS,
        management_server::OBJECTS,
        time::OBJECTS,
        ethernet::OBJECTS,
        ip::OBJECTS,
        wifi::OBJECTS,
        dhcpv4::OBJECTS,
        nat::OBJECTS,
        firewall::OBJECTS,
        hosts::OBJECTS,
        users::OBJECTS,
        user_interface::OBJECTS,
    ];
    groups.into_iter().flatten().copied()
}
