//! A session with an ACS, on one machine and in one terminal: a sample router, the real agent, and a small ACS on the loopback interface.
//!
//! `cargo run --release --example demo` shows, step by step, what a provider does with a router, and ends with status 0 only if every step did
//! what it should.

#[path = "demo/acs.rs"]
mod acs;
#[path = "demo/files.rs"]
mod files;
#[path = "demo/firmware.rs"]
mod firmware;
#[path = "../tests/common/root.rs"]
mod root;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use acs::Acs;
use cwmpd::auth::digest;
use cwmpd::soap::rpc::{Inform, Message, ParameterValue, SetAttributes, SoapFault, Value};
use root::RouterRoot;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const PATIENCE: Duration = Duration::from_secs(20);
const SSID: &str = "Device.WiFi.SSID.1.SSID";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    // The example is its own agent, so that nothing else has to be built first.
    if arguments.get(1).is_some_and(|word| word == "agent") {
        let rest = arguments.into_iter().enumerate().filter(|(index, _)| *index != 1).map(|(_, word)| word);
        return cwmpd::cli::main(rest);
    }
    match demo() {
        Ok(()) => {
            println!("\nEvery step did what it should.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("\nThe demo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Outcome {
    let router = RouterRoot::new();
    let mut acs = Acs::new()?;
    let port = acs::free_port()?;
    router.write("/etc/config/cwmpd", configuration(acs.url(), port));
    println!("A sample router lies in {}, an ACS listens at {}.", router.path().display(), acs.url());

    title("First contact");
    let mut agent = Agent::start(&router)?;
    let inform = acs.begin()?;
    show(&inform);
    check(has(&inform, "0 BOOTSTRAP") && has(&inform, "1 BOOT"), "the first Inform says BOOTSTRAP and BOOT")?;
    let connection_request_url = value(&inform, "Device.ManagementServer.ConnectionRequestURL");

    title("The whole tree in one read");
    let Message::GetParameterValuesResponse(values) =
        acs.call(Message::GetParameterValues { names: vec!["Device.".into()] })?
    else {
        return Err("no GetParameterValuesResponse".into());
    };
    println!("  {} parameters; some of them:", values.len());
    for name in ["Device.DeviceInfo.ModelName", "Device.DeviceInfo.SoftwareVersion", SSID] {
        if let Some(parameter) = values.iter().find(|parameter| parameter.name == name) {
            println!("    {name} = {}", parameter.value.text);
        }
    }
    check(values.len() > 500, "more than 500 parameters came in one answer")?;

    title("Another name for the Wi-Fi, and a port mapping");
    let before = router.read("/etc/config/wireless");
    set(&mut acs, &[(SSID, "string", "Cafe <Nord>")])?;
    changed_lines("/etc/config/wireless", &before, &router.read("/etc/config/wireless"));
    let before = router.read("/etc/config/firewall");
    let object_name = String::from("Device.NAT.PortMapping.");
    let added = acs.call(Message::AddObject { object_name, parameter_key: "demo".into() })?;
    let Message::AddObjectResponse { instance_number, .. } = added else { return Err("no AddObjectResponse".into()) };
    let row = format!("Device.NAT.PortMapping.{instance_number}.");
    let name = |last: &str| format!("{row}{last}");
    set(
        &mut acs,
        &[
            (&name("Description"), "string", "web server"),
            (&name("AllInterfaces"), "boolean", "true"),
            (&name("Protocol"), "string", "TCP"),
            (&name("ExternalPort"), "unsignedInt", "8443"),
            (&name("InternalPort"), "unsignedInt", "443"),
            (&name("InternalClient"), "string", "192.168.1.20"),
            (&name("Enable"), "boolean", "true"),
        ],
    )?;
    changed_lines("/etc/config/firewall", &before, &router.read("/etc/config/firewall"));
    check(
        router.read("/etc/config/firewall").contains("web server"),
        "the port mapping is in the firewall's configuration",
    )?;

    title("A write that is refused, with a fault for each bad entry and nothing changed");
    let before = router.read("/etc/config/wireless");
    let refused = acs.call(set_message(&[
        (SSID, "string", "never stored"),
        ("Device.WiFi.SSID.1.Enable", "int", "7"),
        (&name("ExternalPort"), "unsignedInt", "70000"),
        ("Device.DeviceInfo.ModelName", "string", "other"),
        ("Device.NoSuchThing", "string", "x"),
    ]))?;
    let Message::Fault(SoapFault::Cwmp(fault)) = refused else { return Err("the write was not refused".into()) };
    println!("  {} {}", fault.code, fault.text);
    for parameter in &fault.parameters {
        println!("    {} {}: {}", parameter.code, parameter.name, parameter.text);
    }
    check(fault.parameters.len() == 4, "four entries are blamed")?;
    check(router.read("/etc/config/wireless") == before, "nothing was written")?;

    title("The ACS wants to hear of changes of the name");
    let watch = SetAttributes {
        name: SSID.into(),
        notification_change: true,
        notification: 2,
        access_list_change: false,
        access_list: Vec::new(),
    };
    check(acs.call(Message::SetParameterAttributes(vec![watch]))? == Message::SetParameterAttributesResponse, "done")?;
    acs.end()?;
    wait("services hear of the changes, once", || router.calls().iter().any(|call| call.contains("reload_config")))?;

    title("A connection request");
    println!("  GET {connection_request_url}");
    connection_request(&connection_request_url)?;
    let inform = acs.begin()?;
    show(&inform);
    check(has(&inform, "6 CONNECTION REQUEST"), "the agent called back at once")?;
    acs.end()?;

    title("Somebody changes the name on the router itself");
    router.replace("/etc/config/wireless", "Cafe <Nord>", "Home");
    let inform = acs.begin()?;
    show(&inform);
    check(has(&inform, "4 VALUE CHANGE"), "the ACS hears of it")?;
    check(value(&inform, SSID) == "Home", "with the new value")?;

    title("A reboot");
    check(acs.call(Message::Reboot { command_key: "tonight".into() })? == Message::RebootResponse, "promised")?;
    acs.end()?;
    wait("/sbin/reboot is called, after the session", || {
        router.calls().iter().any(|call| call.contains("/sbin/reboot"))
    })?;
    agent.stop()?;
    router.reboot();
    let mut agent = Agent::start(&router)?;
    let inform = acs.begin()?;
    show(&inform);
    check(has(&inform, "1 BOOT") && has(&inform, "M Reboot"), "it reports BOOT and M Reboot with its CommandKey")?;
    check(!has(&inform, "0 BOOTSTRAP"), "and no BOOTSTRAP")?;

    firmware::new_firmware(&router, &mut acs, &mut agent)?;
    agent.stop()
}

fn configuration(url: &str, port: u16) -> String {
    format!(
        "config acs 'acs'\n\toption url '{url}'\n\toption periodic_interval '86400'\n\n\
         config cpe 'cpe'\n\toption listen_address '127.0.0.1'\n\toption listen_port '{port}'\n\
         \toption username 'acs'\n\toption password 'let me in'\n"
    )
}

/// The agent, in a process of its own.
struct Agent(Child);

impl Agent {
    fn start(router: &RouterRoot) -> Result<Self, Box<dyn std::error::Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("agent").arg("--root").arg(router.path()).args(["--stderr", "--log-level", "err", "run"]);
        Ok(Self(command.stdin(Stdio::null()).spawn()?))
    }

    /// As a reboot ends it: without a word.
    fn stop(&mut self) -> Outcome {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

fn set_message(values: &[(&str, &str, &str)]) -> Message {
    let parameter = |(name, kind, text): &(&str, &str, &str)| ParameterValue {
        name: String::from(*name),
        value: Value { kind: Some(String::from(*kind)), text: String::from(*text) },
    };
    Message::SetParameterValues { parameters: values.iter().map(parameter).collect(), parameter_key: "demo".into() }
}

fn set(acs: &mut Acs, values: &[(&str, &str, &str)]) -> Outcome {
    for (name, _, value) in values {
        println!("  set {name} = {value}");
    }
    match acs.call(set_message(values))? {
        Message::SetParameterValuesResponse { status } => {
            println!("  accepted, Status {status}");
            Ok(())
        }
        other => Err(format!("refused: {other:?}").into()),
    }
}

/// Asks for a session as an ACS does: a GET, the challenge, and the GET again with a digest.
fn connection_request(url: &str) -> Outcome {
    let rest = url.strip_prefix("http://").ok_or("no http URL")?;
    let (host, path) = rest.split_once('/').ok_or("no path")?;
    let path = format!("/{path}");
    let get = |authorization: &str| -> Result<String, Box<dyn std::error::Error>> {
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{authorization}\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        println!("  {}", answer.lines().next().unwrap_or_default());
        Ok(answer)
    };
    let challenge = get("")?;
    let header = challenge.lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).ok_or("no challenge")?;
    let challenge = digest::parse_challenges(header).into_iter().next().ok_or("no digest challenge")?;
    let answer = digest::answer(&challenge, ("acs", "let me in"), ("GET", &path), 1, "0a4f113b");
    let answer = get(&format!("Authorization: {}\r\n", answer.to_header()))?;
    check(answer.starts_with("HTTP/1.1 200"), "the request was taken")
}

fn title(text: &str) {
    println!("\n== {text}");
}

fn check(good: bool, what: &str) -> Outcome {
    if good {
        println!("  ok: {what}");
        return Ok(());
    }
    Err(format!("not so: {what}").into())
}

fn wait(what: &str, done: impl Fn() -> bool) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > deadline {
            return Err(format!("did not happen in {} s: {what}", PATIENCE.as_secs()).into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    check(true, what)
}

fn has(inform: &Inform, code: &str) -> bool {
    inform.events.iter().any(|event| event.code == code)
}

fn value(inform: &Inform, name: &str) -> String {
    let found = inform.parameters.iter().find(|parameter| parameter.name == name);
    found.map(|parameter| parameter.value.text.clone()).unwrap_or_default()
}

fn show(inform: &Inform) {
    let id = &inform.device_id;
    println!(
        "  Inform from {} {} {}, RetryCount {}",
        id.manufacturer, id.product_class, id.serial_number, inform.retry_count
    );
    for event in &inform.events {
        match event.command_key.as_str() {
            "" => println!("    event {}", event.code),
            key => println!("    event {} (CommandKey {key})", event.code),
        }
    }
    for parameter in &inform.parameters {
        println!("    {} = {}", parameter.name, parameter.value.text);
    }
}

/// The lines that an edit took away and added.
fn changed_lines(file: &str, before: &str, after: &str) {
    println!("  {file}:");
    for line in before.lines().filter(|line| !after.lines().any(|other| other == *line)) {
        println!("    - {}", line.trim());
    }
    for line in after.lines().filter(|line| !before.lines().any(|other| other == *line)) {
        println!("    + {}", line.trim());
    }
}
