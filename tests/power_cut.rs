//! The power goes at any moment of a Download of each type, a ScheduleDownload or an Upload (CONFORMANCE F-05, F-10, E-02): one TransferComplete for
//! each, with the right fault code, and nothing is applied twice.
//!
//! `CWMPD_POWER_CUTS` says how often the power goes (12 times unless it is set), `CWMPD_SEED` when. Both are printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;
#[allow(dead_code, reason = "the agent is driven by hand here")]
#[path = "../examples/demo/acs.rs"]
mod small_acs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::acs::wait_for;
use common::agent::Agent;
use common::http_server::{Act, Received, Server};
use common::transfers::*;
use cwmpd::soap::rpc::{Message, TransferComplete};
use small_acs::{answer as say, receive};

/// What a transfer is; the name is the first part of its CommandKey and of the path of its file.
const KINDS: &[&str] = &["text", "archive", "image", "scheduled-text", "scheduled-image", "log"];

/// How long a round of transfers may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the ACS has said and seen.
#[derive(Default)]
struct Book {
    /// What it is about to ask for.
    orders: Vec<Message>,
    /// CommandKeys of what the agent has taken.
    promised: BTreeSet<String>,
    /// CommandKeys whose TransferComplete it has answered, with the fault code; whether the agent went on after that.
    told: BTreeMap<String, (u16, bool)>,
    /// CommandKeys of events that came with an Inform which was answered, without their TransferComplete.
    crimes: Vec<String>,
    /// Paths that were written to the file server.
    uploaded: BTreeSet<String>,
    /// The numbers of the images that have run.
    booted: BTreeSet<String>,
    /// The power is to go as soon as the agent has sent something after a result was answered; then it is to go now.
    cut_after: bool,
    cut_now: bool,
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
fn f05_f10_e02_whatever_the_moment_of_a_power_cut_each_transfer_is_told_once_and_applied_once() {
    let cuts = number("CWMPD_POWER_CUTS", 12);
    let seed = number("CWMPD_SEED", u64::from(std::process::id()));
    println!("{cuts} power cuts with seed {seed}");
    let mut random = Random(seed);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut agent = Agent::with_url(&format!("http://{}/", listener.local_addr().unwrap()));
    install_sysupgrade(&agent.root);
    agent.option("acs", "periodic_interval", "1");
    let book = Arc::new(Mutex::new(Book::default()));
    let server = start_server(&book, agent.root.path(), Random(seed ^ 0x5eed));
    let (kept, root) = (book.clone(), agent.root.path().to_owned());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection that the power cut has ended is no failure of the ACS.
            let _ = serve(&stream, &kept, &root);
        }
    });
    agent.start();
    let (mut done, mut round, mut images) = (0, 0, 0);
    while done < cuts {
        round += 1;
        book.lock().unwrap().orders = orders(round, &server, &mut random);
        let mut left = 1 + random.below(5).min(cuts - done - 1);
        book.lock().unwrap().cut_after = random.below(2) == 0;
        let deadline = Instant::now() + PATIENCE;
        let mut next_cut = Instant::now() + Duration::from_micros(random.below(2_500_000));
        loop {
            let written = agent.root.at("/flash/image").exists();
            let now = book.lock().unwrap().cut_now;
            if written || now || (left > 0 && Instant::now() >= next_cut) {
                if written {
                    // It goes down by itself, in its own time.
                    images += 1;
                    std::thread::sleep(Duration::from_millis(random.below(150)));
                } else {
                    done += 1;
                    left = left.saturating_sub(1);
                }
                power_off(&mut agent);
                book.lock().unwrap().cut_now = false;
                check_files(&agent);
                let booted = power_on(&mut agent);
                book.lock().unwrap().booted.extend(booted);
                next_cut = Instant::now() + Duration::from_micros(random.below(2_500_000));
            }
            let untold = {
                let book = book.lock().unwrap();
                assert_eq!(book.crimes, Vec::<String>::new());
                if left == 0 && book.orders.is_empty() && !book.cut_now {
                    // The agent may have gone after it got the answer, without a sign of that.
                    book.promised.iter().filter(|key| !book.told.contains_key(*key)).cloned().collect()
                } else {
                    vec![String::from("the power is still to go")]
                }
            };
            if untold.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "taken, and not told in {PATIENCE:?}: {untold:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    wait_for("the last result to be taken", || {
        agent.status()["transfers"].as_array().unwrap().is_empty().then_some(())
    });
    let book = book.lock().unwrap();
    assert_eq!(book.crimes, Vec::<String>::new());
    let well = book.told.values().filter(|(code, _)| *code == 0).count();
    println!("{round} rounds, {} transfers taken, {well} of them well, {images} images", book.promised.len());
    assert!(book.promised.len() as u64 >= round * 3, "too few were taken to prove anything");
    assert!(well * 2 > book.told.len(), "too few ended well to prove anything: {:?}", book.told);
    assert_applied_once(&agent);
}

/// One request for each kind, in any order, with a number of the round.
fn orders(round: u64, server: &Server, random: &mut Random) -> Vec<Message> {
    let mut kinds: Vec<&str> = KINDS.to_vec();
    let mut orders = Vec::new();
    while !kinds.is_empty() {
        let kind = kinds.remove(usize::try_from(random.below(kinds.len() as u64)).unwrap());
        let key = format!("{kind} {round}");
        let url = server.url(&format!("/{kind}/{round}"));
        let windows = || vec![window(0, 3600, "1 At Any Time", 0)];
        orders.push(match kind {
            "image" => download(&key, FIRMWARE, &url),
            "scheduled-image" => schedule(&key, FIRMWARE, &url, windows()),
            "scheduled-text" => schedule(&key, SETTINGS, &url, windows()),
            "log" => upload(&key, LOG, &url),
            _ => download(&key, SETTINGS, &url),
        });
    }
    orders
}

/// What a file is about: the name of its package, or the version of its image, comes from its path.
fn start_server(book: &Arc<Mutex<Book>>, root: &Path, mut random: Random) -> Server {
    let book = book.clone();
    let scratch = root.join("scratch");
    Server::start(move |request| {
        std::thread::sleep(Duration::from_micros(random.below(100_000)));
        let path = request.target().to_owned();
        let (kind, round) = path.trim_start_matches('/').split_once('/').unwrap();
        let content = match kind {
            "image" | "scheduled-image" => image(&format!("{kind}-{round}")).into_bytes(),
            "archive" => archive(&scratch, round),
            kind => settings(kind, round).into_bytes(),
        };
        let act = answer(request, &content);
        note_upload(&book, request, path);
        act
    })
}

fn note_upload(book: &Mutex<Book>, request: &Received, path: String) -> Option<Act> {
    if request.line.starts_with("PUT") && !request.body.is_empty() {
        book.lock().unwrap().uploaded.insert(path);
    }
    None
}

fn package(kind: &str) -> String {
    format!("of_{}", kind.replace('-', "_"))
}

fn settings(kind: &str, round: &str) -> String {
    format!("package {}\n\nconfig sample 'one'\n\toption round '{round}'\n", package(kind))
}

/// What `sysupgrade -b` would have made.
fn archive(scratch: &Path, round: &str) -> Vec<u8> {
    let config = scratch.join("etc/config");
    fs::create_dir_all(&config).unwrap();
    let text = settings("archive", round);
    fs::write(config.join(package("archive")), text.split_once("\n\n").unwrap().1).unwrap();
    // Not by an argument: what names the router's directory on its command line goes with the router's power.
    let output = Command::new("tar").current_dir(scratch).args(["-czf", "-", "etc/config"]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// The round whose settings of this kind are in effect.
fn round_in_effect(root: &Path, kind: &str) -> u64 {
    let text = fs::read_to_string(root.join("etc/config").join(package(kind))).unwrap_or_default();
    let round = text.split("option round '").nth(1).and_then(|rest| rest.split('\'').next());
    round.and_then(|round| round.parse().ok()).unwrap_or(0)
}

/// A session: results are taken, then what is asked for is asked for.
fn serve(mut stream: &TcpStream, book: &Mutex<Book>, root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut reader = BufReader::new(stream);
    let envelope = receive(&mut reader)?.ok_or("no Inform")?;
    let Some(Message::Inform(inform)) = envelope.body else { return Err("no Inform".into()) };
    let told = book.lock().unwrap().told.clone();
    for event in &inform.events {
        if told.get(&event.command_key).is_some_and(|(_, went_on)| *went_on) {
            book.lock().unwrap().crimes.push(format!("{} {} came again", event.code, event.command_key));
        }
    }
    say(&mut stream, envelope.header.id, Message::InformResponse { max_envelopes: 1 })?;
    let mut events: BTreeSet<String> = inform.events.into_iter().map(|event| event.command_key).collect();
    events.remove("");
    while let Some(envelope) = receive(&mut reader)? {
        let Some(Message::TransferComplete(result)) = envelope.body else { return Err("no TransferComplete".into()) };
        if !events.remove(&result.command_key) {
            book.lock().unwrap().crimes.push(format!("{} came without its event", result.command_key));
        }
        judge(&mut book.lock().unwrap(), &result, root);
        say(&mut stream, envelope.header.id, Message::TransferCompleteResponse)?;
        // Whatever comes next says that the answer has arrived. It is read in the next turn, and may be the end.
        wait_for_bytes(stream)?;
        {
            let mut book = book.lock().unwrap();
            book.told.insert(result.command_key.clone(), (result.fault_code, true));
            book.cut_now = std::mem::take(&mut book.cut_after);
        }
        while book.lock().unwrap().cut_now {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    if !events.is_empty() {
        book.lock().unwrap().crimes.push(format!("events without their TransferComplete: {events:?}"));
    }
    loop {
        let Some(order) = book.lock().unwrap().orders.pop() else { break };
        let key = match &order {
            Message::Download(it) => it.command_key.clone(),
            Message::ScheduleDownload(it) => it.command_key.clone(),
            Message::Upload(it) => it.command_key.clone(),
            other => panic!("{other:?}"),
        };
        say(&mut stream, Some("1".into()), order)?;
        // If the power goes before that, nobody knows whether it was taken; it may be told or not.
        let answer = receive(&mut reader)?.and_then(|envelope| envelope.body).ok_or("no answer")?;
        queued(&answer);
        book.lock().unwrap().promised.insert(key);
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    Ok(())
}

fn wait_for_bytes(stream: &TcpStream) -> Result<(), Box<dyn std::error::Error>> {
    match stream.peek(&mut [0])? {
        0 => Err("the agent has closed the connection".into()),
        _ => Ok(()),
    }
}

/// Whether a result is the right one.
fn judge(book: &mut Book, result: &TransferComplete, root: &Path) {
    let TransferComplete { command_key, fault_code, fault_string, .. } = result;
    let (kind, round) = command_key.split_once(' ').unwrap();
    let number: u64 = round.parse().unwrap();
    let fair = match (kind, *fault_code) {
        ("image" | "scheduled-image", 0) => book.booted.contains(&format!("{kind}-{round}")),
        ("image" | "scheduled-image", 9010) => !book.booted.contains(&format!("{kind}-{round}")),
        ("log", 0) => book.uploaded.contains(&format!("/{kind}/{round}")),
        // A later one may be in effect by now.
        ("text" | "scheduled-text" | "archive", 0) => round_in_effect(root, kind) >= number,
        // The power went while the settings were being restored: nobody knows how far that went.
        ("text" | "scheduled-text" | "archive", 9002) => true,
        _ => false,
    };
    if !fair {
        book.crimes.push(format!("{command_key}: {fault_code} {fault_string} is not what happened"));
    }
    match book.told.get(command_key) {
        Some((_, true)) => book.crimes.push(format!("{command_key} is told again")),
        Some((before, false)) if before != fault_code => {
            book.crimes.push(format!("{command_key}: {before} has become {fault_code}"));
        }
        _ => drop(book.told.insert(command_key.clone(), (*fault_code, false))),
    }
}

/// What the agent keeps is whole.
fn check_files(agent: &Agent) {
    for name in ["state.json", "told.json", "model.json", "transfers.json"] {
        let path: PathBuf = agent.root.at("/etc/cwmpd").join(name);
        let Ok(text) = fs::read(&path) else { continue };
        serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{name} is torn: {error}"));
    }
}

/// Each file was written or unpacked once at most: the names of files are never used again.
fn assert_applied_once(agent: &Agent) {
    let mut seen = BTreeSet::new();
    for call in
        agent.root.calls().into_iter().filter(|call| call.starts_with("/sbin/sysupgrade") && !call.contains(" -b "))
    {
        assert!(seen.insert(call.clone()), "called twice: {call}");
    }
}
