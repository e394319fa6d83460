//! How the kernel finds its neighbours.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &[], writes: WRITES };

macro_rules! setting {
    ($name:literal) => {
        concat!("Device.NeighborDiscovery.InterfaceSetting.", $name)
    };
}

const WRITES: &[Write] = &[
    write("Device.NeighborDiscovery.Enable", "true", &[]),
    write(setting!("1.Enable"), "true", &[]),
    write(setting!("1.Interface"), "Device.IP.Interface.2", &[]),
    write(setting!("1.DADTransmits"), "2", &[("network.@device[0].dadtransmits", "2")])
        .outside(&[("network.@device[0].dadtransmits", "3")], "3"),
    write(setting!("1.RetransTimer"), "2000", &[]),
    write(setting!("1.RtrSolicitationInterval"), "8000", &[]),
    write(setting!("1.MaxRtrSolicitations"), "5", &[]),
    write(setting!("1.NUDEnable"), "true", &[]),
    write(setting!("1.RSEnable"), "false", &[]),
];
