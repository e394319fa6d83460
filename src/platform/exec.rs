//! Running a program: directly, never through a shell, with a deadline, limits and nothing left behind.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

use super::{Output, Program, files};

/// What a program finds as its `PATH`.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// The variable that tells a program which directory is the root, where it is not `/`.
const ROOT: &str = "CWMPD_ROOT";

/// How much of standard error is kept, in bytes.
const STDERR: usize = 1024;

/// The longest time until the end of a program is noticed that leaves its pipes to another process.
const NOTICE: Duration = Duration::from_millis(50);

/// The shortest time between two looks at a program.
const SHORTEST: Duration = Duration::from_millis(1);

/// How many times a pipe is read before the deadline is looked at again; together more than a pipe holds.
const READS: usize = 32;

/// How long a program that is being replaced on the disk is waited for.
const BUSY: Duration = Duration::from_millis(500);

/// Between two attempts to start it.
const AGAIN: Duration = Duration::from_millis(10);

/// This program, whatever has become of its file.
const OWN: &str = "/proc/self/exe";

/// Its first argument when another program is to take its place: see [`instead`]. It is not for people.
const INSTEAD: &str = "--instead";

/// Whether this program asks [`instead`] first. One that does not, such as a test, would do its own work once more.
static ASKS: AtomicBool = AtomicBool::new(false);

/// How it ends when that cannot be run, as a shell does.
const NOT_RUN: u8 = 127;

/// Runs the programs of a root, and counts them.
#[derive(Debug)]
pub struct Runner {
    root: PathBuf,
    started: AtomicU32,
}

impl Runner {
    /// For the programs beneath this directory.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), started: AtomicU32::new(0) }
    }

    /// The directory that is the root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many programs have been started.
    #[must_use]
    pub fn started(&self) -> u32 {
        self.started.load(Ordering::Relaxed)
    }

    /// Runs a program of the root and waits for its end, or kills it and all of its process group at the deadline.
    ///
    /// # Errors
    /// `NotFound` where there is no such program, `TimedOut` at the deadline, `FileTooLarge` when it writes more than its limit,
    /// else as the system says. A program that fails by its exit status is not an error here.
    pub fn run(&self, program: &Program<'_>) -> io::Result<Output> {
        let now = Instant::now();
        let end = now.checked_add(program.deadline).unwrap_or(now);
        let mut running = Running::start(&self.root, program, end)?;
        self.started.fetch_add(1, Ordering::Relaxed);
        let result = running.talk(program, end);
        if result.is_err() {
            running.kill();
        }
        result
    }
}

impl Runner {
    /// Starts a program that must not be disturbed: it has its own process group, nothing on its standard input, and a file for what it
    /// writes, so that neither a deadline nor the end of this process reaches it.
    ///
    /// # Errors
    /// `NotFound` where there is no such program, else as the system says.
    pub fn launch(&self, argv: &[&str], output: File) -> io::Result<Child> {
        let child = spawn(&self.root, argv, Instant::now(), &|command| {
            command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
            Ok(())
        })?;
        self.started.fetch_add(1, Ordering::Relaxed);
        Ok(child)
    }
}

/// Starts a program of the root, with its files as `prepare` has them. One that is being replaced is waited for until `patience`.
///
/// A program begins with the signals blocked that its parent has blocked, and so does all that it leaves running: the service of an init script
/// without procd could never be stopped. To let them through in a thread of this process, even for a moment, would end it if one came. So it is
/// this program again that is started, which lets them through and the other take its place.
fn spawn(
    root: &Path,
    argv: &[&str],
    patience: Instant,
    prepare: &dyn Fn(&mut Command) -> io::Result<()>,
) -> io::Result<Child> {
    let blocked = || SigSet::thread_get_mask().is_ok_and(|blocked| blocked.iter().next().is_some());
    let mut by_own = ASKS.load(Ordering::Relaxed) && blocked();
    loop {
        let mut command = command(root, argv, by_own)?;
        prepare(&mut command)?;
        match command.spawn() {
            // An emulator runs this program, and the kernel cannot.
            Err(error) if by_own && error.raw_os_error() == Some(Errno::ENOEXEC as i32) => by_own = false,
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < patience => {
                thread::sleep(AGAIN);
            }
            other => return other,
        }
    }
}

/// Lets another program take the place of this one, with no signal blocked, if that is what the arguments of this process say: `--instead`, its path,
/// its name and its arguments. Returns then only if it cannot be run; `None` where they say something else.
///
/// The first thing that a program with an agent in it does: only one that has asked is started for that.
#[must_use]
pub fn instead(arguments: &[OsString]) -> Option<ExitCode> {
    let (program, name, arguments) = match arguments {
        [_, mark, program, name, arguments @ ..] if mark == INSTEAD => (program, name, arguments),
        _ => {
            ASKS.store(true, Ordering::Relaxed);
            return None;
        }
    };
    let now = Instant::now();
    let patience = now.checked_add(BUSY).unwrap_or(now);
    let error = loop {
        let error = match SigSet::empty().thread_set_mask() {
            Ok(()) => Command::new(program).arg0(name).args(arguments).exec(),
            Err(error) => error.into(),
        };
        if error.kind() != ErrorKind::ExecutableFileBusy || Instant::now() >= patience {
            break error;
        }
        thread::sleep(AGAIN);
    };
    // There is nobody to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "cannot run {}: {error}", name.to_string_lossy());
    Some(ExitCode::from(NOT_RUN))
}

/// A program of the root with its arguments, in a process group and an environment of its own; `by_own` starts it by way of this program.
fn command(root: &Path, argv: &[&str], by_own: bool) -> io::Result<Command> {
    let Some((name, arguments)) = argv.split_first() else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "no program is named"));
    };
    let program = files::resolve(root, name, true)?;
    let mut command = if by_own {
        // What would be an error of the start is seen before it.
        if fs::metadata(&program)?.permissions().mode() & 0o111 == 0 {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let own = std::env::current_exe().ok().filter(|own| own.exists()).unwrap_or_else(|| PathBuf::from(OWN));
        let mut command = Command::new(own);
        command.arg(INSTEAD).arg(program).arg(name);
        command
    } else {
        let mut command = Command::new(program);
        // Its own name, since busybox goes by that.
        command.arg0(name);
        command
    };
    command.args(arguments).current_dir("/").env_clear().env("PATH", PATH).process_group(0);
    if root != Path::new("/") {
        command.env(ROOT, root);
    }
    Ok(command)
}

/// A started program and its three pipes; each goes when it is done with.
struct Running {
    child: Child,
    stdin: Option<std::process::ChildStdin>,
    stdout: Option<std::process::ChildStdout>,
    stderr: Option<std::process::ChildStderr>,
}

impl Running {
    fn start(root: &Path, program: &Program<'_>, end: Instant) -> io::Result<Self> {
        let patience = end.min(Instant::now() + BUSY);
        let mut child = spawn(root, program.argv, patience, &|command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            Ok(())
        })?;
        Ok(Self { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take(), child })
    }

    /// Feeds the input and takes the output until the program has ended.
    fn talk(&mut self, program: &Program<'_>, end: Instant) -> io::Result<Output> {
        let mut input = program.input;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut pause = SHORTEST;
        self.do_not_block()?;
        loop {
            // First whether it has ended, then what it left in the pipes: so nothing written before its end is missed.
            let ended = self.child.try_wait()?;
            self.feed(&mut input);
            take(&mut self.stdout, &mut stdout, program.limit, true)?;
            take(&mut self.stderr, &mut stderr, STDERR, false)?;
            if let Some(status) = ended {
                // A process that it has left behind may keep the pipes open for ever; nobody waits for that.
                return Ok(Output { status: status.code().filter(|_| status.signal().is_none()), stdout, stderr });
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::from(ErrorKind::TimedOut));
            }
            // After its pipes have closed a program is usually gone within a moment.
            pause = if self.wait(pause.min(left))? { SHORTEST } else { (pause * 2).min(NOTICE) };
        }
    }

    fn do_not_block(&self) -> io::Result<()> {
        let pipes = [
            self.stdin.as_ref().map(AsFd::as_fd),
            self.stdout.as_ref().map(AsFd::as_fd),
            self.stderr.as_ref().map(AsFd::as_fd),
        ];
        for pipe in pipes.into_iter().flatten() {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(())
    }

    /// Waits until a pipe can go on, or for this long; says whether one can.
    fn wait(&self, longest: Duration) -> io::Result<bool> {
        let mut fds = Vec::with_capacity(3);
        fds.extend(self.stdin.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
        fds.extend(self.stdout.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        fds.extend(self.stderr.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        let milliseconds = u16::try_from(longest.as_millis()).unwrap_or(u16::MAX).max(1);
        match poll(&mut fds, PollTimeout::from(milliseconds)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what the pipe takes, and closes it after the last byte or when nobody reads it.
    fn feed(&mut self, input: &mut &[u8]) {
        while let Some(pipe) = self.stdin.as_mut().filter(|_| !input.is_empty()) {
            match pipe.write(input) {
                Ok(count) => *input = input.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.stdin = None;
    }

    /// Ends the program with all that it has started, and reaps it.
    fn kill(mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // The group lives as long as the child has not been reaped, and that is done below.
            if matches!(self.child.try_wait(), Ok(None)) {
                let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
            }
        }
        (self.stdin, self.stdout, self.stderr) = (None, None, None);
        let patience = Instant::now() + Duration::from_secs(1);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() >= patience {
                log::warn!("process {} does not end after SIGKILL", self.child.id());
                let mut child = self.child;
                let _ = thread::Builder::new().spawn(move || child.wait());
                return;
            }
            thread::sleep(SHORTEST);
        }
    }
}

/// Takes what a pipe has, up to `limit`; closes the pipe at its end. Beyond the limit it is an error if `strict`, else thrown away.
fn take<R: Read>(pipe: &mut Option<R>, taken: &mut Vec<u8>, limit: usize, strict: bool) -> io::Result<()> {
    let mut buffer = [0; 4096];
    for _ in 0..READS {
        let Some(open) = pipe.as_mut() else { break };
        match open.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(count) => {
                let room = limit.saturating_sub(taken.len()).min(count);
                taken.extend_from_slice(buffer.get(..room).unwrap_or_default());
                if room < count && strict {
                    return Err(io::Error::from(ErrorKind::FileTooLarge));
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A root with one program.
    fn root(script: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        directory
    }

    fn run(root: &Path, program: &Program<'_>) -> io::Result<Output> {
        Runner::new(root).run(program)
    }

    fn program<'a>(argv: &'a [&'a str], input: &'a [u8]) -> Program<'a> {
        Program { argv, input, deadline: Duration::from_secs(20), limit: 1 << 20 }
    }

    #[test]
    fn arguments_reach_the_program_as_they_are() {
        let root = root(
            r#"printf '%s|' "$@"; pwd; env | sort | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=; echo trouble >&2; exit 3"#,
        );
        let argv = ["/program", "a b", "$(reboot)", "`id`; rm -rf /", "", "\"'\\\n"];
        let output = run(root.path(), &program(&argv, b"")).unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let variables = format!("PATH={PATH}\n");
        let wanted =
            format!("a b|$(reboot)|`id`; rm -rf /||\"'\\\n|/\nCWMPD_ROOT={}\n{variables}", root.path().display());
        assert_eq!(stdout, wanted);
        assert_eq!((output.status, output.stderr), (Some(3), b"trouble\n".to_vec()));
    }

    #[test]
    fn full_pipes_in_all_directions_do_not_block() {
        let root = root("head -c 300000 /dev/zero >&2; cat; head -c 300000 /dev/zero >&2");
        let input = vec![b'x'; 500_000];
        let output = run(root.path(), &program(&["/program"], &input)).unwrap();
        assert_eq!((output.status, output.stdout.len(), output.stderr.len()), (Some(0), 500_000, STDERR));
    }

    #[test]
    fn a_program_that_does_not_read_its_input_is_no_error() {
        let root = root("exec <&-; echo done");
        let input = vec![b'x'; 500_000];
        assert_eq!(run(root.path(), &program(&["/program"], &input)).unwrap().stdout, b"done\n");
    }

    #[test]
    fn too_much_output_ends_the_program() {
        let root = root("exec cat /dev/zero");
        let error = run(root.path(), &Program { limit: 10_000, ..program(&["/program"], b"") }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let root = self::root("exec cat /dev/zero >&2");
        let short = Program { deadline: Duration::from_millis(200), ..program(&["/program"], b"") };
        assert_eq!(run(root.path(), &short).unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn at_the_deadline_the_whole_group_is_killed() {
        let root = root("sleep 1000 & echo $! >\"$CWMPD_ROOT/pid\"; wait");
        let begin = Instant::now();
        let short = Program { deadline: Duration::from_millis(500), ..program(&["/program"], b"") };
        assert_eq!(run(root.path(), &short).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begin.elapsed() < Duration::from_secs(10));
        let pid = fs::read_to_string(root.path().join("pid")).unwrap();
        let stat = format!("/proc/{}/stat", pid.trim());
        // Once killed it waits for whoever adopted it; a zombie is as good as gone.
        let patience = Instant::now() + Duration::from_secs(10);
        while fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z ")) {
            assert!(Instant::now() < patience, "still there");
            thread::yield_now();
        }
    }

    #[test]
    fn a_process_left_behind_is_not_waited_for() {
        let root = root("sleep 5 & echo started");
        let begin = Instant::now();
        let output = run(root.path(), &program(&["/program"], b"")).unwrap();
        assert_eq!(output.stdout, b"started\n");
        assert!(begin.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn a_signal_is_no_exit_status() {
        let root = root("kill -9 $$");
        assert_eq!(run(root.path(), &program(&["/program"], b"")).unwrap().status, None);
    }

    #[test]
    fn what_does_not_exist_is_not_found() {
        let root = root("");
        assert_eq!(run(root.path(), &program(&["/bin/sh"], b"")).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(run(root.path(), &program(&["program"], b"")).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(run(root.path(), &program(&[], b"")).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(run(root.path(), &program(&["/program", "nul\0byte"], b"")).is_err());
    }

    #[test]
    fn many_run_at_once() {
        let root = root("cat");
        thread::scope(|scope| {
            for number in 0..16_u8 {
                let root = root.path();
                scope.spawn(move || {
                    let input = vec![number; 100_000];
                    assert_eq!(run(root, &program(&["/program"], &input)).unwrap().stdout, input);
                });
            }
        });
    }
}
