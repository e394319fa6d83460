#![no_main]

use std::io::Write;

use cwmpd::transfer::archive;
use flate2::Compression;
use flate2::write::GzEncoder;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Packed here, since no fuzzer guesses the checksum of gzip.
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(data).unwrap();
    let packed = packed.finish().unwrap();
    let safe = |name: &str| {
        assert!(!name.starts_with('/') && !name.split('/').any(|part| part == ".."));
        true
    };
    let mut out = Vec::new();
    if let Ok(packages) = archive::copy(&mut packed.as_slice(), &mut out, &safe) {
        let again = archive::copy(&mut out.as_slice(), &mut std::io::sink(), &safe);
        assert!(again.is_ok_and(|again| again == packages));
    }
});
