//! A sample router: a directory that looks like OpenWrt 24.10 on a small DSA router with two radios.
//!
//! What a router keeps in files lies in `root/` beside this file; what a kernel would show (`/proc`, `/sys`) and the programs are made here.
//! The programs are stand-ins: each writes its call into `calls.log` and answers with what lies in `ubus/`. Routers of other kinds are in
//! `routers.rs`.

#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "netifd.rs"]
mod netifd;
#[path = "routers.rs"]
pub mod routers;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The router's directory; it goes away with this value.
pub struct RouterRoot {
    directory: PathBuf,
    keep: bool,
}

/// A network device of a sample router.
#[derive(Clone, Copy)]
pub struct Device {
    pub name: &'static str,
    pub mac: &'static str,
    pub index: u32,
    pub carrier: bool,
    /// Mbit/s; 0 where there is no such thing or no link.
    pub speed: u32,
    pub mtu: u32,
    pub bridge: Option<&'static str>,
    /// `ARPHRD_*`: 1 Ethernet, 512 PPP, 772 loopback, 65534 none.
    pub kind: u32,
}

pub const fn device(name: &'static str, mac: &'static str, index: u32, carrier: bool, speed: u32) -> Device {
    Device { name, mac, index, carrier, speed, mtu: 1500, bridge: None, kind: 1 }
}

impl Device {
    /// The `DEVTYPE` of its `uevent`; physical Ethernet has none.
    pub fn devtype(&self) -> Option<&'static str> {
        Some(match self.name {
            name if name.starts_with("phy") => "wlan",
            name if name.starts_with("br-") => "bridge",
            name if name.contains('.') => "vlan",
            name if name.starts_with("pppoe-") => "ppp",
            name if name.starts_with("wwan") => "wwan",
            name if name.starts_with("lan") || name == "wan" => "dsa",
            _ => return None,
        })
    }

    /// The device that a VLAN runs on.
    pub fn vlan(&self) -> Option<(&'static str, &'static str)> {
        self.name.split_once('.')
    }

    /// Whether there is hardware below it that is no radio.
    fn is_port(&self) -> bool {
        matches!(self.devtype(), None | Some("dsa" | "wwan")) && self.kind != 772
    }

    /// A counter of `/sys/class/net/NAME/statistics`.
    pub fn counter(&self, name: &str) -> u64 {
        let factor = COUNTERS.iter().find(|(known, _)| *known == name).unwrap().1;
        let live = self.carrier || self.kind == 772;
        if live { factor * u64::from(self.index) } else { 0 }
    }
}

/// A radio as the kernel shows it: its name, its MAC address, and its path beneath `/sys/devices`.
pub type Phy = (&'static str, &'static str, &'static str);

const PHYS: &[Phy] = &[
    ("phy0", "00:00:5e:00:53:02", "platform/soc/18000000.wifi"),
    ("phy1", "00:00:5e:00:53:03", "platform/soc/18000000.wifi"),
];

const DEVICES: &[Device] = &[
    Device { mtu: 65536, kind: 772, ..device("lo", "00:00:00:00:00:00", 1, true, 0) },
    Device { mtu: 1504, ..device("eth0", "00:00:5e:00:53:00", 2, true, 2500) },
    Device { bridge: Some("br-lan"), ..device("lan1", "00:00:5e:00:53:00", 3, true, 1000) },
    Device { bridge: Some("br-lan"), ..device("lan2", "00:00:5e:00:53:00", 4, true, 100) },
    Device { bridge: Some("br-lan"), ..device("lan3", "00:00:5e:00:53:00", 5, false, 0) },
    Device { bridge: Some("br-lan"), ..device("lan4", "00:00:5e:00:53:00", 6, false, 0) },
    device("wan", "00:00:5e:00:53:01", 7, true, 1000),
    device("br-lan", "00:00:5e:00:53:00", 8, true, 1000),
    device("br-guest", "02:00:5e:00:53:02", 9, true, 0),
    Device { bridge: Some("br-lan"), ..device("phy0-ap0", "00:00:5e:00:53:02", 10, true, 0) },
    Device { bridge: Some("br-guest"), ..device("phy0-ap1", "02:00:5e:00:53:02", 11, true, 0) },
    Device { bridge: Some("br-lan"), ..device("phy1-ap0", "00:00:5e:00:53:03", 12, true, 0) },
];

/// The counters of `/sys/class/net/*/statistics` that are not 0, as multiples of the device's index so that no two are alike.
pub const COUNTERS: &[(&str, u64)] = &[
    ("rx_bytes", 1_000_000_007),
    ("tx_bytes", 300_000_001),
    ("rx_packets", 1_000_003),
    ("tx_packets", 500_009),
    ("rx_errors", 1),
    ("tx_errors", 2),
    ("rx_dropped", 31),
    ("tx_dropped", 7),
    ("multicast", 4099),
    ("rx_nohandler", 5),
    ("collisions", 0),
];

/// A program that only writes down that it was called.
const RECORDER: &str = "#!/bin/sh
root=${CWMPD_ROOT:-@ROOT@}
printf '%s\\n' \"${0#\"$root\"}${*:+ $*}\" >>\"$root/calls.log\"
";

/// `ubus -S call OBJECT METHOD [JSON]`: answers with `ubus/OBJECT.METHOD[.DEVICE].json`, where DEVICE is the call's `device` or `name`.
const UBUS: &str = "#!/bin/sh
root=${CWMPD_ROOT:-@ROOT@}
printf '%s\\n' \"/bin/ubus${*:+ $*}\" >>\"$root/calls.log\"
while [ \"${1#-}\" != \"$1\" ]; do [ \"$1\" = -t ] && shift; shift; done
case $1 in
list)
	cd \"$root/ubus\" && for f in *.json; do f=${f%.json}; echo \"${f%.*}\"; done
	exit 0 ;;
call) ;;
*) exit 2 ;;
esac
answer=$root/ubus/$2.$3
for key in device name; do
	case $4 in
	*\\\"$key\\\"*)
		value=${4#*\\\"$key\\\"}
		value=${value#*\\\"}
		value=${value%%\\\"*}
		[ -e \"$answer.$value.json\" ] && exec cat \"$answer.$value.json\"
		[ -e \"$answer.json\" ] || exit 4
		echo '{}'
		exit 0 ;;
	esac
done
[ -e \"$answer.json\" ] && exec cat \"$answer.json\"
for known in \"$root/ubus/$2\".*; do
	[ -e \"$known\" ] && exit 3
done
echo 'Command failed: Not found' >&2
exit 4
";

/// Programs that are recorded, and otherwise do nothing.
const PROGRAMS: &[&str] = &[
    "/sbin/reboot",
    "/sbin/firstboot",
    "/sbin/jffs2reset",
    "/sbin/reload_config",
    "/sbin/wifi",
    "/sbin/sysupgrade",
    "/sbin/ifup",
    "/sbin/ifdown",
    "/bin/opkg",
    "/etc/init.d/cwmpd",
    "/etc/init.d/dnsmasq",
    "/etc/init.d/dropbear",
    "/etc/init.d/firewall",
    "/etc/init.d/led",
    "/etc/init.d/log",
    "/etc/init.d/network",
    "/etc/init.d/odhcpd",
    "/etc/init.d/sqm",
    "/etc/init.d/sysntpd",
    "/etc/init.d/system",
    "/etc/init.d/uhttpd",
];

/// Processes beneath `/proc`: number, name, state, CPU ticks, priority and size in bytes.
const PROCESSES: &[(u32, &str, char, u32, i32, u32)] = &[
    (1, "procd", 'S', 412, 20, 1_806_336),
    (2, "kthreadd", 'S', 3, 20, 0),
    (12, "ksoftirqd/0", 'S', 97, 20, 0),
    (1203, "netifd", 'S', 730, 20, 2_113_536),
    (1544, "hostapd", 'S', 2210, 20, 5_902_336),
    (1630, "dnsmasq", 'S', 180, 20, 2_781_184),
    (2044, "ash (login)", 'T', 4, 20, 1_425_408),
    (2101, "cat", 'R', 1, 20, 1_306_624),
];

static NEXT: AtomicU32 = AtomicU32::new(0);

impl RouterRoot {
    /// Makes a router in a fresh directory beneath the system's temporary directory.
    pub fn new() -> Self {
        Self::with(DEVICES, PHYS)
    }

    /// The same router with other devices and radios in the eyes of the kernel.
    pub fn with(devices: &[Device], phys: &[Phy]) -> Self {
        let directory = loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let candidate = std::env::temp_dir().join(format!("cwmpd-router-{}-{number}", std::process::id()));
            match fs::create_dir(&candidate) {
                Ok(()) => break candidate,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("cannot make {}: {error}", candidate.display()),
            }
        };
        let root = Self { directory: directory.canonicalize().unwrap(), keep: false };
        copy_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/root"), &root.directory);
        root.make_layout();
        root.make_programs();
        root.make_proc();
        root.make_devices(devices);
        root.make_radios(phys);
        root.make_sys();
        root.make_leases();
        root
    }

    /// The directory on this machine.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Where a path of the router lies on this machine.
    pub fn at(&self, path: &str) -> PathBuf {
        self.directory.join(path.trim_start_matches('/'))
    }

    /// Leaves the directory behind, to be looked at.
    pub fn keep(&mut self) {
        self.keep = true;
    }

    /// Reads a text file of the router.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Writes a file of the router, as an editor would: a new file that takes the old one's place.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let target = self.at(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        let mut temporary = target.clone().into_os_string();
        temporary.push(".new");
        fs::write(&temporary, content).unwrap();
        if let Ok(before) = fs::metadata(&target) {
            fs::set_permissions(&temporary, before.permissions()).unwrap();
        }
        fs::rename(&temporary, &target).unwrap();
    }

    /// Writes an executable file. `@ROOT@` in it becomes the router's directory.
    pub fn write_program(&self, path: &str, script: &str) {
        self.write(path, script.replace("@ROOT@", self.directory.to_str().unwrap()));
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A program that writes down its call in `calls.log`, and then does what the script says (`@ROOT@` is the router's directory).
    pub fn write_recorder(&self, path: &str, script: &str) {
        self.write_program(path, &format!("{RECORDER}{script}"));
    }

    /// Takes a file, link or directory away.
    pub fn remove(&self, path: &str) {
        let target = self.at(path);
        let gone = if target.is_dir() && !target.is_symlink() {
            fs::remove_dir_all(&target)
        } else {
            fs::remove_file(&target)
        };
        gone.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Replaces text in a file of the router; it has to occur.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let before = self.read(path);
        assert!(before.contains(from), "{path} does not contain {from:?}");
        self.write(path, before.replace(from, to));
    }

    /// Adds text to the end of a file of the router.
    pub fn append(&self, path: &str, text: &str) {
        let before = if self.at(path).exists() { self.read(path) } else { String::new() };
        self.write(path, before + text);
    }

    /// Says what `ubus call OBJECT METHOD` answers from now on; `device` is that of calls that name one.
    pub fn set_ubus(&self, object: &str, method: &str, device: Option<&str>, answer: &str) {
        let device = device.map_or_else(String::new, |device| format!(".{device}"));
        self.write(&format!("/ubus/{object}.{method}{device}.json"), answer);
    }

    /// What `ubus call OBJECT METHOD` answers.
    pub fn ubus(&self, object: &str, method: &str) -> String {
        self.read(&format!("/ubus/{object}.{method}.json"))
    }

    /// A router without ubus.
    pub fn remove_ubus(&self) {
        self.remove("/bin/ubus");
    }

    /// The calls of programs so far, one line each: path and arguments, separated by spaces.
    pub fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.at("/calls.log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        let _ = fs::remove_file(self.at("/calls.log"));
    }

    /// What a kernel and an init system would do: a new boot id, the uptime from the start, and an empty `/tmp/run`.
    pub fn reboot(&self) {
        let boot = NEXT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let pid = std::process::id();
        self.write(
            "/proc/sys/kernel/random/boot_id",
            format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{boot:012x}\n",
                now.subsec_nanos(),
                pid & 0xffff,
                pid >> 16 & 0xfff,
                now.as_secs() & 0xfff
            ),
        );
        self.write("/proc/uptime", "12.34 20.01\n");
        let _ = fs::remove_dir_all(self.at("/tmp/run"));
        fs::create_dir_all(self.at("/tmp/run")).unwrap();
    }

    /// Makes a new file: quick, since there are hundreds of them.
    pub fn make(&self, path: &str, content: impl AsRef<[u8]>) {
        let target = self.at(path);
        if fs::write(&target, &content).is_err() {
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(&target, &content).unwrap();
        }
    }

    fn make_layout(&self) {
        for path in [
            "/bin",
            "/sbin",
            "/usr/bin",
            "/usr/sbin",
            "/usr/share/cwmpd/model.d",
            "/etc/init.d",
            "/etc/cwmpd",
            "/tmp/run",
            "/tmp/hosts",
            "/tmp/resolv.conf.d",
            "/tmp/log",
            "/tmp/lock",
            "/lib",
            "/dev",
            "/overlay",
            "/root",
            "/www",
        ] {
            fs::create_dir_all(self.at(path)).unwrap();
        }
        fs::set_permissions(self.at("/etc/config/cwmpd"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(self.at("/etc/cwmpd"), fs::Permissions::from_mode(0o700)).unwrap();
        // As on the router, some links are absolute: beneath a root they only make sense beneath that root.
        symlink("tmp", self.at("/var")).unwrap();
        symlink("/tmp/resolv.conf", self.at("/etc/resolv.conf")).unwrap();
        symlink("/sys/firmware/devicetree/base", {
            fs::create_dir_all(self.at("/proc")).unwrap();
            self.at("/proc/device-tree")
        })
        .unwrap();
        self.make("/tmp/resolv.conf", "search lan\nnameserver 127.0.0.1\nnameserver ::1\n");
        self.make("/tmp/resolv.conf.d/resolv.conf.auto", "# Interface wan\nnameserver 198.51.100.53\nnameserver 198.51.100.54\nsearch isp.example\n# Interface wan6\nnameserver 2001:db8:64::53\n");
        self.make("/tmp/TZ", "CET-1CEST,M3.5.0,M10.5.0/3\n");
        self.make("/tmp/log/messages", "Nov 11 11:14:00 OpenWrt daemon.notice procd: - init complete -\n");
        self.make(
            "/etc/shadow",
            "root:$5$0123456789abcdef$0000000000000000000000000000000000000000000:20000:0:99999:7:::\n",
        );
        fs::set_permissions(self.at("/etc/shadow"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn make_programs(&self) {
        for program in PROGRAMS {
            self.make_program(program, RECORDER);
        }
        self.make_program("/bin/ubus", UBUS);
    }

    fn make_program(&self, path: &str, script: &str) {
        self.make(path, script.replace("@ROOT@", self.directory.to_str().unwrap()));
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn make_proc(&self) {
        self.reboot();
        self.make("/proc/uptime", "86437.52 171203.88\n");
        for (pid, name, state, ticks, priority, size) in PROCESSES {
            let pages = size / 4096;
            self.make(
                &format!("/proc/{pid}/stat"),
                format!(
                    "{pid} ({name}) {state} 1 {pid} {pid} 0 -1 4194560 900 0 3 0 {} {} 0 0 {priority} 0 1 0 {pid}00 {size} {pages} 4294967295 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
                    ticks / 3,
                    ticks - ticks / 3
                ),
            );
            self.make(&format!("/proc/{pid}/statm"), format!("{pages} {} 100 10 0 40 0\n", pages / 2));
            self.make(&format!("/proc/{pid}/cmdline"), format!("/usr/sbin/{name}\0-f\0"));
        }
        for name in ["all", "default"] {
            self.make(&format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "0\n");
        }
        self.make("/proc/sys/net/ipv4/ip_forward", "1\n");
        self.make("/proc/sys/net/ipv4/tcp_congestion_control", "cubic\n");
        self.make("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t4049536\n");
        self.make("/proc/sys/kernel/hostname", "OpenWrt\n");
    }

    fn make_devices(&self, devices: &[Device]) {
        let mut net = String::from(
            "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n",
        );
        for device in devices {
            let value = |name: &str| device.counter(name);
            net.push_str(&format!(
                "{:>6}: {} {} {} {} 0 0 0 {} {} {} {} {} 0 0 0 0\n",
                device.name,
                value("rx_bytes"),
                value("rx_packets"),
                value("rx_errors"),
                value("rx_dropped"),
                value("multicast"),
                value("tx_bytes"),
                value("tx_packets"),
                value("tx_errors"),
                value("tx_dropped"),
            ));
            self.make(&format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", device.name), "0\n");
            self.make(&format!("/proc/sys/net/ipv6/conf/{}/mtu", device.name), format!("{}\n", device.mtu));
        }
        self.make("/proc/net/dev", net);
        for device in devices {
            let directory = format!("/sys/class/net/{}", device.name);
            let write = |name: &str, value: String| self.make(&format!("{directory}/{name}"), format!("{value}\n"));
            let operstate = if device.kind == 772 {
                "unknown"
            } else if device.carrier {
                "up"
            } else {
                "lowerlayerdown"
            };
            write("address", device.mac.to_owned());
            write("addr_assign_type", "0".to_owned());
            write("addr_len", "6".to_owned());
            write("ifindex", device.index.to_string());
            write("mtu", device.mtu.to_string());
            write("type", device.kind.to_string());
            write("carrier", u8::from(device.carrier).to_string());
            write("carrier_changes", (2 * device.index).to_string());
            write("operstate", operstate.to_owned());
            let flags = match device.kind {
                772 => "0x9",
                1 => "0x1003",
                _ => "0x10d1",
            };
            write("flags", flags.to_owned());
            write("tx_queue_len", "1000".to_owned());
            let wireless = device.devtype() == Some("wlan");
            if !wireless && device.kind == 1 {
                write("speed", if device.speed == 0 { "-1".to_owned() } else { device.speed.to_string() });
                write("duplex", if device.speed == 0 { "unknown" } else { "full" }.to_owned());
            }
            let devtype = device.devtype().map_or_else(String::new, |devtype| format!("DEVTYPE={devtype}\n"));
            write("uevent", format!("{devtype}INTERFACE={}\nIFINDEX={}", device.name, device.index));
            if let Some((below, _)) = device.vlan() {
                symlink(format!("../{below}"), self.at(&format!("{directory}/lower_{below}"))).unwrap();
            }
            for (name, _) in COUNTERS {
                self.make(&format!("{directory}/statistics/{name}"), format!("{}\n", device.counter(name)));
            }
            if device.name.starts_with("br-") {
                fs::create_dir_all(self.at(&format!("{directory}/bridge"))).unwrap();
                fs::create_dir_all(self.at(&format!("{directory}/brif"))).unwrap();
                self.make(&format!("{directory}/bridge/stp_state"), "0\n");
            }
            if wireless {
                symlink(format!("../../ieee80211/{}", &device.name[..4]), self.at(&format!("{directory}/phy80211")))
                    .unwrap();
            } else if device.is_port() {
                // Only a device with hardware below it has this link.
                fs::create_dir_all(self.at("/sys/devices/platform/soc/15100000.ethernet")).unwrap();
                symlink("../../../devices/platform/soc/15100000.ethernet", self.at(&format!("{directory}/device")))
                    .unwrap();
            }
        }
        for device in devices {
            if let Some(bridge) = device.bridge {
                let directory = format!("/sys/class/net/{}", device.name);
                symlink(format!("../{bridge}"), self.at(&format!("{directory}/master"))).unwrap();
                self.make(&format!("{directory}/brport/state"), if device.carrier { "3\n" } else { "0\n" });
                symlink(
                    format!("../../{}/brport", device.name),
                    self.at(&format!("/sys/class/net/{bridge}/brif/{}", device.name)),
                )
                .unwrap();
            }
        }
    }

    fn make_radios(&self, phys: &[Phy]) {
        for (index, (name, mac, path)) in phys.iter().enumerate() {
            self.make(&format!("/sys/class/ieee80211/{name}/index"), format!("{index}\n"));
            self.make(&format!("/sys/class/ieee80211/{name}/macaddress"), format!("{mac}\n"));
            self.make(&format!("/sys/class/ieee80211/{name}/name"), format!("{name}\n"));
            fs::create_dir_all(self.at(&format!("/sys/devices/{path}"))).unwrap();
            symlink(format!("../../../devices/{path}"), self.at(&format!("/sys/class/ieee80211/{name}/device")))
                .unwrap();
        }
    }

    fn make_sys(&self) {
        for (name, brightness, trigger) in [
            ("green:power", 255, "[none] timer default-on netdev"),
            ("green:wan", 0, "none timer default-on [netdev]"),
            ("blue:wlan", 0, "[none] timer default-on netdev phy0tpt"),
        ] {
            self.make(&format!("/sys/class/leds/{name}/brightness"), format!("{brightness}\n"));
            self.make(&format!("/sys/class/leds/{name}/max_brightness"), "255\n");
            self.make(&format!("/sys/class/leds/{name}/trigger"), format!("{trigger}\n"));
        }
        self.make("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        self.make("/sys/class/thermal/thermal_zone0/temp", "48712\n");
        self.make("/sys/firmware/devicetree/base/model", "Example AX3000\0");
        self.make("/sys/firmware/devicetree/base/compatible", "example,ax3000\0mediatek,mt7981\0");
        self.make("/sys/firmware/devicetree/base/serial-number", "EX30002407000123\0");
    }

    /// Leases count from now, so that they are never over.
    fn make_leases(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.make(
            "/tmp/dhcp.leases",
            format!(
                "{} 00:00:5e:00:53:b1 192.168.1.20 printer 01:00:00:5e:00:53:b1\n\
                 0 00:00:5e:00:53:b2 192.168.1.21 tv *\n\
                 {} 00:00:5e:00:53:a1 192.168.1.142 laptop 01:00:00:5e:00:53:a1\n\
                 {} 00:00:5e:00:53:a2 192.168.1.187 * 01:00:00:5e:00:53:a2\n\
                 {} 00:00:5e:00:53:a3 192.168.3.61 tablet ff:5e:00:53:a3:00:01:00:01:2a:1c:00:00:00:00:5e:00:53:a3\n",
                now + 40_000,
                now + 39_211,
                now + 20_000,
                now + 2_700
            ),
        );
    }
}

impl Drop for RouterRoot {
    fn drop(&mut self) {
        if !self.keep && !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            // Not the permissions: a checkout may be read-only, a router is not.
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
