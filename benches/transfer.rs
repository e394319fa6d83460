//! What a download of 200 MB takes in memory, which must not depend on its length, and how fast it is: a line of a table each. Run by
//! `measure.sh`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cwmpd::acs::{Cancel, Compression, Settings, SystemResolver, TlsSessions};
use cwmpd::transfer::fetch::{Remote, download};

/// What is sent at once; the server shares the memory of this process.
static PIECE: [u8; 64 * 1024] = [b'x'; 64 * 1024];

fn main() {
    let address = serve();
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("file");
    // The first one brings up what is needed once.
    get(address, 1 << 20, &to);
    let before = highest();
    let begin = Instant::now();
    get(address, 200 << 20, &to);
    let time = begin.elapsed();
    let grown = highest() - before;
    println!("| a download of 200 MB: more memory than one of 1 MB | {grown} KiB |");
    println!("| a download of 200 MB: whole | {} ms |", time.as_millis());
    assert!(grown < 512, "memory grows by {grown} KiB");
}

fn get(address: SocketAddr, length: u32, to: &Path) {
    let settings = Settings {
        url: String::new(),
        username: String::new(),
        password: String::new(),
        ca_file: "/nonexistent".into(),
        client_cert: None,
        client_key: None,
        verify: true,
        timeout: Duration::from_secs(30),
        basic_over_http: false,
        max_envelope: 1 << 20,
        compression: Compression::None,
        resolver: Arc::new(SystemResolver),
        clock: None,
        bind_device: None,
        user_agent: "cwmpd/bench".into(),
    };
    let url = format!("http://{address}/{length}");
    let remote = Remote { url: &url, username: "", password: "" };
    let cancel = Cancel::new().unwrap();
    let got = download(&settings, &TlsSessions::default(), &cancel, &remote, length, to, &|_, _| {}).unwrap();
    assert_eq!(got, u64::from(length));
}

/// Answers `GET /LENGTH` with so many bytes.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    address
}

fn answer(mut stream: TcpStream) {
    let mut head = [0; 4096];
    let amount = stream.read(&mut head).unwrap();
    let head = std::str::from_utf8(&head[..amount]).unwrap();
    let mut left: usize = head.trim_start_matches("GET /").split(' ').next().unwrap().parse().unwrap();
    write!(stream, "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: {left}\r\n\r\n").unwrap();
    while left > 0 {
        let piece = left.min(PIECE.len());
        stream.write_all(&PIECE[..piece]).unwrap();
        left -= piece;
    }
}

/// The most memory that this process has had, in KiB.
fn highest() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
