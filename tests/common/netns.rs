//! Network namespaces, to cut a router off for real and without harm to the machine. They need root, or CAP_SYS_ADMIN with CAP_NET_ADMIN.

use std::fs::File;
use std::panic::resume_unwind;
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::gettid;

/// A network of its own, which goes with this value and the last process in it.
pub struct Netns {
    namespace: File,
}

impl Netns {
    /// A new one with nothing but `lo`; `None` where the tests may not make any.
    ///
    /// # Panics
    /// When `CWMPD_CI` is set and there can be none.
    pub fn new() -> Option<Self> {
        let made = on_a_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| errno.to_string())?;
            let lo = Command::new("ip").args(["link", "set", "lo", "up"]).status();
            match lo {
                Ok(status) if status.success() => {}
                other => return Err(format!("ip link set lo up: {other:?}")),
            }
            File::open("/proc/thread-self/ns/net").map_err(|error| error.to_string())
        });
        match made {
            Ok(namespace) => Some(Self { namespace }),
            Err(reason) => {
                assert!(std::env::var_os("CWMPD_CI").is_none(), "no network namespaces: {reason}");
                eprintln!("skipped: no network namespaces: {reason}");
                None
            }
        }
    }

    /// Does something inside: sockets, threads and processes that are made there stay there.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        on_a_thread(|| {
            setns(&self.namespace, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        })
    }

    /// Runs `ip` inside with these arguments, separated by spaces, and gives what it prints.
    pub fn ip(&self, arguments: &str) -> String {
        let output = self.enter(|| Command::new("ip").args(arguments.split(' ')).output().unwrap());
        assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A cable from the device `own` here to the device `others` there.
    pub fn connect(&self, own: &str, other: &Self, others: &str) {
        // A namespace without a name is named by a thread in it.
        other.enter(|| self.ip(&format!("link add {own} type veth peer name {others} netns {}", gettid())));
        self.ip(&format!("link set {own} up"));
        other.ip(&format!("link set {others} up"));
    }
}

/// Namespaces are those of a thread, so that one which ends takes its change with it.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
