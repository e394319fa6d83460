//! The smallest thing that an agent takes for an ACS: it says what the demo tells it to say.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use cwmpd::soap::rpc::{Envelope, Header, Inform, Message, Namespace, TransferComplete};
use cwmpd::soap::{decode, encode};

const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: usize = 64 << 20;

/// An ACS on the loopback interface, with at most one session at a time.
pub struct Acs {
    listener: TcpListener,
    url: String,
    session: Option<BufReader<TcpStream>>,
    calls: u32,
}

/// A port that nobody uses just now.
pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Acs {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/acs", listener.local_addr()?);
        Ok(Self { listener, url, session: None, calls: 0 })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits for a session in which the agent wants nothing else, and takes its Inform.
    pub fn begin(&mut self) -> Result<Box<Inform>, Box<dyn Error>> {
        let inform = self.open()?;
        self.expect_nothing()?;
        Ok(inform)
    }

    /// Waits for a session in which the agent tells what became of a transfer.
    pub fn begin_with_result(&mut self) -> Result<(Box<Inform>, Box<TransferComplete>), Box<dyn Error>> {
        let inform = self.open()?;
        let envelope = self.receive()?.ok_or("an empty message instead of a TransferComplete")?;
        let Some(Message::TransferComplete(result)) = envelope.body else { return Err("no TransferComplete".into()) };
        self.answer(envelope.header.id, Message::TransferCompleteResponse)?;
        self.expect_nothing()?;
        Ok((inform, result))
    }

    fn open(&mut self) -> Result<Box<Inform>, Box<dyn Error>> {
        let (stream, _) = self.listener.accept()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.session = Some(BufReader::new(stream));
        let envelope = self.receive()?.ok_or("an empty message instead of an Inform")?;
        let Some(Message::Inform(inform)) = envelope.body else { return Err("no Inform".into()) };
        self.answer(envelope.header.id, Message::InformResponse { max_envelopes: 1 })?;
        Ok(inform)
    }

    fn expect_nothing(&mut self) -> Result<(), Box<dyn Error>> {
        match self.receive()? {
            None => Ok(()),
            Some(_) => Err("the agent has a request, and the demo has no answer".into()),
        }
    }

    /// Calls the agent and waits for its answer.
    pub fn call(&mut self, message: Message) -> Result<Message, Box<dyn Error>> {
        self.calls += 1;
        let id = format!("call-{}", self.calls);
        self.answer(Some(id.clone()), message)?;
        let envelope = self.receive()?.ok_or("an empty message instead of an answer")?;
        if envelope.header.id != Some(id) {
            return Err("the answer has another ID".into());
        }
        envelope.body.ok_or_else(|| "an envelope with nothing in it".into())
    }

    /// Ends the session.
    pub fn end(&mut self) -> Result<(), Box<dyn Error>> {
        let session = self.session.take().ok_or("there is no session")?;
        session.get_ref().write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        Ok(())
    }

    fn answer(&mut self, id: Option<String>, message: Message) -> Result<(), Box<dyn Error>> {
        answer(self.session.as_mut().ok_or("there is no session")?.get_mut(), id, message)
    }

    fn receive(&mut self) -> Result<Option<Envelope>, Box<dyn Error>> {
        receive(self.session.as_mut().ok_or("there is no session")?)
    }
}

/// Sends a message.
pub fn answer(stream: &mut impl Write, id: Option<String>, message: Message) -> Result<(), Box<dyn Error>> {
    let header = Header { id, ..Header::default() };
    let body = encode(&Envelope { namespace: Namespace::Cwmp12, header, body: Some(message) });
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend(body);
    stream.write_all(&answer)?;
    Ok(())
}

/// Waits for a message; `None` is an empty one.
pub fn receive(stream: &mut impl BufRead) -> Result<Option<Envelope>, Box<dyn Error>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err("the agent has closed the connection".into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    if body.is_empty() { Ok(None) } else { Ok(Some(decode(&body, LONGEST)?)) }
}
