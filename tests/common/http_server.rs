//! A scripted HTTP server: reads whole requests off real sockets, and answers each with bytes that the test chooses.

// Each test file uses a part of it.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Counts the connections from 1.
    pub connection: usize,
    /// The request line.
    pub line: String,
    /// The headers as they were spelled, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header, spelled exactly so.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path and query.
    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }
}

/// What to do with a request.
pub enum Act {
    /// Send these bytes and go on.
    Send(Vec<u8>),
    /// Send these bytes, and close the connection.
    SendAndClose(Vec<u8>),
    /// Send nothing, and keep the connection until the client gives up.
    Hold,
    /// Send these bytes, then one byte every few milliseconds for as long as the client stays.
    Drip(Vec<u8>),
}

/// A reply with a head of these lines and an exact length.
pub fn reply(status: &str, headers: &[&str], body: &[u8]) -> Act {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    Act::Send(bytes)
}

/// A connection, whatever lies on top of it.
pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

type Wrap = dyn Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync;
type Script = dyn FnMut(&Received) -> Act + Send;

/// The server; it goes with this value.
pub struct Server {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Received>>>,
    connections: Arc<Mutex<usize>>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Answers each request as `script` says.
    pub fn start(script: impl FnMut(&Received) -> Act + Send + 'static) -> Self {
        let wrap = |stream| Ok(Box::new(stream) as Box<dyn Stream>);
        Self::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), wrap, script).unwrap()
    }

    /// Answers one request after the other with these, and then holds.
    pub fn answers(answers: impl IntoIterator<Item = Act>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        Self::start(move |_| answers.pop_front().unwrap_or(Act::Hold))
    }

    /// Listens at this address, with something such as TLS on each connection.
    pub fn start_at(
        address: IpAddr,
        wrap: impl Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync + 'static,
        script: impl FnMut(&Received) -> Act + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((address, 0))?;
        let server = Self {
            address: listener.local_addr()?,
            log: Arc::default(),
            connections: Arc::default(),
            over: Arc::default(),
        };
        let (log, connections, over) = (server.log.clone(), server.connections.clone(), server.over.clone());
        let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
        let wrap: Arc<Wrap> = Arc::new(wrap);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let number = {
                    let mut count = connections.lock().unwrap();
                    *count += 1;
                    *count
                };
                let (log, script, wrap) = (log.clone(), script.clone(), wrap.clone());
                thread::spawn(move || {
                    // Short, because it is also the pace of dripping.
                    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let raw = stream.try_clone().unwrap();
                    if let Ok(stream) = wrap(stream) {
                        // A connection that breaks is the client's affair.
                        let _ = serve(stream, number, &log, &script);
                    }
                    let _ = raw.shutdown(std::net::Shutdown::Both);
                });
            }
        });
        Ok(server)
    }

    /// `http://address` with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that was received so far.
    pub fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap().clone()
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// One read; `None` when the client is gone. Waits for as long as it is not.
fn read_some(stream: &mut dyn Stream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 64 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return None,
            Ok(amount) => {
                buffer.extend_from_slice(&piece[..amount]);
                return Some(());
            }
            Err(error) if waits(&error) => {}
            Err(_) => return None,
        }
    }
}

pub fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Reads a whole request; `None` when the client has gone. What comes after it stays in the buffer.
pub fn read_request(stream: &mut dyn Stream, buffer: &mut Vec<u8>, connection: usize) -> Option<Received> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        read_some(stream, buffer)?;
    };
    let text = String::from_utf8(buffer[..head].to_vec()).unwrap();
    let mut lines = text.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "Content-Length").map_or(0, |(_, value)| value.parse().unwrap());
    while buffer.len() < head + length {
        read_some(stream, buffer)?;
    }
    let body = buffer[head..head + length].to_vec();
    buffer.drain(..head + length);
    Some(Received { connection, line, headers, body })
}

fn serve(
    mut stream: Box<dyn Stream>,
    connection: usize,
    log: &Mutex<Vec<Received>>,
    script: &Mutex<Box<Script>>,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(received) = read_request(&mut *stream, &mut buffer, connection) {
        log.lock().unwrap().push(received.clone());
        let act = script.lock().unwrap()(&received);
        match act {
            Act::Send(bytes) => {
                stream.write_all(&bytes)?;
                stream.flush()?;
            }
            Act::SendAndClose(bytes) => {
                stream.write_all(&bytes)?;
                return stream.flush();
            }
            Act::Hold => {
                while read_some(&mut *stream, &mut buffer).is_some() {}
                return Ok(());
            }
            Act::Drip(bytes) => {
                stream.write_all(&bytes)?;
                loop {
                    match stream.read(&mut [0; 64]) {
                        Err(error) if waits(&error) => stream.write_all(b"x")?,
                        _ => return Ok(()),
                    }
                }
            }
        }
    }
    Ok(())
}
