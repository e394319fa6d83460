//! `Device.Cellular.`

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.append(
            "/etc/config/network",
            "\nconfig interface 'wwan'\n\toption proto 'qmi'\n\toption device '/dev/cdc-wdm0'\n\toption apn 'internet'\n\
             \nconfig interface 'second'\n\toption proto 'qmi'\n\toption device '/dev/cdc-wdm1'\n\toption disabled '1'\n",
        );
    },
    add: &[],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.Cellular.Interface.1.Stats.Reset", "true", &[]).reads("false"),
    write("Device.Cellular.Interface.1.Enable", "false", &[("network.wwan.disabled", "1")])
        .outside(&[("network.wwan.disabled", "0")], "true"),
    write("Device.Cellular.Interface.1.LowerLayers", "", &[]),
    write("Device.Cellular.Interface.1.NetworkRequested", "26201", &[("network.wwan.plmn", "26201")])
        .outside(&[("network.wwan.plmn", "26202")], "26202"),
    write("Device.Cellular.Interface.1.USIM.PIN", "1234", &[("network.wwan.pincode", "1234")]).reads(""),
    write("Device.Cellular.AccessPoint.1.Enable", "false", &[("network.wwan.disabled", "1")])
        .outside(&[("network.wwan.disabled", "")], "true"),
    write("Device.Cellular.AccessPoint.1.APN", "ims", &[("network.wwan.apn", "ims")])
        .outside(&[("network.wwan.apn", "web")], "web"),
    write("Device.Cellular.AccessPoint.1.Username", "u", &[("network.wwan.username", "u")])
        .outside(&[("network.wwan.username", "v")], "v"),
    write("Device.Cellular.AccessPoint.1.Password", "p", &[("network.wwan.password", "p")]).reads(""),
    write("Device.Cellular.AccessPoint.2.Interface", "Device.Cellular.Interface.1", &[("network.second.device", "/dev/cdc-wdm0")])
        .outside(&[("network.second.device", "/dev/cdc-wdm1")], "Device.Cellular.Interface.2"),
];
