//! The objects of `Device.`, DeviceInfo, ManagementServer, Time, Ethernet, IP and Hosts on the sample router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use model::Router;

#[test]
#[ignore = "shows the tree"]
fn show() {
    let router = Router::new();
    for (name, value) in router.values("Device.") {
        println!("{name}={value}");
    }
}
