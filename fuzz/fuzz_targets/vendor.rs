#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match cwmpd::model::vendor::parse("fuzz.json", text) {
        Ok(file) => {
            let again = cwmpd::model::vendor::parse("fuzz.json", text);
            assert!(again.is_ok_and(|again| again.objects().eq(file.objects())));
        }
        Err(problems) => {
            let lines = text.matches('\n').count() + 1;
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| problem.line <= lines && !problem.reason.contains('\n')));
        }
    }
});
