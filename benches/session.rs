//! The real program on a sample router and a small ACS: what it takes in memory and programs, a line of a table each. Run by `measure.sh`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cwmpd::soap::rpc::{Envelope, Header, Message, Namespace};
use cwmpd::soap::{decode, encode};

#[path = "../tests/common/columns.rs"]
mod columns;
#[path = "../tests/common/root.rs"]
mod root;

use columns::{COLUMNS, Sections};
use root::RouterRoot;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cwmpd");

fn main() {
    println!("| what | value |\n| --- | ---: |");
    println!("| program, stripped | {} KiB |", std::fs::metadata(PROGRAM).unwrap().len() / 1024);
    measure("sample router", 0);
    measure("with a table of 20 x 50", 50);
    measure("with a table of 20 x 5,000", 5_000);
}

/// One session at the start and one that reads the whole tree.
fn measure(label: &str, rows: usize) {
    let root = RouterRoot::new();
    if rows > 0 {
        columns::install(&root, rows, Sections::Named);
    }
    let acs = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", acs.local_addr().unwrap());
    root.write(
        "/etc/config/cwmpd",
        format!("config acs 'acs'\n\toption url '{url}'\nconfig cpe 'cpe'\n\toption listen_port '{}'\n", free_port()),
    );
    let agent = Agent::start(&root);
    session(&acs, false);
    agent.wait_for_quiet(&root);
    println!("| {label}: idle, resident | {} KiB |", agent.status("VmRSS"));
    let before = agent.programs(&root);
    let mut asking = agent.ask(&root);
    let (bytes, parameters, time) = session(&acs, true).expect("an answer");
    assert!(asking.wait().unwrap().success(), "the session fails");
    agent.wait_for_quiet(&root);
    println!("| {label}: at its highest, in a session that reads the whole tree | {} KiB |", agent.status("VmHWM"));
    println!("| {label}: idle after it | {} KiB |", agent.status("VmRSS"));
    println!("| {label}: programs started in that session | {} |", agent.programs(&root) - before);
    println!("| {label}: the answer | {parameters} parameters, {} KiB |", bytes / 1024);
    println!(
        "| {label}: until its last byte | {} ms, {} ns a parameter |",
        time.as_millis(),
        time.as_nanos() / parameters as u128
    );
    assert!(parameters > rows * COLUMNS);
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Agent(Child);

impl Agent {
    fn start(root: &RouterRoot) -> Self {
        let mut command = Self::command(root);
        Self(command.args(["--stderr", "--log-level", "err", "run"]).stdin(Stdio::null()).spawn().unwrap())
    }

    fn command(root: &RouterRoot) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--root").arg(root.path());
        command
    }

    /// Asks for a session; the program ends when that does.
    fn ask(&self, root: &RouterRoot) -> Child {
        let mut command = Self::command(root);
        command.args(["inform"]).stdout(Stdio::null()).spawn().unwrap()
    }

    fn state(&self, root: &RouterRoot) -> serde_json::Value {
        let output = Self::command(root).args(["--json", "status"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn programs(&self, root: &RouterRoot) -> u64 {
        self.state(root)["programs_started"].as_u64().unwrap()
    }

    fn wait_for_quiet(&self, root: &RouterRoot) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.state(root)["in_session"] != serde_json::Value::Bool(false) {
            assert!(Instant::now() < deadline, "the session does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A number of `/proc/PID/status`, in KiB.
    fn status(&self, name: &str) -> u64 {
        let path = Path::new("/proc").join(self.0.id().to_string()).join("status");
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves one session; bytes and parameters of the whole tree, and how long they took, if it is read.
fn session(acs: &TcpListener, read: bool) -> Option<(usize, usize, Duration)> {
    let (stream, _) = acs.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut reader = BufReader::new(&stream);
    let inform = decode(&receive(&mut reader), 1 << 20).unwrap();
    assert!(matches!(inform.body, Some(Message::Inform(_))));
    answer(&stream, inform.header.id, Message::InformResponse { max_envelopes: 1 });
    assert!(receive(&mut reader).is_empty());
    let found = read.then(|| {
        let start = Instant::now();
        answer(&stream, Some("1".into()), Message::GetParameterValues { names: vec![String::new()] });
        let body = receive(&mut reader);
        let time = start.elapsed();
        let text = String::from_utf8(body).unwrap();
        (text.len(), text.matches("<ParameterValueStruct>").count(), time)
    });
    (&stream).write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    found
}

fn answer(mut stream: &TcpStream, id: Option<String>, message: Message) {
    let header = Header { id, ..Header::default() };
    let body = encode(&Envelope { namespace: Namespace::Cwmp12, header, body: Some(message) });
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend(body);
    stream.write_all(&bytes).unwrap();
}

fn receive(reader: &mut BufReader<&TcpStream>) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "cut off");
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    body
}
