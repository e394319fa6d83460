//! A file server that counts every byte on its sockets.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::common::acs::wait_for;

/// What one connection has carried, and what was asked for on it.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    pub request: String,
    pub received: u64,
    pub sent: u64,
}

/// The server; it goes with this value.
pub struct FileServer {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Carried>>>,
    over: Arc<AtomicBool>,
}

impl FileServer {
    /// Listens here. What is asked for says what happens: `/file/SIZE`, `/chunked/SIZE`, `/unknown/SIZE` (a body that ends with the
    /// connection), `/endless`, `/short`, `/status/CODE`, `/garbage`, `/close`. A PUT is taken whole and answered with 201.
    pub fn start(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let server = Self { address: listener.local_addr().unwrap(), log: Arc::default(), over: Arc::default() };
        let (log, over) = (server.log.clone(), server.over.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let place = {
                    let mut log = log.lock().unwrap();
                    log.push(Carried::default());
                    log.len() - 1
                };
                let log = log.clone();
                thread::spawn(move || {
                    let mut line = Line { stream, log, place };
                    // A connection that breaks is the client's affair.
                    let _ = line.serve();
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every connection so far.
    pub fn log(&self) -> Vec<Carried> {
        self.log.lock().unwrap().clone()
    }

    pub fn sent(&self) -> u64 {
        self.log().iter().map(|carried| carried.sent).sum()
    }

    /// Waits until so much was sent, and not more: the last bytes are counted after they have left.
    pub fn wait_sent(&self, bytes: u64) {
        wait_for(&format!("{bytes} bytes to be sent, not {}", self.sent()), || (self.sent() == bytes).then_some(()));
    }

    pub fn received(&self) -> u64 {
        self.log().iter().map(|carried| carried.received).sum()
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // From whatever network this is; the thread ends with the test in any case.
        let _ = TcpStream::connect_timeout(&self.address, std::time::Duration::from_millis(10));
    }
}

struct Line {
    stream: TcpStream,
    log: Arc<Mutex<Vec<Carried>>>,
    place: usize,
}

impl Line {
    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut piece = vec![0; 1 << 16];
        let amount = self.stream.read(&mut piece)?;
        if amount == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.log.lock().unwrap()[self.place].received += amount as u64;
        buffer.extend_from_slice(&piece[..amount]);
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let amount = self.stream.write(rest)?;
            self.log.lock().unwrap()[self.place].sent += amount as u64;
            rest = &rest[amount..];
        }
        Ok(())
    }

    fn serve(&mut self) -> io::Result<()> {
        loop {
            let mut buffer = Vec::new();
            let head = loop {
                if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                    break end + 4;
                }
                self.read(&mut buffer)?;
            };
            let text = String::from_utf8(buffer[..head].to_vec()).unwrap();
            let line = text.lines().next().unwrap().to_owned();
            self.log.lock().unwrap()[self.place].request = text.clone();
            let mut words = line.split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap());
            if method == "PUT" && !target.starts_with("/status/") {
                self.take(&text, buffer.split_off(head))?;
                self.send(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")?;
                continue;
            }
            let mut parts = target.trim_start_matches('/').split('/');
            let (what, size) = (parts.next().unwrap(), parts.next().and_then(|size| size.parse().ok()).unwrap_or(0));
            match what {
                "file" => {
                    self.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").as_bytes())?;
                    self.send(&vec![b'x'; size])?;
                }
                "chunked" => {
                    self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                    for piece in vec![b'x'; size].chunks(10_000) {
                        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                        chunk.extend_from_slice(piece);
                        chunk.extend_from_slice(b"\r\n");
                        self.send(&chunk)?;
                    }
                    self.send(b"0\r\n\r\n")?;
                }
                "unknown" => {
                    self.send(b"HTTP/1.1 200 OK\r\n\r\n")?;
                    return self.send(&vec![b'x'; size]);
                }
                "endless" => {
                    self.send(b"HTTP/1.1 200 OK\r\n\r\n")?;
                    loop {
                        self.send(&[b'x'; 1 << 16])?;
                    }
                }
                "short" => {
                    self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
                    return self.send(&[b'x'; 999]);
                }
                "status" => {
                    let head = format!(
                        "HTTP/1.1 {size} Other\r\nLocation: /file/10\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
                    );
                    self.send(head.as_bytes())?;
                }
                "garbage" => self.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")?,
                _ => return Ok(()),
            }
        }
    }

    /// The rest of a body.
    fn take(&mut self, head: &str, mut body: Vec<u8>) -> io::Result<()> {
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        match length.map(|length| length.parse::<usize>().unwrap()) {
            Some(length) => {
                while body.len() < length {
                    self.read(&mut body)?;
                }
                assert_eq!(body.len(), length, "nothing comes after the body");
            }
            None => {
                assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
                while !body.ends_with(b"\r\n0\r\n\r\n") {
                    // Nobody needs what was before.
                    let old = body.len().saturating_sub(16);
                    body.drain(..old);
                    self.read(&mut body)?;
                }
            }
        }
        Ok(())
    }
}
