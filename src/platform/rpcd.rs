//! The other one who puts configurations back: rpcd, behind the router's web interface.
//!
//! A change that was applied there with a way back (`ubus call uci apply` with `rollback`) is put back by rpcd unless it is confirmed in time.
//! Until then rpcd keeps the former files, and writes them over whatever was made of them meanwhile.

use serde_json::json;

use super::System;
use super::ubus::UbusError;

/// Where rpcd keeps the former files. Some versions leave them there when nothing is pending, too.
const SNAPSHOT: &str = "/var/run/rpcd/snapshot-files";

/// The first of these packages that rpcd may still put back.
///
/// Nobody is asked unless there is a former file of one of them: it costs a look into a directory.
pub fn pending<'a>(system: &dyn System, packages: &[&'a str]) -> Option<&'a str> {
    let kept = system.list_dir(SNAPSHOT).ok().filter(|kept| !kept.is_empty())?;
    let package = packages.iter().find(|package| kept.iter().any(|name| name == *package))?;
    // Nothing tells directly. But a request to go back that does not say in whose name is refused for lack of that only where there is something
    // to go back to; it never has an effect.
    match system.ubus_call("uci", "rollback", &json!({})) {
        Err(UbusError::Arguments | UbusError::Denied | UbusError::TimedOut) => Some(package),
        _ => None,
    }
}
