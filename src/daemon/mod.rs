//! The process: one poll loop that owns everything which lives as long as it does, and one worker at a time that has a session.
//!
//! ```text
//!   signals, clock, files, network, ubus, control socket, port 7547 --> poll loop --> Agent (events, plans, values, state)
//!                                                                          |            ^
//!                                                                          `--> session worker (one at a time)
//! ```
//!
//! Nothing is polled: between events the process sleeps until the next thing is due.

pub mod agent;
#[cfg(feature = "bulk-data")]
mod bulk_data;
mod bus;
pub mod control;
#[cfg(feature = "diagnostics")]
mod diagnostics;
pub mod guard;
#[cfg(feature = "lightweight")]
mod lightweight;
pub mod logging;
pub mod operations;
mod progress;
pub mod session;
pub mod standalone;
pub mod status;
pub mod trace;
pub mod transfers;
#[cfg(feature = "stun")]
mod udp;
#[cfg(feature = "speed-tests")]
mod udp_echo;
pub mod units;
#[cfg(feature = "xmpp")]
mod xmpp;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::LevelFilter;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{Mode, umask};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::acs::{Cancel, TlsSessions};
use crate::connreq::gate::Access;
use crate::connreq::http::Listener;
use crate::cwmp::plan::Plan;
use crate::error::{Error, Result};
use crate::model::context::Effects;
use crate::platform::System;
use crate::platform::packages::{APK_INSTALLED, OPKG_STATUS};
use crate::platform::watch::Watch;
use crate::transfer::queue::Next;

use agent::Agent;
use control::Control;
use status::SessionRecord;
use trace::Trace;

/// How long a running session may take to end after SIGTERM, and how often it is looked at.
const GRACE: Duration = Duration::from_millis(700);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The stack of a thread that does next to nothing.
const SMALL_STACK: usize = 128 << 10;

/// The stack of a thread that reads the model or asks a resolver of the C library: enough for the deepest tree on every target.
const MEDIUM_STACK: usize = 256 << 10;

/// The stack of the session worker: enough for TLS and the deepest message.
const STACK: usize = 512 << 10;

/// A port that cannot be had is tried again this much later.
const LISTEN_AGAIN: Duration = Duration::from_secs(10);

/// A worker that could not be started, or has died, is followed by the next one this much later.
const START_AGAIN: Duration = Duration::from_secs(10);

/// What the command line says besides the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// Every path and program lies beneath it.
    pub root: PathBuf,
    /// Another configuration than `/etc/config/cwmpd`.
    pub config: Option<PathBuf>,
    /// Counts more than the option of the configuration.
    pub log_level: Option<LevelFilter>,
    /// Log to standard error.
    pub stderr: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), config: None, log_level: None, stderr: false }
    }
}

/// What the threads share.
pub struct Shared {
    agent: Mutex<Agent>,
    session_ended: Condvar,
    wake: EventFd,
    stopping: AtomicBool,
    /// The worker is at work.
    busy: AtomicBool,
    /// SIGHUP came.
    reload: AtomicBool,
    /// SIGUSR1 came.
    look: AtomicBool,
    /// The file of the control socket.
    socket: Option<PathBuf>,
    cancel: Cancel,
    tls: TlsSessions,
    trace: Trace,
    bus: bus::Desk,
}

impl Shared {
    /// The agent, for as short as can be.
    pub fn lock(&self) -> MutexGuard<'_, Agent> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agent, if nobody has it just now; also after a panic of somebody who had it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Agent>> {
        match self.agent.try_lock() {
            Ok(agent) => Some(agent),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Makes the poll loop look around.
    pub fn wake(&self) {
        // The only failure is a counter that is full, and then the loop is awake.
        let _ = self.wake.write(1);
    }

    /// Whether the process is about to end.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Whether a session is running, or what was promised in it is being done.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst)
    }

    /// Tells those who wait for a session.
    pub fn session_ended(&self) {
        self.session_ended.notify_all();
    }

    /// Waits for the end of the session with this number.
    pub fn wait_for_session(&self, number: u32, patience: Duration) -> Option<SessionRecord> {
        let agent = self.lock();
        let waiting = |agent: &mut Agent| agent.ended_session(number).is_none();
        let waited = self.session_ended.wait_timeout_while(agent, patience, waiting);
        let (agent, _) = waited.unwrap_or_else(PoisonError::into_inner);
        agent.ended_session(number)
    }

    /// Brings a change of the command line into effect.
    pub fn apply(&self, effects: &Effects) {
        let live = self.lock().live().clone();
        agent::apply(&live, &effects.packages, &effects.programs);
    }
}

/// Runs the daemon until SIGTERM.
///
/// # Errors
/// Why it could not start.
pub fn run(options: &Options) -> Result<()> {
    // That of init, for the programs that are run: what a service or a package makes is often read by another user. What the daemon itself keeps
    // to itself is made with a mode that says so.
    umask(Mode::from_bits_truncate(0o022));
    let signals = block_signals()?;
    let live = standalone::live(options)?;
    let log_socket = live.host_path("/dev/log").unwrap_or_else(|_| PathBuf::from("/dev/log"));
    logging::Logger::start(options.stderr, log_socket, options.log_level.unwrap_or(LevelFilter::Info));
    let (agent, _lock) = Agent::open(options, live.clone())?;
    if options.log_level.is_none() {
        log::set_max_level(agent.config().cpe.log_level);
    }
    let control = Control::bind(live.host_path(control::PATH).map_err(Error::io("find /var/run"))?)?;
    let files = &[
        "/tmp/dhcp.leases",
        OPKG_STATUS,
        APK_INSTALLED,
        #[cfg(feature = "discovery")]
        agent::discovery::CHANGED,
    ];
    let mut watch = Watch::new(&live, files);
    watch.bus().publish(&bus::OBJECT);
    let shared = Arc::new(Shared {
        agent: Mutex::new(agent),
        session_ended: Condvar::new(),
        wake: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).map_err(os("make an eventfd"))?,
        stopping: AtomicBool::new(false),
        busy: AtomicBool::new(false),
        reload: AtomicBool::new(false),
        look: AtomicBool::new(false),
        socket: live.host_path(control::PATH).ok(),
        cancel: Cancel::new().map_err(Error::io("make an eventfd"))?,
        tls: TlsSessions::default(),
        trace: Trace::default(),
        bus: bus::Desk::default(),
    });
    log::info!("cwmpd {} started", env!("CARGO_PKG_VERSION"));
    let mut key = [0; 32];
    fill_random(&mut key);
    let clock = Loop::watch_clock();
    let listened = shared.clone();
    thread("signals", SMALL_STACK, Box::new(move || listen_to_signals(&listened, &signals)))
        .map_err(Error::io("start a thread"))?;
    Loop {
        shared,
        clock,
        watch,
        control,
        listener: None,
        taken: String::new(),
        listen_at: Duration::ZERO,
        key,
        worker: None,
        start_at: Duration::ZERO,
        transfer_worker: None,
        unit_worker: None,
        #[cfg(feature = "speed-tests")]
        udp_echo: udp_echo::UdpEcho::default(),
        #[cfg(feature = "xmpp")]
        xmpp: xmpp::Keeper::default(),
        #[cfg(feature = "stun")]
        udp: udp::Udp::default(),
    }
    .run()
}

/// Random bytes; the system's generator never fails once the kernel is up.
fn fill_random(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        log::error!("no random numbers: {error}");
    }
}

/// A random number.
fn random() -> u32 {
    let mut bytes = [0; 4];
    fill_random(&mut bytes);
    u32::from_ne_bytes(bytes)
}

fn os(what: &'static str) -> impl FnOnce(Errno) -> Error {
    move |errno| Error::io(what)(errno.into())
}

/// Has a thread of its own, so that the process ends within a second whatever the others are waiting for.
fn listen_to_signals(shared: &Shared, signals: &SignalFd) {
    loop {
        let signal = match signals.read_signal() {
            Ok(Some(info)) => i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok()),
            Ok(None) | Err(Errno::EINTR) => None,
            Err(errno) => {
                log::error!("signals go unnoticed: {errno}");
                return;
            }
        };
        match signal {
            Some(Signal::SIGHUP) => shared.reload.store(true, Ordering::SeqCst),
            Some(Signal::SIGUSR1) => shared.look.store(true, Ordering::SeqCst),
            Some(Signal::SIGTERM | Signal::SIGINT) => {
                stop(shared);
                std::process::exit(0);
            }
            _ => {}
        }
        shared.wake();
    }
}

/// Gets ready to end within a second: a session that is running is cut off, and is one that failed. Everything that matters is saved before
/// it is told to anybody, so that nothing is lost if there is no time for more.
fn stop(shared: &Shared) {
    log::info!("stopping");
    shared.stopping.store(true, Ordering::SeqCst);
    shared.cancel.cancel();
    shared.session_ended();
    if let Some(agent) = shared.try_lock() {
        agent.pause_transfer();
        agent.pause_unit();
    }
    let end = std::time::Instant::now() + GRACE;
    while std::time::Instant::now() < end {
        if let Some(mut agent) = shared.try_lock() {
            if !agent.in_session() {
                agent.save();
                if agent.keep_timed() {
                    break;
                }
            }
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    if let Some(socket) = &shared.socket {
        // The next daemon would replace it as well.
        let _ = std::fs::remove_file(socket);
    }
}

fn block_signals() -> Result<SignalFd> {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1] {
        set.add(signal);
    }
    // Before any thread is started, so that all of them have it.
    set.thread_block().map_err(os("block signals"))?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC).map_err(os("make a signalfd"))
}

/// Says that the worker is at work, for as long as it lives; however its end comes, the loop hears of it.
struct Working(Arc<Shared>);

impl Working {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.busy.store(true, Ordering::SeqCst);
        Self(shared.clone())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut agent = self.0.lock();
            agent.abandon_session();
            agent.abandon_applying();
        }
        self.0.busy.store(false, Ordering::SeqCst);
        self.0.wake();
    }
}

/// A worker beside the sessions is at work, for as long as this lives; however its end comes, the loop hears of it.
struct Beside {
    shared: Arc<Shared>,
    /// What becomes of its work after a panic.
    abandon: Box<dyn Fn(&mut Agent) + Send>,
}

impl Beside {
    fn new(shared: &Arc<Shared>, abandon: impl Fn(&mut Agent) + Send + 'static) -> Self {
        Self { shared: shared.clone(), abandon: Box::new(abandon) }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.abandon)(&mut self.shared.lock());
        }
        self.shared.wake();
    }
}

/// Waits for a worker that has said that it is through, and so it is. Says whether it has died.
fn join(worker: &mut Option<JoinHandle<()>>, name: &str) -> bool {
    let died = worker.take().is_some_and(|worker| worker.join().is_err());
    if died {
        log::error!("the {name} worker ended with a panic");
    }
    died
}

/// What a thread does. It is boxed, because the code that starts a thread is longer than most works and would be made anew for each of them.
type Work = Box<dyn FnOnce() + Send>;

/// Starts a worker.
fn start(name: &str, work: Work) -> Option<JoinHandle<()>> {
    thread(name, STACK, work).inspect_err(|error| log::error!("cannot start a thread: {error}")).ok()
}

/// Starts a thread.
fn thread(name: &str, stack: usize, work: Work) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).stack_size(stack).spawn(work)
}

/// The poll loop and what it owns.
struct Loop {
    shared: Arc<Shared>,
    clock: Option<TimerFd>,
    watch: Watch,
    control: Control,
    listener: Option<(Listener, String)>,
    /// The place that could not be had last, and when it is tried again.
    taken: String,
    listen_at: Duration,
    key: [u8; 32],
    worker: Option<JoinHandle<()>>,
    /// No session worker is started before this time.
    start_at: Duration,
    transfer_worker: Option<JoinHandle<()>>,
    unit_worker: Option<JoinHandle<()>>,
    #[cfg(feature = "speed-tests")]
    udp_echo: udp_echo::UdpEcho,
    #[cfg(feature = "xmpp")]
    xmpp: xmpp::Keeper,
    #[cfg(feature = "stun")]
    udp: udp::Udp,
}

impl Loop {
    fn run(mut self) -> Result<()> {
        loop {
            self.listen();
            self.shared.lock().poll_timers();
            #[cfg(feature = "stun")]
            self.udp.turn(&self.shared);
            #[cfg(feature = "lightweight")]
            lightweight::send(&self.shared);
            #[cfg(feature = "diagnostics")]
            diagnostics::start(&self.shared);
            #[cfg(feature = "speed-tests")]
            self.udp_echo.listen(&self.shared);
            #[cfg(feature = "xmpp")]
            self.xmpp.follow(&self.shared);
            #[cfg(feature = "bulk-data")]
            bulk_data::send(&self.shared);
            self.start_session();
            self.start_transfer();
            self.start_unit();
            self.wait()?;
            self.heed_signals();
            // Its counter is all that is in it.
            let _ = self.shared.wake.read();
            self.read_clock();
            self.read_changes();
            bus::serve(&self.shared, self.watch.bus());
            self.control.accept(&self.shared);
            self.serve_connection_requests();
            #[cfg(feature = "speed-tests")]
            self.udp_echo.serve(&self.shared);
        }
    }

    /// Sleeps until something happens or is due.
    fn wait(&self) -> Result<()> {
        let (now, deadline) = {
            let agent = self.shared.lock();
            let now = agent.live().monotonic();
            let plan = match agent.plan() {
                // The worker says when it has done.
                _ if self.shared.is_busy() => None,
                Plan::Now(_) => Some(now),
                Plan::At(at) => Some(at),
                Plan::Never => None,
            };
            let plan = plan.map(|at| at.max(self.start_at));
            // Also for what is to be done without a session.
            let start = Some(self.start_at).filter(|at| *at > now);
            let listener = self.listener.as_ref().and_then(|(listener, _)| listener.next_deadline());
            let listen = self.listener.is_none() && agent.should_listen();
            let listen = listen.then_some(self.listen_at);
            (
                now,
                [plan, start, listener, listen, agent.next_deadline(), self.watch.next_deadline()]
                    .into_iter()
                    .flatten()
                    .min(),
            )
        };
        #[cfg(feature = "speed-tests")]
        let deadline = [deadline, self.udp_echo.next_deadline()].into_iter().flatten().min();
        // During a session nothing of it changes, and the end of the session wakes this loop.
        #[cfg(feature = "xmpp")]
        let xmpp = self.xmpp.next_deadline().filter(|_| !self.shared.is_busy());
        #[cfg(feature = "xmpp")]
        let deadline = [deadline, xmpp].into_iter().flatten().min();
        let timeout = match deadline {
            None => PollTimeout::NONE,
            // Rounded up, so that what is due is due when the loop looks.
            Some(at) => {
                let milliseconds = at.saturating_sub(now).as_millis().saturating_add(1).min(i32::MAX as u128);
                PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut wanted: Vec<BorrowedFd<'_>> = self.watch.descriptors();
        wanted.extend([self.shared.wake.as_fd(), self.control.listener().as_fd()]);
        wanted.extend(self.clock.as_ref().map(AsFd::as_fd));
        #[cfg(feature = "speed-tests")]
        wanted.extend(self.udp_echo.descriptor());
        #[cfg(feature = "stun")]
        wanted.extend(self.udp.descriptors());
        let mut fds: Vec<PollFd<'_>> = wanted.into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        fds.extend(self.watch.backlog().map(|fd| PollFd::new(fd, PollFlags::POLLOUT)));
        if let Some((listener, _)) = &self.listener {
            listener.interests(&mut fds);
        }
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(os("wait for events")(errno)),
        }
    }

    fn heed_signals(&self) {
        if self.shared.reload.swap(false, Ordering::SeqCst) {
            self.shared.lock().reload();
        }
        if self.shared.look.swap(false, Ordering::SeqCst) {
            let mut agent = self.shared.lock();
            // What ntpd says of the clock comes this way, and may be here before the kernel's word that it was set is read.
            agent.clock_changed();
            agent.look_at_values();
            agent.look_at_units();
        }
    }

    /// A timer far in the future that the kernel ends when the clock is set.
    fn watch_clock() -> Option<TimerFd> {
        let timer = TimerFd::new(ClockId::CLOCK_REALTIME, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK);
        let timer = timer.inspect_err(|error| log::warn!("changes of the clock go unnoticed: {error}")).ok()?;
        Self::arm(&timer);
        Some(timer)
    }

    fn arm(timer: &TimerFd) {
        let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        // Beyond all clocks; where time has 32 bits it is the lower half that counts, which is in 2038.
        let far = TimeSpec::from_duration(Duration::from_secs(0x7fff_ffff_7fff_ffff));
        if let Err(error) = timer.set(Expiration::OneShot(far), flags) {
            log::debug!("changes of the clock go unnoticed: {error}");
        }
    }

    fn read_clock(&mut self) {
        let Some(clock) = &self.clock else { return };
        if matches!(clock.wait(), Err(Errno::EAGAIN)) {
            return;
        }
        // `wait` says of a clock that was set (ECANCELED) what it says of the end of the timer; but after its end it is not armed any more. Where
        // time has 32 bits that comes in 2038, and armed again it would come again at once.
        match clock.get() {
            Ok(None) => self.clock = None,
            _ => Self::arm(clock),
        }
        log::info!("the clock was set");
        self.shared.lock().clock_changed();
    }

    fn read_changes(&mut self) {
        let changes = self.watch.read();
        if changes.is_empty() {
            return;
        }
        let mut agent = self.shared.lock();
        if changes.everything || changes.packages.contains(crate::config::PACKAGE) {
            agent.reload();
        }
        if changes.network || changes.everything || changes.packages.contains("network") {
            agent.network_changed();
        }
        #[cfg(feature = "discovery")]
        if changes.files.contains(agent::discovery::CHANGED) {
            agent.discover();
        }
        agent.look_soon();
    }

    // Connection requests.

    /// Listens where the configuration says, or does not.
    fn listen(&mut self) {
        let mut agent = self.shared.lock();
        let cpe = &agent.config().cpe;
        let wanted = agent.should_listen().then(|| format!("{} {}", cpe.listen_address, cpe.listen_port));
        if wanted.as_deref() == self.listener.as_ref().map(|(_, place)| place.as_str()) {
            return;
        }
        self.listener = None;
        let Some(place) = wanted else {
            agent.listening(None);
            return;
        };
        // Another place than the one that could not be had is tried at once.
        if place == self.taken && agent.live().monotonic() < self.listen_at {
            return;
        }
        let address = cpe.listen_address.parse().ok();
        match Listener::bind(address, cpe.listen_port, self.key) {
            Ok(listener) => {
                let port = listener.local_addr().map(|address| address.port()).ok();
                self.listener = Some((listener, place));
                agent.listening(port);
            }
            Err(error) => {
                log::error!("{error}");
                self.listen_at = agent.live().monotonic().saturating_add(LISTEN_AGAIN);
                self.taken = place;
                agent.listening(None);
            }
        }
    }

    fn serve_connection_requests(&mut self) {
        let Some((listener, _)) = &mut self.listener else { return };
        let mut agent = self.shared.lock();
        let (path, username, password) = agent.access();
        let path = format!("/{}", path.trim_start_matches('/'));
        let access = Access { path: &path, username: &username, password: &password };
        let now = agent.live().monotonic();
        let accepted = listener.handle(now, access, &|local| agent.serves(local));
        for request in accepted {
            agent.connection_requested(request.peer);
        }
        agent.refused = listener.refusals().last().copied();
    }

    // Sessions.

    fn start_session(&mut self) {
        if self.shared.is_busy() {
            return;
        }
        let now = self.shared.lock().live().monotonic();
        if join(&mut self.worker, "session") {
            self.start_at = now.saturating_add(START_AGAIN);
        }
        if now < self.start_at {
            return;
        }
        if self.keep_promises() || self.apply_file() {
            return;
        }
        let Plan::Now(reason) = self.shared.lock().plan() else { return };
        let shared = self.shared.clone();
        self.spawn("session", Box::new(move || session::run(&shared, reason)));
    }

    /// Does what an earlier process has promised to the ACS and not done yet, and what is to be done without the ACS.
    fn keep_promises(&mut self) -> bool {
        let promised = self.shared.lock().promised().is_some();
        if promised {
            let shared = self.shared.clone();
            self.spawn("promises", Box::new(move || session::keep_promises(&shared)));
        }
        promised
    }

    /// Applies a file that a transfer has brought.
    fn apply_file(&mut self) -> bool {
        let Next::Apply(id) = self.shared.lock().next_transfer() else { return false };
        let shared = self.shared.clone();
        self.spawn("apply", Box::new(move || transfers::apply(&shared, id)));
        true
    }

    /// Begins a transfer that is due, beside the sessions.
    fn start_transfer(&mut self) {
        let job = {
            let mut agent = self.shared.lock();
            let Next::Run(id) = agent.next_transfer() else { return };
            agent.begin_transfer(id)
        };
        let Some(job) = job else { return };
        join(&mut self.transfer_worker, "transfer");
        let (beside, id) = (Beside::new(&self.shared, Agent::abandon_transfer), job.id);
        self.transfer_worker = start("transfer", Box::new(move || transfers::run(&beside.shared, &job)));
        if self.transfer_worker.is_none() {
            self.shared.lock().put_off_transfer(id);
        }
    }

    /// Begins an operation on a software module, when nothing else is going on.
    fn start_unit(&mut self) {
        if self.shared.is_busy() {
            return;
        }
        let Some(job) = self.shared.lock().begin_unit() else { return };
        join(&mut self.unit_worker, "unit");
        let (beside, id) = (Beside::new(&self.shared, Agent::abandon_unit), job.id);
        self.unit_worker = start("unit", Box::new(move || units::run(&beside.shared, &job)));
        if self.unit_worker.is_none() {
            let mut agent = self.shared.lock();
            agent.end_unit(id, None);
            agent.rest();
        }
    }

    fn spawn(&mut self, name: &str, work: Work) {
        let working = Working::new(&self.shared);
        let work = move || {
            let _working = working;
            work();
        };
        self.worker = start(name, Box::new(work));
        if self.worker.is_none() {
            let agent = self.shared.lock();
            self.start_at = agent.live().monotonic().saturating_add(START_AGAIN);
        }
    }
}
