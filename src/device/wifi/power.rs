//! `TransmitPower`: per cent of the most that the radio can send, as dBm in UCI.

use super::live;
use crate::error::{Fault, FaultCode, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::Text;

/// A step of the transmit power.
struct Step {
    dbm: i64,
    percent: i64,
}

/// The steps that the driver offers, the least first.
fn steps(cx: &mut Context, row: &Row) -> Result<Vec<Step>> {
    let name = cx.key(row)?;
    let entries = live::list(cx, "txpowerlist", &name);
    let levels: Vec<(i64, i64)> = entries
        .iter()
        .filter_map(|entry| Some((live::number(entry, "dbm")?, live::number(entry, "mw")?.clamp(1, 1_000_000))))
        .collect();
    let most = levels.iter().map(|(_, milliwatts)| *milliwatts).max().unwrap_or(1);
    let percent = |milliwatts: i64| milliwatts.saturating_mul(100).saturating_add(most / 2) / most;
    Ok(levels.iter().map(|&(dbm, milliwatts)| Step { dbm, percent: percent(milliwatts).clamp(1, 100) }).collect())
}

/// Where the percentage that was asked for is kept, with the dBm that came of it.
fn asked(name: &str) -> String {
    format!("{}.{name}.power", super::PACKAGE)
}

pub(super) fn supported(cx: &mut Context, row: &Row) -> Result<Text> {
    let mut values: Vec<i64> = steps(cx, row)?.iter().map(|step| step.percent).collect();
    values.sort_unstable();
    values.dedup();
    values.insert(0, -1);
    let mut list = values.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    while list.len() > 64 && values.len() > 2 {
        values.remove(1);
        list = values.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    }
    Ok(Text::Owned(list))
}

pub(super) fn power(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(text) = cx.option(row, "txpower")? else { return Ok(Text::Borrowed("-1")) };
    let Ok(dbm) = text.parse::<i64>() else { return Ok(Text::Borrowed("-1")) };
    let name = cx.key(row)?;
    if let Some((percent, then)) = cx.own(&asked(&name)).as_deref().and_then(|asked| asked.split_once('@')) {
        if then.parse() == Ok(dbm) {
            return Ok(Text::Owned(String::from(percent)));
        }
    }
    let steps = steps(cx, row)?;
    let nearest = steps.iter().min_by_key(|step| step.dbm.abs_diff(dbm));
    Ok(nearest.map_or(Text::Borrowed("-1"), |step| Text::Owned(step.percent.to_string())))
}

pub(super) fn set_power(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if power(cx, row)? == value {
        return Ok(());
    }
    let name = cx.name_section(row)?;
    let percent: i64 = value.parse().map_err(|_| Fault::value("not a number"))?;
    if percent < 0 {
        cx.set_own(&asked(&name), None);
        return cx.set_option(row, "txpower", None);
    }
    let steps = steps(cx, row)?;
    let nearest = steps.iter().min_by_key(|step| step.percent.abs_diff(percent));
    let Some(step) = nearest else {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "the radio does not tell its power levels now"));
    };
    let dbm = step.dbm.to_string();
    cx.set_own(&asked(&name), Some(&format!("{percent}@{dbm}")));
    cx.set_option(row, "txpower", Some(&dbm))
}
