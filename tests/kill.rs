//! kill -9 at any moment (CONFORMANCE E-02, L-14, R-10, Q-06): what was promised to the ACS is delivered, what it has taken is not told again,
//! and no file is torn.
//!
//! `CWMPD_KILLS` says how often the agent is killed (100 unless it is set), `CWMPD_SEED` when. Both are printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[allow(dead_code, reason = "the agent is driven by hand here")]
#[path = "../examples/demo/acs.rs"]
mod acs;
#[path = "common/root.rs"]
mod root;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use acs::{answer, receive};
use cwmpd::soap::rpc::{Message, ParameterValue, Value};
use root::RouterRoot;

const CODE: &str = "Device.DeviceInfo.ProvisioningCode";

/// What the ACS has seen and said.
#[derive(Default)]
struct Book {
    /// The number in the next CommandKey and value.
    next: u32,
    /// CommandKeys whose ScheduleInform the agent has answered.
    promised: BTreeSet<String>,
    /// CommandKeys that came with an Inform which was answered.
    seen: BTreeSet<String>,
    /// Codes that came with an Inform which was answered.
    codes: BTreeSet<String>,
    /// Events by code and key, with how often an Inform with them was taken and the agent went on after it.
    taken: BTreeMap<(String, String), u32>,
    /// The last value that the agent has acknowledged, by its number.
    code: u32,
    connections: u32,
    sessions: u32,
    faults: Vec<String>,
}

/// A small generator of our own, so that a seed means the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn e02_r10_q06_whatever_the_moment_of_a_kill_nothing_is_lost_or_told_twice() {
    let kills = number("CWMPD_KILLS", 100);
    let seed = number("CWMPD_SEED", u64::from(std::process::id()));
    println!("{kills} kills with seed {seed}");
    let mut random = Random(seed);
    let router = RouterRoot::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let port = acs::free_port().unwrap();
    router.write(
        "/etc/config/cwmpd",
        format!(
            "config acs 'acs'\n\toption url '{url}'\n\toption retry_min_wait '1'\n\toption retry_multiplier '1000'\n\
             \toption periodic_interval '1'\n\n\
             config cpe 'cpe'\n\toption listen_address '127.0.0.1'\n\toption listen_port '{port}'\n"
        ),
    );
    let book = Arc::new(Mutex::new(Book::default()));
    let kept = book.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            kept.lock().unwrap().connections += 1;
            // A connection that the kill has cut off is no failure of the ACS.
            let _ = serve(&stream, &kept);
        }
    });
    for _ in 0..kills {
        let before = book.lock().unwrap().connections;
        let mut agent = start(&router);
        // Three times out of four the moment lies within a session, else it is any time after the start.
        if random.below(4) > 0 {
            let deadline = Instant::now() + Duration::from_secs(3);
            while book.lock().unwrap().connections == before && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_micros(random.below(200_000)));
        } else {
            std::thread::sleep(Duration::from_millis(random.below(300)));
        }
        agent.kill().unwrap();
        agent.wait().unwrap();
        check_files(&router, &book);
    }
    let mut agent = start(&router);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let missing: Vec<String> = {
            let book = book.lock().unwrap();
            book.promised.iter().filter(|key| !book.seen.contains(*key)).take(20).cloned().collect()
        };
        if missing.is_empty() || Instant::now() > deadline {
            assert!(missing.is_empty(), "promised and not delivered in 60 s: {missing:?}");
            break;
        }
        // No new ones come any more.
        book.lock().unwrap().next = u32::MAX;
        std::thread::sleep(Duration::from_millis(100));
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    let book = book.lock().unwrap();
    println!("{} sessions, {} ScheduleInform promised", book.sessions, book.promised.len());
    assert!(book.faults.is_empty(), "{:?}", book.faults);
    assert!(book.promised.len() as u64 > kills / 20, "too few sessions went far enough to prove anything");
    for ((code, key), count) in &book.taken {
        if code.starts_with("M ") || code == "0 BOOTSTRAP" || code == "1 BOOT" {
            assert_eq!(*count, 1, "{code} {key} was told again after the ACS had taken it");
        }
    }
    // Whether the agent went on after it is left to the moment of the kill: it may have had the answer, and saved that it had.
    assert!(book.codes.contains("0 BOOTSTRAP"));
}

fn start(router: &RouterRoot) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cwmpd"));
    command.arg("--root").arg(router.path()).args(["--stderr", "--log-level", "err", "run"]);
    command.stdin(Stdio::null()).spawn().unwrap()
}

/// Every file is whole, and has what the ACS was told that it has.
fn check_files(router: &RouterRoot, book: &Mutex<Book>) {
    let known = ["state.json", "told.json", "model.json"];
    let directory = router.at("/etc/cwmpd");
    let entries =
        std::fs::read_dir(&directory).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| Vec::new());
    let names: Vec<String> = entries.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(names.len() <= 2 * known.len(), "temporary files pile up: {names:?}");
    for name in names.iter().filter(|name| known.contains(&name.as_str())) {
        let text = std::fs::read(directory.join(name)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{name} is torn: {error}"));
    }
    assert!(!names.iter().any(|name| name.contains("bad")), "a file was set aside: {names:?}");
    let config = router.read("/etc/config/cwmpd");
    assert!(config.contains("config acs 'acs'") && config.contains("config cpe 'cpe'"), "{config}");
    let code = book.lock().unwrap().code;
    if code > 0 {
        let stored = config.split("provisioning_code 'code-").nth(1).and_then(|rest| rest.split('\'').next());
        let stored: u32 = stored.and_then(|text| text.parse().ok()).unwrap_or(0);
        assert!(stored >= code, "the agent said that it had stored code-{code}: {config}");
    }
}

/// One session: the Inform, a value, two ScheduleInform, and the end.
fn serve(mut stream: &TcpStream, book: &Mutex<Book>) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let envelope = receive(&mut reader)?.ok_or("no Inform")?;
    let Some(Message::Inform(inform)) = envelope.body else { return Err("no Inform".into()) };
    answer(&mut stream, envelope.header.id, Message::InformResponse { max_envelopes: 1 })?;
    // From here on the agent may have the answer, whatever becomes of it.
    {
        let mut book = book.lock().unwrap();
        book.seen.extend(inform.events.iter().map(|event| event.command_key.clone()));
        book.codes.extend(inform.events.iter().map(|event| event.code.clone()));
    }
    if receive(&mut reader)?.is_some() {
        return Err("no empty message".into());
    }
    let value = {
        let mut book = book.lock().unwrap();
        book.sessions += 1;
        for event in inform.events {
            *book.taken.entry((event.code, event.command_key)).or_default() += 1;
        }
        if book.next == u32::MAX {
            drop(book);
            return end(stream);
        }
        book.next += 1;
        book.next
    };
    let parameter = ParameterValue {
        name: CODE.into(),
        value: Value { kind: Some("string".into()), text: format!("code-{value}") },
    };
    let set = Message::SetParameterValues { parameters: vec![parameter], parameter_key: String::new() };
    match call(stream, &mut reader, set)? {
        Message::SetParameterValuesResponse { .. } => book.lock().unwrap().code = value,
        other => book.lock().unwrap().faults.push(format!("{other:?}")),
    }
    for part in 0..2 {
        let command_key = format!("{value}-{part}");
        match call(stream, &mut reader, Message::ScheduleInform { delay_seconds: 1, command_key: command_key.clone() })?
        {
            Message::ScheduleInformResponse => drop(book.lock().unwrap().promised.insert(command_key)),
            // So many may wait; the kills come faster than a second.
            Message::Fault(_) => {}
            other => book.lock().unwrap().faults.push(format!("{other:?}")),
        }
    }
    end(stream)
}

fn end(mut stream: &TcpStream) -> Result<(), Box<dyn std::error::Error>> {
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    Ok(())
}

fn call(
    mut stream: &TcpStream,
    reader: &mut BufReader<&TcpStream>,
    message: Message,
) -> Result<Message, Box<dyn std::error::Error>> {
    answer(&mut stream, Some("1".into()), message)?;
    let envelope = receive(reader)?.ok_or("no answer")?;
    envelope.body.ok_or_else(|| "an empty answer".into())
}
