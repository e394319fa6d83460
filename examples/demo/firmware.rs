//! New firmware, from the Download to the first session of the new image.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use cwmpd::soap::rpc::{Download, Message};

use super::acs::Acs;
use super::root::RouterRoot;
use super::{Agent, Outcome, PATIENCE, check, files, has, show, title, value};

const VERSION: &str = "25.12.0";
const KEY: &str = "to 25.12";
const SIZE: usize = 4 << 20;

/// What the router's sysupgrade does: nothing to object to, and a flash that takes it. In the end the real one restarts the router.
const SYSUPGRADE: &str = "[ \"$1\" = -T ] && exit 0
mkdir -p @ROOT@/flash && cp \"@ROOT@$1\" @ROOT@/flash/half && mv @ROOT@/flash/half @ROOT@/flash/image
";

/// Where that leaves an image.
const FLASH: &str = "/flash/image";

/// Begins in a session, in which the ACS sends the Download, and ends with the agent in the new image.
pub fn new_firmware(router: &RouterRoot, acs: &mut Acs, agent: &mut Agent) -> Outcome {
    title("New firmware");
    router.write_recorder("/sbin/sysupgrade", SYSUPGRADE);
    router.clear_calls();
    let url = format!("{}/openwrt-{VERSION}.bin", files::serve(vec![0xff; SIZE])?);
    println!("  Download of {url}, {SIZE} bytes");
    let download = Download {
        command_key: KEY.into(),
        file_type: "1 Firmware Upgrade Image".into(),
        url,
        username: files::USERNAME.into(),
        password: files::PASSWORD.into(),
        file_size: u32::try_from(SIZE)?,
        ..Download::default()
    };
    let Message::DownloadResponse(started) = acs.call(Message::Download(Box::new(download)))? else {
        return Err("no DownloadResponse".into());
    };
    check(started.status == 1, "promised: it begins when the session is over")?;
    acs.end()?;

    let told = watch(router)?;
    check(told > 1, "`cwmpd status` tells how far it is")?;
    let calls: Vec<String> = router.calls().into_iter().filter(|call| call.contains("sysupgrade")).collect();
    for call in &calls {
        println!("  {call}");
    }
    let tried = calls.first().is_some_and(|call| call.contains("sysupgrade -T"));
    check(tried && calls.len() == 2, "the image was tried before it was written")?;

    title("The new image runs");
    agent.stop()?;
    boot_new_image(router);
    *agent = Agent::start(router)?;
    let (inform, result) = acs.begin_with_result()?;
    show(&inform);
    println!("  TransferComplete: CommandKey {}, FaultCode {}", result.command_key, result.fault_code);
    println!("    StartTime {}, CompleteTime {}", result.start_time, result.complete_time);
    for code in ["1 BOOT", "4 VALUE CHANGE", "7 TRANSFER COMPLETE", "M Download"] {
        check(has(&inform, code), &format!("it reports {code}"))?;
    }
    let version = value(&inform, "Device.DeviceInfo.SoftwareVersion");
    check(version.starts_with(VERSION), "with the SoftwareVersion of the new image")?;
    check(result.command_key == KEY && result.fault_code == 0, "and that the Download has succeeded")?;
    acs.end()
}

/// Shows what `cwmpd status` says of the transfer until the image is written, and gives how many lines that were.
fn watch(router: &RouterRoot) -> Result<usize, Box<dyn std::error::Error>> {
    let deadline = Instant::now() + PATIENCE;
    let (mut lines, mut last) = (0, String::new());
    while !router.at(FLASH).exists() {
        if Instant::now() > deadline {
            return Err("the image was not written in time".into());
        }
        let status = Command::new(std::env::current_exe()?)
            .arg("agent")
            .arg("--root")
            .arg(router.path())
            .arg("status")
            .output()?;
        let status = String::from_utf8(status.stdout)?;
        if let Some(line) = status.lines().find(|line| line.starts_with("transfer:")).filter(|line| *line != last) {
            println!("  {line}");
            lines += 1;
            line.clone_into(&mut last);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(lines)
}

/// What is in the flash runs, with what sysupgrade has kept: the configuration and the state of the agent. The agent's mark is not among it.
fn boot_new_image(router: &RouterRoot) {
    router.remove(FLASH);
    router.replace("/etc/openwrt_release", "DISTRIB_RELEASE='24.10.2'", &format!("DISTRIB_RELEASE='{VERSION}'"));
    router.remove("/etc/cwmpd.upgrading");
    router.reboot();
}
