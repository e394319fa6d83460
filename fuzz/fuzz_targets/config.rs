//! Whatever is in `/etc/config/cwmpd`, there are settings within their ranges, and what is wrong is told without a secret.
#![no_main]

use cwmpd::acs::{LONGEST_URL, Url};
use cwmpd::config::{Config, PACKAGE};
use cwmpd::connreq::url::configured_path;
use cwmpd::platform::uci::Package;
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "Swordfish-Swordfish";

fuzz_target!(|text: &[u8]| {
    if text.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
        return;
    }
    // Whatever state the text before it leaves the reader in, and also under a name that is not known.
    let secret = format!(
        "\n\toption password '{SECRET}'\nconfig acs 'acs'\n\toption passwort '{SECRET}'\n\toption password '{SECRET}\n"
    );
    let text = &[text, secret.as_bytes()].concat();
    let (config, problems) = Config::from_package(&Package::parse(PACKAGE, text));
    assert!(config.acs.url.is_empty() || config.acs.url.len() <= LONGEST_URL);
    assert!(config.acs.periodic_interval >= 1);
    assert!((1..=65_535).contains(&config.acs.retry_min_wait));
    assert!((1_000..=65_535).contains(&config.acs.retry_multiplier));
    assert!((1..=3_600).contains(&config.acs.http_timeout));
    assert!((16_384..=1 << 26).contains(&config.acs.max_envelope));
    assert!(config.acs.cwmp_version.0 <= 4);
    assert!(config.cpe.listen_port != 0);
    assert!(config.notify.iter().all(|notify| notify.notification <= 6));
    assert!(problems.iter().all(|problem| !problem.to_string().contains(SECRET)));
    let _ = Url::parse(&config.acs.url);
    let _ = configured_path(&config.cpe.path);
});
