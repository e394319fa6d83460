//! Changes made behind the agent's back are noticed, by events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/root.rs"]
mod root;
#[path = "common/ubusd.rs"]
mod ubusd;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use cwmpd::platform::System;
use cwmpd::platform::live::Live;
use cwmpd::platform::watch::{Changes, Watch};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use root::RouterRoot;
use serde_json::json;
use ubusd::Ubusd;

/// Gathers changes as a poll loop would, until they are as wanted or it takes too long.
fn until(watch: &mut Watch, wanted: impl Fn(&Changes) -> bool) -> Changes {
    let mut all = Changes::default();
    let end = Instant::now() + Duration::from_secs(20);
    while !wanted(&all) {
        assert!(Instant::now() < end, "only {all:?}");
        let mut fds: Vec<PollFd<'_>> =
            watch.descriptors().into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        poll(&mut fds, PollTimeout::from(100_u16)).unwrap();
        drop(fds);
        let changes = watch.read();
        all.packages.extend(changes.packages);
        all.files.extend(changes.files);
        all.everything |= changes.everything;
        all.network |= changes.network;
        all.clients |= changes.clients;
    }
    all
}

fn watched(root: &RouterRoot) -> Watch {
    let mut watch = Watch::new(&Live::new(root.path()).unwrap(), &["/tmp/dhcp.leases", "/tmp/later"]);
    watch.read();
    watch
}

fn has_package(name: &'static str) -> impl Fn(&Changes) -> bool {
    move |changes| changes.packages.contains(name)
}

#[test]
fn a_written_package_is_named() {
    let root = RouterRoot::new();
    let mut watch = watched(&root);
    root.append("/etc/config/network", "# renamed into place\n");
    let changes = until(&mut watch, has_package("network"));
    assert_eq!((changes.packages.len(), changes.everything), (1, false), "{changes:?}");
    let live = Live::new(root.path()).unwrap();
    let mut firewall = live.load_package("firewall").unwrap();
    firewall.add_section("redirect", None).unwrap();
    live.commit_packages(&mut [&mut firewall]).unwrap();
    until(&mut watch, has_package("firewall"));
    fs::write(root.at("/etc/config/dhcp"), "config dnsmasq\n").unwrap();
    until(&mut watch, has_package("dhcp"));
    root.remove("/etc/config/uhttpd");
    until(&mut watch, has_package("uhttpd"));
    fs::write(root.at("/etc/config/brandnew"), "").unwrap();
    until(&mut watch, has_package("brandnew"));
    assert!(!watch.read().packages.contains("network"));
}

#[test]
fn reading_is_no_change() {
    let root = RouterRoot::new();
    let mut watch = watched(&root);
    root.read("/etc/config/network");
    // Else each reading would be the cause of the next.
    let live = Live::new(root.path()).unwrap();
    for name in ["network", "wireless", "cwmpd"] {
        live.load_package(name).unwrap();
    }
    root.read("/tmp/dhcp.leases");
    fs::write(root.at("/tmp/unrelated"), "").unwrap();
    root.write("/etc/hosts", "");
    let changes = Changes { network: false, ..watch.read() };
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn a_replaced_directory_is_watched_on() {
    let root = RouterRoot::new();
    let mut watch = watched(&root);
    for _ in 0..3 {
        fs::rename(root.at("/etc/config"), root.at("/etc/config.old")).unwrap();
        fs::create_dir(root.at("/etc/config")).unwrap();
        until(&mut watch, |changes| changes.everything);
        fs::write(root.at("/etc/config/system"), "config system\n").unwrap();
        until(&mut watch, has_package("system"));
        // The old one does not count any more.
        fs::write(root.at("/etc/config.old/old"), "").unwrap();
        root.append("/etc/config/last", "");
        assert!(!until(&mut watch, has_package("last")).packages.contains("old"));
        fs::remove_dir_all(root.at("/etc/config.old")).unwrap();
    }
    fs::remove_dir_all(root.at("/etc/config")).unwrap();
    until(&mut watch, |changes| changes.everything);
    fs::create_dir(root.at("/etc/config")).unwrap();
    until(&mut watch, |changes| changes.everything);
    fs::write(root.at("/etc/config/system"), "").unwrap();
    until(&mut watch, has_package("system"));
}

#[test]
fn lost_events_mean_that_everything_may_have_changed() {
    let root = RouterRoot::new();
    let mut watch = watched(&root);
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    let (one, other) = (root.at("/etc/config/one"), root.at("/etc/config/other"));
    if most > 100_000 {
        eprintln!("skipped: the queue takes {most} events here");
        return;
    }
    // Two alike in a row would be counted as one.
    for number in 0..=most {
        fs::write(if number % 2 == 0 { &one } else { &other }, "").unwrap();
    }
    until(&mut watch, |changes| changes.everything);
    while !watch.read().is_empty() {}
    fs::write(root.at("/etc/config/after"), "").unwrap();
    until(&mut watch, has_package("after"));
}

#[test]
fn a_file_is_noticed_when_it_is_written_replaced_and_made() {
    use std::io::Write;
    let root = RouterRoot::new();
    let mut watch = watched(&root);
    let leases = |changes: &Changes| changes.files.contains("/tmp/dhcp.leases");
    // As dnsmasq does it: the file stays open.
    let mut open = fs::OpenOptions::new().append(true).open(root.at("/tmp/dhcp.leases")).unwrap();
    open.write_all(b"0 00:00:5e:00:53:ff 192.168.1.9 new *\n").unwrap();
    until(&mut watch, leases);
    root.write("/tmp/dhcp.leases", "");
    until(&mut watch, leases);
    fs::write(root.at("/tmp/dhcp.leases"), "again").unwrap();
    until(&mut watch, leases);
    fs::write(root.at("/tmp/later"), "made").unwrap();
    until(&mut watch, |changes| changes.files.contains("/tmp/later"));
    while !watch.read().files.is_empty() {}
    let mut open = fs::OpenOptions::new().append(true).open(root.at("/tmp/later")).unwrap();
    open.write_all(b"more").unwrap();
    until(&mut watch, |changes| changes.files.contains("/tmp/later"));
}

/// Runs the next test in a network namespace of its own, where it may change a link.
#[test]
fn a_link_that_comes_up_is_noticed_in_a_namespace() {
    let own = std::env::current_exe().unwrap();
    let namespace = ["--user", "--map-root-user", "--net"];
    if !Command::new("unshare")
        .args(namespace)
        .args(["ip", "link", "set", "lo", "up"])
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("skipped: no network namespaces here");
        return;
    }
    let output = Command::new("unshare")
        .args(namespace)
        .arg(own)
        .args(["--ignored", "--exact", "inside_the_namespace"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "run by a_link_that_comes_up_is_noticed_in_a_namespace"]
fn inside_the_namespace() {
    let root = RouterRoot::new();
    let mut watch = watched(&root);
    assert!(!watch.read().network);
    assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
    until(&mut watch, |changes| changes.network);
    while watch.read().network {}
    assert!(Command::new("ip").args(["address", "add", "192.0.2.1/24", "dev", "lo"]).status().unwrap().success());
    until(&mut watch, |changes| changes.network);
}

/// Empties the watch of what the connecting itself has brought.
fn listening(watch: &mut Watch, ubusd: &Ubusd) {
    let end = Instant::now() + Duration::from_secs(20);
    for name in ["network.interface", "ubus.object.add", "dhcp", "hostapd.phy1-ap0"] {
        while !ubusd.listens(name) {
            assert!(Instant::now() < end, "nobody listens to {name}");
            watch.read();
        }
    }
}

#[test]
fn an_event_of_netifd_means_that_the_network_changed() {
    let root = RouterRoot::new();
    let ubusd = root.start_ubusd();
    let mut watch = watched(&root);
    listening(&mut watch, &ubusd);
    assert!(watch.next_deadline().is_none(), "nothing is due while the bus is there");
    assert_eq!(watch.read(), Changes::default());
    ubusd.send_event("network.interface", &json!({"action": "ifup", "interface": "wan"}));
    let changes = until(&mut watch, |changes| changes.network);
    assert!(!changes.clients);
}

#[test]
fn clients_and_leases_that_come_and_go_are_noticed_and_probes_are_not() {
    let root = RouterRoot::new();
    let ubusd = root.start_ubusd();
    let mut watch = watched(&root);
    listening(&mut watch, &ubusd);
    let who = json!({"address": "00:00:5e:00:53:a1"});
    for (object, name) in [
        ("hostapd.phy0-ap0", "assoc"),
        ("hostapd.phy1-ap0", "disassoc"),
        ("hostapd.phy1-ap0", "deauth"),
        ("dhcp", "dhcp.ack"),
        ("dhcp", "dhcp.release"),
    ] {
        ubusd.notify(object, name, &who, false);
        assert!(!until(&mut watch, |changes| changes.clients).network, "{object} {name}");
    }
    // hostapd waits for what its listeners think, also of what is nothing to us.
    ubusd.notify("hostapd.phy0-ap0", "probe", &who, true);
    let end = Instant::now() + Duration::from_secs(20);
    while !ubusd.has_answers() {
        assert!(Instant::now() < end);
        assert_eq!(watch.read(), Changes::default());
    }
    assert_eq!(ubusd.wait_for_answer(), 0);
}

#[test]
fn what_comes_to_the_bus_later_is_listened_to() {
    let root = RouterRoot::new();
    let ubusd = root.start_ubusd();
    let mut watch = watched(&root);
    listening(&mut watch, &ubusd);
    for (object, method) in [("hostapd.phy1-ap1", "get_clients"), ("dnsmasq", "metrics")] {
        root.set_ubus(object, method, None, "{}");
        ubusd.send_event("ubus.object.add", &json!({"id": 1, "path": object}));
        let end = Instant::now() + Duration::from_secs(20);
        while !ubusd.listens(object) {
            assert!(Instant::now() < end, "nobody listens to {object}");
            watch.read();
        }
    }
    ubusd.send_event("ubus.object.add", &json!({"id": 1, "path": "service"}));
    ubusd.send_event("ubus.object.add", &json!({"path": 7}));
    ubusd.notify("dnsmasq", "dhcp.ack", &json!({}), false);
    until(&mut watch, |changes| changes.clients);
    assert!(!ubusd.listens("service"));
}

#[test]
fn a_bus_that_comes_later_breaks_down_or_talks_nonsense_is_listened_to_again() {
    let root = RouterRoot::new();
    let mut watch = watched(&root);
    assert!(watch.next_deadline().is_some());
    let ubusd = root.start_ubusd();
    listening(&mut watch, &ubusd);
    drop(ubusd);
    let ubusd = root.start_ubusd();
    // Something may have happened meanwhile.
    until(&mut watch, |changes| changes.network && changes.clients);
    listening(&mut watch, &ubusd);
    ubusd.send_raw(&[0xff; 100]);
    let changes = until(&mut watch, |changes| changes.network && changes.clients);
    assert!(!changes.everything);
    listening(&mut watch, &ubusd);
}
