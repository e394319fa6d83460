//! Users, the web interface, SSH, the log, UPnP, shaping and dynamic DNS on the sample router, down to the text of UCI and of `/etc/shadow`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cwmpd::error::FaultCode;
use model::Router;

const BAD_VALUE: FaultCode = FaultCode::INVALID_PARAMETER_VALUE;
const ROOT: &str = "Device.Users.User.1.";
const LOGIN: &str = "Device.Users.User.2.";

fn set(router: &Router, values: &[(&str, &str)]) {
    router.set(values).unwrap_or_else(|fault| panic!("{values:?}: {fault} {:?}", fault.parameters));
    for (name, value) in values {
        assert_eq!(router.get(name), *value, "{name}");
    }
}

fn set_row(router: &Router, row: &str, values: &[(&str, &str)]) {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    set(router, &values.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>());
}

fn refuse(router: &Router, values: &[(&str, &str)], blamed: &str) {
    assert_eq!(router.refused(values), [(blamed.to_owned(), BAD_VALUE)], "{values:?}");
}

fn check(router: &Router, row: &str, values: &[(&str, &str)]) {
    for (name, value) in values {
        assert_eq!(router.get(&format!("{row}{name}")), *value, "{row}{name}");
    }
}

fn text(router: &Router, package: &str) -> String {
    let text = router.root.read(&format!("/etc/config/{package}"));
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('\'', "")
}

fn with_rpcd() -> Router {
    let router = Router::new();
    router.root.write(
        "/etc/config/rpcd",
        "config rpcd\n\toption socket '/var/run/ubus/ubus.sock'\n\nconfig login\n\toption username 'root'\n\toption password '$p$root'\n\
         \tlist read '*'\n\tlist write '*'\n",
    );
    router
}

/// The field of the password in a line of `/etc/shadow`.
fn hash_of_root(router: &Router) -> String {
    router
        .root
        .read("/etc/shadow")
        .lines()
        .find(|line| line.starts_with("root:"))
        .unwrap()
        .split(':')
        .nth(1)
        .unwrap()
        .into()
}

/// CONFORMANCE P-13: the password of root is written as crypt has it, and never read. Everything else of the file stays.
#[test]
fn p13_the_password_of_root_goes_into_shadow_alone() {
    let router = with_rpcd();
    router.root.append("/etc/shadow", "daemon:*:0:0:99999:7:::\ndnsmasq:x:0:0:99999:7:::\n");
    fs::set_permissions(router.root.at("/etc/shadow"), fs::Permissions::from_mode(0o640)).unwrap();
    check(&router, ROOT, &[("Username", "root"), ("Enable", "true"), ("StaticUser", "true"), ("Password", "")]);
    let written = router.set(&[("Device.Users.User.1.Password", "Correct: Horse $6$ é")]).unwrap();
    assert!(!written.effects.take_time(), "it counts at once");
    let hash = hash_of_root(&router);
    assert!(hash.starts_with("$6$") && hash.len() == 106, "{hash}");
    let shadow = router.root.read("/etc/shadow");
    let lines: Vec<&str> = shadow.lines().collect();
    assert_eq!(lines[1..], ["daemon:*:0:0:99999:7:::", "dnsmasq:x:0:0:99999:7:::"]);
    assert!(lines[0].ends_with(":0:99999:7:::") && lines[0].split(':').count() == 9, "{}", lines[0]);
    let mode = fs::metadata(router.root.at("/etc/shadow")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "it keeps its mode");
    assert_eq!(router.get("Device.Users.User.1.Password"), "");
    // The other name of the same password.
    router.set(&[("Device.LANConfigSecurity.ConfigPassword", "Battery Staple")]).unwrap();
    assert_ne!(hash_of_root(&router), hash);
    assert_eq!(router.get("Device.LANConfigSecurity.ConfigPassword"), "");
    for wrong in ["", "two\nlines"] {
        refuse(&router, &[("Device.Users.User.1.Password", wrong)], "Device.Users.User.1.Password");
    }
    // CONFORMANCE P-01: all or nothing, the file of the passwords included.
    let before = hash_of_root(&router);
    let values = [("Device.Users.User.1.Password", "Another one"), ("Device.SSH.Server.1.Port", "0")];
    assert_eq!(router.refused(&values)[0].0, "Device.SSH.Server.1.Port");
    assert_eq!(hash_of_root(&router), before);
}

/// CONFORMANCE P-12: an ACS that sets a password in each session does not have it hashed with another salt each time.
#[test]
fn p12_the_same_password_again_is_no_change() {
    let router = with_rpcd();
    let login = format!("Device.Users.User.{}.", router.add("Device.Users.User.").unwrap());
    let (name, password) = (format!("{login}Username"), format!("{login}Password"));
    let values = [
        (name.as_str(), "helpdesk"),
        (password.as_str(), "Correct Horse"),
        ("Device.Users.User.1.Password", "Battery Staple"),
    ];
    router.set(&values).unwrap();
    let (logins, shadow) = (text(&router, "rpcd"), router.root.read("/etc/shadow"));
    router.restart();
    router.set(&values).unwrap();
    router.set(&[("Device.LANConfigSecurity.ConfigPassword", "Battery Staple")]).unwrap();
    assert_eq!((text(&router, "rpcd"), router.root.read("/etc/shadow")), (logins, shadow));
    let before = hash_of_root(&router);
    router.set(&[("Device.Users.User.1.Password", "Battery Staples")]).unwrap();
    assert_ne!(hash_of_root(&router), before);
}

#[test]
fn root_stays_root() {
    let router = with_rpcd();
    refuse(&router, &[("Device.Users.User.1.Enable", "false")], "Device.Users.User.1.Enable");
    refuse(&router, &[("Device.Users.User.1.Username", "admin")], "Device.Users.User.1.Username");
    assert_eq!(router.delete(ROOT).unwrap_err().code, FaultCode::REQUEST_DENIED);
    router.root.remove("/etc/shadow");
    assert!(router.set(&[("Device.Users.User.1.Password", "x")]).is_err());
    router.root.remove("/etc/config/rpcd");
    assert_eq!(router.add("Device.Users.User.").unwrap_err().code, FaultCode::REQUEST_DENIED);
    check(&router, "Device.Users.", &[("UserNumberOfEntries", "1"), ("RoleNumberOfEntries", "0")]);
}

/// rpcd lets everybody in who has a login without a password: there never is one with a name.
#[test]
fn p61_a_login_counts_only_with_a_name_and_a_password() {
    let router = with_rpcd();
    assert_eq!(router.add("Device.Users.User.").unwrap(), 2);
    check(&router, LOGIN, &[("Enable", "false"), ("Username", ""), ("StaticUser", "false"), ("RoleParticipation", "")]);
    set_row(&router, LOGIN, &[("Enable", "true"), ("Username", "helpdesk")]);
    assert!(
        text(&router, "rpcd").contains("cwmpd_username helpdesk")
            && !text(&router, "rpcd").contains("option username helpdesk")
    );
    router.set(&[("Device.Users.User.2.Password", "Tr0ub4dor")]).unwrap();
    let rpcd = text(&router, "rpcd");
    assert!(rpcd.contains("option username helpdesk") && rpcd.contains("option password $6$"), "{rpcd}");
    assert!(!rpcd.contains("Tr0ub4dor") && !rpcd.contains("cwmpd_username"));
    set_row(&router, LOGIN, &[("Enable", "false")]);
    assert!(!text(&router, "rpcd").contains("option username helpdesk"));
    check(&router, LOGIN, &[("Username", "helpdesk")]);
    refuse(&router, &[("Device.Users.User.2.Username", "root")], "Device.Users.User.2.Username");
    refuse(&router, &[("Device.Users.User.2.Username", "a b;c")], "Device.Users.User.2.Username");
    // CONFORMANCE J-06: a name belongs to one enabled user.
    set_row(&router, LOGIN, &[("Enable", "true")]);
    router.add("Device.Users.User.").unwrap();
    refuse(
        &router,
        &[("Device.Users.User.3.Username", "helpdesk"), ("Device.Users.User.3.Enable", "true")],
        "Device.Users.User.3.Username",
    );
    router.restart();
    router.delete(LOGIN).unwrap();
    assert!(!text(&router, "rpcd").contains("helpdesk"));
}

/// CONFORMANCE J-09: 2.17 deprecates it, so that it is taken and kept although nothing is done with it; a new row begins as TR-181 wants.
#[test]
fn j09_remote_access_of_a_user_is_kept() {
    let router = with_rpcd();
    check(&router, ROOT, &[("RemoteAccessCapable", "true")]);
    set_row(&router, ROOT, &[("RemoteAccessCapable", "false")]);
    router.add("Device.Users.User.").unwrap();
    check(&router, LOGIN, &[("RemoteAccessCapable", "false")]);
    set_row(&router, LOGIN, &[("RemoteAccessCapable", "true")]);
    router.restart();
    check(&router, ROOT, &[("RemoteAccessCapable", "false")]);
    check(&router, LOGIN, &[("RemoteAccessCapable", "true")]);
}

/// CONFORMANCE P-67: roles are the groups of the access lists; those of a login go with their row.
#[test]
fn p67_roles_are_the_groups_of_access_lists() {
    let router = with_rpcd();
    check(
        &router,
        "Device.Users.",
        &[("RoleNumberOfEntries", "1"), ("Role.1.RoleName", "*"), ("Role.1.Enable", "true")],
    );
    check(&router, ROOT, &[("RoleParticipation", "Device.Users.Role.1")]);
    router.add("Device.Users.User.").unwrap();
    router.add("Device.Users.Role.").unwrap();
    set_row(&router, "Device.Users.Role.2.", &[("RoleName", "luci-base")]);
    set_row(&router, LOGIN, &[("RoleParticipation", "Device.Users.Role.2")]);
    assert!(!text(&router, "rpcd").contains("luci-base"), "the role is not enabled");
    set_row(&router, "Device.Users.Role.2.", &[("Enable", "true")]);
    assert!(text(&router, "rpcd").contains("list read luci-base list write luci-base"));
    check(&router, LOGIN, &[("RoleParticipation", "Device.Users.Role.2")]);
    set_row(&router, "Device.Users.Role.2.", &[("RoleName", "luci-app-firewall")]);
    assert!(text(&router, "rpcd").contains("list read luci-app-firewall"));
    refuse(
        &router,
        &[("Device.Users.User.1.RoleParticipation", "Device.Users.Role.2")],
        "Device.Users.User.1.RoleParticipation",
    );
    router.delete("Device.Users.Role.2.").unwrap();
    assert!(!text(&router, "rpcd").contains("luci-app-firewall"));
    check(&router, LOGIN, &[("RoleParticipation", "")]);
}

#[test]
fn remote_access_opens_one_port_of_the_web_server() {
    let router = Router::new();
    let row = "Device.UserInterface.RemoteAccess.";
    check(
        &router,
        row,
        &[("Enable", "false"), ("Port", "443"), ("Protocol", "HTTPS"), ("SupportedProtocols", "HTTP,HTTPS")],
    );
    let rules = router.get("Device.Firewall.Chain.1.RuleNumberOfEntries");
    let uhttpd = text(&router, "uhttpd");
    set_row(&router, row, &[("Enable", "true")]);
    assert!(text(&router, "firewall").contains("config rule cwmpd_remote_access option name Remote access option src wan option proto tcp option dest_port 443 option target ACCEPT"));
    assert_eq!(text(&router, "uhttpd"), uhttpd, "it listens there already");
    set_row(&router, row, &[("Port", "8443")]);
    assert!(text(&router, "uhttpd").contains("list listen_https 0.0.0.0:8443 list listen_https [::]:8443"));
    assert!(text(&router, "firewall").contains("dest_port 8443"));
    refuse(&router, &[("Device.UserInterface.RemoteAccess.Port", "80")], "Device.UserInterface.RemoteAccess.Port");
    set_row(&router, row, &[("Port", "80"), ("Protocol", "HTTP")]);
    assert_eq!(text(&router, "uhttpd"), uhttpd);
    refuse(&router, &[("Device.UserInterface.RemoteAccess.Port", "0")], "Device.UserInterface.RemoteAccess.Port");
    set_row(&router, row, &[("Enable", "false")]);
    check(&router, row, &[("Port", "80"), ("Protocol", "HTTP")]);
    assert!(!text(&router, "firewall").contains("cwmpd_remote_access"));
    assert_eq!(router.get("Device.Firewall.Chain.1.RuleNumberOfEntries"), rules);
}

#[test]
fn p61_listeners_of_the_web_server_come_change_and_go() {
    let router = Router::new();
    check(
        &router,
        "Device.UserInterface.",
        &[
            ("HTTPAccessNumberOfEntries", "2"),
            ("HTTPAccess.1.Protocol", "HTTP"),
            ("HTTPAccess.1.Port", "80"),
            ("HTTPAccess.1.Enable", "true"),
            ("HTTPAccess.1.Status", "Up"),
            ("HTTPAccess.2.Protocol", "HTTPS"),
            ("HTTPAccess.2.Port", "443"),
            ("HTTPAccess.2.AccessType", "LocalAccess"),
            ("HTTPAccess.2.Interface", ""),
        ],
    );
    set_row(&router, "Device.UserInterface.HTTPAccess.1.", &[("Port", "8000")]);
    assert!(text(&router, "uhttpd").contains("list listen_http 0.0.0.0:8000 list listen_http [::]:8000 #"));
    set_row(&router, "Device.UserInterface.HTTPAccess.1.", &[("Enable", "false")]);
    check(&router, "Device.UserInterface.", &[("HTTPAccessNumberOfEntries", "2"), ("HTTPAccess.1.Status", "Down")]);
    assert!(!text(&router, "uhttpd").contains("listen_http "));
    set_row(&router, "Device.UserInterface.HTTPAccess.1.", &[("Enable", "true"), ("AccessType", "RemoteAccess")]);
    assert!(text(&router, "firewall").contains("dest_port 8000"));
    assert_eq!(router.add("Device.UserInterface.HTTPAccess.").unwrap(), 3);
    check(
        &router,
        "Device.UserInterface.HTTPAccess.3.",
        &[("Enable", "false"), ("Port", "443"), ("AccessType", "LocalAccess")],
    );
    refuse(
        &router,
        &[("Device.UserInterface.HTTPAccess.3.Enable", "true")],
        "Device.UserInterface.HTTPAccess.3.Enable",
    );
    let lan = "Device.IP.Interface.2";
    set_row(&router, "Device.UserInterface.HTTPAccess.3.", &[("Port", "8443"), ("Interface", lan), ("Enable", "true")]);
    assert!(text(&router, "uhttpd").contains("listen_https 192.168.1.1:8443"));
    router.restart();
    check(&router, "Device.UserInterface.HTTPAccess.3.", &[("Port", "8443"), ("Interface", lan), ("Enable", "true")]);
    router.delete("Device.UserInterface.HTTPAccess.1.").unwrap();
    assert!(!text(&router, "firewall").contains("cwmpd_remote_access"));
    check(&router, "Device.UserInterface.", &[("HTTPAccessNumberOfEntries", "2")]);
    assert_eq!(router.add("Device.UserInterface.HTTPAccess.").unwrap(), 4);
    router.root.remove("/etc/config/uhttpd");
    assert_eq!(router.add("Device.UserInterface.HTTPAccess.").unwrap_err().code, FaultCode::REQUEST_DENIED);
    assert!(router.set(&[("Device.UserInterface.RemoteAccess.Enable", "true")]).is_err());
}

#[test]
fn ssh_servers_are_switched_off_and_on_together() {
    let router = Router::new();
    router.add("Device.SSH.Server.").unwrap();
    check(
        &router,
        "Device.SSH.Server.",
        &[
            ("1.Enable", "true"),
            ("1.AllowRootLogin", "true"),
            ("2.Enable", "false"),
            ("2.AllowRootLogin", "false"),
            ("2.Port", "22"),
        ],
    );
    set(&router, &[("Device.SSH.Enable", "false")]);
    check(
        &router,
        "Device.SSH.",
        &[("Status", "Disabled"), ("Server.1.Enable", "true"), ("Server.1.Status", "Disabled")],
    );
    set(&router, &[("Device.SSH.Server.2.Enable", "true")]);
    assert!(!text(&router, "dropbear").contains("enable 1"));
    set(&router, &[("Device.SSH.Enable", "true")]);
    check(&router, "Device.SSH.Server.", &[("1.Status", "Enabled"), ("2.Status", "Enabled")]);
}

#[test]
fn p61_authorized_keys_come_change_and_go() {
    let router = Router::new();
    assert_eq!(router.add("Device.SSH.AuthorizedKey.").unwrap_err().code, FaultCode::REQUEST_DENIED);
    let file = "/etc/dropbear/authorized_keys";
    let first = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB admin@example";
    router.root.write(file, format!("# keys\n{first}\n\ncommand=\"/bin/x\" ssh-rsa AAAAB3NzaC1yc2EAAAADAQBB other\n"));
    check(&router, "Device.SSH.", &[("AuthorizedKeyNumberOfEntries", "2"), ("AuthorizedKey.1.Key", first)]);
    check(&router, "Device.SSH.AuthorizedKey.1.", &[("User", "Device.Users.User.1")]);
    assert_eq!(router.add("Device.SSH.AuthorizedKey.").unwrap(), 3);
    let row = "Device.SSH.AuthorizedKey.3.";
    check(&router, row, &[("User", ""), ("Key", "")]);
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample noc@isp.example";
    set_row(&router, row, &[("User", "Device.Users.User.1"), ("Key", key)]);
    assert!(
        router.root.read(file).ends_with(&format!("other\n{key}\n")) && router.root.read(file).starts_with("# keys\n")
    );
    // Nothing that runs a program, and no second line.
    for wrong in [
        "command=\"/bin/sh\" ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB a\nssh-rsa AAAAB3NzaC1yc2EAAAADAQAC b",
        "x",
        first,
    ] {
        refuse(&router, &[("Device.SSH.AuthorizedKey.3.Key", wrong)], "Device.SSH.AuthorizedKey.3.Key");
    }
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther noc";
    set_row(&router, "Device.SSH.AuthorizedKey.1.", &[("Key", other)]);
    router.restart();
    check(&router, "Device.SSH.", &[("AuthorizedKey.1.Key", other), ("AuthorizedKey.3.Key", key)]);
    assert!(router.root.read(file).starts_with(&format!("# keys\n{other}\n\ncommand")));
    router.delete(row).unwrap();
    assert!(!router.root.read(file).contains(key));
    assert_eq!(router.get("Device.SSH.AuthorizedKeyNumberOfEntries"), "2");
}

#[test]
fn the_log_goes_where_it_does_no_harm() {
    let router = Router::new();
    let row = "Device.Syslog.Action.1.";
    check(
        &router,
        row,
        &[
            ("LogFile.Enable", "false"),
            ("LogFile.FilePath", ""),
            ("LogRemote.Enable", "false"),
            ("LogRemote.Protocol", "UDP"),
            ("LogRemote.Port", "514"),
        ],
    );
    set_row(&router, row, &[("LogFile.Enable", "true"), ("LogFile.FilePath", "/mnt/usb/log")]);
    assert!(text(&router, "system").contains("log_file /mnt/usb/log"));
    for wrong in ["/etc/passwd", "/tmp/../etc/shadow", "/tmp", "log", "/mnt//x"] {
        refuse(
            &router,
            &[("Device.Syslog.Action.1.LogFile.FilePath", wrong)],
            "Device.Syslog.Action.1.LogFile.FilePath",
        );
    }
    set_row(&router, row, &[("LogFile.Enable", "false")]);
    check(&router, row, &[("LogFile.FilePath", "/mnt/usb/log")]);
    assert!(!text(&router, "system").contains("log_file"));
    set_row(&router, row, &[("LogRemote.Address", "log.example.org")]);
    check(&router, row, &[("LogRemote.Enable", "true")]);
    refuse(&router, &[("Device.Syslog.Enable", "false")], "Device.Syslog.Enable");
}

/// What is not installed cannot be used, and everything else works.
#[test]
fn packages_that_are_not_there_are_said_to_be_so() {
    let router = Router::new();
    router.root.remove("/etc/init.d/sqm");
    for table in ["Device.QoS.Shaper.", "Device.DynamicDNS.Client.", "Device.DynamicDNS.Server."] {
        assert_eq!(router.add(table).unwrap_err().code, FaultCode::REQUEST_DENIED, "{table}");
    }
    refuse(&router, &[("Device.UPnP.Device.Enable", "true")], "Device.UPnP.Device.Enable");
    check(
        &router,
        "Device.",
        &[
            ("UPnP.Device.Enable", "false"),
            ("UPnP.Device.Capabilities.UPnPIGD", "0"),
            ("QoS.ShaperNumberOfEntries", "0"),
            ("DynamicDNS.ClientNumberOfEntries", "0"),
            ("DynamicDNS.SupportedServices", ""),
        ],
    );
}

#[test]
fn upnp_needs_both_of_its_switches() {
    let router = Router::new();
    router.root.write("/etc/config/upnpd", "config upnpd 'config'\n\toption igdv1 '1'\n");
    set(&router, &[("Device.UPnP.Device.Enable", "false"), ("Device.UPnP.Device.UPnPIGD", "true")]);
    assert!(text(&router, "upnpd").contains("igdv1 1") && !text(&router, "upnpd").contains("enabled 1"));
    set(&router, &[("Device.UPnP.Device.Enable", "true")]);
    assert!(text(&router, "upnpd").contains("enabled 1"));
    set(&router, &[("Device.UPnP.Device.UPnPIGD", "false")]);
    assert!(text(&router, "upnpd").contains("enabled 0"));
    check(&router, "Device.UPnP.Device.", &[("Enable", "true"), ("Capabilities.UPnPIGD", "1")]);
}

/// Of what the configuration has off as a whole, nobody has said that only one of two switches is off: one is enough to have it back.
#[test]
fn one_switch_brings_back_what_was_off_as_a_whole() {
    for name in ["Device.UPnP.Device.Enable", "Device.UPnP.Device.UPnPIGD"] {
        let router = Router::new();
        router.root.write("/etc/config/upnpd", "config upnpd 'config'\n\toption enabled '0'\n");
        check(&router, "Device.UPnP.Device.", &[("Enable", "false"), ("UPnPIGD", "false")]);
        set(&router, &[(name, "true")]);
        assert!(text(&router, "upnpd").contains("enabled 1"), "{name}");
    }
    for name in ["Device.DynamicDNS.Client.1.Enable", "Device.DynamicDNS.Client.1.Hostname.1.Enable"] {
        let other = if name.contains("Hostname") { "Enable" } else { "Hostname.1.Enable" };
        let other = format!("Device.DynamicDNS.Client.1.{other}");
        let router = with_ddns();
        router.root.replace("/etc/config/ddns", "option enabled '1'", "option enabled '0'");
        set(&router, &[(&other, "false"), (name, "true")]);
        assert!(
            text(&router, "ddns").contains("config service mine option enabled 0"),
            "{name} alone, as the request says"
        );
        let router = with_ddns();
        router.root.replace("/etc/config/ddns", "option enabled '1'", "option enabled '0'");
        set(&router, &[(name, "true")]);
        assert!(text(&router, "ddns").contains("config service mine option enabled 1"), "{name}");
        check(&router, "Device.DynamicDNS.Client.1.", &[("Enable", "true"), ("Hostname.1.Enable", "true")]);
    }
}

#[test]
fn p61_a_shaper_is_a_queue_of_sqm() {
    let router = Router::new();
    assert_eq!(router.add("Device.QoS.Shaper.").unwrap(), 1);
    let row = "Device.QoS.Shaper.1.";
    check(&router, row, &[("Enable", "false"), ("Status", "Disabled"), ("Interface", ""), ("ShapingRate", "-1")]);
    set_row(&router, row, &[("Enable", "true"), ("ShapingRate", "20000500")]);
    check(&router, row, &[("Status", "Error_Misconfigured")]);
    // wan6 goes out through the same device, and is not taken for it.
    set_row(&router, row, &[("Interface", "Device.IP.Interface.4")]);
    assert!(text(&router, "sqm").contains("upload 20001") && text(&router, "sqm").contains("interface wan"));
    check(&router, row, &[("Status", "Enabled")]);
    refuse(&router, &[("Device.QoS.Shaper.1.ShapingRate", "50")], "Device.QoS.Shaper.1.ShapingRate");
    set_row(&router, row, &[("ShapingRate", "-1")]);
    assert!(text(&router, "sqm").contains("upload 0"));
    // CONFORMANCE J-06: an interface has one shaper.
    router.add("Device.QoS.Shaper.").unwrap();
    refuse(
        &router,
        &[("Device.QoS.Shaper.2.Interface", "Device.IP.Interface.4"), ("Device.QoS.Shaper.2.Enable", "true")],
        "Device.QoS.Shaper.2.Interface",
    );
    router.delete(row).unwrap();
    check(&router, "Device.QoS.", &[("ShaperNumberOfEntries", "1")]);
}

fn with_ddns() -> Router {
    let router = Router::new();
    router.root.write("/usr/share/ddns/list", "example.org\nexample.com-v2\nbad,name\n");
    router.root.write(
        "/etc/config/ddns",
        "config service 'mine'\n\toption enabled '1'\n\toption service_name 'example.org'\n\toption lookup_host 'a.example.org'\n\
         \toption domain 'a@example.org'\n\toption username 'me'\n\toption password 'secret'\n\toption interface 'wan'\n\
         \toption use_https '1'\n\toption check_interval '10'\n\toption check_unit 'minutes'\n\n\
         config service\n\toption enabled '1'\n\toption update_url 'http://x.example/'\n\toption lookup_host 'b.example.org'\n",
    );
    router
}

#[test]
fn dynamic_dns_is_shown_as_it_is() {
    let router = with_ddns();
    let row = "Device.DynamicDNS.";
    check(
        &router,
        row,
        &[
            ("SupportedServices", "example.org,example.com-v2"),
            ("ClientNumberOfEntries", "2"),
            ("ServerNumberOfEntries", "1"),
            ("Client.1.Server", "Device.DynamicDNS.Server.1"),
            ("Client.1.Interface", "Device.IP.Interface.3"),
            ("Client.1.Username", "me"),
            ("Client.1.Password", ""),
            ("Client.1.Status", "Error"),
            ("Client.1.LastError", "CONNECTION_ERROR"),
            ("Client.1.Hostname.1.Name", "a.example.org"),
            ("Client.1.Hostname.1.Status", "UpdateNeeded"),
            ("Client.1.Hostname.1.LastUpdate", "0001-01-01T00:00:00Z"),
            ("Client.2.Server", ""),
            ("Server.1.Name", "example.org"),
            ("Server.1.Protocol", "HTTPS"),
            ("Server.1.CheckInterval", "600"),
            ("Server.1.RetryInterval", "60"),
        ],
    );
    router.root.write("/tmp/run/ddns/mine.pid", "77\n");
    router.root.write("/var/run/ddns/mine.pid", "77\n");
    check(&router, row, &[("Client.1.Status", "Connecting")]);
    router.root.write("/var/run/ddns/mine.update", "86000\n");
    check(&router, row, &[("Client.1.Status", "Updated"), ("Client.1.Hostname.1.Status", "Registered")]);
    assert!(router.get("Device.DynamicDNS.Client.1.Hostname.1.LastUpdate").starts_with("20"));
    router.root.write("/var/run/ddns/mine.update", "rubbish");
    check(&router, row, &[("Client.1.Status", "Connecting")]);
}

/// CONFORMANCE P-67: what a server says is said by each of its clients, which go nowhere when it goes.
#[test]
fn p67_a_server_is_what_its_clients_say() {
    let router = with_ddns();
    set(
        &router,
        &[("Device.DynamicDNS.Server.1.Protocol", "HTTP"), ("Device.DynamicDNS.Server.1.CheckInterval", "1200")],
    );
    assert!(text(&router, "ddns").contains("use_https 0") && text(&router, "ddns").contains("check_interval 1200"));
    assert_eq!(router.add("Device.DynamicDNS.Server.").unwrap(), 2);
    check(&router, "Device.DynamicDNS.Server.2.", &[("Enable", "false"), ("ServiceName", ""), ("MaxRetries", "0")]);
    set_row(
        &router,
        "Device.DynamicDNS.Server.2.",
        &[("Name", "Other"), ("ServiceName", "example.com-v2"), ("Protocol", "HTTPS"), ("Enable", "true")],
    );
    set(&router, &[("Device.DynamicDNS.Client.1.Server", "Device.DynamicDNS.Server.2")]);
    assert!(
        text(&router, "ddns").contains("service_name example.com-v2") && text(&router, "ddns").contains("use_https 1")
    );
    refuse(&router, &[("Device.DynamicDNS.Server.2.ServiceName", "nowhere")], "Device.DynamicDNS.Server.2.ServiceName");
    refuse(&router, &[("Device.DynamicDNS.Client.1.Username", "$(reboot)")], "Device.DynamicDNS.Client.1.Username");
    set(&router, &[("Device.DynamicDNS.Server.2.Enable", "false")]);
    check(&router, "Device.DynamicDNS.Client.1.", &[("Enable", "true"), ("Status", "Error_Misconfigured")]);
    assert!(text(&router, "ddns").contains("config service mine option enabled 0"));
    set(&router, &[("Device.DynamicDNS.Server.2.Enable", "true")]);
    assert!(text(&router, "ddns").contains("config service mine option enabled 1"));
    // The name that the provider is told was told apart by a person.
    set(&router, &[("Device.DynamicDNS.Client.1.Hostname.1.Name", "c.example.org")]);
    assert!(text(&router, "ddns").contains("domain a@example.org"));
    router.delete("Device.DynamicDNS.Server.2.").unwrap();
    check(
        &router,
        "Device.DynamicDNS.Client.1.",
        &[("Server", ""), ("Enable", "true"), ("Status", "Error_Misconfigured")],
    );
    assert_eq!(router.add("Device.DynamicDNS.Client.1.Hostname.").unwrap_err().code, FaultCode::RESOURCES_EXCEEDED);
    router.delete("Device.DynamicDNS.Client.2.").unwrap();
    check(&router, "Device.DynamicDNS.", &[("ClientNumberOfEntries", "1")]);
}
