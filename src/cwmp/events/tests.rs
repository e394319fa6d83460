use super::*;

fn codes(events: &[Event]) -> Vec<String> {
    let text = |event: &Event| match event.command_key.as_str() {
        "" => event.code.clone(),
        key => format!("{}({key})", event.code),
    };
    events.iter().map(text).collect()
}

fn inform(queue: &mut Queue) -> Vec<String> {
    codes(&queue.for_inform(false))
}

fn waiting(queue: &Queue) -> Vec<String> {
    queue
        .iter()
        .map(|(code, key)| if key.is_empty() { code.text().into() } else { format!("{}({key})", code.text()) })
        .collect()
}

/// What a process that was killed at this moment finds again.
fn reloaded(queue: &Queue) -> Queue {
    serde_json::from_str(&serde_json::to_string(queue).unwrap()).unwrap()
}

#[test]
fn every_row_of_the_table_reads_back_from_its_text() {
    for row in TABLE {
        assert_eq!(EventCode::parse(row.1).as_ref(), Some(&row.0));
        assert_eq!(row.0.text(), row.1);
    }
    assert_eq!(EventCode::parse("X 001122 Melted").unwrap().text(), "X 001122 Melted");
    assert!(EventCode::parse("M X_EXAMPLE_Melt").unwrap().is_multiple());
    assert_eq!(EventCode::parse("15 NEW"), None);
    assert_eq!(EventCode::parse(""), None);
}

#[test]
fn e01_single_events_come_once_and_multiple_ones_once_per_occurrence() {
    let mut queue = Queue::default();
    queue.add(EventCode::Periodic);
    queue.add(EventCode::Periodic);
    for key in ["b", "a", "a"] {
        queue.add(EventCode::Scheduled);
        queue.add_multiple(EventCode::MScheduleInform, key).unwrap();
    }
    let expected = ["2 PERIODIC", "3 SCHEDULED", "M ScheduleInform(b)", "M ScheduleInform(a)", "M ScheduleInform(a)"];
    assert_eq!(inform(&mut queue), expected);
}

#[test]
fn e03_an_m_event_brings_its_base_event_along() {
    for (code, base) in [
        (EventCode::MScheduleInform, "3 SCHEDULED"),
        (EventCode::MDownload, "7 TRANSFER COMPLETE"),
        (EventCode::MScheduleDownload, "7 TRANSFER COMPLETE"),
        (EventCode::MUpload, "7 TRANSFER COMPLETE"),
        (EventCode::MChangeDuState, "11 DU STATE CHANGE COMPLETE"),
    ] {
        let mut queue = Queue::default();
        queue.add_multiple(code.clone(), "k").unwrap();
        assert_eq!(inform(&mut queue), [base.to_owned(), format!("{}(k)", code.text())]);
    }
}

#[test]
fn i02_events_are_ordered_by_code_with_the_m_events_last() {
    let mut queue = Queue::default();
    queue.add_multiple(EventCode::MReboot, "r").unwrap();
    queue.add(EventCode::Vendor("X 001122 Melted".into()));
    queue.add(EventCode::AutonomousTransferComplete);
    queue.add(EventCode::ValueChange);
    queue.add(EventCode::Boot);
    let expected = ["1 BOOT", "4 VALUE CHANGE", "10 AUTONOMOUS TRANSFER COMPLETE", "X 001122 Melted", "M Reboot(r)"];
    assert_eq!(inform(&mut queue), expected);
}

#[test]
fn i02_more_than_64_events_are_told_in_several_sessions() {
    let mut queue = Queue::default();
    queue.add(EventCode::Scheduled);
    for number in 0..100 {
        queue.add_multiple(EventCode::MScheduleInform, &number.to_string()).unwrap();
    }
    let first = inform(&mut queue);
    assert_eq!(
        (first.len(), first[1].as_str(), first[63].as_str()),
        (64, "M ScheduleInform(0)", "M ScheduleInform(62)")
    );
    queue.acknowledge_inform();
    queue.session_ended(true);
    let second = inform(&mut queue);
    assert_eq!(second.len(), 38);
    assert_eq!(second[..2], ["3 SCHEDULED", "M ScheduleInform(63)"]);
    queue.acknowledge_inform();
    queue.session_ended(true);
    assert!(waiting(&queue).is_empty());
}

#[test]
fn the_queue_does_not_grow_without_end() {
    let mut queue = Queue::default();
    for _ in 0..CAPACITY - 1 {
        queue.add_multiple(EventCode::MUpload, "k").unwrap();
    }
    queue.add_at_next_boot(EventCode::MReboot, "r").unwrap();
    assert_eq!(queue.add_multiple(EventCode::MUpload, "k"), Err(FaultCode::RESOURCES_EXCEEDED));
    assert_eq!(queue.add_at_next_boot(EventCode::MReboot, "r"), Err(FaultCode::RESOURCES_EXCEEDED));
}

#[test]
fn e02_events_vanish_only_on_their_acknowledgement() {
    let mut queue = Queue::default();
    queue.add(EventCode::Periodic);
    queue.add(EventCode::TransferComplete);
    queue.add_multiple(EventCode::MDownload, "d").unwrap();
    for _ in 0..3 {
        assert_eq!(inform(&mut queue), ["2 PERIODIC", "7 TRANSFER COMPLETE", "M Download(d)"]);
        queue.session_ended(false);
    }
    inform(&mut queue);
    queue.acknowledge_inform();
    assert_eq!(waiting(&reloaded(&queue)), ["7 TRANSFER COMPLETE", "M Download(d)"]);
    queue.session_ended(false);
    assert_eq!(inform(&mut queue), ["7 TRANSFER COMPLETE", "M Download(d)"]);
    queue.acknowledge_inform();
    queue.acknowledge_response(Confirmation::TransferCompleteResponse, "d", false);
    assert!(waiting(&queue).is_empty());
}

#[test]
fn f06_each_transfer_has_its_own_event_and_acknowledgement() {
    let mut queue = Queue::default();
    queue.add(EventCode::TransferComplete);
    for (code, key) in [(EventCode::MDownload, "a"), (EventCode::MUpload, "b"), (EventCode::MDownload, "a")] {
        queue.add_multiple(code, key).unwrap();
    }
    assert_eq!(inform(&mut queue), ["7 TRANSFER COMPLETE", "M Download(a)", "M Download(a)", "M Upload(b)"]);
    queue.acknowledge_inform();
    queue.acknowledge_response(Confirmation::TransferCompleteResponse, "a", true);
    queue.session_ended(false);
    assert_eq!(waiting(&queue), ["7 TRANSFER COMPLETE", "M Upload(b)", "M Download(a)"]);
    inform(&mut queue);
    queue.acknowledge_response(Confirmation::TransferCompleteResponse, "b", true);
    queue.acknowledge_response(Confirmation::TransferCompleteResponse, "a", false);
    assert!(waiting(&queue).is_empty());
}

#[test]
fn f07_a_result_that_is_told_in_the_session_of_its_request_takes_its_events_off() {
    let mut queue = Queue::default();
    inform(&mut queue);
    queue.add(EventCode::TransferComplete);
    queue.add_multiple(EventCode::MUpload, "u").unwrap();
    queue.acknowledge_response(Confirmation::TransferCompleteResponse, "u", false);
    assert!(waiting(&queue).is_empty());
}

#[test]
fn s03_what_happens_during_a_session_is_told_in_the_next() {
    let mut queue = Queue::default();
    queue.add(EventCode::Periodic);
    queue.add(EventCode::ConnectionRequest);
    inform(&mut queue);
    queue.add(EventCode::Periodic);
    queue.add(EventCode::Periodic);
    queue.add(EventCode::ConnectionRequest);
    queue.acknowledge_inform();
    queue.session_ended(true);
    assert_eq!(inform(&mut queue), ["2 PERIODIC", "6 CONNECTION REQUEST"]);
}

#[test]
fn e01_a_failed_session_leaves_single_events_single() {
    let mut queue = Queue::default();
    queue.add(EventCode::Periodic);
    inform(&mut queue);
    queue.add(EventCode::Periodic);
    queue.session_ended(false);
    assert_eq!(waiting(&queue), ["2 PERIODIC"]);
    inform(&mut queue);
    queue.add(EventCode::Periodic);
    assert_eq!(waiting(&reloaded(&queue)), ["2 PERIODIC"]);
}

#[test]
fn c12_a_connection_request_is_not_told_again_after_a_failed_session() {
    let mut queue = Queue::default();
    queue.add(EventCode::ConnectionRequest);
    queue.add(EventCode::Boot);
    assert_eq!(inform(&mut queue), ["1 BOOT", "6 CONNECTION REQUEST"]);
    queue.session_ended(false);
    assert_eq!(inform(&mut queue), ["1 BOOT"]);
    queue.add(EventCode::ConnectionRequest);
    queue.session_ended(false);
    assert_eq!(waiting(&queue), ["1 BOOT", "6 CONNECTION REQUEST"], "one that came during the session stays");
}

#[test]
fn e02_what_survives_the_agent_and_what_the_system() {
    // Columns: survives a restart of the agent, survives a reboot.
    let table = [
        ("0 BOOTSTRAP", true, true),
        ("1 BOOT", true, false),
        ("2 PERIODIC", true, true),
        ("3 SCHEDULED", true, true),
        ("4 VALUE CHANGE", false, false),
        ("5 KICKED", false, false),
        ("6 CONNECTION REQUEST", false, false),
        ("7 TRANSFER COMPLETE", true, true),
        ("8 DIAGNOSTICS COMPLETE", true, false),
        ("9 REQUEST DOWNLOAD", false, false),
        ("10 AUTONOMOUS TRANSFER COMPLETE", true, true),
        ("11 DU STATE CHANGE COMPLETE", true, true),
        ("12 AUTONOMOUS DU STATE CHANGE COMPLETE", true, true),
        ("13 WAKEUP", true, false),
        ("14 HEARTBEAT", false, false),
        ("M Reboot", true, true),
        ("M ScheduleInform", true, true),
        ("M Download", true, true),
        ("M ScheduleDownload", true, true),
        ("M Upload", true, true),
        ("M ChangeDUState", true, true),
        ("X 001122 Melted", true, true),
        ("M X_EXAMPLE_Melt", true, true),
    ];
    for (text, over_restart, over_reboot) in table {
        let mut queue = Queue::default();
        queue.pending.push(Entry { code: EventCode::parse(text).unwrap(), command_key: "k".into(), sent: true });
        let mut queue = reloaded(&queue);
        assert_eq!(queue.iter().next() == Some((&EventCode::parse(text).unwrap(), "k")), over_restart, "{text}");
        queue.on_boot();
        assert_eq!(queue.iter().any(|(_, key)| key == "k"), over_reboot, "{text}");
        assert_eq!(queue.iter().last().unwrap().0, &EventCode::Boot);
    }
}

#[test]
fn q02_reboot_events_wait_for_the_boot() {
    let mut queue = Queue::default();
    queue.add_at_next_boot(EventCode::MReboot, "one").unwrap();
    queue.add_at_next_boot(EventCode::MReboot, "two").unwrap();
    assert!(queue.must_persist());
    assert!(inform(&mut queue).is_empty());
    let mut queue = reloaded(&queue);
    queue.on_boot();
    assert_eq!(inform(&mut queue), ["1 BOOT", "M Reboot(one)", "M Reboot(two)"]);
    queue.acknowledge_inform();
    queue.session_ended(true);
    queue.on_boot();
    assert_eq!(inform(&mut queue), ["1 BOOT"]);
}

#[test]
fn b05_bootstrap_drops_what_was_meant_for_the_former_acs() {
    let mut queue = Queue::default();
    queue.on_boot();
    queue.add(EventCode::TransferComplete);
    queue.add_multiple(EventCode::MDownload, "d").unwrap();
    queue.add(EventCode::ConnectionRequest);
    queue.add_at_next_boot(EventCode::MReboot, "r").unwrap();
    queue.bootstrap();
    assert_eq!(inform(&mut queue), ["0 BOOTSTRAP", "1 BOOT"], "b02_first_boot");
    queue.session_ended(false);
    assert_eq!(inform(&mut queue), ["0 BOOTSTRAP", "1 BOOT"], "b04_it_stays_until_it_is_delivered");
    queue.acknowledge_inform();
    queue.session_ended(true);
    queue.on_boot();
    queue.acknowledge_inform();
    assert_eq!(inform(&mut queue), ["1 BOOT"]);
}

#[test]
fn b05_what_waited_comes_back_when_the_change_to_another_acs_is_undone() {
    let mut queue = Queue::default();
    queue.add_multiple(EventCode::MDownload, "d").unwrap();
    queue.add(EventCode::DiagnosticsComplete);
    queue.add_at_next_boot(EventCode::MReboot, "r").unwrap();
    let former = reloaded(&queue);
    queue.bootstrap();
    queue.add(EventCode::Periodic);
    queue.add_multiple(EventCode::MScheduleInform, "of the other ACS").unwrap();
    let mut here = queue.clone();
    here.take_back_bootstrap(former.clone(), false);
    assert!(here.must_persist());
    let waiting = ["2 PERIODIC", "8 DIAGNOSTICS COMPLETE", "7 TRANSFER COMPLETE", "M Download(d)"];
    assert_eq!(inform(&mut here), waiting);
    queue.on_boot();
    queue.take_back_bootstrap(former, true);
    let waiting = ["1 BOOT", "2 PERIODIC", "M Reboot(r)", "7 TRANSFER COMPLETE", "M Download(d)"];
    assert_eq!(inform(&mut queue), waiting, "e02_after_a_boot");
}

#[test]
fn an_event_that_means_nothing_any_more_is_withdrawn_unless_it_is_being_told() {
    let code = EventCode::parse("X EXAMPLE-COM Something").unwrap();
    let mut queue = Queue::default();
    queue.add(code.clone());
    queue.withdraw(&code);
    assert!(inform(&mut queue).is_empty());
    queue.add(code.clone());
    assert_eq!(inform(&mut queue), ["X EXAMPLE-COM Something"]);
    queue.withdraw(&code);
    assert_eq!(queue.iter().count(), 1);
}

#[test]
fn b03_a_change_of_the_url_while_the_bootstrap_is_under_way_makes_another() {
    let mut queue = Queue::default();
    queue.bootstrap();
    inform(&mut queue);
    queue.acknowledge_inform();
    queue.bootstrap();
    queue.session_ended(true);
    assert_eq!(inform(&mut queue), ["0 BOOTSTRAP"]);
}

#[test]
fn h02_a_heartbeat_is_alone_and_comes_last() {
    let mut queue = Queue::default();
    queue.add(EventCode::Heartbeat);
    queue.add(EventCode::Periodic);
    assert!(!queue.only_heartbeat(false));
    assert_eq!(inform(&mut queue), ["2 PERIODIC"]);
    queue.session_ended(false);
    queue.add(EventCode::Heartbeat);
    assert_eq!(inform(&mut queue), ["2 PERIODIC"]);
    queue.acknowledge_inform();
    queue.session_ended(false);
    assert!(codes(&queue.for_inform(true)).is_empty(), "no heartbeat in the retry of another session");
    queue.session_ended(true);
    assert!(queue.only_heartbeat(false));
    assert_eq!(inform(&mut queue), ["14 HEARTBEAT"]);
    queue.session_ended(false);
    assert_eq!(codes(&queue.for_inform(true)), ["14 HEARTBEAT"], "its own retry");
    queue.acknowledge_inform();
    queue.session_ended(true);
    assert!(inform(&mut queue).is_empty());
}

#[test]
fn n06_a_value_that_changed_back_takes_its_event_back() {
    let mut queue = Queue::default();
    queue.set_value_change(true);
    queue.set_value_change(true);
    assert_eq!(waiting(&queue), ["4 VALUE CHANGE"]);
    queue.set_value_change(false);
    assert!(waiting(&queue).is_empty());
    assert!(!queue.must_persist());
}

#[test]
fn only_what_is_kept_is_worth_a_write_to_flash() {
    let mut queue = Queue::default();
    for code in [EventCode::ConnectionRequest, EventCode::ValueChange, EventCode::Heartbeat] {
        queue.add(code);
    }
    inform(&mut queue);
    queue.acknowledge_inform();
    queue.session_ended(true);
    assert!(!queue.must_persist());
    queue.add(EventCode::Periodic);
    assert!(queue.must_persist());
    queue.persisted();
    queue.add(EventCode::Periodic);
    inform(&mut queue);
    queue.session_ended(false);
    assert!(!queue.must_persist());
    inform(&mut queue);
    queue.acknowledge_inform();
    assert!(queue.must_persist());
}

#[test]
fn an_event_without_a_request_behind_it_does_not_start_session_after_session() {
    let mut queue = Queue::default();
    queue.add(EventCode::TransferComplete);
    queue.add_multiple(EventCode::MDownload, "lost").unwrap();
    inform(&mut queue);
    queue.add_multiple(EventCode::MDownload, "new").unwrap();
    queue.acknowledge_inform();
    queue.session_ended(true);
    assert_eq!(waiting(&queue), ["M Download(new)"]);
}

/// The power may go between the saving of results and that of events.
#[test]
fn e02_e03_events_follow_from_the_results_that_wait() {
    let mut queue = Queue::default();
    queue.add(EventCode::Boot);
    queue.add(EventCode::TransferComplete);
    for (code, key) in
        [(EventCode::MDownload, "told already"), (EventCode::MDownload, "twice"), (EventCode::MReboot, "r")]
    {
        queue.add_multiple(code, key).unwrap();
    }
    let results = [(EventCode::MDownload, "twice"), (EventCode::MDownload, "twice"), (EventCode::MUpload, "new")];
    queue.keep_results(Confirmation::TransferCompleteResponse, &results);
    queue.add_results(EventCode::TransferComplete, &results);
    let expected =
        ["1 BOOT", "7 TRANSFER COMPLETE", "M Download(twice)", "M Reboot(r)", "M Download(twice)", "M Upload(new)"];
    assert_eq!(waiting(&queue), expected);
    queue.add_results(EventCode::TransferComplete, &results);
    assert_eq!(waiting(&queue), expected, "nothing is added twice");
    queue.keep_results(Confirmation::TransferCompleteResponse, &[]);
    queue.add_results(EventCode::TransferComplete, &[]);
    assert_eq!(waiting(&reloaded(&queue)), ["1 BOOT", "M Reboot(r)"]);
}

#[test]
fn e02_a_result_whose_event_has_no_room_gets_it_later() {
    let mut queue = Queue::default();
    for number in 0..CAPACITY {
        queue.add_multiple(EventCode::MScheduleInform, &number.to_string()).unwrap();
    }
    let results = [(EventCode::MDownload, "patient")];
    queue.add_results(EventCode::TransferComplete, &results);
    assert!(!waiting(&queue).contains(&"M Download(patient)".into()));
    queue.for_inform(false);
    queue.acknowledge_inform();
    queue.add_results(EventCode::TransferComplete, &results);
    assert!(waiting(&queue).contains(&"M Download(patient)".into()));
}
