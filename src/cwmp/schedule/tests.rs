use super::*;
use proptest::prelude::*;

const HALF: u32 = u32::MAX / 2;

/// A moment: seconds since boot, and seconds since 1970 where the clock is known.
fn at(monotonic: u64, utc: Option<i64>) -> Now {
    Now { monotonic: Duration::from_secs(monotonic), utc: utc.map(|seconds| UtcTime::new(seconds, 0)) }
}

fn settings(interval: u32, time: UtcTime) -> PeriodicSettings {
    PeriodicSettings { enable: true, interval, time }
}

fn due(periodic: &Periodic) -> u64 {
    periodic.due().unwrap().as_secs()
}

#[test]
fn s06_informs_are_due_whole_intervals_away_from_the_time() {
    let table = [
        // time, interval, now, seconds to wait
        (7, 30, 1000, 27),
        (7, 30, 1026, 1),
        (7, 30, 1027, 30),
        (5_000_000_007, 30, 1000, 17),
        (-10_000_000_000 + 7, 30, 1000, 17),
        (0, 86_400, 86_399, 1),
    ];
    for (time, interval, now, wait) in table {
        let periodic = Periodic::new(settings(interval, UtcTime::new(time, 0)), at(50, Some(now)), HALF);
        assert_eq!(due(&periodic), 50 + wait, "{time} {interval} {now}");
    }
}

#[test]
fn s06_it_goes_on_in_the_same_phase() {
    let mut periodic = Periodic::new(settings(30, UtcTime::new(7, 0)), at(0, Some(1000)), HALF);
    let mut informs = Vec::new();
    for second in 0..120 {
        if periodic.poll(at(second, Some(1000 + i64::try_from(second).unwrap())), HALF) {
            informs.push(second);
        }
    }
    assert_eq!(informs, [27, 57, 87, 117]);
}

#[test]
fn s06_s10_with_unknown_time_or_clock_the_phase_is_free_and_the_interval_kept() {
    for (time, utc) in [(UtcTime::UNKNOWN, Some(1000)), (UtcTime::UNKNOWN, None), (UtcTime::new(7, 0), None)] {
        let mut periodic = Periodic::new(settings(100, time), at(5, utc), HALF);
        assert_eq!(due(&periodic), 5 + 49);
        assert!(!periodic.poll(at(53, utc), 0));
        assert!(periodic.poll(at(55, utc), 0));
        assert_eq!(periodic.due().unwrap(), Duration::from_millis(154_999), "late by a second, but not from then on");
        assert!(periodic.poll(at(1000, utc), 0));
        assert!(!periodic.poll(at(1000, utc), 0), "what was missed is not made up for");
    }
    let first = |random| due(&Periodic::new(settings(100, UtcTime::UNKNOWN), at(0, None), random));
    assert_eq!((first(0), first(u32::MAX)), (0, 100));
}

#[test]
fn s07_new_settings_count_at_once() {
    let mut periodic = Periodic::new(settings(86_400, UtcTime::UNKNOWN), at(0, None), HALF);
    periodic.configure(settings(10, UtcTime::UNKNOWN), at(100, None), HALF);
    assert_eq!(due(&periodic), 104);
    periodic.configure(settings(10, UtcTime::UNKNOWN), at(102, None), HALF);
    assert_eq!(due(&periodic), 104, "the same again changes nothing");
    periodic.configure(settings(60, UtcTime::new(0, 0)), at(103, Some(3605)), HALF);
    assert_eq!(due(&periodic), 103 + 55);
    periodic.configure(PeriodicSettings { enable: false, ..settings(60, UtcTime::new(0, 0)) }, at(103, None), HALF);
    assert_eq!(periodic.due(), None);
    assert!(!periodic.poll(at(9999, Some(9999)), HALF));
}

#[test]
fn s08_when_the_clock_becomes_known_the_phase_does_too() {
    let mut periodic = Periodic::new(settings(3600, UtcTime::new(0, 0)), at(10, None), HALF);
    assert_eq!(due(&periodic), 10 + 1799);
    assert!(!periodic.poll(at(60, Some(1_700_000_000)), HALF));
    assert_eq!(due(&periodic), 60 + 2800);
}

#[test]
fn s08_a_jump_of_ten_years_makes_no_burst() {
    for jump in [315_360_000, -315_360_000] {
        let mut periodic = Periodic::new(settings(60, UtcTime::new(0, 0)), at(0, Some(1_700_000_000)), HALF);
        let mut informs = Vec::new();
        for second in 0..600_i64 {
            let utc = 1_700_000_000 + second + if second >= 300 { jump } else { 0 };
            if periodic.poll(at(second.unsigned_abs(), Some(utc)), HALF) {
                informs.push(second);
                assert_eq!(utc % 60, 0);
            }
        }
        assert_eq!(informs.len(), 10, "{informs:?}");
    }
}

#[test]
fn s08_a_clock_set_back_a_little_does_not_make_an_inform_due_twice() {
    let mut periodic = Periodic::new(settings(60, UtcTime::new(0, 0)), at(0, Some(1_700_000_000)), HALF);
    let first = due(&periodic);
    let utc = 1_700_000_000 + i64::try_from(first).unwrap();
    assert!(periodic.poll(at(first, Some(utc)), HALF));
    assert!(!periodic.poll(at(first + 1, Some(utc - 5)), HALF));
    assert_eq!(due(&periodic), first + 1 + 5 + 60);
    let mut slow = Periodic::new(settings(60, UtcTime::new(0, 0)), at(0, Some(1_700_000_000)), HALF);
    assert!(slow.poll(at(due(&slow), Some(utc - 1)), HALF), "a step too small to plan anew");
    assert_eq!(due(&slow), first + 61);
}

proptest! {
    #[test]
    fn no_setting_and_no_clock_makes_an_inform_late_or_wrong(
        interval: u32, time in any::<i64>(), now in any::<i64>(), monotonic in 0u64..1 << 40, random: u32, known: bool
    ) {
        let mut periodic = Periodic::new(settings(interval, UtcTime::new(time, 5)), at(monotonic, known.then_some(now)), random);
        let wait = periodic.due().unwrap() - at(monotonic, None).monotonic;
        prop_assert!(wait <= Duration::from_secs(u64::from(interval.max(1))));
        let due = Now { monotonic: periodic.due().unwrap(), utc: None };
        let (first, second) = (periodic.poll(due, random), periodic.poll(due, random));
        prop_assert!(first && !second);
    }
}

#[test]
fn q05_each_call_runs_out_at_its_time() {
    let mut scheduled = Scheduled::default();
    let now = Now { monotonic: Duration::from_millis(1_000_500), utc: None };
    scheduled.add(20, "later", now).unwrap();
    scheduled.add(10, "soon", now).unwrap();
    scheduled.add(10, "soon", now).unwrap();
    assert_eq!(scheduled.due(), Some(Duration::from_secs(1011)));
    assert!(scheduled.poll(at(1010, None)).is_empty());
    assert_eq!(scheduled.poll(at(1011, None)), ["soon", "soon"]);
    scheduled.add(1, "new", at(1019, None)).unwrap();
    assert_eq!(scheduled.poll(at(2000, None)), ["new", "later"]);
    assert_eq!((scheduled.due(), scheduled.poll(at(9999, None)).len()), (None, 0));
}

#[test]
fn q05_bad_arguments_are_refused() {
    let mut scheduled = Scheduled::default();
    let code = |result: Result<(), Fault>| result.map_err(|fault| fault.code);
    assert_eq!(code(scheduled.add(0, "k", at(0, None))), Err(FaultCode::INVALID_ARGUMENTS));
    assert_eq!(code(scheduled.add(1, &"k".repeat(33), at(0, None))), Err(FaultCode::INVALID_ARGUMENTS));
    assert!(!scheduled.must_persist());
    assert_eq!(code(scheduled.add(u32::MAX, &"ü".repeat(32), at(u64::MAX, Some(i64::MAX)))), Ok(()));
    for _ in 1..GREATEST_TIMERS {
        assert_eq!(code(scheduled.add(1, "", at(0, None))), Ok(()));
    }
    assert_eq!(code(scheduled.add(1, "", at(0, None))), Err(FaultCode::INTERNAL_ERROR));
}

/// What a process that was killed at this moment finds again.
fn reloaded(scheduled: &Scheduled) -> Scheduled {
    serde_json::from_str(&serde_json::to_string(scheduled).unwrap()).unwrap()
}

#[test]
fn q06_a_timer_goes_on_over_a_restart_of_the_agent() {
    let mut scheduled = Scheduled::default();
    scheduled.add(100, "k", at(1000, None)).unwrap();
    let mut scheduled = reloaded(&scheduled);
    scheduled.restore(true, at(1090, None));
    assert_eq!(scheduled.due(), Some(Duration::from_secs(1100)));
    assert!(!scheduled.must_persist());
}

#[test]
fn q06_over_a_reboot_a_timer_keeps_its_time_of_day() {
    // Columns: clock at the call, clock at boot, clock that becomes known 30 s later, seconds from boot until it runs out.
    let table = [
        (Some(1000), Some(1060), None, 5 + 40),
        (Some(1000), Some(9999), None, 5),
        (Some(1000), None, Some(1060), 35 + 40),
        (Some(1000), None, Some(9999), 35),
        (Some(1000), None, None, 5 + 100),
        (None, Some(1060), None, 5 + 100),
        (None, None, Some(1060), 5 + 100),
        (Some(1000), Some(-9999), None, 5 + 100),
    ];
    for (call, boot, later, expected) in table {
        let mut scheduled = Scheduled::default();
        scheduled.add(100, "k", at(7000, call)).unwrap();
        let mut scheduled = reloaded(&scheduled);
        scheduled.restore(false, at(5, boot));
        if later.is_some() {
            scheduled.clock_known(at(35, later));
        }
        assert_eq!(scheduled.due(), Some(Duration::from_secs(expected)), "{call:?} {boot:?} {later:?}");
        assert!(scheduled.must_persist());
    }
}

#[test]
fn q06_a_call_before_the_clock_was_known_gets_its_time_of_day_later() {
    let mut scheduled = Scheduled::default();
    scheduled.add(100, "k", at(50, None)).unwrap();
    scheduled.persisted();
    scheduled.clock_known(at(60, Some(1000)));
    assert!(scheduled.must_persist());
    assert_eq!(scheduled.due(), Some(Duration::from_secs(150)), "in this boot nothing changes");
    let mut scheduled = reloaded(&scheduled);
    scheduled.restore(false, at(5, Some(1080)));
    assert_eq!(scheduled.due(), Some(Duration::from_secs(15)));
}

/// The clock of a router without a battery is known, and wrong by days, until NTP has set it.
#[test]
fn q05_s08_a_clock_that_is_set_makes_no_timer_run_out() {
    let mut scheduled = Scheduled::default();
    scheduled.add(100, "k", at(50, Some(1000))).unwrap();
    scheduled.clock_known(at(60, Some(900_000)));
    assert_eq!(scheduled.due(), Some(Duration::from_secs(150)));
    assert!(scheduled.poll(at(60, Some(900_000))).is_empty());
    let mut scheduled = reloaded(&scheduled);
    scheduled.restore(false, at(5, Some(900_080)));
    assert_eq!(scheduled.due(), Some(Duration::from_secs(15)));
}

#[test]
fn b05_timers_of_a_former_acs_go() {
    let mut scheduled = Scheduled::default();
    scheduled.clear();
    assert!(!scheduled.must_persist());
    scheduled.add(100, "k", at(50, None)).unwrap();
    scheduled.clear();
    assert_eq!(scheduled.due(), None);
}
