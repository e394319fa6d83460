//! What hostapd is built with.

use std::sync::{Mutex, PoisonError};

use crate::model::context::Context;
use crate::platform::FileInfo;
use crate::sorted::Map;

const HOSTAPD: &str = "/usr/sbin/hostapd";

/// What makes the configuration of hostapd in newer releases of OpenWrt. It knows nothing of the keys of WEP, whatever hostapd is built with: a network
/// with WEP would be an open one.
const SCRIPT: &str = "/usr/share/ucode/wifi/ap.uc";

/// What this very program has answered: it is asked once, not at every read.
static ANSWERS: Mutex<Option<(FileInfo, Map<String, bool>)>> = Mutex::new(None);

/// Whether hostapd has a feature, as its `-v` names it; where it cannot be asked, it has all but WEP, as in OpenWrt's own builds.
pub(super) fn has(cx: &mut Context, feature: &str) -> bool {
    if feature.is_empty() {
        return true;
    }
    if feature == "wep" && cx.file(SCRIPT).is_ok_and(|script| !script.contains("wep_key")) {
        return false;
    }
    // Another size or date is another program.
    let Ok(program) = cx.system().file_info(HOSTAPD) else { return feature != "wep" };
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    if answers.as_ref().is_none_or(|(asked, _)| *asked != program) {
        *answers = Some((program, Map::new()));
    }
    let Some((_, known)) = answers.as_mut() else { return false };
    if let Some(known) = known.get(feature) {
        return *known;
    }
    let has = cx.program(&[HOSTAPD, &format!("-v{feature}")]).is_ok();
    known.insert(String::from(feature), has);
    has
}
