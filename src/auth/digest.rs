//! Digest authentication (RFC 7616, and RFC 2617 and 2069 for older peers): MD5, SHA-256 and their `-sess` forms, with `qop=auth` or without qop.
//!
//! The side that asks writes a [`Challenge`] and [`verify`]s what comes back; the side that answers [`parse_challenges`] and [`answer`]s.

use super::params::{Item, items, push_plain, push_quoted, unescape};
use md5::Md5;
use sha2::Sha256;
use sha2::digest::Digest;
use std::fmt;
use subtle::ConstantTimeEq;

/// How the response is hashed. Without a word about it, it is MD5.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Algorithm {
    /// MD5, the one that TR-069a6 3.4.5 requires.
    #[default]
    Md5,
    /// MD5 with a key for each session of nonce and cnonce.
    Md5Sess,
    /// SHA-256.
    Sha256,
    /// SHA-256 with a key for each session of nonce and cnonce.
    Sha256Sess,
}

/// What the side that asks offers or demands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Names what the credentials are for.
    pub realm: String,
    /// The nonce to answer with.
    pub nonce: String,
    /// Comes back as it is. It is kept as it stands between the quotes, escapes and all.
    pub opaque: Option<String>,
    /// `None`: not named, which is MD5 and is not named in the answer either.
    pub algorithm: Option<Algorithm>,
    /// Whether `qop=auth` is offered; without it the answer has the form of RFC 2069.
    pub qop_auth: bool,
    /// The credentials were right, only the nonce was too old.
    pub stale: bool,
}

/// An `Authorization: Digest` header.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Who asks.
    pub username: String,
    /// The realm of the challenge.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// What is asked for, as the sender spells it; whether it fits the request is for the caller to decide.
    pub uri: String,
    /// The proof that the sender knows the password: 32 or 64 hexadecimal digits.
    pub response: String,
    /// As in the challenge.
    pub algorithm: Option<Algorithm>,
    /// Whether `qop=auth` was chosen (`nc` and `cnonce` are there then).
    pub qop_auth: bool,
    /// How often this nonce was used, from 1; 0 without qop.
    pub nc: u32,
    /// The sender's nonce; empty where it is absent.
    pub cnonce: String,
    /// As in the challenge, escapes and all.
    pub opaque: Option<String>,
    /// `nc` as it was spelled, which is what is hashed.
    nc_text: String,
}

/// Why a header is not a digest that can be used. The text carries nothing of the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// The response is left out: with it a password can be guessed.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .field("nc", &self.nc)
            .finish_non_exhaustive()
    }
}

impl Algorithm {
    /// Its name in headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
        }
    }

    /// The algorithm of this name in any case; `None` for one that is not supported.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Whether it is a `-sess` one, whose key is bound to the nonce and cnonce of the first answer.
    #[must_use]
    pub fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess)
    }

    /// The hash over the parts with colons between them, as hexadecimal digits.
    fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 | Self::Md5Sess => hash::<Md5>(parts),
            Self::Sha256 | Self::Sha256Sess => hash::<Sha256>(parts),
        }
    }
}

fn hash<D: Digest>(parts: &[&str]) -> String {
    let mut digest = D::new();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            digest.update(b":");
        }
        digest.update(part.as_bytes());
    }
    let bytes = digest.finalize();
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'));
    bytes.iter().flat_map(digits).collect()
}

impl Challenge {
    /// The value of a `WWW-Authenticate` header.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut header = String::from("Digest ");
        push_quoted(&mut header, "realm", &self.realm);
        if self.qop_auth {
            push_quoted(&mut header, "qop", "auth");
        }
        if let Some(algorithm) = self.algorithm {
            push_plain(&mut header, "algorithm", algorithm.name());
        }
        push_quoted(&mut header, "nonce", &self.nonce);
        push_opaque(&mut header, self.opaque.as_deref());
        if self.stale {
            push_plain(&mut header, "stale", "true");
        }
        header
    }
}

fn push_opaque(header: &mut String, opaque: Option<&str>) {
    if let Some(opaque) = opaque {
        push_plain(header, "opaque", &format!("\"{opaque}\""));
    }
}

/// The digest challenges of one value of `WWW-Authenticate` that can be answered, in the order of the server's preference (RFC 7616 3.7).
/// Others (an unknown algorithm, only `qop=auth-int`, no nonce) are left out.
#[must_use]
pub fn parse_challenges(header: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    let mut current: Option<Draft> = None;
    for item in items(header) {
        match item {
            Item::Scheme(name) => {
                challenges.extend(current.take().and_then(Draft::challenge));
                if name.eq_ignore_ascii_case("digest") {
                    current = Some(Draft::default());
                }
            }
            Item::Parameter { name, raw } => {
                if let Some(draft) = &mut current {
                    draft.set(name, raw);
                }
            }
            Item::Malformed => {}
        }
    }
    challenges.extend(current.and_then(Draft::challenge));
    challenges
}

/// A challenge whose parameters are still being read; the first of each name counts.
#[derive(Default)]
struct Draft<'a> {
    realm: Option<&'a str>,
    nonce: Option<&'a str>,
    opaque: Option<&'a str>,
    algorithm: Option<&'a str>,
    qop: Option<&'a str>,
    stale: Option<&'a str>,
}

impl<'a> Draft<'a> {
    fn set(&mut self, name: &str, raw: &'a str) {
        let place = match name.to_ascii_lowercase().as_str() {
            "realm" => &mut self.realm,
            "nonce" => &mut self.nonce,
            "opaque" => &mut self.opaque,
            "algorithm" => &mut self.algorithm,
            "qop" => &mut self.qop,
            "stale" => &mut self.stale,
            _ => return,
        };
        place.get_or_insert(raw);
    }

    fn challenge(self) -> Option<Challenge> {
        let algorithm = match self.algorithm {
            Some(name) => Some(Algorithm::named(name)?),
            None => None,
        };
        let mut choices = self.qop.unwrap_or("").split(',').map(str::trim).filter(|qop| !qop.is_empty()).peekable();
        let legacy = choices.peek().is_none();
        let qop_auth = choices.any(|qop| qop.eq_ignore_ascii_case("auth"));
        if !legacy && !qop_auth {
            return None;
        }
        Some(Challenge {
            realm: unescape(self.realm.unwrap_or("")),
            nonce: unescape(self.nonce?),
            opaque: self.opaque.map(String::from),
            algorithm,
            qop_auth,
            stale: self.stale.is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

/// The nonce to use from the next request on, out of an `Authentication-Info` header (RFC 7616 3.5).
#[must_use]
pub fn next_nonce(header: &str) -> Option<String> {
    items(header).find_map(|item| match item {
        Item::Parameter { name, raw } if name.eq_ignore_ascii_case("nextnonce") && !raw.is_empty() => {
            Some(unescape(raw))
        }
        _ => None,
    })
}

/// Answers a challenge for one request. `nc` counts the uses of this nonce from 1; `cnonce` is random, and stays the same for a nonce
/// where the algorithm is a `-sess` one.
#[must_use]
pub fn answer(
    challenge: &Challenge,
    (username, password): (&str, &str),
    (method, uri): (&str, &str),
    nc: u32,
    cnonce: &str,
) -> Authorization {
    let algorithm = challenge.algorithm.unwrap_or_default();
    let counted = challenge.qop_auth;
    let mut authorization = Authorization {
        username: username.to_owned(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri.to_owned(),
        response: String::new(),
        algorithm: challenge.algorithm,
        qop_auth: counted,
        nc: if counted { nc } else { 0 },
        cnonce: if counted || algorithm.is_session() { cnonce.to_owned() } else { String::new() },
        opaque: challenge.opaque.clone(),
        nc_text: if counted { format!("{nc:08x}") } else { String::new() },
    };
    authorization.response = authorization.expected(method, password);
    authorization
}

/// Whether the sender knows the password. Takes the same time wherever the response differs. The nonce, its count, the realm, the user name
/// and the uri are for the caller to judge.
#[must_use]
pub fn verify(authorization: &Authorization, method: &str, password: &str) -> bool {
    let expected = authorization.expected(method, password);
    expected.as_bytes().ct_eq(authorization.response.to_ascii_lowercase().as_bytes()).into()
}

impl Authorization {
    /// The response that someone with this password sends (RFC 7616 3.4.1).
    fn expected(&self, method: &str, password: &str) -> String {
        let algorithm = self.algorithm.unwrap_or_default();
        let mut secret = algorithm.hash(&[&self.username, &self.realm, password]);
        if algorithm.is_session() {
            secret = algorithm.hash(&[&secret, &self.nonce, &self.cnonce]);
        }
        let request = algorithm.hash(&[method, &self.uri]);
        if self.qop_auth {
            algorithm.hash(&[&secret, &self.nonce, &self.nc_text, &self.cnonce, "auth", &request])
        } else {
            algorithm.hash(&[&secret, &self.nonce, &request])
        }
    }

    /// The value of an `Authorization` header.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut header = String::from("Digest ");
        push_quoted(&mut header, "username", &self.username);
        push_quoted(&mut header, "realm", &self.realm);
        push_quoted(&mut header, "nonce", &self.nonce);
        push_quoted(&mut header, "uri", &self.uri);
        push_quoted(&mut header, "response", &self.response);
        if let Some(algorithm) = self.algorithm {
            push_plain(&mut header, "algorithm", algorithm.name());
        }
        if self.qop_auth {
            push_plain(&mut header, "qop", "auth");
            push_plain(&mut header, "nc", &self.nc_text);
        }
        if self.qop_auth || !self.cnonce.is_empty() {
            push_quoted(&mut header, "cnonce", &self.cnonce);
        }
        push_opaque(&mut header, self.opaque.as_deref());
        header
    }
}

/// Reads the value of an `Authorization` header.
///
/// # Errors
/// When it is another scheme, lacks a parameter, names one twice, or asks for an algorithm or a qop that is not supported.
pub fn parse_authorization(header: &str) -> Result<Authorization, Malformed> {
    let mut items = items(header);
    match items.next() {
        Some(Item::Scheme(name)) if name.eq_ignore_ascii_case("digest") => {}
        _ => return Err(Malformed("not a digest")),
    }
    let mut found = Vec::new();
    for item in items {
        let Item::Parameter { name, raw } = item else { return Err(Malformed("malformed parameter")) };
        let name = name.to_ascii_lowercase();
        if found.iter().any(|(other, _)| *other == name) {
            return Err(Malformed("a parameter is there twice"));
        }
        if found.len() >= MOST_PARAMETERS {
            return Err(Malformed("too many parameters"));
        }
        found.push((name, raw));
    }
    let raw = |wanted: &str| found.iter().find(|(name, _)| name == wanted).map(|(_, raw)| *raw);
    let text = |wanted: &str| raw(wanted).map(unescape).ok_or(Malformed("a parameter is missing"));
    let algorithm = match raw("algorithm") {
        Some(name) => Some(Algorithm::named(name).ok_or(Malformed("unknown algorithm"))?),
        None => None,
    };
    let qop_auth = match raw("qop") {
        Some(qop) if qop.eq_ignore_ascii_case("auth") => true,
        Some(_) => return Err(Malformed("unknown qop")),
        None => false,
    };
    let (nc, nc_text) = if qop_auth {
        let digits = text("nc")?;
        if digits.len() != 8 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Malformed("nc is not a count"));
        }
        (u32::from_str_radix(&digits, 16).map_err(|_| Malformed("nc is not a count"))?, digits)
    } else {
        (0, String::new())
    };
    Ok(Authorization {
        username: text("username")?,
        realm: text("realm")?,
        nonce: text("nonce")?,
        uri: text("uri")?,
        response: text("response")?,
        algorithm,
        qop_auth,
        nc,
        cnonce: if qop_auth { text("cnonce")? } else { text("cnonce").unwrap_or_default() },
        opaque: raw("opaque").map(String::from),
        nc_text,
    })
}

/// More than any client sends: RFC 7616 knows a dozen.
const MOST_PARAMETERS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
    use proptest::prelude::*;

    fn challenge(header: &str) -> Challenge {
        let mut found = parse_challenges(header);
        assert_eq!(found.len(), 1, "{header}");
        found.remove(0)
    }

    /// RFC 2617 3.5.
    #[test]
    fn t12_answers_the_example_of_rfc_2617() {
        let challenge = challenge(
            r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
        );
        let answer = answer(&challenge, ("Mufasa", "Circle Of Life"), ("GET", "/dir/index.html"), 1, "0a4f113b");
        assert_eq!(answer.response, "6629fae49393a05397450978507c4ef1");
        assert_eq!(answer.opaque.as_deref(), Some("5ccc069c403ebaf9f0171e9517f40e41"));
        assert!(!answer.to_header().contains("algorithm"), "not named where the challenge does not");
    }

    /// RFC 7616 3.9.1.
    #[test]
    fn t12_answers_both_examples_of_rfc_7616() {
        let rest = r#"realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
        let header = format!("Digest algorithm=SHA-256, {rest}, Digest algorithm=MD5, {rest}");
        let challenges = parse_challenges(&header);
        let expected = [
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        ];
        assert_eq!(challenges.len(), 2, "the server's order of preference");
        for (challenge, (algorithm, response)) in challenges.iter().zip(expected) {
            assert_eq!(challenge.algorithm, Some(algorithm));
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let answer = answer(challenge, ("Mufasa", "Circle of Life"), ("GET", "/dir/index.html"), 1, cnonce);
            assert_eq!(answer.response, response);
        }
    }

    #[test]
    fn t12_agrees_with_another_implementation() {
        for algorithm in
            ["", ", algorithm=MD5", ", algorithm=MD5-sess", ", algorithm=SHA-256", ", algorithm=SHA-256-sess"]
        {
            for qop in [r#", qop="auth""#, ""] {
                if algorithm.ends_with("sess") && qop.is_empty() {
                    continue;
                }
                let header = format!(r#"Digest realm="CPE \"one\", two", nonce="n/1=="{qop}{algorithm}, opaque="o""#);
                let mut oracle = WwwAuthenticateHeader::parse(&header).unwrap();
                let mut context =
                    AuthContext::new_with_method("00D09E-Ä\"1", "p:w ü", "/acs?x=1", None::<&[u8]>, HttpMethod::POST);
                context.set_custom_cnonce("0123456789abcdef");
                for nc in 1..=3 {
                    let theirs = oracle.respond(&context).unwrap();
                    let ours = answer(
                        &challenge(&header),
                        ("00D09E-Ä\"1", "p:w ü"),
                        ("POST", "/acs?x=1"),
                        nc,
                        "0123456789abcdef",
                    );
                    assert_eq!(ours.response, theirs.response, "{header}");
                    assert!(verify(&parse_authorization(&theirs.to_string()).unwrap(), "POST", "p:w ü"), "{header}");
                }
            }
        }
    }

    #[test]
    fn an_answer_is_read_back_and_verified() {
        for algorithm in [None, Some(Algorithm::Md5Sess), Some(Algorithm::Sha256Sess)] {
            for qop_auth in [true, false] {
                let asked = Challenge {
                    realm: r#"a "b", c\d"#.into(),
                    nonce: "n".into(),
                    opaque: Some(r#"o\x\""#.into()),
                    algorithm,
                    qop_auth,
                    stale: true,
                };
                let read = challenge(&asked.to_header());
                assert_eq!(read, asked);
                let sent = answer(&read, ("u\"", "secret"), ("GET", "/"), 7, "c");
                let got = parse_authorization(&sent.to_header()).unwrap();
                assert_eq!(got, sent);
                assert_eq!(got.opaque, asked.opaque, "untouched");
                assert!(verify(&got, "GET", "secret"));
                assert!(!verify(&got, "GET", "secreT"));
                assert!(!verify(&got, "POST", "secret"));
                assert!(!verify(&Authorization { uri: "/x".into(), ..got.clone() }, "GET", "secret"));
                assert!(!verify(&Authorization { response: String::new(), ..got.clone() }, "GET", "secret"));
                assert!(!format!("{got:?}").contains(&got.response));
            }
        }
    }

    #[test]
    fn challenges_that_cannot_be_answered_are_left_out() {
        let header = r#"Negotiate, Digest realm="r", nonce="a", algorithm=SHA-512-256, Digest realm="r", Digest nonce="b", qop="auth-int", digest nonce=c, Basic realm="x""#;
        let found = parse_challenges(header);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].nonce.as_str(), found[0].qop_auth, found[0].stale), ("c", false, false));
        assert!(parse_challenges(r#"Basic realm="Digest nonce=x""#).is_empty());
    }

    #[test]
    fn broken_authorizations_are_refused() {
        let good =
            r#"Digest username="u", realm="r", nonce="n", uri="/", response="x", qop=auth, nc=00000001, cnonce="c""#;
        assert!(parse_authorization(good).is_ok());
        for broken in [
            "",
            "Digest",
            "Basic dTpw",
            &good.replace("Digest ", ""),
            &good.replace("username=\"u\", ", ""),
            &good.replace("nc=00000001", "nc=+0000001"),
            &good.replace("nc=00000001", "nc=1"),
            &good.replace("nc=00000001, ", ""),
            &good.replace(", cnonce=\"c\"", ""),
            &good.replace("qop=auth", "qop=auth-int"),
            &format!("{good}, nonce=\"m\""),
            &format!("{good}, algorithm=MD4"),
            &format!("{good} Basic"),
            &format!("{good}, opaque=\"open"),
        ] {
            assert!(parse_authorization(broken).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(header in r#"(Digest |Basic |realm=|nonce=|uri=|username=|response=|qop=|auth|nc=|00000001|cnonce=|opaque=|algorithm=|MD5-sess|["\\\\, =aü]){0,24}"#) {
            for challenge in parse_challenges(&header) {
                prop_assert_eq!(parse_challenges(&challenge.to_header()), std::slice::from_ref(&challenge));
                let sent = answer(&challenge, ("user", &header), ("POST", "/acs"), 1, "c");
                let read = parse_authorization(&sent.to_header()).unwrap();
                prop_assert!(verify(&read, "POST", &header));
                prop_assert_eq!(read, sent);
            }
            for text in [header.clone(), format!(r#"Digest username=u, realm="r", nonce=n, uri="/", response=x, {header}"#)] {
                if let Ok(read) = parse_authorization(&text) {
                    prop_assert_eq!(parse_authorization(&read.to_header()), Ok(read));
                }
            }
        }
    }

    #[test]
    fn finds_the_next_nonce() {
        assert_eq!(next_nonce(r#"qop=auth, nextnonce="a,b", nc=00000001"#).as_deref(), Some("a,b"));
        assert_eq!(next_nonce(r#"rspauth="", nextnonce="""#), None);
    }
}
