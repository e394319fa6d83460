//! A file server with one file, for whoever knows the password; it sends as slowly as a line to a home.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use cwmpd::auth::digest::{self, Algorithm, Challenge};

pub const USERNAME: &str = "router";
pub const PASSWORD: &str = "only for firmware";

const NONCE: &str = "dcd98b7102dd2f0e";

/// How many pieces the file is sent in, and the pause between two.
const PIECES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the file at any path, in threads that go with the process. Gives `http://address`.
pub fn serve(file: Vec<u8>) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection that breaks is the client's affair.
            let _ = answer(&stream, &file);
        }
    });
    Ok(url)
}

fn answer(stream: &TcpStream, file: &[u8]) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some((line, authorization)) = request(&mut stream)? {
        let mut out = *stream.get_ref();
        if !is_known(&authorization) {
            println!("  file server: {line} -> 401");
            let challenge = Challenge {
                realm: "firmware".into(),
                nonce: NONCE.into(),
                opaque: None,
                algorithm: Some(Algorithm::Sha256),
                qop_auth: true,
                stale: false,
            };
            let challenge = challenge.to_header();
            write!(out, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        }
        println!("  file server: {line}, with a digest of the password -> 200");
        write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", file.len())?;
        for piece in file.chunks(file.len().div_ceil(PIECES).max(1)) {
            out.write_all(piece)?;
            thread::sleep(PAUSE);
        }
    }
    Ok(())
}

/// The first line of a request, and its `Authorization`; `None` when there is no more.
fn request(stream: &mut impl BufRead) -> io::Result<Option<(String, String)>> {
    let (mut first, mut authorization) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        match line.split_once(": ") {
            _ if line.is_empty() => return Ok(Some((first, authorization))),
            _ if first.is_empty() => line.trim_end_matches(" HTTP/1.1").clone_into(&mut first),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => value.clone_into(&mut authorization),
            _ => {}
        }
    }
}

fn is_known(authorization: &str) -> bool {
    digest::parse_authorization(authorization)
        .is_ok_and(|said| said.username == USERNAME && said.nonce == NONCE && digest::verify(&said, "GET", PASSWORD))
}
