use super::*;
use crate::soap::rpc::TimeWindow;
use proptest::prelude::*;

const FREE: Situation = Situation { online: true, idle: true, in_session: false };

/// A moment: seconds since boot, with a clock that is known.
fn at(monotonic: u64) -> Now {
    let utc = UtcTime::new(1_800_000_000 + i64::try_from(monotonic).unwrap(), 0);
    Now { monotonic: Duration::from_secs(monotonic), utc: Some(utc) }
}

/// The same without a clock.
fn dark(monotonic: u64) -> Now {
    Now { utc: None, ..at(monotonic) }
}

fn request(method: Method, command_key: &str) -> Request {
    Request {
        method,
        command_key: command_key.into(),
        file_type: "3 Vendor Configuration File".into(),
        url: "http://files.example/secret-path".into(),
        username: "user".into(),
        password: "secret-word".into(),
        file_size: 5,
        target_file_name: "name".into(),
    }
}

fn add(queue: &mut Queue, method: Method, key: &str, delay: u32, now: Now) -> u32 {
    let id = queue.add(request(method, key), delay, Vec::new(), now).unwrap();
    queue.session_ended();
    id
}

fn download(queue: &mut Queue, key: &str) -> u32 {
    add(queue, Method::Download, key, 0, at(0))
}

fn schedule(queue: &mut Queue, windows: &[(u32, u32, i32)], now: Now) -> u32 {
    let window = |(start, end, max_retries): &(u32, u32, i32)| TimeWindow {
        start: *start,
        end: *end,
        mode: "1 At Any Time".into(),
        user_message: String::new(),
        max_retries: *max_retries,
    };
    let windows: Vec<_> = windows.iter().map(window).collect();
    let windows = Window::list(&windows, now).unwrap();
    let id = queue.add(request(Method::ScheduleDownload, "scheduled"), 0, windows, now).unwrap();
    queue.session_ended();
    id
}

fn missing() -> Trouble {
    Trouble::new(code::ACCESS, "no such file")
}

/// What the state of the agent is after a power cut.
fn saved(queue: &Queue) -> Queue {
    serde_json::from_str(&serde_json::to_string(queue).unwrap()).unwrap()
}

fn fault(queue: &Queue, id: u32) -> Option<u16> {
    queue.results().find(|(transfer, _)| transfer.id == id).map(|(_, result)| result.fault_code)
}

#[test]
fn f09_sixteen_transfers_are_taken_and_the_next_is_9004() {
    let mut queue = Queue::default();
    for number in 0..CAPACITY {
        download(&mut queue, &number.to_string());
    }
    let refused = queue.add(request(Method::Upload, "one more"), 0, Vec::new(), at(0)).unwrap_err();
    assert_eq!(refused.code.0, 9004);
    assert_eq!(queue.list().len(), CAPACITY);
    queue.cancel("3").1.unwrap();
    queue.add(request(Method::Upload, "one more"), 0, Vec::new(), at(0)).unwrap();
}

#[test]
fn f08_a_transfer_begins_after_its_delay_and_after_the_session_of_its_request() {
    let mut queue = Queue::default();
    let id = queue.add(request(Method::Download, "now"), 0, Vec::new(), at(100)).unwrap();
    assert_eq!(queue.next(at(100), FREE), Next::Nothing);
    queue.session_ended();
    assert_eq!(queue.next(at(100), FREE), Next::Run(id));
    queue.cancel("now").1.unwrap();
    let id = add(&mut queue, Method::Upload, "later", 10, at(100));
    assert_eq!(queue.next(at(109), FREE), Next::Nothing);
    assert_eq!(queue.due(at(109)), Some(Duration::from_secs(110)));
    assert_eq!(queue.next(at(110), FREE), Next::Run(id));
    assert_eq!(queue.due(at(110)), None, "what waits for nothing but its turn wakes nobody");
    assert_eq!(queue.next(at(110), Situation { online: false, ..FREE }), Next::Nothing);
    assert_eq!(queue.next(at(110), Situation { in_session: true, ..FREE }), Next::Run(id), "beside a later session");
}

#[test]
fn f18_l12_a_file_is_applied_when_no_session_is_running() {
    let mut queue = Queue::default();
    let (first, second) = (download(&mut queue, "first"), download(&mut queue, "second"));
    queue.begin(first, at(1)).unwrap();
    assert_eq!(queue.next(at(1), FREE), Next::Nothing, "one at a time");
    queue.fetched(first);
    assert_eq!(queue.next(at(2), Situation { in_session: true, ..FREE }), Next::Nothing);
    assert_eq!(queue.next(at(2), Situation { online: false, ..FREE }), Next::Apply(first));
    queue.applying(first).unwrap();
    assert_eq!(queue.next(at(3), FREE), Next::Nothing);
    queue.succeeded(first, at(3));
    assert_eq!(queue.next(at(3), FREE), Next::Run(second));
}

#[test]
fn f05_f15_f26_each_end_is_told_once_with_its_times() {
    let mut queue = Queue::default();
    let (good, bad) = (download(&mut queue, "good"), add(&mut queue, Method::Upload, "bad", 0, at(0)));
    queue.begin(bad, at(1)).unwrap();
    queue.failed(bad, missing(), at(2));
    queue.begin(good, at(3)).unwrap();
    queue.fetched(good);
    queue.applying(good).unwrap();
    queue.succeeded(good, dark(4));
    let results: Vec<TransferComplete> = queue.results().map(|(_, result)| result).collect();
    assert_eq!((results[0].command_key.as_str(), results[0].fault_code), ("good", 0));
    assert_eq!(results[0].fault_string, "");
    assert_eq!(
        (results[0].start_time.as_str(), results[0].complete_time.as_str()),
        ("2027-01-15T08:00:03Z", "0001-01-01T00:00:00Z")
    );
    assert_eq!((results[1].command_key.as_str(), results[1].fault_code), ("bad", 9016));
    assert_eq!(results[1].complete_time, "2027-01-15T08:00:02Z");
    assert_eq!(queue.list().iter().map(|transfer| transfer.state).collect::<Vec<_>>(), [3, 3]);
    assert_eq!(queue.told(bad), Some((EventCode::MUpload, "bad".into())));
    assert_eq!(queue.told(bad), None);
    assert_eq!(queue.told(good), Some((EventCode::MDownload, "good".into())));
    assert_eq!(queue.iter().count(), 0);
}

#[test]
fn f14_only_codes_that_a_transfer_complete_may_have_are_told() {
    for (method, code, told) in [
        (Method::Download, 9013, 9010),
        (Method::Upload, 9013, 9011),
        (Method::Upload, 9017, 9011),
        (Method::Download, 9003, 9010),
        (Method::Download, 9019, 9019),
        (Method::Upload, 9012, 9012),
        (Method::Download, 9801, 9801),
    ] {
        let mut queue = Queue::default();
        let id = add(&mut queue, method, "", 0, at(0));
        queue.failed(id, Trouble::new(FaultCode(code), "x".repeat(1000)), at(1));
        assert_eq!(fault(&queue, id), Some(told));
        assert_eq!(queue.results().next().unwrap().1.fault_string.len(), LONGEST_TEXT);
    }
}

#[test]
fn f10_what_was_running_begins_again_and_what_was_applied_does_not() {
    let mut queue = Queue::default();
    let (running, waiting) = (download(&mut queue, "running"), add(&mut queue, Method::Download, "waiting", 60, at(0)));
    queue.begin(running, at(10)).unwrap();
    let mut again = saved(&queue);
    // The clock says that 50 s have gone; it is known from the beginning.
    again.restore(false, Now { utc: at(50).utc, ..at(5) }, &|_| true);
    assert_eq!(again.next(at(5), FREE), Next::Run(running));
    assert_eq!(again.due(at(5)), Some(Duration::from_secs(15)));
    assert_eq!(again.get(waiting).unwrap().state, State::Waiting);
    // Without a clock the delay begins anew, until the clock is known.
    let mut blind = saved(&queue);
    blind.restore(false, dark(5), &|_| true);
    assert_eq!(blind.due(at(5)), Some(Duration::from_secs(65)));
    blind.clock_known(Now { utc: at(50).utc, ..at(7) });
    assert_eq!(blind.due(at(7)), Some(Duration::from_secs(17)));

    queue.fetched(running);
    for (there, state) in [(true, State::Fetched), (false, State::Waiting)] {
        let mut again = saved(&queue);
        again.restore(true, at(11), &|_| there);
        assert_eq!(again.get(running).unwrap().state, state);
    }
    assert_eq!(saved(&queue).unsettled(), None);
    queue.applying(running).unwrap();
    let mut again = saved(&queue);
    again.restore(true, at(12), &|_| true);
    assert_eq!(again.unsettled().map(|transfer| transfer.id), Some(running));
    assert_eq!(again.next(at(12), FREE), Next::Nothing);
    again.settle(running, Ok(()), at(12));
    assert_eq!(fault(&saved(&again), running), Some(0));
}

#[test]
fn f10_a_transfer_that_never_comes_to_an_end_is_given_up() {
    let mut queue = Queue::default();
    let id = download(&mut queue, "cursed");
    for start in 1..=GREATEST_STARTS {
        assert_eq!(queue.next(at(start.into()), FREE), Next::Run(id), "{start}");
        queue.begin(id, at(start.into())).unwrap();
        queue = saved(&queue);
        queue.restore(true, at(start.into()), &|_| false);
    }
    assert_eq!(fault(&queue, id), Some(9017));
}

#[test]
fn f23_a_cancelled_transfer_is_gone_and_one_that_is_applied_is_9021() {
    let mut queue = Queue::default();
    let first = download(&mut queue, "key");
    let second = download(&mut queue, "key");
    let other = download(&mut queue, "other");
    queue.begin(first, at(1)).unwrap();
    assert_eq!(queue.cancel("unknown"), (Vec::new(), Ok(())));
    assert_eq!(queue.cancel("key"), (vec![first, second], Ok(())));
    // What its worker brings afterwards is nobody's.
    queue.failed(first, missing(), at(2));
    queue.fetched(first);
    assert_eq!(queue.results().count(), 0);
    queue.begin(other, at(3)).unwrap();
    queue.fetched(other);
    queue.applying(other).unwrap();
    let third = download(&mut queue, "other");
    let (gone, result) = queue.cancel("other");
    assert_eq!((gone, result.unwrap_err().code.0), (vec![third], 9021));
    queue.succeeded(other, at(4));
    assert_eq!(queue.cancel("other").1.unwrap_err().code.0, 9021, "its result is still told");
    assert_eq!(fault(&queue, other), Some(0));
}

#[test]
fn f21_a_scheduled_download_keeps_to_its_windows() {
    let mut queue = Queue::default();
    let id = schedule(&mut queue, &[(10, 20, 0), (30, 40, 0)], at(100));
    assert_eq!(queue.next(at(109), FREE), Next::Nothing);
    assert_eq!(queue.due(at(100)), Some(Duration::from_secs(110)));
    assert_eq!(queue.next(at(110), FREE), Next::Run(id));
    queue.begin(id, at(110)).unwrap();
    assert_eq!(queue.due(at(110)), Some(Duration::from_secs(120)));
    assert_eq!(queue.poll(at(119)), None);
    assert_eq!(queue.poll(at(120)), Some(id), "to be stopped");
    queue.failed(id, missing(), at(121));
    assert_eq!(queue.next(at(129), FREE), Next::Nothing, "between the windows");
    assert_eq!(queue.next(at(130), FREE), Next::Run(id));
    queue.begin(id, at(130)).unwrap();
    queue.fetched(id);
    assert_eq!(queue.next(at(135), Situation { in_session: true, ..FREE }), Next::Nothing);
    assert_eq!(queue.poll(at(140)), None);
    assert_eq!(fault(&queue, id), Some(9020), "fetched, and not applied in time");
}

#[test]
fn f21_retries_are_those_of_the_window() {
    let mut queue = Queue::default();
    let id = schedule(&mut queue, &[(0, 100, 1), (200, 300, 0)], at(0));
    for time in [0, 10] {
        assert_eq!(queue.next(at(time), FREE), Next::Run(id), "{time}");
        queue.begin(id, at(time)).unwrap();
        queue.failed(id, missing(), at(time));
        assert_eq!(queue.next(at(time), FREE), Next::Nothing);
    }
    assert_eq!(queue.next(at(99), FREE), Next::Nothing, "one retry, and no more in this window");
    assert_eq!(queue.next(at(200), FREE), Next::Run(id));
    queue.begin(id, at(200)).unwrap();
    queue.failed(id, missing(), at(201));
    assert_eq!(fault(&queue, id), Some(9016));

    // Left to the CPE, it is tried as long as the window lasts.
    let id = schedule(&mut queue, &[(0, 100, -1)], at(1000));
    let mut tries = 0;
    for time in 1000..1101 {
        queue.poll(at(time));
        if queue.next(at(time), FREE) == Next::Run(id) {
            tries += 1;
            queue.begin(id, at(time)).unwrap();
            queue.failed(id, missing(), at(time));
        }
    }
    assert_eq!((tries, fault(&queue, id)), (10, Some(9020)));
}

#[test]
fn f21_when_idle_waits_for_an_idle_line() {
    let mut queue = Queue::default();
    let window = TimeWindow { start: 5, end: 50, mode: "3 When Idle".into(), ..TimeWindow::default() };
    let windows = Window::list(&[window], at(0)).unwrap();
    let id = queue.add(request(Method::ScheduleDownload, ""), 0, windows, at(0)).unwrap();
    queue.session_ended();
    assert!(!queue.wants_idle(at(4)));
    assert!(queue.wants_idle(at(5)));
    assert_eq!(queue.next(at(5), Situation { idle: false, ..FREE }), Next::Nothing);
    assert_eq!(queue.next(at(5), FREE), Next::Run(id));
    queue.poll(at(50));
    assert_eq!(fault(&queue, id), Some(9020));
}

#[test]
fn f21_a_window_that_passed_while_the_router_was_off_is_9020() {
    let mut queue = Queue::default();
    let id = schedule(&mut queue, &[(10, 20, 0)], at(100));
    let mut again = saved(&queue);
    again.restore(false, Now { utc: at(500).utc, ..at(3) }, &|_| false);
    again.poll(at(3));
    assert_eq!(fault(&again, id), Some(9020));
}

/// NTP finds out that the router was off for days: the window counts from the request, and after a reboot by the clock as it is now.
#[test]
fn f21_s08_a_clock_that_is_set_moves_no_window() {
    let later = |seconds: u64, monotonic: u64| Now { utc: at(seconds + 500_000).utc, ..at(monotonic) };
    let mut queue = Queue::default();
    let id = schedule(&mut queue, &[(10, 20, 0)], at(100));
    queue.persisted();
    queue.clock_known(later(105, 105));
    assert!(queue.must_persist(), "the end has another time of day");
    assert_eq!(queue.poll(later(105, 105)), None);
    assert_eq!(fault(&queue, id), None);
    assert_eq!(queue.next(later(109, 109), FREE), Next::Nothing);
    assert_eq!(queue.next(later(110, 110), FREE), Next::Run(id));
    let mut again = saved(&queue);
    again.restore(false, later(118, 3), &|_| false);
    assert_eq!(again.next(later(118, 3), FREE), Next::Run(id));
    again.poll(later(120, 5));
    assert_eq!(fault(&again, id), Some(9020));
}

#[test]
fn s3_secrets_are_forgotten_with_the_end_and_never_shown() {
    let mut queue = Queue::default();
    let id = download(&mut queue, "key");
    assert!(serde_json::to_string(&queue).unwrap().contains("secret-word"), "it is needed after a power cut");
    assert!(!format!("{queue:?}").contains("secret"), "{queue:?}");
    queue.failed(id, missing(), at(1));
    let text = serde_json::to_string(&queue).unwrap();
    assert!(!text.contains("secret") && !text.contains("files.example"), "{text}");
}

#[test]
fn b05_another_acs_hears_nothing_of_it() {
    let mut queue = Queue::default();
    let ids = [download(&mut queue, "waits"), download(&mut queue, "done")];
    queue.failed(ids[1], missing(), at(1));
    assert_eq!(queue.clear(), ids);
    assert_eq!((queue.results().count(), queue.next(at(2), FREE)), (0, Next::Nothing));
    assert!(queue.must_persist());
}

/// What may happen to a queue.
#[derive(Clone, Debug)]
enum Happens {
    Add(bool),
    Pass(u64),
    Step(bool),
    Restart(bool),
    Cancel(u8),
    Told,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        2 => any::<bool>().prop_map(Happens::Add),
        3 => (0..40_u64).prop_map(Happens::Pass),
        6 => any::<bool>().prop_map(Happens::Step),
        1 => any::<bool>().prop_map(Happens::Restart),
        1 => (0..20_u8).prop_map(Happens::Cancel),
        2 => Just(Happens::Told),
    ]
}

proptest! {
    /// Whatever happens: no transfer is applied twice, and each that is not cancelled is told once.
    #[test]
    fn f05_f10_each_transfer_ends_once(story in proptest::collection::vec(happens(), 0..200)) {
        let mut queue = Queue::default();
        let mut time = 0;
        let (mut added, mut cancelled, mut told, mut applied) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut step = |queue: &mut Queue, time: u64, well: bool| match queue.next(at(time), FREE) {
            Next::Run(id) => drop(queue.begin(id, at(time)).unwrap()),
            Next::Apply(id) => {
                assert!(!applied.contains(&id), "applied twice");
                applied.push(id);
                queue.applying(id).unwrap();
            }
            Next::Nothing => {
                let busy = queue.iter().find(|it| matches!(it.state, State::Running | State::Applying)).cloned();
                let Some(busy) = busy else { return };
                match (well, busy.state == State::Running && busy.request.method.is_download()) {
                    (true, true) => queue.fetched(busy.id),
                    (true, false) => queue.succeeded(busy.id, at(time)),
                    (false, _) if busy.state == State::Applying => queue.settle(busy.id, Err(missing()), at(time)),
                    (false, _) => queue.failed(busy.id, missing(), at(time)),
                }
            }
        };
        let mut tell = |queue: &mut Queue| {
            let id = queue.results().map(|(transfer, _)| transfer.id).next();
            if let Some(id) = id {
                assert!(!told.contains(&id), "told twice");
                queue.told(id).unwrap();
                told.push(id);
            }
        };
        for event in story {
            match event {
                Happens::Add(scheduled) if queue.iter().count() < CAPACITY => {
                    let key = added.len().to_string();
                    added.push(if scheduled { schedule(&mut queue, &[(1, 30, -1), (40, 60, 1)], at(time)) } else { add(&mut queue, Method::Download, &key, 3, at(time)) });
                }
                Happens::Add(_) => {}
                Happens::Pass(seconds) => time += seconds,
                Happens::Step(well) => step(&mut queue, time, well),
                Happens::Restart(has_file) => {
                    queue = saved(&queue);
                    queue.restore(false, at(time), &|_| has_file);
                    if let Some(id) = queue.unsettled().map(|transfer| transfer.id) {
                        queue.settle(id, Err(missing()), at(time));
                    }
                }
                Happens::Cancel(key) => cancelled.extend(queue.cancel(&key.to_string()).0),
                Happens::Told => tell(&mut queue),
            }
            queue.poll(at(time));
        }
        for _ in 0..1000 {
            time += 5;
            queue.poll(at(time));
            step(&mut queue, time, true);
            tell(&mut queue);
        }
        let mut ended: Vec<u32> = told.iter().chain(&cancelled).copied().collect();
        ended.sort_unstable();
        prop_assert_eq!(ended, added);
    }
}
