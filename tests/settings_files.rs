//! The configuration and the log in and out (CONFORMANCE F-13): archives of sysupgrade, texts of UCI, and what nobody should restore.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::root::RouterRoot;
use cwmpd::platform::live::Live;
use cwmpd::transfer::Trouble;
use cwmpd::transfer::apply::{Applied, Kind, apply, collect};
use cwmpd::transfer::place::private_directory;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// A sysupgrade that packs and unpacks as OpenWrt's does.
const SYSUPGRADE: &str = "case $1 in
-b) tar -C @ROOT@ -czf \"@ROOT@$2\" etc/config etc/cwmpd etc/passwd ;;
-r) tar -C @ROOT@ -xzf \"@ROOT@$2\" ;;
esac";

struct Router {
    root: RouterRoot,
    live: Live,
}

impl Router {
    fn new() -> Self {
        let root = RouterRoot::new();
        root.write_recorder("/sbin/sysupgrade", SYSUPGRADE);
        let live = Live::new(root.path()).unwrap();
        Self { root, live }
    }

    fn file(&self) -> PathBuf {
        private_directory(&self.live).unwrap().join("settings")
    }

    fn restore(&self, content: &[u8]) -> Result<Applied, Trouble> {
        fs::write(self.file(), content).unwrap();
        let result = apply(&self.live, Kind::Settings, &self.file(), "");
        let left = fs::read_dir(self.file().parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "only the file itself");
        result
    }

    /// Restores what must be refused, and sees to it that nothing has changed.
    fn refuses(&self, content: &[u8], why: &str) {
        let before = self.everything();
        self.root.clear_calls();
        let trouble = self.restore(content).expect_err(why);
        assert_eq!(trouble.code.0, 9018, "{}", trouble.text);
        assert!(trouble.text.contains(why), "{:?} does not say {why:?}", trouble.text);
        assert!(self.everything() == before, "{why}: something has changed");
        assert!(self.root.calls().is_empty(), "{why}: {:?}", self.root.calls());
    }

    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut ahead = vec![self.root.at("/etc")];
        while let Some(directory) = ahead.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                match fs::symlink_metadata(&path).unwrap().file_type() {
                    kind if kind.is_dir() => ahead.push(path),
                    kind if kind.is_symlink() => {}
                    _ => found.push((path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        found.sort();
        found
    }

    fn collect(&self, kind: Kind) -> Result<Vec<u8>, Trouble> {
        let into = private_directory(&self.live).unwrap().join("upload");
        let length = collect(&self.live, kind, &into)?;
        let content = fs::read(&into).unwrap();
        assert_eq!(length, content.len() as u64);
        assert_eq!(fs::metadata(&into).unwrap().mode() & 0o777, 0o600);
        Ok(content)
    }
}

/// One member of an archive.
struct Member {
    name: Vec<u8>,
    kind: u8,
    link: &'static str,
    content: Vec<u8>,
}

fn file(name: &str, content: &str) -> Member {
    Member { name: name.into(), kind: b'0', link: "", content: content.into() }
}

fn special(name: &str, kind: u8, link: &'static str) -> Member {
    Member { name: name.into(), kind, link, content: Vec::new() }
}

/// As POSIX describes it, without the blocks of zeros at the end.
fn tar(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    for member in members {
        let mut header = [0_u8; 512];
        header[..member.name.len()].copy_from_slice(&member.name);
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", member.content.len()).as_bytes());
        header[156] = member.kind;
        header[157..157 + member.link.len()].copy_from_slice(member.link.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        seal(&mut header);
        out.extend_from_slice(&header);
        out.extend_from_slice(&member.content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out
}

fn seal(header: &mut [u8; 512]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn archive(members: &[Member]) -> Vec<u8> {
    let mut tar = tar(members);
    tar.extend_from_slice(&[0; 1024]);
    gzip(&tar)
}

#[test]
fn f13_a_backup_comes_back_and_the_services_hear_of_it() {
    let router = Router::new();
    let backup = router.collect(Kind::Settings).unwrap();
    assert_eq!(router.root.calls(), ["/sbin/sysupgrade -b /tmp/cwmpd/upload"]);
    fs::remove_file(router.file().with_file_name("upload")).unwrap();
    let before = router.root.read("/etc/config/network");
    router.root.replace("/etc/config/network", "192.168.1.1", "10.0.0.1");
    router.root.write("/etc/passwd", "changed\n");
    router.root.clear_calls();
    assert_eq!(router.restore(&backup), Ok(Applied::Now));
    assert_eq!(router.root.read("/etc/config/network"), before);
    assert!(router.root.read("/etc/passwd").starts_with("root:"));
    assert_eq!(router.root.calls(), ["/sbin/sysupgrade -r /tmp/cwmpd/settings.restore", "/sbin/reload_config"]);
}

/// Its queue, instance numbers and attributes are those of now, whatever an archive says; and no archive brings the mark of an upgrade.
#[test]
fn f10_a_restore_leaves_the_state_of_the_agent_alone() {
    let router = Router::new();
    router.root.write("/etc/cwmpd/state.json", "now");
    let restored = archive(&[
        special("etc/cwmpd/", b'5', ""),
        file("etc/cwmpd/state.json", "then"),
        file("./etc/cwmpd/transfers.json", "then"),
        file("etc//cwmpd/state.json", "then"),
        file("etc/.//cwmpd//transfers.json", "then"),
        file("etc/cwmpd/model.d/led.json", "a model"),
        file("etc/cwmpd.upgrading", "mark"),
        file("etc/rc.local", "exit 0\n"),
    ]);
    router.restore(&restored).unwrap();
    assert_eq!(router.root.read("/etc/cwmpd/state.json"), "now");
    assert!(!router.root.at("/etc/cwmpd/transfers.json").exists() && !router.root.at("/etc/cwmpd.upgrading").exists());
    assert_eq!(router.root.read("/etc/cwmpd/model.d/led.json"), "a model");
    assert_eq!(router.root.read("/etc/rc.local"), "exit 0\n");
    router.root.replace("/etc/config/cwmpd", "config cpe 'cpe'", "config cpe 'cpe'\n\toption state_dir '/srv/own/'");
    router.restore(&archive(&[file("srv/own/state.json", "then"), file("etc/x", "")])).unwrap();
    assert!(!router.root.at("/srv/own").exists());
}

#[test]
fn f13_no_archive_writes_where_it_should_not() {
    let router = Router::new();
    for (members, why) in [
        (vec![file("/etc/config/network", "")], "not a name beneath the root"),
        (vec![file("etc/../../etc/passwd", "")], "leads out"),
        (vec![file("..", "")], "leads out"),
        (vec![file("", "")], "not a name"),
        (vec![file("etc/a\nb", "")], "not a name"),
        (vec![special("etc/shortcut", b'2', "/"), file("etc/shortcut/bin/sh", "")], "is a link"),
        (vec![special("etc/config/network", b'1', "etc/shadow")], "is a link"),
        (vec![special("etc/device", b'3', "")], "is not a file"),
        (vec![special("etc/fifo", b'6', "")], "is not a file"),
        (vec![special("etc/global", b'g', "")], "is not a file"),
        (vec![Member { kind: b'5', ..file("etc/directory", "content") }], "with a content"),
        // The name that counts stands before the member.
        (vec![Member { kind: b'L', ..file("././@LongLink", "/etc/passwd\0") }, file("etc/fine", "")], "not a name"),
        (vec![Member { kind: b'x', ..file("pax", "20 path=/etc/passwd\n") }, file("etc/fine", "")], "not a name"),
        (vec![Member { kind: b'x', ..file("pax", "18 path=../passwd\n") }, file("etc/fine", "")], "leads out"),
        (vec![Member { kind: b'x', ..file("pax", "12 size=512\n") }, file("etc/fine", "")], "not known"),
        (vec![Member { kind: b'x', ..file("pax", "99 path=x\n") }, file("etc/fine", "")], "not known"),
        (vec![Member { kind: b'x', ..file("pax", "0 path=x\n") }, file("etc/fine", "")], "not known"),
        (vec![Member { kind: b'x', ..file("pax", "") }, special("etc/link", b'2', "/")], "is a link"),
    ] {
        let all: Vec<Member> = [file("etc/good", "written first")].into_iter().chain(members).collect();
        router.refuses(&archive(&all), why);
    }
}

#[test]
fn f13_an_archive_that_is_damaged_changes_nothing() {
    let router = Router::new();
    let good = archive(&[file("etc/config/network", "config interface lan\n"), file("etc/long", &"x".repeat(5000))]);
    for end in [2, 10, good.len() / 2, good.len() - 9, good.len() - 1] {
        router.refuses(&good[..end], "the archive is refused: it is");
    }
    let mut flipped = good.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    router.refuses(&flipped, "damaged");
    router.refuses(&gzip(b"not tar at all"), "cut off");
    router.refuses(&gzip(&[b'x'; 2048]), "not an archive of sysupgrade");
    router.refuses(&gzip(&tar(&[file("etc/x", "no end")])), "cut off");
    let mut huge = tar(&[file("etc/x", "")]);
    let header: &mut [u8; 512] = huge.first_chunk_mut().unwrap();
    header[124..136].copy_from_slice(b"77777777777\0");
    seal(header);
    router.refuses(&gzip(&huge), "cut off");
    let header: &mut [u8; 512] = huge.first_chunk_mut().unwrap();
    header[124..136].copy_from_slice(b"\x80\0\0\0\0\0\0\0\0\0\0\x01");
    seal(header);
    router.refuses(&gzip(&huge), "too large");
    // Small on the wire, and no end of it.
    let mut bomb = tar(&[file("etc/x", &"0".repeat(66 << 20))]);
    bomb.extend_from_slice(&[0; 1024]);
    router.refuses(&gzip(&bomb), "too large");
}

#[test]
fn f13_an_archive_with_a_package_that_does_not_parse_changes_nothing() {
    let router = Router::new();
    let bad = "config interface lan\n\toption proto 'static\n";
    let members = [file("etc/config/dhcp", "config dnsmasq\n"), file("etc/config/network", bad)];
    router.refuses(&archive(&members), "etc/config/network, line 2");
    router.refuses(&archive(&[file("etc//config/network", bad)]), "etc/config/network, line 2");
    // What editors leave there is none of the router's.
    router.restore(&archive(&[file("etc/config/network~.bak", bad)])).unwrap();
}

/// Names that do not fit into a header come in one of two forms; both stay as they were.
#[test]
fn f13_long_names_are_restored() {
    let router = Router::new();
    let long = format!("etc/{}/{}", "d".repeat(90), "f".repeat(90));
    let record = format!(" path={long}x\n");
    let record = format!("{}{record}", record.len() + 3);
    let restored = archive(&[
        Member { kind: b'L', ..file("././@LongLink", &format!("{long}\0")) },
        file(&long[..100], "one"),
        Member { kind: b'x', ..file("pax", &record) },
        file(&long[..100], "two"),
    ]);
    router.restore(&restored).unwrap();
    assert_eq!(router.root.read(&long), "one");
    assert_eq!(router.root.read(&format!("{long}x")), "two");
}

#[test]
fn f13_what_sysupgrade_cannot_unpack_is_9010() {
    let router = Router::new();
    router.root.write_recorder("/sbin/sysupgrade", "echo 'no space left' >&2; exit 1");
    let trouble = router.restore(&archive(&[file("etc/x", "")])).unwrap_err();
    assert_eq!(trouble.code.0, 9010);
    assert!(trouble.text.contains("no space left"), "{}", trouble.text);
    assert_eq!(router.collect(Kind::Settings).unwrap_err().code.0, 9011);
    router.root.write_recorder("/sbin/sysupgrade", "exit 0");
    assert_eq!(router.collect(Kind::Settings).unwrap_err().code.0, 9011, "an empty archive is none");
}

#[test]
fn f13_a_text_of_uci_takes_the_place_of_its_packages() {
    let router = Router::new();
    let firewall = router.root.read("/etc/config/firewall");
    let text = "package network\n\nconfig interface 'lan'\n\toption device 'br-lan'\n\tlist dns '192.0.2.1'\n\n\
                package fresh\n\nconfig thing\n\toption note 'it'\\''s'\n\n";
    assert_eq!(router.restore(text.as_bytes()), Ok(Applied::Now));
    assert_eq!(router.root.calls(), ["/sbin/reload_config"]);
    let network = router.root.read("/etc/config/network");
    assert!(network.contains("list dns '192.0.2.1'") && !network.contains("wan"), "{network}");
    assert!(router.root.read("/etc/config/fresh").contains("option note 'it'\\''s'"));
    assert_eq!(router.root.read("/etc/config/firewall"), firewall, "a package that is not in the text stays");
    // The same again changes nothing, and nobody has to reload.
    router.root.clear_calls();
    router.restore(text.as_bytes()).unwrap();
    assert!(router.root.calls().is_empty());
}

#[test]
fn f13_a_text_that_does_not_parse_changes_nothing() {
    let router = Router::new();
    for (text, why) in [
        ("", "no package"),
        ("<html>404</html>\n", "line 1"),
        ("config interface lan\n", "before the first package"),
        ("package dhcp\n\nconfig dnsmasq\n\npackage network\nconfig interface 'lan\n", "line 6"),
        ("package ../passwd\nconfig a\n", "line 1"),
        ("package a\nconfig b\n\toption c d e\n", "line 3"),
    ] {
        router.refuses(text.as_bytes(), why);
    }
    router.refuses(b"package a\nconfig \xff\n", "UTF-8");
    router.refuses(&vec![b'#'; (4 << 20) + 1], "short enough");
}

#[test]
fn f03_the_text_of_uci_has_every_package_and_can_be_restored() {
    let router = Router::new();
    router.root.write("/etc/config/network.bak", "not a package");
    let text = String::from_utf8(router.collect(Kind::SettingsText).unwrap()).unwrap();
    for package in ["cwmpd", "dhcp", "firewall", "network", "system", "wireless"] {
        assert!(text.contains(&format!("package {package}\n\nconfig ")), "{package}");
    }
    assert!(!text.contains("bak"));
    fs::remove_file(router.file().with_file_name("upload")).unwrap();
    let before = router.everything();
    router.restore(text.as_bytes()).unwrap();
    assert!(router.everything() == before, "nothing differs, so nothing is written");
    router.root.replace("/etc/config/network", "192.168.1.1", "10.0.0.1");
    router.restore(text.as_bytes()).unwrap();
    assert!(router.root.read("/etc/config/network").contains("192.168.1.1"));
}

#[test]
fn f03_a_package_that_does_not_parse_is_not_sent_as_if_it_were_whole() {
    let router = Router::new();
    router.root.append("/etc/config/dhcp", "config broken 'x\n");
    let trouble = router.collect(Kind::SettingsText).unwrap_err();
    assert_eq!(trouble.code.0, 9011);
    assert!(trouble.text.contains("/etc/config/dhcp:"), "{}", trouble.text);
}

#[test]
fn f03_the_log_comes_from_ubus_a_file_or_logread() {
    let router = Router::new();
    let log = || String::from_utf8(router.collect(Kind::Log).unwrap()).unwrap();
    let text = log();
    assert_eq!(text.lines().next(), Some("2025-11-11T10:14:00Z daemon.notice procd: - init complete -"));
    assert_eq!(text.lines().count(), 3);
    assert_eq!(
        router.root.calls(),
        [r#"/bin/ubus -S call log read {"lines":0,"oneshot":true,"stream":false}"#],
        "once, and without waiting for more"
    );
    router.root.write_recorder("/sbin/logread", "echo 'Tue Nov 11 11:14:00 2025 daemon.notice procd: from logread'");
    router.root.remove_ubus();
    assert_eq!(log(), "Tue Nov 11 11:14:00 2025 daemon.notice procd: from logread\n");
    router.root.replace("/etc/config/system", "config system", "config system\n\toption log_file '/var/log/kept'");
    assert!(log().contains("from logread"), "the file is not there yet");
    router.root.write("/tmp/log/kept", "second\n");
    router.root.write("/tmp/log/kept.0", "first\n");
    assert_eq!(log(), "first\nsecond\n");
    router.root.remove("/tmp/log/kept");
    router.root.remove("/sbin/logread");
    assert_eq!(router.collect(Kind::Log).unwrap_err().code.0, 9011);
}

/// What is handed on is what was looked at: the tar of this machine reads it as it is.
#[test]
fn f13_the_archive_that_is_handed_on_is_a_proper_one() {
    let router = Router::new();
    router.root.write_recorder("/sbin/sysupgrade", "[ \"$1\" = -r ] && cp \"@ROOT@$2\" @ROOT@/seen.tar.gz");
    router
        .restore(&archive(&[file("etc/a", &"a".repeat(1000)), file("etc/cwmpd/state.json", "x"), file("etc/b", "")]))
        .unwrap();
    let seen = fs::read(router.root.at("/seen.tar.gz")).unwrap();
    let mut unpacked = Vec::new();
    GzDecoder::new(seen.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked.len(), 512 + 1024 + 512 + 1024);
    let list = Command::new("tar").arg("-tzf").arg(router.root.at("/seen.tar.gz")).stderr(Stdio::inherit()).output();
    match list {
        Ok(list) => assert_eq!(String::from_utf8(list.stdout).unwrap(), "etc/a\netc/b\n"),
        Err(error) => println!("skipped: no tar here: {error}"),
    }
}

/// The numbers are those of `3 Vendor Configuration File i` and `4 Vendor Log File i`.
#[test]
fn f03_the_tables_of_files_name_what_can_be_sent() {
    let acs = common::acs::Acs::start();
    let mut agent = common::agent::Agent::new(&acs);
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    let value = |session: &mut common::acs::Session, name: &str| session.value(&format!("Device.DeviceInfo.{name}"));
    assert_eq!(value(&mut session, "VendorConfigFileNumberOfEntries"), "2");
    assert_eq!(value(&mut session, "VendorConfigFile.1.Name"), "backup.tar.gz");
    assert_eq!(value(&mut session, "VendorConfigFile.2.Name"), "uci-export.txt");
    assert_eq!(value(&mut session, "VendorConfigFile.2.UseForBackupRestore"), "true");
    assert_eq!(value(&mut session, "VendorLogFile.1.Name"), "logread");
    session.end();
}
