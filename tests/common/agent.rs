//! The program itself on a sample router, as a user, an init system and an ACS meet it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use digest_auth::{AuthContext, WwwAuthenticateHeader};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::acs::{Acs, PATIENCE, Session, wait_for, wait_looking_every};
use super::root::RouterRoot;
use super::uci_tool::real_uci;

/// The credentials of connection requests.
pub const USERNAME: &str = "cpe-user";
/// The credentials of connection requests.
pub const PASSWORD: &str = "cpe-secret-4711";
/// The path of the connection request URL.
pub const PATH: &str = "knock";

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_cwmpd");

/// The program, after an emulator with its options where it needs one. `CWMPD_PROGRAM` names another build of it than this one:
/// `PATH`, or `qemu-mips-static -cpu 24Kc PATH`.
pub fn words() -> Vec<String> {
    let Ok(words) = std::env::var("CWMPD_PROGRAM") else { return vec![PROGRAM.to_owned()] };
    let words: Vec<String> = words.split_ascii_whitespace().map(str::to_owned).collect();
    assert!(!words.is_empty(), "CWMPD_PROGRAM names no program");
    words
}

/// The same, ready for arguments.
pub fn program() -> Command {
    let words = words();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// An agent on a router of its own. It is killed when this value goes.
pub struct Agent {
    /// The router.
    pub root: RouterRoot,
    /// The port of connection requests.
    pub port: u16,
    child: Option<Child>,
    arguments: Vec<String>,
    /// Commands that nobody waits for.
    asking: Mutex<Vec<Child>>,
}

/// What a command of the command line did.
pub struct Ran {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Agent {
    /// A router with an agent that knows this ACS and is not started yet. What a test would wait for is set short.
    pub fn new(acs: &Acs) -> Self {
        Self::with_url(&acs.url())
    }

    /// The same with any URL.
    pub fn with_url(url: &str) -> Self {
        let root = RouterRoot::new();
        let port = free_port();
        root.write(
            "/etc/config/cwmpd",
            format!(
                "config acs 'acs'\n\toption url '{url}'\n\toption retry_min_wait '1'\n\toption retry_multiplier '1000'\n\
                 \toption http_timeout '10'\n\nconfig cpe 'cpe'\n\toption listen_address '127.0.0.1'\n\
                 \toption listen_port '{port}'\n\toption path '{PATH}'\n\toption username '{USERNAME}'\n\
                 \toption password '{PASSWORD}'\n\toption log_level 'debug'\n\nconfig device 'device'\n"
            ),
        );
        Self { root, port, child: None, arguments: Vec::new(), asking: Mutex::default() }
    }

    /// A running agent that knows this ACS.
    pub fn start_new(acs: &Acs) -> Self {
        let mut agent = Self::new(acs);
        agent.start();
        agent
    }

    /// A running agent that has had its first session, with BOOTSTRAP and BOOT.
    pub fn settled(acs: &Acs) -> Self {
        let agent = Self::start_new(acs);
        acs.serve();
        agent.wait_idle();
        agent
    }

    /// Sets an option of the configuration. A daemon that runs notices it by itself.
    pub fn option(&self, section: &str, option: &str, value: &str) {
        self.options(section, &[(option, value)]);
    }

    /// Sets options of a section in one write.
    pub fn options(&self, section: &str, options: &[(&str, &str)]) {
        let text = self.root.read("/etc/config/cwmpd");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let head = format!("config {section} '{section}'");
        let start = lines.iter().position(|line| *line == head).unwrap_or_else(|| {
            lines.push(head);
            lines.len() - 1
        });
        for (option, value) in options {
            let end = lines[start + 1..]
                .iter()
                .position(|line| line.starts_with("config "))
                .map_or(lines.len(), |at| start + 1 + at);
            let old = format!("\toption {option} ");
            lines.retain({
                let mut number = 0;
                move |line: &String| {
                    number += 1;
                    !(number - 1 > start && number - 1 < end && line.starts_with(&old))
                }
            });
            lines.insert(start + 1, format!("\toption {option} '{value}'"));
        }
        self.root.write("/etc/config/cwmpd", lines.join("\n") + "\n");
    }

    /// Adds an argument to the command line of the daemon.
    pub fn argument(&mut self, argument: &str) {
        self.arguments.push(argument.into());
    }

    fn log_path(&self) -> PathBuf {
        self.root.at("/stderr.log")
    }

    /// What the daemon has logged, over all its starts.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Waits until the daemon has logged this.
    pub fn wait_log(&self, text: &str) {
        wait_for(&format!("{text:?} in the log"), || self.log().contains(text).then_some(()));
    }

    /// Starts the daemon, and waits until it can be talked to.
    pub fn start(&mut self) {
        self.spawn();
        let socket = self.root.at("/tmp/run/cwmpd.sock");
        let child = self.child.as_mut().unwrap();
        wait_for("the control socket", || {
            assert!(child.try_wait().unwrap().is_none(), "the daemon has ended");
            std::os::unix::net::UnixStream::connect(&socket).ok()
        });
    }

    /// Starts the daemon and waits for nothing.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "the daemon runs already");
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = program();
        command.arg("--root").arg(self.root.path()).args(&self.arguments).args(["--stderr", "run"]);
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Whether the daemon was started and has not been ended by the test.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// The number of the process.
    pub fn pid(&self) -> Pid {
        let child = self.child.as_ref().expect("a running daemon");
        Pid::from_raw(i32::try_from(child.id()).unwrap())
    }

    /// Sends a signal to the daemon.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits until the daemon has ended by itself or by a signal.
    pub fn wait_end(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running daemon");
        wait_for("the end of the daemon", || child.try_wait().unwrap())
    }

    /// Ends the daemon as procd does; gives how long it took.
    pub fn stop(&mut self) -> Duration {
        self.signal(Signal::SIGTERM);
        let begin = Instant::now();
        let status = self.wait_end();
        assert!(status.success(), "{status}");
        begin.elapsed()
    }

    /// Kills the daemon without a chance to save anything.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait_end();
    }

    /// What a power cycle does: the daemon is killed, the kernel starts anew, and the daemon with it.
    pub fn reboot(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
        self.root.reboot();
        self.start();
    }

    /// Runs the program with these arguments on the router.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut child = self.run_in_background(arguments);
        // Written by threads, so that a full pipe holds up nobody.
        let mut stdout = child.stdout.take().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let read_out = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        let mut errors = String::new();
        stderr.read_to_string(&mut errors).unwrap();
        let status = child.wait().unwrap();
        Ran { status: status.code().unwrap_or(-1), stdout: read_out.join().unwrap(), stderr: errors }
    }

    /// Runs the program with these arguments on the router; its output is piped.
    pub fn run_in_background(&self, arguments: &[&str]) -> Child {
        let mut command = program();
        command.arg("--root").arg(self.root.path()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command that has to succeed, and gives what it printed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stderr, "", "{arguments:?}");
        ran.stdout
    }

    /// What a reading command says in JSON.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        serde_json::from_str(&self.ok(&arguments)).unwrap()
    }

    /// What `cwmpd status` says.
    pub fn status(&self) -> serde_json::Value {
        self.json(&["status"])
    }

    /// Waits until the last session is over for the daemon too.
    pub fn wait_idle(&self) -> serde_json::Value {
        wait_looking_every(Duration::from_millis(40), "the end of the session", || {
            let status = self.status();
            let over = status["in_session"] == false
                && status["last_session"]["ended"].as_str().is_some_and(|at| !at.is_empty());
            over.then_some(status)
        })
    }

    /// The value of a parameter, over the command line.
    pub fn value(&self, name: &str) -> String {
        let printed = self.ok(&["get", name]);
        let value = printed.strip_prefix(&format!("{name}=")).and_then(|rest| rest.strip_suffix('\n'));
        value.unwrap_or_else(|| panic!("{printed:?}")).to_owned()
    }

    /// Waits for a call of a program on the router that begins so.
    pub fn wait_call(&self, begin: &str) -> String {
        wait_for(&format!("a call of {begin}"), || self.root.calls().into_iter().find(|call| call.starts_with(begin)))
    }

    /// Asks for a session over the command line; nobody waits for it.
    pub fn ask(&self, event: &str) {
        self.asking.lock().unwrap().push(self.inform(event));
    }

    /// Asks for a session over the command line, without waiting for it yet.
    pub fn inform(&self, event: &str) -> Child {
        self.run_in_background(&["inform", event])
    }

    // Connection requests.

    /// Where connection requests are heard.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Sends a GET with these header lines, and gives the response.
    pub fn knock(&self, path: &str, headers: &str) -> String {
        let mut stream = wait_for("the port of connection requests", || TcpStream::connect(self.address()).ok());
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}Connection: close\r\n\r\n", self.address());
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    /// A connection request with digest authentication; gives the status of the response.
    pub fn connection_request_as(&self, username: &str, password: &str) -> u16 {
        let path = format!("/{PATH}");
        let challenged = self.knock(&path, "");
        assert_eq!(status_of(&challenged), 401, "{challenged}");
        let challenge = challenged.lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).unwrap();
        let mut challenge: WwwAuthenticateHeader = digest_auth::parse(challenge).unwrap();
        let answer = challenge.respond(&AuthContext::new(username, password, &path)).unwrap();
        status_of(&self.knock(&path, &format!("Authorization: {}\r\n", answer.to_header_string())))
    }

    /// A good connection request; gives the status of the response.
    pub fn connection_request(&self) -> u16 {
        self.connection_request_as(USERNAME, PASSWORD)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let asking = self.asking.get_mut().unwrap_or_else(PoisonError::into_inner);
        for child in self.child.iter_mut().chain(asking) {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("-- log of the daemon on {}\n{}", self.root.path().display(), self.log());
            let _ = std::fs::remove_dir_all(self.root.path());
        }
    }
}

/// The status of an HTTP response.
pub fn status_of(response: &str) -> u16 {
    response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{response:?}"))
}

/// A port below those that the kernel gives to others.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 200).unwrap() * 100;
    loop {
        let port = 10_000 + (own + NEXT.fetch_add(1, Ordering::SeqCst)) % 20_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// An agent in its first session, after the Inform.
pub fn begin(acs: &Acs) -> (Agent, Session<'_>) {
    // The first time it has to be built, which an agent does not wait for.
    real_uci();
    let agent = Agent::start_new(acs);
    let mut session = acs.session();
    session.inform_ok();
    (agent, session)
}

/// A further session, after the Inform.
pub fn again<'a>(agent: &Agent, acs: &'a Acs) -> Session<'a> {
    agent.wait_idle();
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    session.inform_ok();
    session
}
