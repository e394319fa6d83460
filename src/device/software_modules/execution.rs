//! `Device.SoftwareModules.ExecutionUnit.{i}.`: the services of the router, by their init scripts.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::{EXEC_ENV, EXECUTION_UNIT as TABLE, environment, installed};
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Object, Rows, Table, Text, alias, always, constant, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, Type};
use crate::platform::packages::{INIT, Package, is_name};

const LABEL: Type = STRING.lengths(&[(0, 64)]);

/// Services without which the router or the agent is out of reach: nobody stops them or takes them out of the boot from afar.
const VITAL: &[&str] = &[
    "boot",
    "cwmpd",
    "done",
    "dropbear",
    "firewall",
    "fstab",
    "log",
    "network",
    "rpcd",
    "sysctl",
    "sysfixtime",
    "system",
    "ubus",
    "umount",
    "urngd",
    "wpad",
];

/// TR-181 2.17 Device.SoftwareModules.ExecutionUnit.{i}.; known by the name of the script.
pub(super) static EXECUTION_UNIT: Object = Object::table(
    "Device.SoftwareModules.ExecutionUnit.{i}.",
    Table::new(Rows::Keys(services)).keys(&[always(&["EUID"])]),
    &[
        ro("EUID", LABEL, get(name)),
        alias(),
        ro("Name", STRING.lengths(&[(0, 256)]), get(name)),
        ro("ExecEnvLabel", LABEL, get(name)),
        ro("Status", STRING.values(&["Idle", "Starting", "Active", "Stopping"]), get(status))
            .notification(Notification::ForceDefaultEnabled),
        rw("RequestedState", STRING.values(&["Idle", "Active"]), get_set(|_, _| Ok(Text::Borrowed("")), request))
            .command(),
        ro(
            "ExecutionFaultCode",
            STRING.values(&[
                "NoFault",
                "FailureOnStart",
                "FailureOnAutoStart",
                "FailureOnStop",
                "FailureWhileActive",
                "DependencyFailure",
                "UnStartable",
            ]),
            get(fault),
        ),
        ro("ExecutionFaultMessage", STRING.lengths(&[(0, 256)]), get(fault_message)),
        rw("AutoStart", BOOLEAN, get_set(auto_start, set_auto_start)),
        ro(
            "Vendor",
            STRING.lengths(&[(0, 128)]),
            get(|cx, row| of_package(cx, row, |package| &package.maintainer, 128)),
        ),
        ro("Version", STRING.lengths(&[(0, 32)]), get(|cx, row| of_package(cx, row, |package| &package.version, 32))),
        ro(
            "Description",
            STRING.lengths(&[(0, 256)]),
            get(|cx, row| of_package(cx, row, |package| &package.description, 256)),
        ),
        ro("References", STRING.strong(&[]).list(), constant("")),
        ro(
            "AssociatedProcessList",
            STRING.strong(&["Device.DeviceInfo.ProcessStatus.Process."]).list(),
            get(processes),
        ),
        ro("VendorLogList", STRING.strong(&["Device.DeviceInfo.VendorLogFile."]).list(), constant("")),
        ro("VendorConfigList", STRING.strong(&["Device.DeviceInfo.VendorConfigFile."]).list(), constant("")),
        ro("SupportedDataModelList", STRING.strong(&["Device.DeviceInfo.SupportedDataModel."]).list(), constant("")),
        ro("ExecutionEnvRef", STRING.strong(&[EXEC_ENV]), get(environment)),
    ],
);

/// TR-181 2.17 Device.SoftwareModules.ExecutionUnit.{i}.Extensions.: a place for parameters of vendors.
pub(super) static EXTENSIONS: Object = Object::single("Device.SoftwareModules.ExecutionUnit.{i}.Extensions.", &[]);

fn services(cx: &mut Context, _: &Row) -> Result<Vec<String>> {
    let directory = INIT.trim_end_matches('/');
    Ok(cx.directory(directory).iter().filter(|name| is_name(name) && name.len() <= 64).cloned().collect())
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(cx.key(row)?))
}

/// What procd has of the services: `{"dnsmasq": {"instances": {"cfg01": {"running": true, "pid": 1}}}}`.
fn procd(cx: &mut Context) -> Rc<Json> {
    cx.ubus("service", "list", &json!({})).unwrap_or_else(|_| Rc::new(Json::Null))
}

fn instances(cx: &mut Context, row: &Row) -> Result<Vec<Json>> {
    let name = cx.key(row)?;
    let services = procd(cx);
    let found = services.get(&name).and_then(|service| service.get("instances")).and_then(Json::as_object);
    Ok(found.into_iter().flatten().map(|(_, instance)| instance.clone()).collect())
}

fn is_running(instance: &Json) -> bool {
    instance.get("running").and_then(Json::as_bool) == Some(true)
}

/// A script that only does something once has nothing that runs.
fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if instances(cx, row)?.iter().any(is_running) { "Active" } else { "Idle" }))
}

/// The services that run, for the execution environment.
pub(super) fn active(cx: &mut Context, _: &Row) -> Result<Text> {
    let services = procd(cx);
    let running = |service: &Json| {
        service.get("instances").and_then(Json::as_object).is_some_and(|all| all.values().any(is_running))
    };
    let names = services.as_object().into_iter().flatten().filter(|(_, service)| running(service));
    let paths: Vec<String> = names.filter_map(|(name, _)| cx.path_of_key(TABLE, name)).collect();
    Ok(Text::Owned(paths.join(",")))
}

/// The exit status of what does not run any more, as far as procd remembers it.
fn exit_code(cx: &mut Context, row: &Row) -> Result<Option<i64>> {
    let stopped = instances(cx, row)?;
    let failed = stopped.iter().filter(|instance| !is_running(instance));
    Ok(failed.filter_map(|instance| instance.get("exit_code").and_then(Json::as_i64)).find(|code| *code != 0))
}

fn fault(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if exit_code(cx, row)?.is_some() { "FailureWhileActive" } else { "NoFault" }))
}

fn fault_message(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(exit_code(cx, row)?.map_or(Text::Borrowed(""), |code| Text::Owned(format!("ended with status {code}"))))
}

fn processes(cx: &mut Context, row: &Row) -> Result<Text> {
    let all = instances(cx, row)?;
    let pids = all.iter().filter(|instance| is_running(instance)).filter_map(|instance| instance.get("pid"));
    let paths: Vec<String> = pids
        .filter_map(Json::as_u64)
        .filter_map(|pid| cx.path_of_key("Device.DeviceInfo.ProcessStatus.Process.", &pid.to_string()))
        .collect();
    Ok(Text::Owned(paths.join(",")))
}

fn refuse_vital(name: &str) -> Result<(), Fault> {
    if VITAL.contains(&name) {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, format!("the router is out of reach without {name}")));
    }
    Ok(())
}

fn request(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let name = cx.key(row)?;
    let action = match value {
        "Active" => "start",
        _ => {
            refuse_vital(&name)?;
            "stop"
        }
    };
    cx.after(&[&format!("{INIT}{name}"), action]);
    Ok(())
}

/// `/etc/rc.d` has a link with `S` and a number before the name.
fn starts(cx: &mut Context, name: &str) -> bool {
    let links = cx.directory("/etc/rc.d");
    links.iter().any(|link| {
        link.strip_prefix('S').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit())) == Some(name)
    })
}

fn auto_start(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    Ok(truth(starts(cx, &name)))
}

fn set_auto_start(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let name = cx.key(row)?;
    if auto_start(cx, row)? == value {
        return Ok(());
    }
    if value == "false" {
        refuse_vital(&name)?;
    }
    let action = if value == "true" { "enable" } else { "disable" };
    cx.stage_program(vec![format!("{INIT}{name}"), String::from(action)]);
    Ok(())
}

/// A parameter of the deployment unit that the script came with.
fn of_package(cx: &mut Context, row: &Row, field: fn(&Package) -> &String, longest: usize) -> Result<Text> {
    let name = cx.key(row)?;
    let package = match installed::owners(cx)?.get(&name) {
        Some(owner) => installed::package(cx, owner)?,
        None => None,
    };
    Ok(installed::text(package, field, longest))
}
