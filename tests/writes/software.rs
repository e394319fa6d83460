//! The services of the router.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        // As rc.common does it.
        let script = "case $1 in
enable) mkdir -p @ROOT@/etc/rc.d; ln -sf ../init.d/sqm @ROOT@/etc/rc.d/S50sqm ;;
disable) rm -f @ROOT@/etc/rc.d/S50sqm ;;
esac\n";
        root.write_recorder("/etc/init.d/sqm", script);
        for other in ["cwmpd", "dnsmasq", "dropbear", "firewall", "led", "log", "network", "odhcpd", "sysntpd", "system", "uhttpd"] {
            root.remove(&format!("/etc/init.d/{other}"));
        }
    },
    add: &[],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.SoftwareModules.ExecEnv.1.Enable", "true", &[]),
    write("Device.SoftwareModules.ExecutionUnit.1.AutoStart", "true", &[]),
    write("Device.SoftwareModules.ExecutionUnit.1.AutoStart", "false", &[]),
    write("Device.SoftwareModules.ExecutionUnit.1.RequestedState", "Active", &[]).reads(""),
];
