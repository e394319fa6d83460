//! What the tests of transfers share: requests of the ACS, a file server, and the results.

use cwmpd::soap::rpc::{Download, Message, ScheduleDownload, TimeWindow, TransferComplete, TransferStarted, Upload};

use super::acs::{Acs, Session, codes, wait_for};
use super::agent::Agent;
use super::http_server::{Act, Received, Server, reply};
use super::root::RouterRoot;

pub const FIRMWARE: &str = "1 Firmware Upgrade Image";
pub const SETTINGS: &str = "3 Vendor Configuration File";
pub const LOG: &str = "2 Vendor Log File";
pub const UNKNOWN_TIME: &str = "0001-01-01T00:00:00Z";

/// Settings that do no harm, as UCI text.
pub const SETTINGS_TEXT: &str = "package cwmpd_test\n\nconfig sample 'one'\n\toption colour 'green'\n";

/// A Download without delay and credentials.
pub fn download(key: &str, file_type: &str, url: &str) -> Message {
    let download =
        Download { command_key: key.into(), file_type: file_type.into(), url: url.into(), ..Download::default() };
    Message::Download(Box::new(download))
}

/// A Download after a delay.
pub fn download_later(key: &str, file_type: &str, url: &str, delay_seconds: u32) -> Message {
    let Message::Download(mut it) = download(key, file_type, url) else { panic!("no Download") };
    it.delay_seconds = delay_seconds;
    Message::Download(it)
}

/// An Upload without delay and credentials.
pub fn upload(key: &str, file_type: &str, url: &str) -> Message {
    let upload = Upload { command_key: key.into(), file_type: file_type.into(), url: url.into(), ..Upload::default() };
    Message::Upload(Box::new(upload))
}

/// A ScheduleDownload with these windows.
pub fn schedule(key: &str, file_type: &str, url: &str, windows: Vec<TimeWindow>) -> Message {
    Message::ScheduleDownload(Box::new(ScheduleDownload {
        command_key: key.into(),
        file_type: file_type.into(),
        url: url.into(),
        windows,
        ..ScheduleDownload::default()
    }))
}

/// A time window.
pub fn window(start: u32, end: u32, mode: &str, max_retries: i32) -> TimeWindow {
    TimeWindow { start, end, mode: mode.into(), user_message: String::new(), max_retries }
}

/// A server that has the same file under every name.
pub fn file_server(content: impl AsRef<[u8]>) -> Server {
    let content = content.as_ref().to_vec();
    Server::start(move |request| answer(request, &content))
}

/// Gives a file, or takes one.
pub fn answer(request: &Received, content: &[u8]) -> Act {
    match reply(if request.line.starts_with("PUT") { "201 Created" } else { "200 OK" }, &["Connection: close"], content)
    {
        Act::Send(bytes) => Act::SendAndClose(bytes),
        other => other,
    }
}

/// Takes the answer to a request that is done later.
pub fn queued(answer: &Message) {
    let started = |it: &TransferStarted| {
        assert_eq!(it.status, 1);
        assert_eq!((it.start_time.as_str(), it.complete_time.as_str()), (UNKNOWN_TIME, UNKNOWN_TIME));
    };
    match answer {
        Message::DownloadResponse(it) | Message::UploadResponse(it) => started(it),
        Message::ScheduleDownloadResponse => {}
        other => panic!("{other:?}"),
    }
}

/// The TransferCompletes at the beginning of a session whose Inform was answered; the last request is still to be answered.
pub fn results(session: &mut Session<'_>) -> Vec<TransferComplete> {
    let mut results = Vec::new();
    while !session.pending().is_empty() {
        let Message::TransferComplete(result) = session.pending().message() else {
            panic!("{:?}", session.pending().message())
        };
        results.push((**result).clone());
        session.take().reply_message(Message::TransferCompleteResponse);
        session.next();
    }
    results
}

/// Sends a request in a session of its own.
pub fn order(agent: &Agent, acs: &Acs, request: Message) {
    order_all(agent, acs, vec![request]);
}

/// Sends requests in a session of their own.
pub fn order_all(agent: &Agent, acs: &Acs, requests: Vec<Message>) {
    let mut session = super::agent::again(agent, acs);
    for request in requests {
        queued(&session.request(request));
    }
    session.end();
}

/// The next session has to tell the end of transfers: their results, and the codes of its Inform.
pub fn told(acs: &Acs) -> (Vec<String>, Vec<TransferComplete>) {
    let mut session = acs.session();
    session.inform_ok();
    let results = results(&mut session);
    let inform = session.end();
    (codes(&inform).into_iter().map(String::from).collect(), results)
}

/// The next session tells the end of one transfer.
pub fn told_one(acs: &Acs) -> TransferComplete {
    let (_, mut results) = told(acs);
    assert_eq!(results.len(), 1, "{results:?}");
    results.remove(0)
}

/// A sysupgrade as the tests need it. An image says its version in a line `version ...`; one that says CORRUPT is refused by the trial, and one that says
/// UNWRITTEN is not written. What was written runs after [`reboot`].
const SYSUPGRADE: &str = "for last; do :; done
case \" $* \" in
*' -T '*)
	grep -q CORRUPT \"$root$last\" && { echo 'Image check failed'; exit 1; }
	exit 0 ;;
*' -r '*) exec tar -C \"$root\" -xzf \"$root$last\" ;;
*' -b '*) exec tar -C \"$root\" -czf \"$root$last\" etc/config ;;
esac
grep -q UNWRITTEN \"$root$last\" && exit 0
mkdir -p \"$root/flash\"
# Flash is slow.
sleep 0.05
cp \"$root$last\" \"$root/flash/half\" && mv \"$root/flash/half\" \"$root/flash/image\"
sleep 0.05
";

/// Gives a router that sysupgrade.
pub fn install_sysupgrade(root: &RouterRoot) {
    root.write_recorder("/sbin/sysupgrade", SYSUPGRADE);
}

/// An image of this version.
pub fn image(version: &str) -> String {
    format!("an image\nversion {version}\n{}\n", "x".repeat(100_000))
}

/// What a power cycle does: agent and programs are gone, and the image that was written runs: without what no upgrade keeps.
pub fn reboot(agent: &mut Agent) {
    power_off(agent);
    power_on(agent);
}

/// The first half of [`reboot`].
pub fn power_off(agent: &mut Agent) {
    if agent.is_running() {
        agent.kill();
    }
    // Not only the programs that the agent has started: what those have started goes as well, or an image would be written without power.
    let root = agent.root.path().to_str().unwrap().to_owned();
    wait_for("the end of all programs", || {
        let mut any = false;
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&format!("{root}/")) {
                any = true;
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            }
        }
        (!any).then_some(())
    });
}

/// The second half of [`reboot`]; gives the version of an image that runs for the first time.
pub fn power_on(agent: &mut Agent) -> Option<String> {
    let root = &agent.root;
    let mut new = None;
    if root.at("/flash/image").exists() {
        let image = root.read("/flash/image");
        let version = image.lines().find_map(|line| line.strip_prefix("version ")).unwrap();
        new = Some(version.to_owned());
        let release = root.read("/etc/openwrt_release");
        let line = |line: &str| match line.split_once('=') {
            Some(("DISTRIB_RELEASE", _)) => format!("DISTRIB_RELEASE='{version}'\n"),
            _ => format!("{line}\n"),
        };
        root.write("/etc/openwrt_release", release.lines().map(line).collect::<String>());
        let _ = std::fs::remove_file(root.at("/etc/cwmpd.upgrading"));
        root.remove("/flash/image");
    }
    // What was in memory is gone.
    let _ = std::fs::remove_dir_all(root.at("/tmp/cwmpd"));
    root.reboot();
    agent.start();
    new
}

/// How often sysupgrade was called to write an image or to unpack settings.
pub fn applied(root: &RouterRoot) -> usize {
    let calls = root.calls();
    let is_one =
        |call: &&String| call.starts_with("/sbin/sysupgrade ") && !call.contains(" -T") && !call.contains(" -b");
    calls.iter().filter(is_one).count()
}
