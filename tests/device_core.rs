//! The objects of `Device.`, DeviceInfo, ManagementServer, Time, Ethernet, IP and Hosts on the sample router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use cwmpd::error::FaultCode;
use cwmpd::model::context::Facts;
use model::Router;

fn facts(url: &str, clock_known: bool) -> Facts {
    Facts { connection_request_url: url.into(), clock_known, ..Facts::default() }
}

/// CONFORMANCE I-01: the identity is that of the board, and what the configuration says comes first.
#[test]
fn i01_the_device_says_who_it_is() {
    let router = Router::new();
    let info = |name: &str| router.get(&format!("Device.DeviceInfo.{name}"));
    assert_eq!(info("Manufacturer"), "Example Networks");
    assert_eq!(info("ManufacturerOUI"), "00005E");
    assert_eq!(info("ProductClass"), "example,ax3000");
    assert_eq!(info("SerialNumber"), "EX30002407000123");
    assert_eq!(info("ModelName"), "Example AX3000");
    assert_eq!(info("SoftwareVersion"), "24.10.2-r28739-d9340319c6");
    assert_eq!(info("HardwareVersion"), "v1.2");
    assert_eq!(info("UpTime"), "86437");
    assert_eq!(info("FirstUseDate"), "0001-01-01T00:00:00Z");
    router.root.replace(
        "/etc/config/cwmpd",
        "config device 'device'",
        "config device 'device'\n\toption serial_number 'S1'\n\toption manufacturer_oui 'abcdef'",
    );
    assert_eq!((info("SerialNumber"), info("ManufacturerOUI")), ("S1".into(), "ABCDEF".into()));
    assert_eq!(router.get("Device.RootDataModelVersion"), "2.17");
}

#[test]
fn memory_and_processes_are_those_of_proc() {
    let router = Router::new();
    assert_eq!(router.get("Device.DeviceInfo.MemoryStatus.Total"), "503292");
    assert_eq!(router.get("Device.DeviceInfo.MemoryStatus.Free"), "368424");
    let process = |pid: u32, name: &str| router.get(&format!("Device.DeviceInfo.ProcessStatus.Process.{pid}.{name}"));
    assert_eq!(router.get("Device.DeviceInfo.ProcessStatus.ProcessNumberOfEntries"), "8");
    assert_eq!((process(1203, "PID"), process(1203, "Size")), ("1203".into(), "2064".into()));
    assert_eq!((process(1203, "CPUTime"), process(1203, "State")), ("7300".into(), "Sleeping".into()));
    assert_eq!(process(2044, "Command"), "/usr/sbin/ash (login) -f");
    assert_eq!((process(2044, "State"), process(2101, "State")), ("Stopped".into(), "Running".into()));
    assert!(router.get("Device.DeviceInfo.ProcessStatus.CPUUsage").parse::<u32>().unwrap() <= 100);
    router.root.remove("/proc/2101");
    assert!(!router.has("Device.DeviceInfo.ProcessStatus.Process.2101."));
}

/// INTEROP 25: one name that is listed and cannot be read makes an ACS lose everything that it asks for together with it.
#[test]
fn p30_what_is_listed_can_be_read_without_proc_too() {
    let router = Router::new();
    for path in ["/proc/uptime", "/proc/meminfo", "/proc/stat"] {
        router.root.remove(path);
    }
    let listed = router.values("Device.DeviceInfo.");
    for name in ["UpTime", "MemoryStatus.Total", "MemoryStatus.Free", "ProcessStatus.CPUUsage"] {
        let name = format!("Device.DeviceInfo.{name}");
        assert!(router.get(&name).parse::<u32>().is_ok(), "{name}");
        assert!(listed.iter().any(|(known, _)| *known == name), "{name}");
    }
}

/// Reading a table of processes must not wear the flash out.
#[test]
fn reading_processes_leaves_nothing_to_be_saved() {
    let router = Router::new();
    router.values("Device.DeviceInfo.ProcessStatus.");
    assert!(!router.model.lock().unwrap().registry().take_dirty());
}

#[test]
fn management_server_lives_in_the_agents_configuration() {
    let router = Router::new();
    router.set_facts(facts("http://198.51.100.23:7547/abc", true));
    let name = |name: &str| format!("Device.ManagementServer.{name}");
    assert_eq!(router.get(&name("ConnectionRequestURL")), "http://198.51.100.23:7547/abc");
    assert_eq!((router.get(&name("URL")), router.get(&name("PeriodicInformInterval"))), ("".into(), "3600".into()));
    router
        .set(&[
            (&name("URL"), "https://acs.example/"),
            (&name("Username"), "me"),
            (&name("Password"), "se'cret"),
            (&name("PeriodicInformEnable"), "0"),
            (&name("PeriodicInformInterval"), "300"),
            (&name("PeriodicInformTime"), "2026-01-01T03:00:00Z"),
            (&name("ConnectionRequestUsername"), "acs"),
            (&name("ConnectionRequestPassword"), "knock"),
            (&name("CWMPRetryMinimumWaitInterval"), "10"),
            (&name("HTTPCompression"), "GZIP"),
            (&name("EnableCWMP"), "true"),
            (&name("DefaultActiveNotificationThrottle"), "20"),
        ])
        .unwrap();
    let file = router.root.read("/etc/config/cwmpd");
    for line in [
        "option url 'https://acs.example/'",
        "option username 'me'",
        "option periodic_enable '0'",
        "option periodic_interval '300'",
        "option periodic_time '2026-01-01T03:00:00Z'",
        "option password 'knock'",
        "option retry_min_wait '10'",
        "option compression 'gzip'",
    ] {
        assert!(file.contains(line), "{line}\n{file}");
    }
    assert!(!file.contains("enable '1'"), "a default that is set again is not written down\n{file}");
    // CONFORMANCE P-13
    assert_eq!((router.get(&name("Password")), router.get(&name("ConnectionRequestPassword"))), ("".into(), "".into()));
    assert_eq!(router.get(&name("Username")), "me");
    // What has no option is the agent's own, and survives it.
    router.restart();
    assert_eq!(router.get(&name("DefaultActiveNotificationThrottle")), "20");
    // What a person has written there and nobody can use reads as the default.
    router.root.replace("/etc/config/cwmpd", "periodic_interval '300'", "periodic_interval 'often'");
    assert_eq!(router.get(&name("PeriodicInformInterval")), "3600");
    assert_eq!(router.refused(&[(&name("URL"), "ftp://acs.example/")]), [(name("URL"), FaultCode(9007))]);
}

/// CONFORMANCE I-05, P-61, P-65: rows of the agent's own.
#[test]
fn i05_inform_parameters_are_kept_and_forced_ones_refused() {
    let router = Router::new();
    let table = "Device.ManagementServer.InformParameter.";
    let number = router.add(table).unwrap();
    assert_eq!(number, 1);
    let name = |row: u32, name: &str| format!("{table}{row}.{name}");
    assert_eq!(router.get(&name(1, "Enable")), "false");
    assert_eq!((router.get(&name(1, "Alias")), router.get(&name(1, "EventList"))), ("cpe-1".into(), "".into()));
    router
        .set(&[
            (&name(1, "ParameterName"), "Device.DeviceInfo.UpTime"),
            (&name(1, "EventList"), "1 BOOT, 2 PERIODIC"),
            (&name(1, "Enable"), "true"),
        ])
        .unwrap();
    assert_eq!(router.get(&name(1, "EventList")), "1 BOOT,2 PERIODIC");
    for forced in ["Device.DeviceInfo.SoftwareVersion", "Device.ManagementServer.ParameterKey"] {
        let refused = router.refused(&[(&name(1, "ParameterName"), forced)]);
        assert_eq!(refused, [(name(1, "ParameterName"), FaultCode(9007))]);
    }
    let refused = router.refused(&[(&name(1, "EventList"), "4 VALUE CHANGE")]);
    assert_eq!(refused, [(name(1, "EventList"), FaultCode(9007))]);
    // The same parameter twice only counts when both rows are enabled.
    assert_eq!(router.add(table).unwrap(), 2);
    router.set(&[(&name(2, "ParameterName"), "Device.DeviceInfo.UpTime")]).unwrap();
    assert_eq!(router.refused(&[(&name(2, "Enable"), "true")]), [(name(2, "Enable"), FaultCode(9007))]);
    // The key of the row that is empty or off must not clash; an Alias is always unique.
    assert_eq!(router.refused(&[(&name(2, "Alias"), "cpe-1")]), [(name(2, "Alias"), FaultCode(9007))]);
    router.restart();
    assert_eq!(router.get("Device.ManagementServer.InformParameterNumberOfEntries"), "2");
    router.delete(&format!("{table}1.")).unwrap();
    assert!(!router.has(&format!("{table}1.")));
    // CONFORMANCE P-62: no number comes again.
    assert_eq!(router.add(table).unwrap(), 3);
    assert_eq!(router.get(&name(3, "ParameterName")), "");
}

#[test]
fn time_servers_are_one_list_seen_twice() {
    let router = Router::new();
    router
        .set(&[
            ("Device.Time.NTPServer1", ""),
            ("Device.Time.NTPServer3", "ntp.example"),
            ("Device.Time.NTPServer5", "192.0.2.1"),
        ])
        .unwrap();
    let all = "1.openwrt.pool.ntp.org,ntp.example,3.openwrt.pool.ntp.org,192.0.2.1";
    assert_eq!(router.get("Device.Time.Client.1.Servers"), all);
    // CONFORMANCE P-06, J-09: each is read back as it was set, although the list of UCI has no gaps.
    let numbered = |number: usize| router.get(&format!("Device.Time.NTPServer{number}"));
    assert_eq!((1..=5).map(numbered).collect::<Vec<_>>().join(","), format!(",{all}"));
    router.restart();
    assert_eq!((numbered(1), numbered(2)), (String::new(), "1.openwrt.pool.ntp.org".into()));
    router.set(&[("Device.Time.Client.1.Servers", "a.example, b.example")]).unwrap();
    assert_eq!(router.get("Device.Time.NTPServer2"), "b.example");
    assert!(router.root.read("/etc/config/system").contains("list server 'b.example'"));
    router
        .set(&[("Device.Time.NTPServer1", ""), ("Device.Time.NTPServer2", ""), ("Device.Time.NTPServer4", "d.example")])
        .unwrap();
    assert_eq!(
        (numbered(1), numbered(4), router.get("Device.Time.Client.1.Servers")),
        (String::new(), "d.example".into(), "d.example".into())
    );
    assert_eq!(router.refused(&[("Device.Time.NTPServer1", "-n evil")])[0].1, FaultCode(9007));
    // OpenWrt's validation refuses it, and sysntpd would not start.
    assert_eq!(router.refused(&[("Device.Time.NTPServer1", "ntp.example.")])[0].1, FaultCode(9007));
    assert_eq!(router.refused(&[("Device.Time.Client.1.Servers", "192.0.2.1,ntp.example.")])[0].1, FaultCode(9007));
}

/// CONFORMANCE J-01, J-02.
#[test]
fn j01_local_time_has_the_offset_of_its_zone() {
    let router = Router::new();
    let now = router.get("Device.Time.CurrentLocalTime");
    assert!(now.ends_with("+01:00") || now.ends_with("+02:00"), "{now}");
    router.set(&[("Device.Time.LocalTimeZone", "<+0545>-5:45")]).unwrap();
    assert!(router.get("Device.Time.CurrentLocalTime").ends_with("+05:45"));
    let system = router.root.read("/etc/config/system");
    assert!(system.contains("option timezone '<+0545>-5:45'") && !system.contains("zonename"), "{system}");
    assert_eq!(router.refused(&[("Device.Time.LocalTimeZone", "Europe/Berlin")])[0].1, FaultCode(9007));
    router.set_facts(facts("", false));
    assert_eq!(router.get("Device.Time.CurrentLocalTime"), "0001-01-01T00:00:00Z");
    assert_eq!(router.get("Device.Time.Status"), "Unsynchronized");
    router.set(&[("Device.Time.Enable", "false")]).unwrap();
    assert_eq!(router.get("Device.Time.Status"), "Disabled");
}

#[test]
fn ports_are_those_of_the_board() {
    let router = Router::new();
    let port = |row: u32, name: &str| router.get(&format!("Device.Ethernet.Interface.{row}.{name}"));
    assert_eq!(router.get("Device.Ethernet.InterfaceNumberOfEntries"), "5");
    let seen: Vec<_> = (1..=5)
        .map(|row| (port(row, "Name"), port(row, "Status"), port(row, "CurrentBitRate"), port(row, "Upstream")))
        .collect();
    let expected = [
        ("lan1", "Up", "1000", "false"),
        ("lan2", "Up", "100", "false"),
        ("lan3", "Down", "0", "false"),
        ("lan4", "Down", "0", "false"),
        ("wan", "Up", "1000", "true"),
    ];
    assert_eq!(seen, expected.map(|(a, b, c, d)| (a.into(), b.into(), c.into(), d.into())));
    assert_eq!(router.get("Device.Ethernet.Interface.5.Stats.BytesReceived"), "7000000049");
    assert_eq!((port(5, "MaxBitRate"), port(5, "DuplexMode")), ("-1".into(), "Auto".into()));
    let written = router
        .set(&[("Device.Ethernet.Interface.5.MaxBitRate", "100"), ("Device.Ethernet.Interface.5.DuplexMode", "Full")])
        .unwrap();
    assert!(written.effects.packages.contains("network"));
    assert_eq!((port(5, "MaxBitRate"), port(5, "DuplexMode")), ("100".into(), "Full".into()));
    let network = router.root.read("/etc/config/network");
    for line in ["option name 'wan'", "option speed '100'", "option duplex '1'", "option autoneg '0'"] {
        assert!(network.contains(line), "{line}\n{network}");
    }
    assert_eq!(router.refused(&[("Device.Ethernet.Interface.5.MaxBitRate", "400")])[0].1, FaultCode(9007));
    // There is no option for this: the agent keeps it, and a program does it.
    let written = router.set(&[("Device.Ethernet.Interface.3.Enable", "false")]).unwrap();
    assert!(
        written.effects.programs.contains(["/sbin/ip", "link", "set", "lan3", "down"].map(String::from).as_slice())
    );
    router.restart();
    assert_eq!((port(3, "Enable"), port(3, "Status")), ("false".into(), "Down".into()));
    let model = router.model.lock().unwrap();
    assert_eq!(cwmpd::device::ethernet::switched_off(&mut model.context()), ["lan3"]);
}

#[test]
fn links_follow_the_interfaces() {
    let router = Router::new();
    let link = |row: u32, name: &str| router.get(&format!("Device.Ethernet.Link.{row}.{name}"));
    assert_eq!((link(1, "Name"), link(2, "Name"), link(3, "Name")), ("br-lan".into(), "wan".into(), "br-guest".into()));
    assert_eq!(
        (link(1, "LowerLayers"), link(2, "LowerLayers")),
        ("Device.Bridging.Bridge.1.Port.1".into(), "Device.Ethernet.Interface.5".into())
    );
    router.set(&[("Device.Ethernet.Link.2.MACAddress", "02:00:5e:00:53:77")]).unwrap();
    assert_eq!(link(2, "MACAddress"), "02:00:5e:00:53:77");
    assert!(router.root.read("/etc/config/network").contains("option macaddr '02:00:5e:00:53:77'"));
    assert_eq!(router.refused(&[("Device.Ethernet.Link.2.MACAddress", "01:00:5e:00:53:77")])[0].1, FaultCode(9007));
}

#[test]
fn the_address_of_the_lan_changes_in_the_form_that_it_has() {
    let router = Router::new();
    let name = |name: &str| format!("Device.IP.Interface.2.IPv4Address.1.{name}");
    router.set(&[(&name("IPAddress"), "10.1.2.3"), (&name("SubnetMask"), "255.255.0.0")]).unwrap();
    let network = router.root.read("/etc/config/network");
    assert!(network.contains("option ipaddr '10.1.2.3'\n\toption netmask '255.255.0.0'"), "{network}");
    assert_eq!(
        (router.get(&name("IPAddress")), router.get(&name("SubnetMask"))),
        ("10.1.2.3".into(), "255.255.0.0".into())
    );
    // An ACS that swaps the order is judged by the end state (CONFORMANCE P-02): 10.1.255.255 is a broadcast in the old net only.
    router.set(&[(&name("IPAddress"), "10.1.255.255"), (&name("SubnetMask"), "255.0.0.0")]).unwrap();
    assert_eq!(router.refused(&[(&name("IPAddress"), "10.255.255.255")])[0].1, FaultCode(9007));
    assert_eq!(router.refused(&[(&name("SubnetMask"), "255.0.255.0")])[0].1, FaultCode(9007));
    // Somebody changes it by hand: it is still the same row.
    router.root.replace("/etc/config/network", "10.1.255.255", "192.168.7.1");
    assert_eq!(router.get(&name("IPAddress")), "192.168.7.1");
    assert_eq!(router.get("Device.IP.Interface.2.IPv4AddressNumberOfEntries"), "1");
}

/// CONFORMANCE P-60 to P-66 on a table whose rows are items of a list.
#[test]
fn p61_an_address_is_added_filled_and_deleted() {
    let router = Router::new();
    let table = "Device.IP.Interface.5.IPv4Address.";
    assert_eq!(router.add(table).unwrap(), 2);
    let name = |row: u32, name: &str| format!("{table}{row}.{name}");
    assert_eq!((router.get(&name(2, "Enable")), router.get(&name(2, "IPAddress"))), ("false".into(), "".into()));
    assert_eq!(router.get(&name(2, "Alias")), "cpe-2");
    assert_eq!(router.refused(&[(&name(2, "Enable"), "true")])[0].1, FaultCode(9007));
    router
        .set(&[
            (&name(2, "Enable"), "true"),
            (&name(2, "IPAddress"), "192.168.4.1"),
            (&name(2, "SubnetMask"), "255.255.255.0"),
        ])
        .unwrap();
    let network = router.root.read("/etc/config/network");
    assert!(network.contains("list ipaddr '192.168.3.1/24'\n\tlist ipaddr '192.168.4.1/24'"), "{network}");
    let twin = [(name(2, "IPAddress"), "192.168.3.1")];
    let refused = router.refused(&[(&twin[0].0, twin[0].1)]);
    assert_eq!(refused[0].1, FaultCode(9007), "the same address twice");
    // Off and on again: the row stays, its address too.
    router.set(&[(&name(1, "Enable"), "false")]).unwrap();
    assert!(!router.root.read("/etc/config/network").contains("192.168.3.1/24"));
    router.restart();
    assert_eq!(
        (router.get(&name(1, "IPAddress")), router.get(&name(1, "Enable"))),
        ("192.168.3.1".into(), "false".into())
    );
    router.delete(&format!("{table}2.")).unwrap();
    assert!(router.root.read("/etc/config/network").contains("option proto 'none'"));
    router.set(&[(&name(1, "Enable"), "true")]).unwrap();
    assert_eq!(router.add(table).unwrap(), 3, "a number comes only once");
}

#[test]
fn an_address_of_the_network_cannot_be_written() {
    let router = Router::new();
    let name = "Device.IP.Interface.3.IPv4Address.1.IPAddress";
    assert_eq!(router.get("Device.IP.Interface.3.IPv4Address.1.AddressingType"), "DHCP");
    assert_eq!(router.refused(&[(name, "192.0.2.1")]), [(name.into(), FaultCode(9008))]);
    assert_eq!(router.delete("Device.IP.Interface.3.IPv4Address.1.").unwrap_err().code, FaultCode(9005));
    // The row is there before the address is.
    router.root.set_ubus(
        "network.interface",
        "dump",
        None,
        r#"{"interface":[{"interface":"wan","up":false,"pending":true,"l3_device":"wan"}]}"#,
    );
    assert_eq!((router.get(name), router.get("Device.IP.Interface.3.Status")), ("".into(), "Dormant".into()));
}

#[test]
fn interfaces_come_and_go_but_not_the_way_to_the_acs() {
    let router = Router::new();
    let number = router.add("Device.IP.Interface.").unwrap();
    assert_eq!(number, 6);
    let name = |name: &str| format!("Device.IP.Interface.{number}.{name}");
    assert_eq!((router.get(&name("Enable")), router.get(&name("Status"))), ("false".into(), "Down".into()));
    let network = router.root.read("/etc/config/network");
    let section = network.split("config interface 'cwmp_").nth(1).unwrap().split('\'').next().unwrap();
    let section = format!("config interface 'cwmp_{section}'\n");
    router.set(&[(&name("LowerLayers"), "Device.Ethernet.Link.3"), (&name("Enable"), "true")]).unwrap();
    assert!(
        router
            .root
            .read("/etc/config/network")
            .contains(&format!("{section}\toption proto 'none'\n\toption device 'br-guest'"))
    );
    let address = router.add(&name("IPv4Address.")).unwrap();
    router
        .set(&[
            (&name(&format!("IPv4Address.{address}.IPAddress")), "172.16.0.1"),
            (&name(&format!("IPv4Address.{address}.SubnetMask")), "255.240.0.0"),
            (&name(&format!("IPv4Address.{address}.Enable")), "true"),
        ])
        .unwrap();
    assert!(
        router
            .root
            .read("/etc/config/network")
            .contains("option proto 'static'\n\toption device 'br-guest'\n\toption ipaddr '172.16.0.1'")
    );
    router.delete(&name("")).unwrap();
    assert!(!router.root.read("/etc/config/network").contains(&section));
    assert_eq!(router.delete("Device.IP.Interface.3.").unwrap_err().code, FaultCode(9001));
    assert_eq!(router.delete("Device.IP.Interface.1.").unwrap_err().code, FaultCode(9005));
    assert!(!router.has(&name("")));
    // CONFORMANCE J-14
    let written = router.set(&[("Device.IP.Interface.2.Reset", "true")]).unwrap();
    assert!(written.effects.programs.contains(["/sbin/ifup", "lan"].map(String::from).as_slice()));
    assert_eq!(router.get("Device.IP.Interface.2.Reset"), "false");
}

#[test]
fn without_ubus_the_rest_of_the_tree_is_there() {
    let router = Router::new();
    router.root.remove_ubus();
    assert_eq!(router.get("Device.IP.Interface.2.Status"), "Unknown");
    assert_eq!(router.get("Device.IP.Interface.2.IPv4Address.1.IPAddress"), "192.168.1.1");
    assert_eq!(router.get("Device.IP.Interface.3.IPv4Address.1.IPAddress"), "");
    assert!(router.values("Device.").len() > 300);
}

/// CONFORMANCE J-14: the counters of a row begin at 0, those of the kernel go on.
#[test]
fn counters_begin_anew_when_the_acs_says_so() {
    let router = Router::new();
    let received = |row: &str| router.get(&format!("Device.{row}.Stats.BytesReceived"));
    let port = || received("Ethernet.Interface.5");
    assert_eq!(port(), "7000000049");
    router.set(&[("Device.Ethernet.Interface.5.Stats.Reset", "false")]).unwrap();
    assert_eq!(port(), "7000000049");
    router.set(&[("Device.Ethernet.Interface.5.Stats.Reset", "true")]).unwrap();
    assert_eq!((port(), router.get("Device.Ethernet.Interface.5.Stats.Reset")), ("0".into(), "false".into()));
    assert_eq!(router.get("Device.Ethernet.Interface.5.Stats.PacketsSent"), "0");
    // The interface on the same device counts by itself.
    assert_eq!(received("IP.Interface.3"), "7000000049");
    router.root.write("/sys/class/net/wan/statistics/rx_bytes", "7000000149\n");
    router.restart();
    assert_eq!((port(), received("IP.Interface.3")), ("100".into(), "7000000149".into()));
    // A device that is made anew has counters of its own.
    router.root.write("/sys/class/net/wan/ifindex", "99\n");
    assert_eq!(port(), "7000000149");
    router.set(&[("Device.Ethernet.Interface.5.Stats.Reset", "1")]).unwrap();
    assert_eq!(port(), "0");
    router.root.reboot();
    assert_eq!(port(), "7000000149");
    // All devices of a radio are one.
    let radio = || router.get("Device.WiFi.Radio.1.Stats.PacketsSent");
    assert_ne!(radio(), "0");
    router.set(&[("Device.WiFi.Radio.1.Stats.Reset", "true")]).unwrap();
    assert_eq!(radio(), "0");
    assert_ne!(router.get("Device.WiFi.SSID.1.Stats.PacketsSent"), "0");
}

#[test]
fn hosts_are_put_together_from_leases_neighbours_and_bridges() {
    let router = Router::new();
    let mut table = vec![0_u8; 32];
    table[..7].copy_from_slice(&[0, 0, 0x5e, 0, 0x53, 0xb1, 2]);
    table[16..24].copy_from_slice(&[0, 0, 0x5e, 0, 0x53, 0, 2, 1]);
    router.root.write("/sys/class/net/br-lan/brforward", &table);
    router.root.write("/sys/class/net/lan2/brport/port_no", "0x2\n");
    let printer = |name: &str| {
        let hosts = router.values("Device.Hosts.");
        let row = hosts.iter().find(|(_, value)| value == "00:00:5e:00:53:b1").unwrap().0.replace("PhysAddress", "");
        hosts.iter().find(|(known, _)| *known == format!("{row}{name}")).unwrap().1.clone()
    };
    assert_eq!((printer("HostName"), printer("IPAddress")), ("printer".into(), "192.168.1.20".into()));
    assert_eq!((printer("AddressSource"), printer("Active")), ("DHCP".into(), "true".into()));
    assert_eq!(printer("Layer1Interface"), "Device.Ethernet.Interface.2");
    assert_eq!(
        (printer("Layer3Interface"), printer("InterfaceType")),
        ("Device.IP.Interface.2".into(), "Ethernet".into())
    );
    // CONFORMANCE P-62: a host keeps its number while others come and go.
    let number = |mac: &str| router.values("Device.Hosts.").into_iter().find(|(_, value)| value == mac).unwrap().0;
    let before = number("00:00:5e:00:53:a2");
    router
        .root
        .write("/tmp/dhcp.leases", "0 00:00:5e:00:53:01 192.168.1.9 first *\n0 00:00:5e:00:53:a2 192.168.1.187 * *\n");
    assert_eq!(number("00:00:5e:00:53:a2"), before);
    assert!(number("00:00:5e:00:53:01").starts_with("Device.Hosts.Host.6."));
    // A station that says nothing is still there.
    router.root.write("/proc/net/arp", "IP address  HW type  Flags  HW address  Mask  Device\n");
    let active = number("00:00:5e:00:53:a2").replace("PhysAddress", "Active");
    assert_eq!(router.get(&active), "true");
    let active = number("00:00:5e:00:53:01").replace("PhysAddress", "Active");
    assert_eq!(router.get(&active), "false");
    // The provider's router is no host of ours.
    assert!(router.values("Device.Hosts.").iter().all(|(_, value)| value != "00:00:5e:00:53:f1"));
}

#[test]
fn addresses_that_hosts_have_made_themselves_are_those_of_neighbours() {
    let router = Router::new();
    let neighbours = "#!/bin/sh\n[ \"$*\" = '-6 neigh show' ] || exit 1\n\
        echo '2001:db8:1200::77 dev br-lan lladdr 00:00:5e:00:53:b2 STALE'\n\
        echo 'fe80::b2 dev br-lan lladdr 00:00:5e:00:53:b2 REACHABLE'\n\
        echo '2001:db8:1200::99 dev br-lan lladdr 00:00:5e:00:53:99 router ref 1 used 0/0/0 probes 1 DELAY'\n\
        echo '2001:db8:1200::98 dev br-lan FAILED'\n\
        echo 'fe80::97 dev br-lan lladdr 00:00:5e:00:53:97 STALE'\n\
        echo '2001:db8:64::1 dev wan lladdr 00:00:5e:00:53:f1 router REACHABLE'\n";
    let of = |mac: &str, name: &str| {
        let hosts = router.values("Device.Hosts.");
        let row = hosts.iter().find(|(_, value)| value == mac).map(|(row, _)| row.replace("PhysAddress", ""))?;
        hosts.iter().find(|(known, _)| *known == format!("{row}{name}")).map(|(_, value)| value.clone())
    };
    assert_eq!(of("00:00:5e:00:53:b2", "Active").as_deref(), Some("false"));
    router.root.write_program("/sbin/ip", neighbours);
    assert_eq!(of("00:00:5e:00:53:b2", "Active").as_deref(), Some("true"));
    assert_eq!(of("00:00:5e:00:53:b2", "IPv6AddressNumberOfEntries").as_deref(), Some("1"));
    assert_eq!(of("00:00:5e:00:53:b2", "IPv6Address.1.IPAddress").as_deref(), Some("2001:db8:1200::77"));
    assert_eq!(of("00:00:5e:00:53:99", "IPAddress").as_deref(), Some("2001:db8:1200::99"));
    assert_eq!(of("00:00:5e:00:53:99", "Layer3Interface").as_deref(), Some("Device.IP.Interface.2"));
    for nobody in ["00:00:5e:00:53:97", "00:00:5e:00:53:f1"] {
        assert_eq!(of(nobody, "Active"), None, "{nobody}");
    }
}

#[test]
fn a_whole_tree_starts_nothing_but_each_ubus_call_once() {
    let router = Router::new();
    router.values("");
    let calls = router.root.calls();
    let mut once = calls.clone();
    once.sort();
    once.dedup();
    assert_eq!(calls.len(), once.len(), "{calls:#?}");
    assert!(calls.iter().all(|call| call.starts_with("/bin/ubus")), "{calls:#?}");
    // One parameter costs what it needs, and not more.
    router.root.clear_calls();
    router.get("Device.DeviceInfo.SoftwareVersion");
    assert_eq!(router.root.calls(), Vec::<String>::new());
}

#[test]
fn ipv6_is_switched_off_by_a_program_and_stays_so() {
    let router = Router::new();
    let written = router.set(&[("Device.IP.IPv6Enable", "false")]).unwrap();
    let argv = ["/sbin/sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1"].map(String::from).to_vec();
    assert!(written.effects.programs.contains(&argv));
    router.restart();
    // What only asks for IPv6 is disabled with it, and comes back.
    let disabled = "config interface 'wan6'\n\toption device 'wan'\n\toption proto 'dhcpv6'\n\toption reqaddress 'try'\n\
                    \toption reqprefix 'auto'\n\toption disabled '1'\n";
    let network = router.root.read("/etc/config/network");
    assert!(network.contains(disabled) && network.matches("disabled").count() == 1, "{network}");
    assert_eq!(
        (router.get("Device.IP.IPv6Enable"), router.get("Device.IP.IPv6Status")),
        ("false".into(), "Disabled".into())
    );
    assert_eq!(router.refused(&[("Device.IP.IPv4Enable", "false")])[0].1, FaultCode(9007));
    router.set(&[("Device.IP.IPv6Enable", "true")]).unwrap();
    assert!(!router.root.read("/etc/config/network").contains("disabled"));
    router.set(&[("Device.IP.Interface.4.Enable", "false")]).unwrap();
    router.set(&[("Device.IP.IPv6Enable", "false")]).unwrap();
    router.set(&[("Device.IP.IPv6Enable", "true")]).unwrap();
    assert_eq!(router.get("Device.IP.Interface.4.Enable"), "false");
    // Its own switch counts by itself, and what a request says of it counts in any order.
    router.set(&[("Device.IP.Interface.4.Enable", "true")]).unwrap();
    for last in ["Device.IP.IPv6Enable", "Device.IP.Interface.4.Enable"] {
        router.set(&[("Device.IP.IPv6Enable", "false")]).unwrap();
        assert_eq!(router.get("Device.IP.Interface.4.Enable"), "true");
        let mut values = [("Device.IP.IPv6Enable", "true"), ("Device.IP.Interface.4.Enable", "false")];
        values.sort_by_key(|(name, _)| *name == last);
        router.set(&values).unwrap();
        assert_eq!(router.get("Device.IP.Interface.4.Enable"), "false", "{last}");
        assert_eq!(router.root.read("/etc/config/network").matches("disabled").count(), 1, "{last}");
        router.set(&[("Device.IP.Interface.4.Enable", "true")]).unwrap();
        assert!(!router.root.read("/etc/config/network").contains("disabled"), "{last}");
    }
    // A client of DHCPv6 that is switched off and on beside it, or while there is no IPv6, is no reason to stay off.
    let client = "Device.DHCPv6.Client.1.Enable";
    for off in [["Device.IP.IPv6Enable", client], [client, "Device.IP.IPv6Enable"]] {
        for on in [["Device.IP.IPv6Enable", client], [client, "Device.IP.IPv6Enable"]] {
            router.set(&off.map(|name| (name, "false"))).unwrap();
            assert_eq!(router.get("Device.IP.Interface.4.Enable"), "true", "{off:?}");
            assert!(!router.root.read("/etc/config/network").contains("disabled"), "{off:?}");
            router.restart();
            router.set(&on.map(|name| (name, "true"))).unwrap();
            assert_eq!(router.get("Device.IP.Interface.4.Enable"), "true", "{off:?} {on:?}");
            assert!(!router.root.read("/etc/config/network").contains("disabled"), "{off:?} {on:?}");
        }
    }
    // One that comes while there is no IPv6 waits for it like the others.
    router.set(&[("Device.IP.IPv6Enable", "false"), (client, "false")]).unwrap();
    router.set(&[(client, "true")]).unwrap();
    assert!(router.root.read("/etc/config/network").contains(disabled));
    router.set(&[("Device.IP.IPv6Enable", "true")]).unwrap();
    assert!(!router.root.read("/etc/config/network").contains("disabled"));
}

/// CONFORMANCE J-06: the name of an IP interface is a key, in whatever order the sections stand.
#[test]
fn j06_names_of_ip_interfaces_on_one_device_are_unique() {
    let router = Router::new();
    let uplink6 = "config interface 'uplink6'\n\toption device 'wan'\n\toption proto 'dhcpv6'\n\n";
    let wan = "config interface 'wan'\n";
    router.root.replace("/etc/config/network", wan, &format!("{uplink6}{wan}"));
    let names: Vec<String> = router.values("Device.IP.Interface.*.Name").into_iter().map(|(_, name)| name).collect();
    for name in ["wan", "wan6", "uplink6"] {
        assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{name}: {names:?}");
    }
}
