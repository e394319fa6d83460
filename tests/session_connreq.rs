//! Connection requests of an ACS to the program itself (CONFORMANCE section 12); the listener has tests of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use common::acs::{Acs, codes, told, wait_for};
use common::agent::{Agent, PASSWORD, PATH, USERNAME, status_of};

const URL: &str = "Device.ManagementServer.ConnectionRequestURL";

#[test]
fn c01_c16_url_is_random_and_stays() {
    let acs = Acs::start();
    let mut paths = Vec::new();
    for _ in 0..2 {
        let mut agent = Agent::new(&acs);
        agent.root.replace("/etc/config/cwmpd", &format!("\toption path '{PATH}'\n"), "");
        agent.start();
        let mut session = acs.session();
        let url = told(&session.inform, URL).unwrap().to_owned();
        session.inform_ok();
        assert_eq!(session.value(URL), url);
        let methods = session.value("Device.ManagementServer.SupportedConnReqMethods");
        assert_eq!(methods.split(',').next(), Some("HTTP"));
        assert_eq!(methods.split(',').any(|method| method == "STUN"), cfg!(feature = "stun"));
        assert_eq!(methods.split(',').any(|method| method == "XMPP"), cfg!(feature = "xmpp"));
        session.end();
        agent.wait_idle();
        agent.reboot();
        assert_eq!(told(&acs.serve(), URL), Some(url.as_str()));
        let path = url.strip_prefix(&format!("http://127.0.0.1:{}/", agent.port)).unwrap().to_owned();
        assert!(path.len() >= 16, "{path}");
        paths.push(path);
    }
    assert_ne!(paths[0], paths[1]);
}

#[test]
fn c02_c08_only_the_right_request_starts_a_session() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    assert_eq!(status_of(&agent.knock("/", "")), 404);
    let challenge = agent.knock(&format!("/{PATH}"), "");
    assert_eq!(status_of(&challenge), 401);
    assert!(challenge.contains("WWW-Authenticate: Digest ") && !challenge.contains("Basic"), "{challenge}");
    // cpe-user:cpe-secret-4711
    let basic = agent.knock(&format!("/{PATH}"), "Authorization: Basic Y3BlLXVzZXI6Y3BlLXNlY3JldC00NzEx\r\n");
    assert_eq!(status_of(&basic), 401);
    assert_eq!(agent.connection_request_as(USERNAME, "wrong"), 401);
    assert_eq!(agent.connection_request_as("nobody", PASSWORD), 401);
    let refused = agent.status()["last_refusal"].as_str().unwrap().to_owned();
    assert!(refused.contains("127.0.0.1"), "{refused}");
    assert!(agent.ok(&["status", "--last"]).contains("127.0.0.1"));
    assert_eq!(agent.status()["last_session"]["number"], 1);
    assert_eq!(agent.connection_request(), 200);
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    assert_eq!(agent.wait_idle()["last_session"]["number"], 2);
    assert!(!agent.log().contains(PASSWORD));
}

#[test]
fn c05_c06_several_requests_are_one_session() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let mut before = acs.connections();
    // The ACS does not answer until all of them are in: they come before or in the session.
    for _ in 0..4 {
        assert_eq!(agent.connection_request(), 200);
    }
    let mut session = acs.session();
    assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
    before += 1;
    session.inform_ok();
    session.end();
    let status = agent.wait_idle();
    // Those that came after the session had begun have one more, and only one (CONFORMANCE C-07).
    if status["pending_events"].as_array().is_some_and(|events| !events.is_empty()) || acs.connections() > before {
        assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
        agent.wait_idle();
    }
    assert_eq!(agent.status()["pending_events"].as_array().unwrap().len(), 0);
    assert_eq!(agent.status()["last_refusal"], "", "a challenge that was answered well is no refusal");
}

#[test]
fn c07_request_in_a_session_does_not_break_it() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(agent.connection_request(), 200);
    session.value(URL);
    session.end();
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["number"], 2);
    assert_eq!(status["pending_events"].as_array().unwrap().len(), 0);
}

#[test]
fn c12_request_while_the_acs_is_down() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    assert_eq!(agent.connection_request(), 200);
    acs.next().http("503 Service Unavailable", &[], b"");
    let inform = acs.serve();
    assert_eq!(codes(&inform), Vec::<&str>::new());
    assert_eq!(inform.retry_count, 1);
}

#[test]
fn c15_requests_switched_off_and_on() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[("Device.ManagementServer.HTTPConnectionRequestEnable", "xsd:boolean", "0")]);
    assert_eq!(session.value(URL), "", "what is set is what is read");
    session.end();
    wait_for("the closed port", || TcpStream::connect(agent.address()).err());
    wait_for("no URL", || (agent.status()["connection_request_url"] == "").then_some(()));
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, URL), Some(""));
    agent.wait_idle();
    agent.ok(&["set", "Device.ManagementServer.HTTPConnectionRequestEnable=1"]);
    assert_eq!(agent.connection_request(), 200);
}

#[test]
fn c01_credentials_are_made_at_the_first_start() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    for option in [format!("\toption username '{USERNAME}'\n"), format!("\toption password '{PASSWORD}'\n")] {
        agent.root.replace("/etc/config/cwmpd", &option, "");
    }
    // As a package or an editor may leave it; from now on there is a secret in it.
    let file = agent.root.at("/etc/config/cwmpd");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    agent.start();
    acs.serve();
    let config = agent.root.read("/etc/config/cwmpd");
    let option = |name: &str| {
        let line = config.lines().find_map(|line| line.trim().strip_prefix(&format!("option {name} "))).unwrap();
        line.trim_matches('\'').to_owned()
    };
    let (username, password) = (option("username"), option("password"));
    assert!(!username.is_empty() && password.len() >= 16);
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    agent.wait_idle();
    assert_eq!(agent.connection_request_as(&username, &password), 200);
    assert!(!agent.log().contains(&password));
}

/// A quote that is forgotten costs the credentials until it is there, or until the next start, and not for ever.
#[test]
fn c01_credentials_that_could_not_be_written_are_made_at_the_next_start() {
    for restarts in [true, false] {
        let acs = Acs::start();
        let mut agent = Agent::new(&acs);
        for option in [format!("\toption username '{USERNAME}'\n"), format!("\toption password '{PASSWORD}'\n")] {
            agent.root.replace("/etc/config/cwmpd", &option, "");
        }
        let good = agent.root.read("/etc/config/cwmpd");
        agent.root.write("/etc/config/cwmpd", format!("{good}\toption description 'it\n"));
        agent.start();
        acs.serve();
        agent.wait_log("are not saved");
        agent.wait_idle();
        if restarts {
            agent.stop();
        }
        agent.root.write("/etc/config/cwmpd", good);
        if restarts {
            agent.start();
        }
        wait_for("the credentials in the configuration", || {
            let config = agent.root.read("/etc/config/cwmpd");
            ["username", "password"].iter().all(|name| config.contains(&format!("\toption {name} '"))).then_some(())
        });
    }
}

/// Whoever has the port, the agent goes on and takes it when it is free.
#[test]
fn port_that_is_taken_harms_nothing_else() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    let taken = TcpListener::bind(agent.address()).unwrap();
    agent.start();
    let inform = acs.serve();
    assert_eq!(told(&inform, URL), Some(""));
    drop(taken);
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert!(told(&inform, URL).unwrap().ends_with("/knock"));
}

/// A wrong port that is put right: the wait before the wrong one is tried again is none for the right one.
#[test]
fn another_port_than_the_one_that_is_taken_is_tried_at_once() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    agent.option("cpe", "listen_port", &taken.local_addr().unwrap().port().to_string());
    agent.start();
    assert_eq!(told(&acs.serve(), URL), Some(""));
    agent.wait_idle();
    agent.option("cpe", "listen_port", &agent.port.to_string());
    // The wrong one is tried again after 10 s.
    let deadline = Instant::now() + Duration::from_secs(8);
    wait_for("the other port", || {
        assert!(Instant::now() < deadline, "it waits for the port that is taken");
        TcpStream::connect(agent.address()).ok()
    });
}
