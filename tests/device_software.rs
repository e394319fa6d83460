//! Packages as deployment units and init scripts as execution units, with the databases of opkg and of apk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use model::Router;

const MODULES: &str = "Device.SoftwareModules.";

const STATUS: &str = "Package: libc
Version: 1.2.5-r4
Status: install hold installed
Essential: yes

Package: sqm-scripts
Version: 1.6.0-2
Status: install user installed
Installed-Time: 1719000000

Package: dnsmasq
Version: 2.90-4
Status: install user installed

";

fn with_opkg() -> Router {
    let router = Router::new();
    router.root.write("/usr/lib/opkg/status", STATUS);
    router.root.write(
        "/usr/lib/opkg/info/sqm-scripts.control",
        "Package: sqm-scripts\nMaintainer: Somebody <s@example.org>\nDescription:  Shapes traffic\n",
    );
    router.root.write("/usr/lib/opkg/info/sqm-scripts.list", "/etc/config/sqm\n/etc/init.d/sqm\n");
    router.root.write("/usr/lib/opkg/info/dnsmasq.list", "/etc/init.d/dnsmasq\n");
    router
}

/// The row of a table with a name.
fn row(router: &Router, table: &str, name: &str) -> String {
    let values = router.values(&format!("{MODULES}{table}."));
    let found = values.iter().find(|(parameter, value)| parameter.ends_with(".Name") && value == name);
    found.unwrap_or_else(|| panic!("no {name} in {values:?}")).0.trim_end_matches("Name").into()
}

#[test]
fn packages_of_opkg_are_deployment_units() {
    let router = with_opkg();
    assert_eq!(router.get(&format!("{MODULES}DeploymentUnitNumberOfEntries")), "3");
    let unit = row(&router, "DeploymentUnit", "sqm-scripts");
    let service = row(&router, "ExecutionUnit", "sqm");
    for (name, value) in [
        ("Version", "1.6.0-2"),
        ("Status", "Installed"),
        ("Description", "Shapes traffic"),
        ("Vendor", "Somebody <s@example.org>"),
        ("ExecutionEnvRef", "Device.SoftwareModules.ExecEnv.1"),
        ("ExecutionUnitList", service.trim_end_matches('.')),
        ("URL", ""),
    ] {
        assert_eq!(router.get(&format!("{unit}{name}")), value, "{name}");
    }
    let uuid = router.get(&format!("{unit}UUID"));
    assert_eq!(uuid.as_bytes()[14], b'3', "a UUID of version 3: {uuid}");
    assert_eq!(router.get(&format!("{service}Version")), "1.6.0-2");
    // The number stays with the package, over an update of it too.
    router.root.replace("/usr/lib/opkg/status", "1.6.0-2", "1.7.0-1");
    router.root.replace("/usr/lib/opkg/status", "Package: libc", "Package: musl");
    assert_eq!(row(&router, "DeploymentUnit", "sqm-scripts"), unit);
    assert_eq!((router.get(&format!("{unit}Version")), router.get(&format!("{unit}UUID"))), ("1.7.0-1".into(), uuid));
}

#[test]
fn packages_of_apk_are_deployment_units() {
    let router = Router::new();
    router.root.write(
        "/lib/apk/db/installed",
        "P:dropbear\nV:2025.88-r1\nT:Small SSH server\nm:Nobody\nF:etc/init.d\nR:dropbear\n\nP:libc\nV:1.2.5\n\n",
    );
    let unit = row(&router, "DeploymentUnit", "dropbear");
    assert_eq!(router.get(&format!("{unit}Description")), "Small SSH server");
    let service = row(&router, "ExecutionUnit", "dropbear");
    assert_eq!(router.get(&format!("{unit}ExecutionUnitList")), service.trim_end_matches('.'));
}

#[test]
fn services_that_run() {
    let router = with_opkg();
    router.root.set_ubus(
        "service",
        "list",
        None,
        r#"{"dnsmasq":{"instances":{"cfg01411c":{"running":true,"pid":1630},"cfg02":{"running":"what"}}},
            "sqm":{"instances":{"one":{"running":false,"exit_code":3}}},"odd":7,"led":{"instances":[]}}"#,
    );
    let service = row(&router, "ExecutionUnit", "dnsmasq");
    let get = |service: &str, name: &str| router.get(&format!("{service}{name}"));
    assert_eq!(get(&service, "Status"), "Active");
    assert_eq!(get(&service, "AssociatedProcessList"), "Device.DeviceInfo.ProcessStatus.Process.1630");
    assert_eq!(router.get(&format!("{MODULES}ExecEnv.1.ActiveExecutionUnits")), service.trim_end_matches('.'));
    let failed = row(&router, "ExecutionUnit", "sqm");
    assert_eq!(
        (get(&failed, "Status"), get(&failed, "ExecutionFaultCode"), get(&failed, "ExecutionFaultMessage")),
        ("Idle".into(), "FailureWhileActive".into(), "ended with status 3".into())
    );
    router.root.remove_ubus();
    assert_eq!((get(&service, "Status"), get(&failed, "ExecutionFaultCode")), ("Idle".into(), "NoFault".into()));
}

/// Services are started and stopped when the session is over; those that the router cannot do without are not stopped from afar.
#[test]
fn services_are_started_and_stopped() {
    let router = with_opkg();
    let service = row(&router, "ExecutionUnit", "dnsmasq");
    let requested = format!("{service}RequestedState");
    let written = router.set(&[(&requested, "Idle")]).unwrap();
    assert!(written.effects.programs.contains(&vec!["/etc/init.d/dnsmasq".into(), "stop".into()]));
    let written = router.set(&[(&requested, "Active")]).unwrap();
    assert!(written.effects.programs.contains(&vec!["/etc/init.d/dnsmasq".into(), "start".into()]));
    assert_eq!(router.get(&requested), "");
    let network = row(&router, "ExecutionUnit", "network");
    for (name, value) in [("RequestedState", "Idle"), ("AutoStart", "false")] {
        if router.get(&format!("{network}{name}")) != value {
            let refused = router.refused(&[(&format!("{network}{name}"), value)]);
            assert_eq!(refused[0].1.0, 9001, "{name}");
        }
    }
}

#[test]
fn no_package_manager_no_packages() {
    let router = Router::new();
    assert_eq!(router.get(&format!("{MODULES}DeploymentUnitNumberOfEntries")), "0");
    assert_eq!(router.get(&format!("{MODULES}ExecEnvNumberOfEntries")), "1");
}
