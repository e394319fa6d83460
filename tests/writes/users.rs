//! Users, their passwords, and the web interface. The second user is a login of rpcd.

use super::{Group, Write, write};
use crate::common::root::RouterRoot;

pub const GROUP: Group = Group {
    prepare,
    add: &["Device.Users.User.", "Device.Users.Role.", "Device.UserInterface.HTTPAccess."],
    writes: WRITES,
};

fn prepare(root: &RouterRoot) {
    root.write(
        "/etc/config/rpcd",
        "config login\n\toption username 'root'\n\toption password '$p$root'\n\tlist read '*'\n\tlist write '*'\n",
    );
    root.write(
        "/etc/config/luci",
        "config core 'main'\n\toption lang 'auto'\n\nconfig internal 'languages'\n\toption de 'Deutsch'\n\toption pt_br 'Português'\n",
    );
}

const WRITES: &[Write] = &[
    write("Device.Users.User.1.Password", "Correct Horse", &[]).reads(""),
    write("Device.LANConfigSecurity.ConfigPassword", "Battery Staple", &[]).reads(""),
    write("Device.Users.User.1.RemoteAccessCapable", "false", &[]),
    write("Device.Users.User.1.Language", "pt-BR", &[("luci.main.lang", "pt_br")])
        .outside(&[("luci.main.lang", "auto")], ""),
    write("Device.UserInterface.CurrentLanguage", "de", &[("luci.main.lang", "de")])
        .outside(&[("luci.main.lang", "en")], "en"),
    write("Device.Users.User.2.Username", "helpdesk", &[("rpcd.@login[1].username", "")]),
    write("Device.Users.User.2.Enable", "true", &[("rpcd.@login[1].username", "")]),
    write("Device.Users.User.2.Password", "Tr0ub4dor", &[("rpcd.@login[1].username", "helpdesk")]).reads(""),
    write("Device.Users.Role.2.RoleName", "luci-base", &[]),
    write("Device.Users.User.2.RoleParticipation", "Device.Users.Role.2", &[("rpcd.@login[1].read", "")]),
    write("Device.Users.Role.2.Enable", "true", &[("rpcd.@login[1].read", "luci-base")]),
    write("Device.UserInterface.RemoteAccess.Enable", "true", &[("firewall.cwmpd_remote_access.dest_port", "443")])
        .outside(&[("firewall.cwmpd_remote_access.enabled", "0")], "false"),
    write("Device.UserInterface.RemoteAccess.Port", "8443", &[]),
    write("Device.UserInterface.RemoteAccess.Protocol", "HTTP", &[]),
    write("Device.UserInterface.HTTPAccess.3.Port", "8080", &[]),
    write("Device.UserInterface.HTTPAccess.3.Protocol", "HTTP", &[]),
    write("Device.UserInterface.HTTPAccess.3.Interface", "Device.IP.Interface.2", &[]),
    write("Device.UserInterface.HTTPAccess.3.AccessType", "RemoteAccess", &[]),
    write(
        "Device.UserInterface.HTTPAccess.3.Enable",
        "true",
        &[
            ("uhttpd.main.listen_http", "0.0.0.0:80 [::]:80 192.168.1.1:8080"),
            ("firewall.cwmpd_remote_access.dest_port", "8080"),
        ],
    ),
];
