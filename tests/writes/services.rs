//! SSH, the log, UPnP, shaping and dynamic DNS, with their packages installed.

use super::{Group, Write, write};
use crate::common::root::RouterRoot;

pub const GROUP: Group = Group {
    prepare,
    add: &[
        "Device.SSH.Server.",
        "Device.SSH.AuthorizedKey.",
        "Device.QoS.Shaper.",
        "Device.DynamicDNS.Server.",
        "Device.DynamicDNS.Client.",
        "Device.DynamicDNS.Client.1.Hostname.",
    ],
    writes: WRITES,
};

fn prepare(root: &RouterRoot) {
    root.write("/etc/config/sqm", "");
    root.write("/etc/dropbear/authorized_keys", "");
    root.write("/etc/config/ddns", "config ddns 'global'\n\toption ddns_dateformat '%F %R'\n");
    root.write("/usr/share/ddns/list", "example.org\nexample.com-v2\n");
    root.write("/etc/config/upnpd", "config upnpd 'config'\n\toption enabled '0'\n");
}

const WRITES: &[Write] = &[
    write("Device.SSH.Server.2.Interface", "Device.IP.Interface.2", &[("dropbear.@dropbear[1].Interface", "lan")])
        .outside(&[("dropbear.@dropbear[1].Interface", "guest")], "Device.IP.Interface.5"),
    write("Device.SSH.Server.2.Port", "2222", &[("dropbear.@dropbear[1].Port", "2222")])
        .outside(&[("dropbear.@dropbear[1].Port", "2223")], "2223"),
    write("Device.SSH.Server.2.IdleTimeout", "600", &[("dropbear.@dropbear[1].IdleTimeout", "600")])
        .outside(&[("dropbear.@dropbear[1].IdleTimeout", "")], "0"),
    write("Device.SSH.Server.2.KeepAlive", "60", &[("dropbear.@dropbear[1].SSHKeepAlive", "60")])
        .outside(&[("dropbear.@dropbear[1].SSHKeepAlive", "")], "300"),
    write("Device.SSH.Server.2.AllowRootLogin", "true", &[("dropbear.@dropbear[1].RootLogin", "1")])
        .outside(&[("dropbear.@dropbear[1].RootLogin", "off")], "false"),
    write("Device.SSH.Server.2.AllowPasswordLogin", "true", &[("dropbear.@dropbear[1].PasswordAuth", "1")])
        .outside(&[("dropbear.@dropbear[1].PasswordAuth", "off")], "false"),
    write("Device.SSH.Server.2.AllowRootPasswordLogin", "true", &[("dropbear.@dropbear[1].RootPasswordAuth", "1")])
        .outside(&[("dropbear.@dropbear[1].RootPasswordAuth", "off")], "false"),
    write("Device.SSH.Server.2.MaxAuthTries", "5", &[("dropbear.@dropbear[1].MaxAuthTries", "5")])
        .outside(&[("dropbear.@dropbear[1].MaxAuthTries", "")], "3"),
    write("Device.SSH.Server.2.Enable", "true", &[("dropbear.@dropbear[1].enable", "1")])
        .outside(&[("dropbear.@dropbear[1].enable", "0")], "false"),
    write("Device.SSH.Enable", "false", &[("dropbear.main.enable", "0")])
        .outside(&[("dropbear.main.enable", "1")], "true"),
    write("Device.SSH.AuthorizedKey.1.User", "Device.Users.User.1", &[]),
    write("Device.SSH.AuthorizedKey.1.Key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample noc@isp.example", &[]),
    write("Device.Syslog.Enable", "true", &[]),
    write("Device.Syslog.Action.1.LogFile.FilePath", "/mnt/usb/messages", &[("system.@system[0].log_file", "")]),
    write("Device.Syslog.Action.1.LogFile.Enable", "true", &[("system.@system[0].log_file", "/mnt/usb/messages")])
        .outside(&[("system.@system[0].log_file", "")], "false"),
    write("Device.Syslog.Action.1.LogRemote.Address", "192.0.2.9", &[("system.@system[0].log_ip", "192.0.2.9")])
        .outside(&[("system.@system[0].log_ip", "192.0.2.10")], "192.0.2.10"),
    write("Device.Syslog.Action.1.LogRemote.Port", "5514", &[("system.@system[0].log_port", "5514")])
        .outside(&[("system.@system[0].log_port", "")], "514"),
    write("Device.Syslog.Action.1.LogRemote.Enable", "false", &[("system.@system[0].log_remote", "0")])
        .outside(&[("system.@system[0].log_remote", "1")], "true"),
    write("Device.UPnP.Device.Enable", "true", &[("upnpd.config.enabled", "1")]),
    write("Device.UPnP.Device.UPnPIGD", "true", &[("upnpd.config.enabled", "1")])
        .outside(&[("upnpd.config.enabled", "0")], "false"),
    write("Device.QoS.Shaper.1.Interface", "Device.IP.Interface.3", &[("sqm.@queue[0].interface", "wan")])
        .outside(&[("sqm.@queue[0].interface", "br-lan")], "Device.IP.Interface.2"),
    write("Device.QoS.Shaper.1.ShapingRate", "1234567", &[("sqm.@queue[0].upload", "1235")])
        .outside(&[("sqm.@queue[0].upload", "2000")], "2000000"),
    write("Device.QoS.Shaper.1.Enable", "true", &[("sqm.@queue[0].enabled", "1")])
        .outside(&[("sqm.@queue[0].enabled", "0")], "false"),
    write("Device.DynamicDNS.Server.1.Name", "Mine", &[]),
    write("Device.DynamicDNS.Server.1.ServiceName", "example.org", &[]),
    write("Device.DynamicDNS.Server.1.Enable", "true", &[]),
    write("Device.DynamicDNS.Client.1.Enable", "true", &[("ddns.@service[0].enabled", "0")]),
    write("Device.DynamicDNS.Client.1.Server", "Device.DynamicDNS.Server.1", &[("ddns.@service[0].service_name", "example.org")]),
    write("Device.DynamicDNS.Server.1.Protocol", "HTTPS", &[("ddns.@service[0].use_https", "1")])
        .outside(&[("ddns.@service[0].use_https", "0")], "HTTP"),
    write("Device.DynamicDNS.Server.1.CheckInterval", "1200", &[("ddns.@service[0].check_unit", "seconds")])
        .outside(&[("ddns.@service[0].check_interval", "30"), ("ddns.@service[0].check_unit", "minutes")], "1800"),
    write("Device.DynamicDNS.Server.1.RetryInterval", "90", &[("ddns.@service[0].retry_interval", "90")]),
    write("Device.DynamicDNS.Server.1.MaxRetries", "7", &[("ddns.@service[0].retry_max_count", "7")])
        .outside(&[("ddns.@service[0].retry_max_count", "8")], "8"),
    write("Device.DynamicDNS.Client.1.Interface", "Device.IP.Interface.4", &[
        ("ddns.@service[0].interface", "wan6"),
        ("ddns.@service[0].ip_network", "wan6"),
    ])
        .outside(&[("ddns.@service[0].interface", "wan")], "Device.IP.Interface.3"),
    write("Device.DynamicDNS.Client.1.Username", "me", &[("ddns.@service[0].username", "me")])
        .outside(&[("ddns.@service[0].username", "you")], "you"),
    write("Device.DynamicDNS.Client.1.Password", "secret", &[("ddns.@service[0].password", "secret")]).reads(""),
    write(
        "Device.DynamicDNS.Client.1.Hostname.1.Name",
        "home.example.org",
        &[("ddns.@service[0].lookup_host", "home.example.org"), ("ddns.@service[0].domain", "home.example.org")],
    )
    .outside(&[("ddns.@service[0].lookup_host", "box.example.org")], "box.example.org"),
    write("Device.DynamicDNS.Client.1.Hostname.1.Enable", "true", &[("ddns.@service[0].enabled", "1")])
        .outside(&[("ddns.@service[0].enabled", "0")], "false"),
];
