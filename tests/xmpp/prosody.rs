//! A real XMPP server, and a client of it in the place of the ACS.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use cwmpd::acs::{Cancel, Channel, Compression, Settings, SystemResolver, TlsSessions};
use cwmpd::connreq::xmpp::login::{Account, Login, Step};
use cwmpd::connreq::xmpp::stream::{Node, Piece, Pieces};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::common::acs::{PATIENCE, wait_for};
use crate::common::peers::installed;
use crate::common::tls::Ca;

/// What the server serves.
pub const DOMAIN: &str = "xmpp.example";
/// The password of the router.
pub const PASSWORD: &str = "router's <password>";
/// The password of everybody else.
const OTHERS: &str = "of others";

/// A server, which goes with this value.
pub struct Prosody {
    directory: TempDir,
    /// Where it listens.
    pub port: u16,
    child: Option<Child>,
}

impl Prosody {
    /// A running server with the accounts `cpe`, `acs` and `evil`; `None` where there is no prosody.
    ///
    /// # Panics
    /// When `CWMPD_CI` is set and there is none.
    pub fn start() -> Option<Self> {
        if !installed("prosody") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let ca = Ca::new("XMPP test CA");
        let identity = ca.issue(&[DOMAIN]);
        fs::write(at("ca.pem"), ca.pem()).unwrap();
        fs::write(at("cert.pem"), identity.pem()).unwrap();
        fs::write(at("key.pem"), identity.key.serialize_pem()).unwrap();
        let accounts = at("data/xmpp%2eexample/accounts");
        fs::create_dir_all(&accounts).unwrap();
        for (name, password) in [("cpe", PASSWORD), ("acs", OTHERS), ("evil", OTHERS)] {
            fs::write(accounts.join(format!("{name}.dat")), format!("return {{ password = \"{password}\" }};"))
                .unwrap();
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let path = directory.path().display();
        let config = format!(
            "run_as_root = true\ndaemonize = false\npidfile = '{path}/pid'\ndata_path = '{path}/data'\n\
             modules_enabled = {{ 'saslauth', 'tls', 'ping' }}\nmodules_disabled = {{ 's2s', 'offline', 'http' }}\n\
             authentication = 'internal_plain'\ninterfaces = {{ '127.0.0.1' }}\nc2s_ports = {{ {port} }}\n\
             c2s_direct_tls_ports = {{}}\ns2s_ports = {{}}\ns2s_direct_tls_ports = {{}}\nhttp_ports = {{}}\n\
             https_ports = {{}}\nc2s_require_encryption = true\nlog = {{ info = '{path}/log' }}\n\
             VirtualHost '{DOMAIN}'\nssl = {{ key = '{path}/key.pem', certificate = '{path}/cert.pem' }}\n"
        );
        fs::write(at("prosody.cfg.lua"), config).unwrap();
        let mut prosody = Self { directory, port, child: None };
        prosody.run();
        Some(prosody)
    }

    /// Starts the program, and waits until it listens.
    pub fn run(&mut self) {
        let mut command = Command::new("prosody");
        command.arg("--config").arg(self.directory.path().join("prosody.cfg.lua")).arg("-F");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.child = Some(child);
        wait_for("prosody", || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok());
    }

    /// Ends the program as a crash would.
    pub fn crash(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stops the program, so that it is silent, or lets it go on.
    pub fn freeze(&self, freeze: bool) {
        let pid = Pid::from_raw(i32::try_from(self.child.as_ref().unwrap().id()).unwrap());
        kill(pid, if freeze { Signal::SIGSTOP } else { Signal::SIGCONT }).unwrap();
    }

    /// The certificate of the CA, as a PEM file has it.
    pub fn ca(&self) -> String {
        fs::read_to_string(self.directory.path().join("ca.pem")).unwrap()
    }

    /// A client that has logged in.
    pub fn client(&self, username: &str, resource: &str) -> Client {
        Client::new(self.port, &self.directory.path().join("ca.pem"), username, resource)
    }
}

impl Drop for Prosody {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            eprintln!("-- log of prosody\n{log}");
        }
    }
}

/// A client of the server.
pub struct Client {
    channel: Channel,
    login: Login,
    pieces: Pieces,
    /// Its full JID.
    pub jid: String,
    requests: u32,
}

impl Client {
    fn new(port: u16, ca_file: &Path, username: &str, resource: &str) -> Self {
        let settings = Settings {
            url: String::new(),
            username: String::new(),
            password: String::new(),
            ca_file: ca_file.into(),
            client_cert: None,
            client_key: None,
            verify: true,
            timeout: PATIENCE,
            basic_over_http: false,
            max_envelope: 0,
            compression: Compression::None,
            resolver: Arc::new(SystemResolver),
            clock: None,
            bind_device: None,
            user_agent: String::new(),
        };
        let account = Account {
            username: username.into(),
            password: OTHERS.into(),
            domain: DOMAIN.into(),
            resource: resource.into(),
            use_tls: true,
        };
        let cancel = Cancel::new().unwrap();
        let channel = Channel::connect(settings, ("127.0.0.1", port), "prosody", &cancel).unwrap();
        let login = Login::new(account, "just a nonce".into());
        let mut client = Self { channel, login, pieces: Pieces::default(), jid: String::new(), requests: 0 };
        client.send(&String::from_utf8(client.login.opening()).unwrap());
        loop {
            let piece = client.piece().expect("a login");
            match client.login.take(piece).unwrap() {
                Step::Send(bytes) => client.channel.write(&bytes).unwrap(),
                Step::StartTls => {
                    client.channel = client.channel.start_tls(&TlsSessions::default(), DOMAIN).unwrap();
                    client.reopen();
                }
                Step::Restart => client.reopen(),
                Step::Bound(jid) => {
                    client.jid = jid;
                    return client;
                }
                Step::Nothing | Step::Asked(_) | Step::Answer(..) => {}
            }
        }
    }

    fn reopen(&mut self) {
        self.pieces = Pieces::default();
        let opening = self.login.opening();
        self.channel.write(&opening).unwrap();
    }

    /// Sends what it is.
    pub fn send(&mut self, text: &str) {
        self.channel.write(text.as_bytes()).unwrap();
    }

    /// The next piece, if one comes in time.
    fn piece(&mut self) -> Option<Piece> {
        let end = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        loop {
            if let Some(piece) = self.pieces.take().unwrap() {
                return Some(piece);
            }
            let length = self.channel.read(&mut buffer, end).ok().filter(|length| *length > 0)?;
            self.pieces.push(&buffer[..length]);
        }
    }

    /// Sends a connection request; gives the answer: `result`, or the name of the error.
    pub fn request(&mut self, to: &str, username: &str, password: &str) -> String {
        let request = format!(
            "<connectionRequest xmlns='urn:broadband-forum-org:cwmp:xmppConnReq-1-0'><username>{username}</username>\
             <password>{password}</password></connectionRequest>"
        );
        self.ask(to, "get", &request)
    }

    /// Sends an `iq`; gives the answer: `result`, or the name of the error.
    pub fn ask(&mut self, to: &str, kind: &str, content: &str) -> String {
        self.requests += 1;
        let id = format!("cr{}", self.requests);
        self.send(&format!("<iq to='{to}' id='{id}' type='{kind}'>{content}</iq>"));
        loop {
            let Some(Piece::Stanza(iq)) = self.piece() else { panic!("no answer to {content}") };
            if iq.attribute("id") == id {
                assert_eq!(iq.attribute("from"), to);
                return answer(&iq);
            }
        }
    }
}

fn answer(iq: &Node) -> String {
    match iq.attribute("type") {
        "error" => iq.child("jabber:client", "error").unwrap().children[0].local().into(),
        kind => kind.into(),
    }
}
