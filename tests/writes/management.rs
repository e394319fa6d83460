//! The agent's own settings.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &[], writes: WRITES };

const WRITES: &[Write] = &[
    write("Device.ManagementServer.PeriodicInformInterval", "7200", &[("cwmpd.acs.periodic_interval", "7200")])
        .outside(&[("cwmpd.acs.periodic_interval", "600")], "600"),
    write("Device.ManagementServer.Password", "secret", &[("cwmpd.acs.password", "secret")]).reads(""),
    write("Device.DeviceInfo.ProvisioningCode", "A.1", &[("cwmpd.cpe.provisioning_code", "A.1")])
        .outside(&[("cwmpd.cpe.provisioning_code", "B.2")], "B.2"),
];
