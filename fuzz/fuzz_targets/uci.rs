#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = cwmpd::platform::uci::exercise(data) {
        panic!("{broken}");
    }
});
