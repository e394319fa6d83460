//! The way through NAT against a server and a NAT that are a few lines each.

use super::super::lifetime::PATIENCE;
use super::super::stun::{ERROR_CODE, MAPPED_ADDRESS, MESSAGE_INTEGRITY};
use super::*;

const SERVER: &str = "203.0.113.1:3478";
const OTHER: &str = "203.0.113.2:3478";
const LOCAL: &str = "192.168.1.2:7547";
const OUTSIDE: &str = "198.51.100.1:40000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Scene {
    binding: Binding,
    now: Duration,
    number: u128,
}

fn scene(settings: Settings) -> Scene {
    let binding = Binding::new(settings, address(LOCAL));
    let mut scene = Scene { binding, now: seconds(1000), number: 0 };
    assert!(scene.binding.wants_servers());
    scene.binding.resolved(&[address(SERVER)], scene.now);
    scene
}

/// Nothing is to be found out: a request each 50 s.
fn steady() -> Settings {
    Settings { minimum: seconds(50), maximum: Some(seconds(50)), ..Settings::default() }
}

fn with_user() -> Settings {
    Settings { username: "router".into(), password: "secret".into(), ..steady() }
}

impl Scene {
    fn poll(&mut self) -> Vec<Datagram> {
        let number = &mut self.number;
        self.binding.poll(self.now, &mut || {
            *number += 1;
            number.to_be_bytes()
        })
    }

    /// The only datagram that is to be sent now.
    fn sent(&mut self) -> Datagram {
        let mut sent = self.poll();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    /// Lets time pass until something is to be sent; gives how long that was.
    fn wait(&mut self) -> (Duration, Datagram) {
        let begin = self.now;
        loop {
            self.now = self.binding.next_deadline().unwrap().max(self.now);
            let mut sent = self.poll();
            if let Some(datagram) = sent.pop() {
                assert_eq!(sent, []);
                return (self.now - begin, datagram);
            }
            assert!(!self.binding.wants_servers());
        }
    }

    fn receive(&mut self, by: Port, from: &str, bytes: &[u8]) {
        self.binding.received(by, address(from), bytes, self.now);
    }

    /// The server answers this request with this mapped address.
    fn answer(&mut self, request: &Datagram, mapped: &str) {
        self.receive(Port::Primary, SERVER, &response(request, mapped).finish());
    }

    /// The first exchanges, until the server knows of the first mapped address.
    fn begin(&mut self) {
        let request = self.sent();
        self.answer(&request, OUTSIDE);
        let request = self.sent();
        assert!(has(&request, BINDING_CHANGE));
        self.answer(&request, OUTSIDE);
    }
}

fn has(datagram: &Datagram, attribute: u16) -> bool {
    Message::parse(&datagram.bytes).unwrap().attribute(attribute).is_some()
}

fn response(request: &Datagram, mapped: &str) -> Builder {
    let id = Message::parse(&request.bytes).unwrap().id;
    Builder::new(Kind::Response, &id).address(MAPPED_ADDRESS, address(mapped))
}

fn error(request: &Datagram, code: [u8; 4]) -> Vec<u8> {
    let id = Message::parse(&request.bytes).unwrap().id;
    Builder::new(Kind::Error, &id).attribute(ERROR_CODE, &code).finish()
}

const UNAUTHORIZED: [u8; 4] = [0, 0, 4, 1];

#[test]
fn u01_u03_a_request_leaves_from_the_port_of_connection_requests_and_says_so() {
    let mut scene = scene(steady());
    let request = scene.sent();
    assert_eq!((request.by, request.to), (Port::Primary, address(SERVER)));
    let message = Message::parse(&request.bytes).unwrap();
    assert_eq!(message.attribute(CONNECTION_REQUEST_BINDING), Some(&TR_111[..]));
    for no in [BINDING_CHANGE, USERNAME, MESSAGE_INTEGRITY, RESPONSE_ADDRESS] {
        assert!(!has(&request, no));
    }
}

#[test]
fn u01_a_request_is_sent_again_as_the_rfc_says() {
    let mut scene = scene(steady());
    let begin = scene.now;
    let first = scene.sent();
    for after in [100, 300, 700, 1500, 3100, 4700, 6300, 7900] {
        assert_eq!(scene.binding.next_deadline(), Some(begin + Duration::from_millis(after)));
        assert_eq!(scene.wait().1, first, "the same bytes, with the same id");
    }
    scene.now = begin + Duration::from_millis(9500);
    assert_eq!(scene.poll(), []);
    assert_eq!(scene.binding.trouble(), "the STUN server 203.0.113.1:3478 does not answer");
    assert_eq!(scene.binding.next_deadline(), Some(scene.now + seconds(50)));
    scene.now += seconds(50);
    assert_eq!(scene.poll(), []);
    assert!(scene.binding.wants_servers(), "its address may be another one by then");
}

#[test]
fn u02_u03_another_mapped_address_is_told_at_once() {
    let mut scene = scene(steady());
    assert_eq!(scene.binding.mapped(), None);
    scene.begin();
    assert_eq!(scene.binding.mapped(), Some(address(OUTSIDE)));
    assert_eq!(scene.poll(), []);
    let (rest, request) = scene.wait();
    assert_eq!((rest, has(&request, BINDING_CHANGE)), (seconds(50), false));
    scene.answer(&request, "198.51.100.1:40001");
    assert_eq!(scene.binding.mapped(), Some(address("198.51.100.1:40001")));
    let request = scene.sent();
    assert!(has(&request, BINDING_CHANGE) && has(&request, CONNECTION_REQUEST_BINDING));
    scene.answer(&request, "198.51.100.1:40001");
    let (rest, request) = scene.wait();
    assert_eq!((rest, has(&request, BINDING_CHANGE)), (seconds(50), false), "once it has been heard");
}

#[test]
fn u04_a_nat_with_another_address_for_each_request_makes_no_storm() {
    let mut scene = scene(steady());
    scene.begin();
    let mut requests = 0;
    let end = scene.now + seconds(3600);
    while scene.now < end {
        let (_, request) = scene.wait();
        requests += 1;
        scene.answer(&request, &format!("198.51.100.1:{}", 41000 + requests));
    }
    assert!(requests <= 2 * 3600 / 50 + 2, "{requests}");
}

#[test]
fn u03_user_and_code_come_after_a_challenge_only() {
    let mut scene = scene(with_user());
    let request = scene.sent();
    scene.receive(Port::Primary, SERVER, &error(&request, UNAUTHORIZED));
    let again = scene.sent();
    let message = Message::parse(&again.bytes).unwrap();
    assert!(message.is_signed_with("secret"));
    assert_eq!(message.attribute(USERNAME), Some(&b"router  "[..]));
    assert_ne!(message.id, Message::parse(&request.bytes).unwrap().id);
    scene.receive(Port::Primary, SERVER, &response(&again, OUTSIDE).finish_signed("secret"));
    assert_eq!(scene.binding.mapped(), Some(address(OUTSIDE)));
    assert!(scene.binding.trouble().is_empty());
    let change = scene.sent();
    assert!(has(&change, BINDING_CHANGE) && Message::parse(&change.bytes).unwrap().is_signed_with("secret"));
}

#[test]
fn u03_credentials_that_are_refused_are_a_trouble_and_no_storm() {
    for settings in [with_user(), steady()] {
        let mut scene = scene(settings);
        let mut request = scene.sent();
        if !scene.binding.settings.username.is_empty() {
            scene.receive(Port::Primary, SERVER, &error(&request, UNAUTHORIZED));
            request = scene.sent();
        }
        scene.receive(Port::Primary, SERVER, &error(&request, UNAUTHORIZED));
        assert_eq!(scene.poll(), []);
        assert_eq!(scene.binding.trouble(), "the STUN server 203.0.113.1:3478 refuses requests: error 401");
        assert_eq!(scene.binding.next_deadline(), Some(scene.now + seconds(50)));
    }
}

#[test]
fn s23_answers_of_strangers_and_forged_ones_are_passed_over() {
    let mut scene = scene(with_user());
    let request = scene.sent();
    let good = response(&request, OUTSIDE).finish();
    scene.receive(Port::Primary, OTHER, &good);
    scene.receive(Port::Primary, "203.0.113.1:3479", &good);
    scene.receive(Port::Secondary, SERVER, &good);
    let mut wrong = good.clone();
    wrong[19] ^= 1;
    scene.receive(Port::Primary, SERVER, &wrong);
    scene.receive(Port::Primary, SERVER, good.split_last().unwrap().1);
    scene.receive(Port::Primary, SERVER, &request.bytes);
    scene.receive(Port::Primary, SERVER, b"GET / HTTP/1.1\r\n\r\n");
    scene.receive(Port::Primary, OTHER, &error(&request, UNAUTHORIZED));
    assert_eq!((scene.binding.mapped(), scene.poll()), (None, vec![]));
    scene.receive(Port::Primary, SERVER, &error(&request, UNAUTHORIZED));
    let request = scene.sent();
    for unproven in [
        response(&request, OUTSIDE).finish(),
        response(&request, OUTSIDE).finish_signed("guess"),
        Builder::new(Kind::Error, &Message::parse(&request.bytes).unwrap().id).finish_signed("guess"),
    ] {
        scene.receive(Port::Primary, SERVER, &unproven);
        assert_eq!((scene.binding.mapped(), scene.poll()), (None, vec![]));
    }
    scene.receive(Port::Primary, SERVER, &response(&request, OUTSIDE).finish_signed("secret"));
    assert_eq!(scene.binding.mapped(), Some(address(OUTSIDE)));
    scene.receive(Port::Primary, SERVER, &response(&request, "198.51.100.9:1").finish_signed("secret"));
    assert_eq!(scene.binding.mapped(), Some(address(OUTSIDE)), "an answer counts once");
}

#[test]
fn u01_the_next_address_of_the_server_is_tried() {
    let mut scene = scene(steady());
    scene.binding.resolved(&[address("[2001:db8::1]:3478"), address(OTHER), address(SERVER)], scene.now);
    let first = scene.sent();
    assert_eq!(first.to, address(OTHER));
    scene.receive(Port::Primary, OTHER, &error(&first, [0, 0, 5, 0]));
    let second = scene.sent();
    assert_eq!(second.to, address(SERVER));
    scene.answer(&second, OUTSIDE);
    assert_eq!(scene.binding.mapped(), Some(address(OUTSIDE)));
    scene.binding.resolved(&[address("[2001:db8::1]:3478")], scene.now);
    assert!(scene.binding.trouble().contains("family"));
}

#[test]
fn u01_pauses_grow_where_nobody_answers() {
    let mut scene = scene(Settings { minimum: seconds(20), ..Settings::default() });
    let mut pauses = Vec::new();
    for _ in 0..8 {
        scene.binding.unresolved("no such host", scene.now);
        assert_eq!(scene.binding.trouble(), "no such host");
        let until = scene.binding.next_deadline().unwrap();
        pauses.push((until - scene.now).as_secs());
        scene.now = until;
        assert_eq!(scene.poll(), []);
        assert!(scene.binding.wants_servers());
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600, 600]);
}

#[test]
fn u04_no_pause_is_longer_than_the_maximum() {
    let mut scene = scene(steady());
    for _ in 0..3 {
        scene.binding.unresolved("no such host", scene.now);
        assert_eq!(scene.binding.next_deadline(), Some(scene.now + seconds(50)));
    }
}

/// A NAT that forgets a way which has rested so long, and gives another port to the next one; the server sends answers where it is told to.
fn live_behind(nat: Duration, settings: Settings, time: Duration) -> (Scene, Vec<(Duration, Datagram)>) {
    let mut scene = scene(settings);
    let (mut port, mut used) = (40000, scene.now);
    let (end, mut log) = (scene.now + time, Vec::new());
    while scene.now < end {
        let (_, request) = scene.wait();
        log.push((scene.now, request.clone()));
        let alive = scene.now - used < nat;
        let message = Message::parse(&request.bytes).unwrap();
        match request.by {
            Port::Primary => {
                port += u32::from(!alive);
                used = scene.now;
                scene.answer(&request, &format!("198.51.100.1:{port}"));
            }
            Port::Secondary => {
                assert!(message.attribute(CONNECTION_REQUEST_BINDING).is_none(), "U-03");
                let to = message.attribute(RESPONSE_ADDRESS).unwrap();
                if alive && u32::from(u16::from_be_bytes([to[2], to[3]])) == port {
                    scene.answer(&request, "198.51.100.1:50000");
                }
            }
        }
    }
    (scene, log)
}

#[test]
fn u04_the_lifetime_is_found_by_the_secondary_port_and_the_way_kept_open() {
    let settings = Settings { minimum: seconds(10), maximum: Some(seconds(300)), ..Settings::default() };
    let (scene, log) = live_behind(seconds(100), settings, seconds(7200));
    let period = scene.binding.period();
    assert!(seconds(80) < period && period < seconds(100), "{period:?}");
    let asked: Vec<_> = log.iter().filter(|(_, request)| request.by == Port::Primary).collect();
    let mut last = None;
    for (at, request) in asked {
        if let Some(last) = last {
            let rest: Duration = *at - last;
            assert!(rest <= seconds(300));
            assert!(rest >= seconds(10) || has(request, BINDING_CHANGE), "{rest:?}");
        }
        last = Some(*at);
    }
    let late = log.iter().filter(|(at, _)| *at > seconds(1000 + 3600));
    assert!(late.clone().all(|(_, request)| request.by == Port::Primary && !has(request, BINDING_CHANGE)));
    assert!(late.count() < 50);
}

#[test]
fn u04_a_trial_is_over_before_the_way_has_rested_too_long() {
    let settings = Settings { minimum: seconds(10), maximum: Some(seconds(60)), ..Settings::default() };
    let (_, log) = live_behind(seconds(15), settings, seconds(3600));
    let asked: Vec<Duration> =
        log.iter().filter(|(_, request)| request.by == Port::Primary).map(|(at, _)| *at).collect();
    assert!(asked.windows(2).all(|two| two[1] - two[0] <= seconds(60)));
}

#[test]
fn u04_a_server_that_answers_only_where_it_was_asked_from_leaves_a_careful_period() {
    for error_instead in [false, true] {
        let mut scene = scene(Settings { minimum: seconds(10), ..Settings::default() });
        scene.begin();
        let (rest, trial) = scene.wait();
        assert_eq!((rest, trial.by), (Duration::ZERO, Port::Secondary));
        assert!(scene.binding.is_trying());
        let answer = match error_instead {
            true => error(&trial, [0, 0, 4, 20]),
            false => response(&trial, "198.51.100.1:50000").finish(),
        };
        scene.receive(Port::Secondary, SERVER, &answer);
        assert!(!scene.binding.is_trying());
        let (rest, request) = scene.wait();
        assert_eq!((rest, request.by), (seconds(30), Port::Primary));
        scene.answer(&request, OUTSIDE);
        assert_eq!(scene.wait().0, seconds(30));
    }
}

#[test]
fn u04_a_trial_has_its_patience() {
    let mut scene = scene(Settings { minimum: seconds(10), ..Settings::default() });
    scene.begin();
    let begin = scene.now;
    let mut sent = 0;
    while scene.now < begin + PATIENCE {
        let request = scene.wait().1;
        sent += u32::from(request.by == Port::Secondary);
    }
    assert_eq!(sent, u32::from(TRIAL_SENDINGS));
}
