//! A scripted ACS on a real socket. The test is the script: it takes one request of the agent after the other and says what comes back.
//!
//! ```ignore
//! let acs = Acs::start();
//! let mut session = acs.session();
//! session.inform_ok();
//! assert_eq!(session.value("Device.RootDataModelVersion"), "2.17");
//! session.end();
//! ```
//!
//! Every message that the agent sends is kept, and validated against the schemas when the ACS goes.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use cwmpd::error::{Fault, FaultCode};
use cwmpd::soap::decode::decode;
use cwmpd::soap::encode::encode;
use cwmpd::soap::rpc::{
    Envelope, Header, Inform, Message, Namespace, ParameterAttribute, ParameterInfo, ParameterValue, SetAttributes,
    SoapFault, Value,
};

use super::http_server::{Received, Stream, read_request, waits};
use super::schema;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The largest message of the agent.
const LARGEST: usize = 1 << 26;

/// What to do with a request.
enum Act {
    /// Send these bytes, and close the connection if so told.
    Send(Vec<u8>, bool),
    /// Close the connection, as if the process had died.
    HangUp,
}

/// What the threads of the server note.
#[derive(Default)]
struct Log {
    requests: Vec<Received>,
    connections: usize,
    /// The connections that the agent has closed.
    closed: Vec<usize>,
    /// What must never happen.
    crimes: Vec<String>,
}

/// The ACS; it goes with this value.
pub struct Acs {
    /// Where it listens.
    pub address: SocketAddr,
    tls: bool,
    exchanges: Mutex<Receiver<Exchange>>,
    log: Arc<(Mutex<Log>, Condvar)>,
    over: Arc<AtomicBool>,
    validated: bool,
}

/// A request that waits for its answer. One that is dropped is never answered, and its connection is closed when the ACS goes.
pub struct Exchange {
    /// The request.
    pub request: Received,
    /// Its message; `None` for an empty body.
    pub envelope: Option<Envelope>,
    act: Sender<Act>,
}

type Wrap = dyn Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync;

impl Acs {
    /// Listens on a port of its own.
    pub fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Listens here.
    pub fn start_at(address: SocketAddr) -> Self {
        Self::start_with(address, false, |stream| Ok(Box::new(stream)))
    }

    /// Listens with TLS.
    #[cfg(feature = "ring")]
    pub fn start_tls(config: Arc<rustls::ServerConfig>) -> Self {
        Self::start_with((Ipv4Addr::LOCALHOST, 0).into(), true, move |stream| {
            let connection = rustls::ServerConnection::new(config.clone()).map_err(io::Error::other)?;
            Ok(Box::new(rustls::StreamOwned::new(connection, stream)))
        })
    }

    fn start_with(
        address: SocketAddr,
        tls: bool,
        wrap: impl Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let (to_test, exchanges) = channel();
        let acs = Self {
            address: listener.local_addr().unwrap(),
            tls,
            exchanges: Mutex::new(exchanges),
            log: Arc::default(),
            over: Arc::default(),
            validated: true,
        };
        let (log, over, wrap) = (acs.log.clone(), acs.over.clone(), Arc::new(wrap) as Arc<Wrap>);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let connection = {
                    let mut log = log.0.lock().unwrap();
                    log.connections += 1;
                    log.connections
                };
                let (log, over, wrap, to_test) = (log.clone(), over.clone(), wrap.clone(), to_test.clone());
                thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let raw = stream.try_clone().unwrap();
                    if let Ok(mut stream) = wrap(stream) {
                        serve(&mut *stream, connection, &log, &over, &to_test);
                    }
                    let _ = raw.shutdown(Shutdown::Both);
                });
            }
        });
        acs
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.url_of("/acs")
    }

    /// Its URL with another path.
    pub fn url_of(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// The messages of this test are not to be valid.
    pub fn not_validated(mut self) -> Self {
        self.validated = false;
        self
    }

    /// The next request of the agent, from whatever connection.
    pub fn next(&self) -> Exchange {
        self.next_within(PATIENCE).unwrap_or_else(|| panic!("the agent sends nothing"))
    }

    /// The next request, if it comes in this time.
    pub fn next_within(&self, patience: Duration) -> Option<Exchange> {
        match self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience) {
            Ok(exchange) => Some(exchange),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the ACS is gone"),
        }
    }

    /// Waits for an Inform.
    pub fn session(&self) -> Session<'_> {
        let exchange = self.next();
        let inform = exchange.inform().clone();
        let namespace = exchange.envelope.as_ref().unwrap().namespace;
        Session { acs: self, inform, namespace, pending: Some(exchange), requests: 0 }
    }

    /// A session in which the ACS wants nothing; gives its Inform.
    pub fn serve(&self) -> Inform {
        let mut session = self.session();
        session.inform_ok();
        session.end()
    }

    /// Sessions in which the ACS wants nothing, until there is one that fits; gives its Inform.
    pub fn serve_until(&self, fits: impl Fn(&Inform) -> bool) -> Inform {
        for _ in 0..10 {
            let inform = self.serve();
            if fits(&inform) {
                return inform;
            }
        }
        panic!("no such session");
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Received> {
        self.log.0.lock().unwrap().requests.clone()
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.log.0.lock().unwrap().connections
    }

    /// Waits until the agent has closed this connection.
    pub fn wait_closed(&self, connection: usize) {
        let (log, changed) = &*self.log;
        let open = |log: &mut Log| !log.closed.contains(&connection);
        let (log, waited) = changed.wait_timeout_while(log.lock().unwrap(), PATIENCE, open).unwrap();
        drop(log);
        assert!(!waited.timed_out(), "the agent does not close connection {connection}");
    }

    /// The Informs so far.
    pub fn informs(&self) -> Vec<Inform> {
        let requests = self.requests();
        let messages = requests.iter().filter_map(|request| envelope_of(request)?.body);
        messages
            .filter_map(|message| match message {
                Message::Inform(inform) => Some(*inform),
                _ => None,
            })
            .collect()
    }
}

impl Drop for Acs {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let _ = TcpStream::connect(address);
        if thread::panicking() {
            for request in self.requests() {
                let body = String::from_utf8_lossy(&unpacked(&request)).into_owned();
                let message = body.split_once(":Body>").map_or(body.as_str(), |(_, message)| message);
                let shown: String = message.chars().take(4000).collect();
                eprintln!("-- connection {}: {}\n{shown}", request.connection, request.line);
            }
            return;
        }
        let log = self.log.0.lock().unwrap();
        assert_eq!(log.crimes, Vec::<String>::new());
        if self.validated {
            let bodies: Vec<Vec<u8>> = log.requests.iter().map(unpacked).filter(|body| !body.is_empty()).collect();
            let labelled: Vec<(&str, &[u8])> = bodies.iter().map(|body| ("sent", body.as_slice())).collect();
            if !labelled.is_empty() {
                schema::validate(&labelled);
            }
        }
    }
}

fn serve(
    stream: &mut dyn Stream,
    connection: usize,
    log: &(Mutex<Log>, Condvar),
    over: &AtomicBool,
    to_test: &Sender<Exchange>,
) {
    let closed = |agent_did: bool| {
        if agent_did {
            log.0.lock().unwrap().closed.push(connection);
            log.1.notify_all();
        }
    };
    let mut buffer = Vec::new();
    while let Some(request) = read_request(stream, &mut buffer, connection) {
        log.0.lock().unwrap().requests.push(request.clone());
        let (act, acts) = channel();
        let envelope = envelope_of(&request);
        if to_test.send(Exchange { request, envelope, act }).is_err() {
            return;
        }
        // Until the answer is there: not a byte more may come (CONFORMANCE T-02), but the agent may give up.
        let act = loop {
            match acts.recv_timeout(Duration::from_millis(1)) {
                Ok(act) => break act,
                Err(_) if over.load(Ordering::SeqCst) => return,
                Err(_) => {}
            }
            let mut piece = [0; 1024];
            match stream.read(&mut piece) {
                Ok(0) => return closed(true),
                Ok(_) => {
                    let crime = format!("connection {connection}: more bytes before the answer");
                    log.0.lock().unwrap().crimes.push(crime);
                    return;
                }
                Err(error) if waits(&error) => {}
                Err(_) => return closed(true),
            }
        };
        match act {
            Act::Send(bytes, close) => {
                if stream.write_all(&bytes).and_then(|()| stream.flush()).is_err() {
                    return closed(true);
                }
                if close {
                    return;
                }
            }
            Act::HangUp => return,
        }
    }
    closed(true);
}

/// The body of a request as it was before it was packed.
pub fn unpacked(request: &Received) -> Vec<u8> {
    let mut bytes = Vec::new();
    match request.header("Content-Encoding") {
        None => return request.body.clone(),
        Some("gzip") => flate2::read::GzDecoder::new(&request.body[..]).read_to_end(&mut bytes).unwrap(),
        Some("deflate") => flate2::read::ZlibDecoder::new(&request.body[..]).read_to_end(&mut bytes).unwrap(),
        Some(other) => panic!("Content-Encoding: {other}"),
    };
    bytes
}

fn envelope_of(request: &Received) -> Option<Envelope> {
    let body = unpacked(request);
    if body.is_empty() {
        return None;
    }
    let decoded = decode(&body, LARGEST);
    Some(decoded.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body))))
}

impl Exchange {
    /// Whether the body is empty.
    pub fn is_empty(&self) -> bool {
        self.envelope.is_none()
    }

    /// The message.
    pub fn message(&self) -> &Message {
        let envelope = self.envelope.as_ref().expect("a message, not an empty body");
        envelope.body.as_ref().expect("a message in the envelope")
    }

    /// The Inform that it is.
    pub fn inform(&self) -> &Inform {
        match self.envelope.as_ref().and_then(|envelope| envelope.body.as_ref()) {
            Some(Message::Inform(inform)) => inform,
            Some(other) => panic!("no Inform: {}", other.name()),
            None => panic!("no Inform, but an empty body"),
        }
    }

    /// Its `cwmp:ID`.
    pub fn id(&self) -> Option<&str> {
        self.envelope.as_ref()?.header.id.as_deref()
    }

    /// Answers with these bytes, just as they are.
    pub fn raw(self, bytes: impl Into<Vec<u8>>) {
        // An agent that has given up is what some tests want.
        let _ = self.act.send(Act::Send(bytes.into(), false));
    }

    /// Answers with these bytes and closes the connection.
    pub fn raw_and_close(self, bytes: impl Into<Vec<u8>>) {
        let _ = self.act.send(Act::Send(bytes.into(), true));
    }

    /// Closes the connection without an answer.
    pub fn hang_up(self) {
        let _ = self.act.send(Act::HangUp);
    }

    /// Answers with a status, header lines and a body.
    pub fn http(self, status: &str, headers: &[&str], body: &[u8]) {
        self.raw(http(status, headers, body));
    }

    /// Answers with an envelope.
    pub fn reply(self, envelope: &Envelope) {
        self.raw(xml(&encode(envelope)));
    }

    /// The envelope that answers this request of the agent: same id, same namespace.
    pub fn answer(&self, message: Message) -> Envelope {
        let envelope = self.envelope.as_ref().expect("a request of the agent");
        let header = Header { id: envelope.header.id.clone(), ..Header::default() };
        Envelope { namespace: envelope.namespace, header, body: Some(message) }
    }

    /// Answers this request of the agent with this message.
    pub fn reply_message(self, message: Message) {
        let envelope = self.answer(message);
        self.reply(&envelope);
    }

    /// Answers with 204.
    pub fn no_content(self) {
        self.http("204 No Content", &[], b"");
    }
}

/// An HTTP response.
pub fn http(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    if !status.starts_with("204") {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// An HTTP response with an envelope.
pub fn xml(envelope: &[u8]) -> Vec<u8> {
    http("200 OK", &["Content-Type: text/xml; charset=utf-8"], envelope)
}

/// A session from the side of the ACS.
pub struct Session<'a> {
    acs: &'a Acs,
    /// The Inform that it began with.
    pub inform: Inform,
    /// That of the Inform; requests of the ACS are written in it.
    pub namespace: Namespace,
    pending: Option<Exchange>,
    requests: u32,
}

impl Session<'_> {
    /// What waits for an answer.
    pub fn pending(&self) -> &Exchange {
        self.pending.as_ref().expect("a request that waits")
    }

    /// What waits for an answer, to answer it by hand; [`Self::next`] goes on afterwards.
    pub fn take(&mut self) -> Exchange {
        self.pending.take().expect("a request that waits")
    }

    /// Waits for the next request, which is the next to be answered.
    pub fn next(&mut self) -> &Exchange {
        assert!(self.pending.is_none(), "the last request is not answered");
        self.pending.insert(self.acs.next())
    }

    /// The codes of the events of the Inform.
    pub fn events(&self) -> Vec<&str> {
        codes(&self.inform)
    }

    /// Answers the Inform, and waits for what comes next.
    pub fn inform_ok(&mut self) -> &Exchange {
        self.take().reply_message(Message::InformResponse { max_envelopes: 1 });
        self.next()
    }

    /// A request envelope with an id of its own.
    pub fn envelope(&mut self, message: Message) -> Envelope {
        self.requests += 1;
        let header = Header { id: Some(format!("acs-{}", self.requests)), ..Header::default() };
        Envelope { namespace: self.namespace, header, body: Some(message) }
    }

    /// Sends a request of the ACS and gives the answer, which carries its id (CONFORMANCE X-08).
    pub fn request(&mut self, message: Message) -> Message {
        let envelope = self.envelope(message);
        self.take().reply(&envelope);
        let answer = self.next();
        assert_eq!(answer.id(), envelope.header.id.as_deref());
        answer.message().clone()
    }

    /// Sends a request that is refused, and gives the fault.
    pub fn refused(&mut self, message: Message) -> Fault {
        let name = message.name().to_owned();
        match self.request(message) {
            Message::Fault(SoapFault::Cwmp(fault)) => fault,
            other => panic!("{name} is answered with {}", other.name()),
        }
    }

    /// The values of parameters and partial paths.
    pub fn get(&mut self, names: &[&str]) -> Vec<ParameterValue> {
        match self.request(get_values(names)) {
            Message::GetParameterValuesResponse(values) => values,
            other => panic!("GetParameterValues is answered with {other:?}"),
        }
    }

    /// The value of a parameter.
    pub fn value(&mut self, name: &str) -> String {
        let mut values = self.get(&[name]);
        assert_eq!(values.len(), 1);
        assert_eq!(values[0].name, name);
        values.remove(0).value.text
    }

    /// Sets values, each a name, an XML Schema type and a text; gives the status.
    pub fn set(&mut self, values: &[(&str, &str, &str)]) -> u8 {
        match self.request(set_values(values, "")) {
            Message::SetParameterValuesResponse { status } => status,
            other => panic!("SetParameterValues is answered with {other:?}"),
        }
    }

    /// The names below a path.
    pub fn names(&mut self, path: &str, next_level: bool) -> Vec<ParameterInfo> {
        match self.request(Message::GetParameterNames { path: path.into(), next_level }) {
            Message::GetParameterNamesResponse(names) => names,
            other => panic!("GetParameterNames is answered with {other:?}"),
        }
    }

    /// Adds a row and gives its number.
    pub fn add(&mut self, object_name: &str) -> u32 {
        let request = Message::AddObject { object_name: object_name.into(), parameter_key: String::new() };
        match self.request(request) {
            Message::AddObjectResponse { instance_number, .. } => instance_number,
            other => panic!("AddObject is answered with {other:?}"),
        }
    }

    /// Deletes a row.
    pub fn delete(&mut self, object_name: &str) {
        let request = Message::DeleteObject { object_name: object_name.into(), parameter_key: String::new() };
        let answer = self.request(request);
        assert!(matches!(answer, Message::DeleteObjectResponse { .. }), "{answer:?}");
    }

    /// Sets the Notification attribute of parameters or below partial paths.
    pub fn notify(&mut self, names: &[&str], notification: i64) {
        let answer = self.request(set_notification(names, notification));
        assert!(matches!(answer, Message::SetParameterAttributesResponse), "{answer:?}");
    }

    /// The attributes of parameters and partial paths.
    pub fn attributes(&mut self, names: &[&str]) -> Vec<ParameterAttribute> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        match self.request(Message::GetParameterAttributes { names }) {
            Message::GetParameterAttributesResponse(attributes) => attributes,
            other => panic!("GetParameterAttributes is answered with {other:?}"),
        }
    }

    /// Wants nothing more, and waits until the agent has closed the connection; gives the Inform.
    pub fn end(mut self) -> Inform {
        let exchange = self.take();
        let connection = exchange.request.connection;
        exchange.no_content();
        self.acs.wait_closed(connection);
        self.inform
    }
}

/// The codes of the events of an Inform.
pub fn codes(inform: &Inform) -> Vec<&str> {
    inform.events.iter().map(|event| event.code.as_str()).collect()
}

/// The value that an Inform has for a parameter.
pub fn told<'a>(inform: &'a Inform, name: &str) -> Option<&'a str> {
    let found = inform.parameters.iter().find(|parameter| parameter.name == name);
    found.map(|parameter| parameter.value.text.as_str())
}

/// GetParameterValues.
pub fn get_values(names: &[&str]) -> Message {
    Message::GetParameterValues { names: names.iter().map(|name| (*name).to_owned()).collect() }
}

/// SetParameterValues with values that are each a name, an XML Schema type (empty for none) and a text.
pub fn set_values(values: &[(&str, &str, &str)], parameter_key: &str) -> Message {
    let parameters = values
        .iter()
        .map(|(name, kind, text)| ParameterValue {
            name: (*name).into(),
            value: Value { kind: Some((*kind).to_owned()).filter(|kind| !kind.is_empty()), text: (*text).into() },
        })
        .collect();
    Message::SetParameterValues { parameters, parameter_key: parameter_key.into() }
}

/// SetParameterAttributes that sets the Notification attribute.
pub fn set_notification(names: &[&str], notification: i64) -> Message {
    let each = |name: &&str| SetAttributes {
        name: (*name).into(),
        notification_change: true,
        notification,
        access_list_change: false,
        access_list: Vec::new(),
    };
    Message::SetParameterAttributes(names.iter().map(each).collect())
}

/// A fault as an ACS sends it.
pub fn acs_fault(code: u16) -> Message {
    Message::Fault(SoapFault::Cwmp(Fault::new(FaultCode(code), "a fault of the ACS")))
}

/// Waits until there is something; `what` is said when it does not come.
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_looking_every(Duration::from_millis(5), what, look)
}

/// The same where looking costs something.
pub fn wait_looking_every<T>(pause: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: it does not come");
        thread::sleep(pause);
    }
}
