//! The agent as a client of an XMPP server (RFC 6120), from the start of the stream to the bound JID, and what it hears from then on. Free of IO.
//!
//! ```text
//!   Opening --header--> Features --starttls--> Tls --proceed--> [TLS] Opening
//!                          |----SASL--> Proving --success--> Opening
//!                          `----bind--> Binding --result--> Bound: requests, pings
//! ```
//!
//! TLS is used wherever the server offers it (CONFORMANCE K-05), and nothing is told to a server whose TLS fails. Of the mechanisms of SASL the
//! strongest known is taken: SCRAM-SHA-256, SCRAM-SHA-1, and PLAIN over TLS only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::scram::{Hash, Scram};
use super::stanza::{self, Condition};
use super::stream::{Node, Piece};
use super::{BIND, CLIENT, PING, REQUEST, SASL, STREAM, TLS};

/// The longest JID that is taken, in bytes; RFC 7622 3.1 has 3071, and no server makes such.
const MAX_JID: usize = 1023;

/// Whether there is TLS in this program.
const HAS_TLS: bool = cfg!(feature = "tls");

const BINDING: &str = "bind";
const PINGING: &str = "ping";

/// Who logs in, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The part of the JID before the `@`.
    pub username: String,
    /// The password.
    pub password: String,
    /// The domain that the server serves.
    pub domain: String,
    /// The resource that is asked for; the server chooses one where it is empty.
    pub resource: String,
    /// Whether a server without TLS is left alone.
    pub use_tls: bool,
}

/// A connection request, not judged yet.
pub struct Request {
    /// The `id` of the `iq`.
    pub id: String,
    /// The JID of the sender, as the server vouches for it; empty for the server itself.
    pub from: String,
    /// The user name in it.
    pub username: String,
    /// The password in it.
    pub password: String,
}

/// What to do next.
pub enum Step {
    /// Nothing.
    Nothing,
    /// Send this.
    Send(Vec<u8>),
    /// Shake hands for TLS, and go on as after [`Step::Restart`].
    StartTls,
    /// Open a new stream on the same connection, and forget what is left of the old one.
    Restart,
    /// Logged in: this is the JID.
    Bound(String),
    /// A connection request came; it is judged, and answered with [`stanza::answer`].
    Asked(Request),
    /// An `iq` with this `id` and from this sender is answered so with [`stanza::answer`].
    Answer(String, String, Option<Condition>),
}

/// Why the connection cannot be used, in one line for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// Whether the credentials are to blame.
    pub authentication: bool,
    /// The line.
    pub text: String,
}

impl Trouble {
    /// Anything but the credentials.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { authentication: false, text: text.into() }
    }

    fn authentication(text: impl Into<String>) -> Self {
        Self { authentication: true, text: text.into() }
    }
}

enum State {
    Opening,
    Features,
    Tls,
    /// The server judges a PLAIN password.
    Plain,
    /// With whether the password was proven, and whether the server has proven itself.
    Scram(Scram, bool, bool),
    Binding,
    Bound,
}

/// A client.
pub struct Login {
    account: Account,
    state: State,
    secure: bool,
    authenticated: bool,
    nonce: String,
}

impl Login {
    /// A client at the start of its first stream, which begins with [`Login::opening`]. `nonce` is random, of printable characters without commas.
    #[must_use]
    pub fn new(account: Account, nonce: String) -> Self {
        Self { account, state: State::Opening, secure: false, authenticated: false, nonce }
    }

    /// What begins each stream.
    #[must_use]
    pub fn opening(&self) -> Vec<u8> {
        stanza::opening(&self.account.domain)
    }

    /// A question to the server that it answers if it is still there.
    #[must_use]
    pub fn ping(&self) -> Vec<u8> {
        stanza::ping(PINGING, &self.account.domain)
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the JID is bound.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        matches!(self.state, State::Bound)
    }

    /// Takes a piece of the server's stream.
    ///
    /// # Errors
    /// Why the connection is of no use.
    pub fn take(&mut self, piece: Piece) -> Result<Step, Trouble> {
        let node = match piece {
            Piece::Opened(header) => {
                // A server without a version knows neither TLS nor SASL (RFC 6120 4.7.5).
                if !header.is(STREAM, "stream") || header.attribute("version").split('.').next() != Some("1") {
                    return Err(Trouble::new("what answers is no XMPP server of today"));
                }
                self.state = State::Features;
                return Ok(Step::Nothing);
            }
            Piece::Stanza(node) => node,
            Piece::Closed => return Err(Trouble::new("the XMPP server ended the stream")),
        };
        if node.is(STREAM, "error") {
            return Err(Trouble::new(format!("the XMPP server ended the stream: {}", condition(&node))));
        }
        match &mut self.state {
            State::Features if node.is(STREAM, "features") => self.features(&node),
            State::Tls if node.is(TLS, "proceed") => {
                self.secure = true;
                self.state = State::Opening;
                Ok(Step::StartTls)
            }
            State::Tls => Err(Trouble::new("the XMPP server offers TLS and refuses it")),
            State::Plain | State::Scram(..) if node.is(SASL, "failure") => {
                let text = format!("the XMPP server refuses the user name or the password: {}", condition(&node));
                Err(Trouble::authentication(text))
            }
            State::Plain if node.is(SASL, "success") => Ok(self.authenticated()),
            State::Scram(..) if node.is(SASL, "challenge") || node.is(SASL, "success") => self.prove(&node),
            State::Binding if node.is(CLIENT, "iq") && node.attribute("id") == BINDING => self.bound(&node),
            State::Binding => Ok(Step::Nothing),
            State::Bound => Ok(Self::hear(&node)),
            _ => Err(Trouble::new("the XMPP server does not go on as it has to")),
        }
    }

    fn features(&mut self, features: &Node) -> Result<Step, Trouble> {
        if self.authenticated {
            if features.child(BIND, "bind").is_none() {
                return Err(Trouble::new("the XMPP server binds no resource"));
            }
            self.state = State::Binding;
            return Ok(Step::Send(stanza::bind(BINDING, &self.account.resource)));
        }
        if !self.secure && HAS_TLS && features.child(TLS, "starttls").is_some() {
            self.state = State::Tls;
            return Ok(Step::Send(stanza::starttls()));
        }
        if !self.secure && self.account.use_tls {
            return Err(Trouble::new("the XMPP server offers no TLS, and UseTLS is true"));
        }
        let offered: Vec<&str> = features
            .child(SASL, "mechanisms")
            .map(|mechanisms| mechanisms.children.iter().map(|mechanism| mechanism.text.trim()).collect())
            .unwrap_or_default();
        let scram = [("SCRAM-SHA-256", Hash::Sha256), ("SCRAM-SHA-1", Hash::Sha1)];
        if let Some((name, hash)) = scram.into_iter().find(|(name, _)| offered.contains(name)) {
            let scram = Scram::new(hash, &self.account.username, &self.nonce);
            let first = STANDARD.encode(scram.first());
            self.state = State::Scram(scram, false, false);
            return Ok(Step::Send(stanza::sasl("auth", name, &first)));
        }
        if self.secure && offered.contains(&"PLAIN") {
            let Account { username, password, .. } = &self.account;
            self.state = State::Plain;
            let proof = STANDARD.encode(format!("\0{username}\0{password}"));
            return Ok(Step::Send(stanza::sasl("auth", "PLAIN", &proof)));
        }
        Err(Trouble::authentication("the XMPP server offers no safe way to prove the password"))
    }

    /// A challenge or the success of SCRAM.
    fn prove(&mut self, node: &Node) -> Result<Step, Trouble> {
        let State::Scram(scram, answered, proven) = &mut self.state else { return Ok(Step::Nothing) };
        let message = STANDARD.decode(node.text.trim()).ok().and_then(|message| String::from_utf8(message).ok());
        let Some(message) = message else { return Err(Trouble::authentication("the XMPP server sends no Base64")) };
        let success = node.local() == "success";
        if !success && !*answered {
            *answered = true;
            let answer = scram
                .answer(&message, &self.account.password)
                .map_err(|reason| Trouble::authentication(format!("the XMPP server cannot be believed: {reason}")))?;
            return Ok(Step::Send(stanza::sasl("response", "", &STANDARD.encode(answer))));
        }
        // It comes with the success, or in a challenge of its own before that.
        *proven = *proven || scram.proves(&message);
        match (*proven, success) {
            (false, _) => Err(Trouble::authentication("the XMPP server does not know the password itself")),
            (true, false) => Ok(Step::Send(stanza::sasl("response", "", ""))),
            (true, true) => Ok(self.authenticated()),
        }
    }

    fn authenticated(&mut self) -> Step {
        self.authenticated = true;
        self.state = State::Opening;
        Step::Restart
    }

    fn bound(&mut self, iq: &Node) -> Result<Step, Trouble> {
        let jid = iq.child(BIND, "bind").map(|bind| bind.text_of(BIND, "jid").trim()).unwrap_or_default();
        let good = !jid.is_empty() && jid.len() <= MAX_JID && !jid.contains(char::is_control);
        if iq.attribute("type") != "result" || !good {
            return Err(Trouble::new("the XMPP server does not bind the resource"));
        }
        self.state = State::Bound;
        Ok(Step::Bound(jid.into()))
    }

    /// What comes to who is logged in. Whatever asks is answered (RFC 6120 8.2.3); the rest is nothing to the agent.
    fn hear(node: &Node) -> Step {
        if !node.is(CLIENT, "iq") || !matches!(node.attribute("type"), "get" | "set") {
            return Step::Nothing;
        }
        let (id, from) = (String::from(node.attribute("id")), String::from(node.attribute("from")));
        let get = node.attribute("type") == "get";
        match node.child(REQUEST, "connectionRequest") {
            Some(request) if get => Step::Asked(Request {
                id,
                from,
                username: request.text_of(REQUEST, "username").into(),
                password: request.text_of(REQUEST, "password").into(),
            }),
            _ if get && node.child(PING, "ping").is_some() => Step::Answer(id, from, None),
            _ => Step::Answer(id, from, Some(Condition::ServiceUnavailable)),
        }
    }
}

/// The name of the condition in an error of the stream or of SASL.
fn condition(error: &Node) -> &str {
    let names = error.children.iter().map(Node::local);
    let mut names = names.filter(|name| name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
    names.next().unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connreq::xmpp::stream::Pieces;
    use proptest::prelude::*;

    const TLS_OFFER: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    const BIND_OFFER: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    const BOUND: &str = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
        <jid>cpe@example.com/r</jid></bind></iq>";

    /// A client, and the stream of the server that it talks to.
    struct Scene {
        login: Login,
        stream: Pieces,
    }

    fn scene(use_tls: bool) -> Scene {
        let account = Account {
            username: "user".into(),
            password: "pencil".into(),
            domain: "example.com".into(),
            resource: "r".into(),
            use_tls,
        };
        let login = Login::new(account, "fyko+d2lbbFgONRv9qkxdawL".into());
        Scene { login, stream: Pieces::default() }
    }

    fn mechanisms(names: &[&str]) -> String {
        let names: String = names.iter().map(|name| format!("<mechanism>{name}</mechanism>")).collect();
        format!("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{names}</mechanisms>")
    }

    fn sasl(name: &str, text: &str) -> String {
        format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</{name}>", STANDARD.encode(text))
    }

    impl Scene {
        fn open(&mut self, features: &str) -> Result<String, Trouble> {
            self.stream = Pieces::default();
            let header = "<stream:stream xmlns='jabber:client' \
                xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
            assert_eq!(self.say(header).unwrap(), "");
            self.say(&format!("<stream:features>{features}</stream:features>"))
        }

        /// What the client does about what the server says.
        fn say(&mut self, text: &str) -> Result<String, Trouble> {
            self.stream.push(text.as_bytes());
            let piece = self.stream.take().unwrap().unwrap();
            Ok(match self.login.take(piece)? {
                Step::Nothing => String::new(),
                Step::Send(bytes) => String::from_utf8(bytes).unwrap(),
                Step::StartTls => "TLS".into(),
                Step::Restart => "restart".into(),
                Step::Bound(jid) => format!("bound {jid}"),
                Step::Answer(id, from, error) => format!("answer {id} {from} {error:?}"),
                Step::Asked(request) => {
                    let Request { id, from, username, password } = request;
                    format!("asked {id} {from} {username} {password}")
                }
            })
        }

        fn start_tls(&mut self) {
            assert!(self.open(TLS_OFFER).unwrap().starts_with("<starttls "));
            assert_eq!(self.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").unwrap(), "TLS");
        }

        fn log_in(&mut self) {
            self.open(&mechanisms(&["SCRAM-SHA-1"])).unwrap();
            let challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
            assert!(self.say(&sasl("challenge", challenge)).unwrap().starts_with("<response "));
            assert_eq!(self.say(&sasl("success", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")).unwrap(), "restart");
            assert!(self.open(BIND_OFFER).unwrap().contains("<resource>r</resource>"));
            assert_eq!(self.say(BOUND).unwrap(), "bound cpe@example.com/r");
        }
    }

    #[test]
    fn k05_tls_scram_bind() {
        let mut scene = scene(true);
        scene.start_tls();
        scene.log_in();
        assert!(scene.login.is_bound() && scene.login.is_secure());
    }

    #[test]
    fn k05_tls_is_used_where_offered_and_missed_where_demanded() {
        assert!(scene(false).open(TLS_OFFER).unwrap().starts_with("<starttls "));
        let error = scene(true).open(&mechanisms(&["SCRAM-SHA-1"])).unwrap_err();
        assert!(error.text.contains("UseTLS") && !error.authentication, "{error:?}");
        let mut refusing = scene(false);
        refusing.open(TLS_OFFER).unwrap();
        assert!(refusing.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").is_err());
    }

    #[test]
    fn k05_the_strongest_mechanism_is_taken_and_plain_only_over_tls() {
        let offer = mechanisms(&["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "DIGEST-MD5"]);
        assert!(scene(false).open(&offer).unwrap().contains("mechanism=\"SCRAM-SHA-256\""));
        let plain = mechanisms(&["PLAIN", "DIGEST-MD5"]);
        assert!(scene(false).open(&plain).unwrap_err().authentication);
        let mut secure = scene(false);
        secure.start_tls();
        let auth = secure.open(&plain).unwrap();
        assert!(auth.contains(&STANDARD.encode("\0user\0pencil")), "{auth}");
        assert_eq!(secure.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").unwrap(), "restart");
    }

    #[test]
    fn k05_a_refused_password_and_an_unproven_server_are_told_apart_from_the_network() {
        let mut refused = scene(false);
        refused.open(&mechanisms(&["SCRAM-SHA-1"])).unwrap();
        let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
        let error = refused.say(failure).unwrap_err();
        assert!(error.authentication && error.text.contains("not-authorized"), "{error:?}");
        let mut unproven = scene(false);
        unproven.open(&mechanisms(&["SCRAM-SHA-1"])).unwrap();
        assert!(unproven.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").unwrap_err().authentication);
    }

    #[test]
    fn k05_the_proof_of_the_server_may_be_a_challenge_of_its_own() {
        let mut scene = scene(false);
        scene.open(&mechanisms(&["SCRAM-SHA-1"])).unwrap();
        let challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        scene.say(&sasl("challenge", challenge)).unwrap();
        let proof = sasl("challenge", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
        assert!(scene.say(&proof).unwrap().starts_with("<response "));
        assert_eq!(scene.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").unwrap(), "restart");
    }

    #[test]
    fn k01_the_request_is_heard_and_everything_else_that_asks_is_answered() {
        let mut scene = scene(false);
        scene.log_in();
        let request = "<connectionRequest xmlns='urn:broadband-forum-org:cwmp:xmppConnReq-1-0'>\
            <username>u&amp;v</username><password> p</password></connectionRequest>";
        assert_eq!(
            scene.say(&format!("<iq type='get' id='1' from='acs@a/x'>{request}</iq>")).unwrap(),
            "asked 1 acs@a/x u&v  p"
        );
        assert!(
            scene
                .say(&format!("<iq type='set' id='1' from='acs@a/x'>{request}</iq>"))
                .unwrap()
                .contains("ServiceUnavailable")
        );
        let empty = request.replace("<username>u&amp;v</username><password> p</password>", "");
        assert_eq!(scene.say(&format!("<iq type='get' id='1'>{empty}</iq>")).unwrap(), "asked 1   ");
        assert_eq!(
            scene.say("<iq type='get' id='2' from='example.com'><ping xmlns='urn:xmpp:ping'/></iq>").unwrap(),
            "answer 2 example.com None"
        );
        assert!(scene.say("<iq type='get' id='3'><query xmlns='x'/></iq>").unwrap().contains("ServiceUnavailable"));
        for silent in ["<iq type='result' id='ping'/>", "<message><body>a</body></message>", "<presence/>"] {
            assert_eq!(scene.say(silent).unwrap(), "");
        }
        let error = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
        assert!(scene.say(error).unwrap_err().text.ends_with(": conflict"));
    }

    #[test]
    fn k04_a_jid_has_to_be_one() {
        for jid in ["", &"x".repeat(2000), "a\tb"] {
            let mut scene = scene(false);
            scene.log_in();
            scene.login.state = State::Binding;
            assert!(scene.say(&BOUND.replace("cpe@example.com/r", jid)).is_err(), "{jid}");
        }
    }

    proptest! {
        #[test]
        fn any_stanza_is_taken_without_harm(
            before in 0_usize..4,
            name in "(iq|message|features|success|challenge|proceed|stream:features|stream:error)",
            space in "(jabber:client|urn:ietf:params:xml:ns:xmpp-sasl|urn:ietf:params:xml:ns:xmpp-tls)",
            inner in "[a-z0-9 =,+]{0,30}",
        ) {
            let mut scene = scene(false);
            match before {
                0 => {}
                1 => drop(scene.open(TLS_OFFER)),
                2 => drop(scene.open(&mechanisms(&["SCRAM-SHA-256"]))),
                _ => {
                    drop(scene.open(TLS_OFFER));
                    scene.login.state = State::Bound;
                }
            }
            if before > 0 {
                let _ = scene.say(&format!("<{name} xmlns='{space}' type='get' id='bind'><{name}>{inner}</{name}></{name}>"));
            }
            prop_assert!(before == 3 || !scene.login.is_bound());
        }
    }
}
