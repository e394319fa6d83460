//! TR-181 itself: one file an object, a table first, and code only where a table cannot say it.
//!
//! The model announced is Device:2.17 (`Device.RootDataModelVersion`). Someone who knows TR-181 and UCI but no Rust can read a table here,
//! correct it, and add a parameter; the words that a table uses are explained in [`crate::model::schema`].

pub mod bridging;
pub mod cellular;
pub mod device_info;
pub mod dhcpv4;
pub mod ethernet;
pub mod hosts;
pub mod interface_stack;
pub mod ip;
pub mod kept;
pub mod layers;
pub mod management_server;
pub mod nat;
pub mod net;
pub mod ppp;
pub mod root;
pub mod time;
pub mod upkeep;
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
        bridging::OBJECTS,
        ip::OBJECTS,
        ppp::OBJECTS,
        cellular::OBJECTS,
        interface_stack::OBJECTS,
        wifi::OBJECTS,
        dhcpv4::OBJECTS,
        nat::OBJECTS,
        hosts::OBJECTS,
    ];
    groups.into_iter().flatten().copied()
}
