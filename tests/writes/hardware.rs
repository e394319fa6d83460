//! What the kernel has named.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.write("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        root.write("/sys/class/thermal/thermal_zone0/temp", "48750\n");
        root.write("/etc/ssl/certs/company.crt", include_str!("company.crt"));
    },
    add: &[],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.DeviceInfo.TemperatureStatus.TemperatureSensor.1.Enable", "false", &[]),
    write("Device.Security.Certificate.1.Enable", "true", &[]),
];
