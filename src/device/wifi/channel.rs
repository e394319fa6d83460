//! Band, standards, channel and bandwidth of a radio: options that only make sense together, and are judged together.

use super::{live, words};
use crate::device::net;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{Text, Values};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Band {
    Two,
    Five,
    Six,
}

impl Band {
    const ALL: [Self; 3] = [Self::Two, Self::Five, Self::Six];

    fn name(self) -> &'static str {
        match self {
            Self::Two => "2.4GHz",
            Self::Five => "5GHz",
            Self::Six => "6GHz",
        }
    }

    fn uci(self) -> &'static str {
        match self {
            Self::Two => "2g",
            Self::Five => "5g",
            Self::Six => "6g",
        }
    }

    /// The number that iwinfo has for it.
    fn number(self) -> i64 {
        match self {
            Self::Two => 2,
            Self::Five => 5,
            Self::Six => 6,
        }
    }

    /// Its standards, the oldest first.
    fn standards(self) -> &'static [&'static str] {
        match self {
            Self::Two => &["b", "g", "n", "ax", "be"],
            Self::Five => &["a", "n", "ac", "ax", "be"],
            Self::Six => &["ax", "be"],
        }
    }

    /// Whether a channel can be in it, where the driver does not say.
    fn may_have(self, channel: u16) -> bool {
        match self {
            Self::Two => (1..=14).contains(&channel),
            Self::Five => {
                matches!(channel, 36..=64 | 100..=144 if channel % 4 == 0)
                    || matches!(channel, 149..=177 if channel % 4 == 1)
            }
            Self::Six => channel <= 233 && (channel % 4 == 1 || channel == 2),
        }
    }
}

/// The generation of the modulation: the letters of `htmode`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Generation {
    Legacy,
    Ht,
    Vht,
    He,
    Eht,
}

impl Generation {
    const ALL: [Self; 5] = [Self::Legacy, Self::Ht, Self::Vht, Self::He, Self::Eht];

    fn prefix(self) -> &'static str {
        match self {
            Self::Legacy => "NOHT",
            Self::Ht => "HT",
            Self::Vht => "VHT",
            Self::He => "HE",
            Self::Eht => "EHT",
        }
    }

    fn standard(self, band: Band) -> &'static str {
        match self {
            Self::Legacy if band == Band::Two => "g",
            Self::Legacy => "a",
            Self::Ht => "n",
            // Some vendors have 256-QAM in 2.4 GHz, which is no standard.
            Self::Vht if band == Band::Two => "n",
            Self::Vht => "ac",
            Self::He => "ax",
            Self::Eht => "be",
        }
    }

    fn widths(self, band: Band) -> &'static [u16] {
        match (self, band) {
            (Self::Legacy, _) => &[20],
            (_, Band::Two) | (Self::Ht, _) => &[20, 40],
            (Self::Eht, Band::Six) => &[20, 40, 80, 160, 320],
            _ => &[20, 40, 80, 160],
        }
    }
}

/// What a radio is set to.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Plan {
    band: Band,
    generation: Generation,
    /// MHz
    width: u16,
    /// `+` or `-` of `HT40+`.
    side: &'static str,
    /// The oldest standard that may be used.
    oldest: &'static str,
    /// `None` for the router's own choice.
    channel: Option<u16>,
}

impl Plan {
    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        let section = cx.section(row)?;
        let channel = section.get("channel").and_then(|text| text.parse().ok()).filter(|channel| *channel != 0);
        let band = match (section.get("band"), section.get("hwmode")) {
            (Some(name), _) if Band::ALL.iter().any(|band| band.uci() == name) => {
                Band::ALL.into_iter().find(|band| band.uci() == name).unwrap_or(Band::Two)
            }
            (_, Some(mode)) if mode.contains('a') => Band::Five,
            _ if channel.is_some_and(|channel| channel > 14) => Band::Five,
            _ => Band::Two,
        };
        let (generation, width, side) = parse_mode(section.get("htmode").unwrap_or_default());
        let legacy = section.get("legacy_rates").and_then(uci_truth).unwrap_or(false);
        let oldest = match section.get("require_mode") {
            Some("n") if band != Band::Six => "n",
            Some("ac") if band == Band::Five => "ac",
            _ if band == Band::Two && legacy => "b",
            _ => {
                if band == Band::Two {
                    "g"
                } else {
                    band.standards().first().copied().unwrap_or("a")
                }
            }
        };
        Ok(Self { band, generation, width, side, oldest, channel })
    }

    fn mode(&self) -> String {
        match self.generation {
            Generation::Legacy => String::from("NOHT"),
            generation => format!("{}{}{}", generation.prefix(), self.width, self.side),
        }
    }

    /// The standards from the oldest to the newest.
    fn standards(&self) -> Vec<&'static str> {
        let all = self.band.standards();
        let place = |name| all.iter().position(|standard| *standard == name).unwrap_or(0);
        let newest = place(self.generation.standard(self.band));
        let oldest = place(self.oldest).min(newest);
        all.iter().copied().take(newest.saturating_add(1)).skip(oldest).collect()
    }

    fn write(&self, cx: &mut Context, row: &Row, before: &Self) -> Result<(), Fault> {
        if self.band != before.band {
            cx.set_option(row, "band", Some(self.band.uci()))?;
            cx.set_option(row, "hwmode", None)?;
        }
        if self.mode() != before.mode() {
            cx.set_option(row, "htmode", Some(&self.mode()))?;
        }
        if self.oldest != before.oldest {
            let required = matches!(self.oldest, "n" | "ac").then_some(self.oldest);
            cx.set_option(row, "require_mode", required)?;
            cx.set_option(
                row,
                "legacy_rates",
                (self.band == Band::Two).then_some(if self.oldest == "b" { "1" } else { "0" }),
            )?;
        }
        if self.channel != before.channel {
            let channel = self.channel.map_or_else(|| String::from("auto"), |channel| channel.to_string());
            cx.set_option(row, "channel", Some(&channel))?;
        }
        Ok(())
    }
}

/// `HE80`, `HT40+`, `NOHT` and the like.
fn parse_mode(text: &str) -> (Generation, u16, &'static str) {
    let found = Generation::ALL.into_iter().rev().find(|generation| text.starts_with(generation.prefix()));
    let Some(generation) = found.filter(|generation| *generation != Generation::Legacy) else {
        return (Generation::Legacy, 20, "");
    };
    let rest = text.strip_prefix(generation.prefix()).unwrap_or_default();
    let side = if rest == "40+" {
        "+"
    } else if rest == "40-" {
        "-"
    } else {
        ""
    };
    let digits = rest.split(['+', '-']).next().unwrap_or_default();
    (generation, digits.parse().unwrap_or(20), side)
}

/// What the driver offers.
struct Abilities {
    /// Names such as `HE80`; empty where the driver does not say.
    modes: Vec<String>,
    /// Standards; empty where the driver does not say.
    standards: Vec<String>,
    /// Band (as iwinfo has it) and number of each channel that may be used; empty where the driver does not say.
    channels: Vec<(i64, u16)>,
    /// The channel in use.
    channel: Option<u16>,
    /// The mode in use.
    mode: String,
}

impl Abilities {
    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        let name = cx.key(row)?;
        let info = live::info(cx, &name);
        let texts = |member| {
            net::items(&info, member).iter().filter_map(|item| item.as_str().map(String::from)).collect::<Vec<_>>()
        };
        let channels = live::list(cx, "freqlist", &name)
            .iter()
            .filter(|entry| !net::truth(entry, "restricted"))
            .filter_map(|entry| {
                let channel = u16::try_from(live::number(entry, "channel")?).ok()?;
                // Older iwinfo does not say the band, only the frequency.
                let band = live::number(entry, "band").or_else(|| match live::number(entry, "mhz")? {
                    ..=2999 => Some(2),
                    3000..=5949 => Some(5),
                    _ => Some(6),
                })?;
                Some((band, channel))
            })
            .collect();
        let channel = live::number(&info, "channel").and_then(|channel| u16::try_from(channel).ok());
        Ok(Self {
            modes: texts("htmodes"),
            standards: texts("hwmodes"),
            channels,
            channel: channel.filter(|channel| *channel != 0),
            mode: net::text(&info, "htmode").map(String::from).unwrap_or_default(),
        })
    }

    fn bands(&self, now: Band) -> Vec<Band> {
        let all = Band::ALL.into_iter();
        all.filter(|band| *band == now || self.channels.iter().any(|(number, _)| *number == band.number())).collect()
    }

    fn standards(&self, plan: &Plan) -> Vec<&'static str> {
        let known = !self.standards.is_empty();
        let newest = plan.standards().len();
        let all = plan.band.standards().iter().copied();
        if known {
            return all.filter(|standard| self.standards.iter().any(|name| name == standard)).collect();
        }
        let skipped = plan.band.standards().len().saturating_sub(newest);
        let up_to = plan.standards().last().copied().unwrap_or_default();
        let last = plan.band.standards().iter().position(|standard| *standard == up_to).unwrap_or(skipped);
        all.take(last.saturating_add(1)).collect()
    }

    fn widths(&self, band: Band, generation: Generation) -> Vec<u16> {
        let all = generation.widths(band).iter().copied();
        if self.modes.is_empty() || generation == Generation::Legacy {
            return all.collect();
        }
        all.filter(|width| {
            let mode = format!("{}{width}", generation.prefix());
            self.modes.iter().any(|known| known.trim_end_matches(['+', '-']) == mode)
        })
        .collect()
    }

    fn channels(&self, band: Band) -> Vec<u16> {
        self.channels.iter().filter(|(number, _)| *number == band.number()).map(|(_, channel)| *channel).collect()
    }

    fn has_channel(&self, band: Band, channel: u16) -> bool {
        let channels = self.channels(band);
        if channels.is_empty() { band.may_have(channel) } else { channels.contains(&channel) }
    }
}

/// Where it is kept that the bandwidth is the router's choice, with the mode that came of it.
fn chosen(name: &str) -> String {
    format!("{}.{name}.bandwidth", super::PACKAGE)
}

fn width_name(width: u16, channel: Option<u16>) -> String {
    match width {
        // The two ways to lay 320 MHz into the band begin at channels 1 and 33.
        320 if channel.is_some_and(|channel| channel % 64 >= 33) => String::from("320MHz-2"),
        320 => String::from("320MHz-1"),
        width => format!("{width}MHz"),
    }
}

fn width_of(name: &str) -> Option<u16> {
    name.split_once("MHz")?.0.parse().ok()
}

pub(super) fn supported_bands(cx: &mut Context, row: &Row) -> Result<Text> {
    let plan = Plan::read(cx, row)?;
    let bands = Abilities::read(cx, row)?.bands(plan.band);
    Ok(Text::Owned(bands.into_iter().map(Band::name).collect::<Vec<_>>().join(",")))
}

pub(super) fn band(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(Plan::read(cx, row)?.band.name()))
}

pub(super) fn supported_standards(cx: &mut Context, row: &Row) -> Result<Text> {
    let plan = Plan::read(cx, row)?;
    Ok(Text::Owned(Abilities::read(cx, row)?.standards(&plan).join(",")))
}

pub(super) fn standards(cx: &mut Context, row: &Row) -> Result<Text> {
    let now = Plan::read(cx, row)?.standards().join(",");
    Ok(words::shown(cx, row, "OperatingStandards", Text::Owned(now)))
}

pub(super) fn possible_channels(cx: &mut Context, row: &Row) -> Result<Text> {
    let band = Plan::read(cx, row)?.band;
    let channels = Abilities::read(cx, row)?.channels(band);
    Ok(Text::Owned(channels.iter().map(u16::to_string).collect::<Vec<_>>().join(",")))
}

/// The channel that is set; where the router chooses, the one that it has chosen.
/// A radio that is off and chooses for itself has no channel, and 0 is no value of the parameter (1 to 255): it is the one that its band begins with.
pub(super) fn channel(cx: &mut Context, row: &Row) -> Result<Text> {
    let plan = Plan::read(cx, row)?;
    let channel = match plan.channel {
        Some(channel) => Some(channel),
        None => Abilities::read(cx, row)?.channel,
    };
    let first = if plan.band == Band::Five { 36 } else { 1 };
    Ok(Text::Owned(channel.unwrap_or(first).to_string()))
}

pub(super) fn in_use(cx: &mut Context, row: &Row) -> Result<Text> {
    let channel = Abilities::read(cx, row)?.channel;
    Ok(channel.map_or(Text::Borrowed(""), |channel| Text::Owned(channel.to_string())))
}

pub(super) fn auto(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(Plan::read(cx, row)?.channel.is_none()))
}

pub(super) fn supported_bandwidths(cx: &mut Context, row: &Row) -> Result<Text> {
    let plan = Plan::read(cx, row)?;
    let abilities = Abilities::read(cx, row)?;
    let mut names: Vec<String> = Vec::new();
    for width in [20, 40, 80, 160, 320] {
        if Generation::ALL.iter().any(|generation| abilities.widths(plan.band, *generation).contains(&width)) {
            names.push(width_name(width, None));
        }
    }
    if names.iter().any(|name| name == "320MHz-1") {
        names.push(String::from("320MHz-2"));
    }
    names.push(String::from("Auto"));
    Ok(Text::Owned(names.join(",")))
}

pub(super) fn bandwidth(cx: &mut Context, row: &Row) -> Result<Text> {
    let plan = Plan::read(cx, row)?;
    let name = cx.key(row)?;
    if cx.own(&chosen(&name)).is_some_and(|mode| mode == plan.mode()) {
        return Ok(Text::Borrowed("Auto"));
    }
    Ok(Text::Owned(width_name(plan.width, plan.channel)))
}

pub(super) fn current_bandwidth(cx: &mut Context, row: &Row) -> Result<Text> {
    let plan = Plan::read(cx, row)?;
    let abilities = Abilities::read(cx, row)?;
    let width = if abilities.mode.is_empty() { plan.width } else { parse_mode(&abilities.mode).1 };
    Ok(Text::Owned(width_name(width, plan.channel.or(abilities.channel))))
}

pub(super) fn extension(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(match Plan::read(cx, row)?.side {
        "+" => "AboveControlChannel",
        "-" => "BelowControlChannel",
        _ => "Auto",
    }))
}

pub(super) fn has_80211h(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(Plan::read(cx, row)?.band == Band::Five)
}

/// Stages what a request has of these parameters, when the end state is one that the radio can have.
pub(super) fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let broken = |error: crate::error::Error| ("Channel", Fault::from(error));
    let before = Plan::read(cx, row).map_err(broken)?;
    let abilities = Abilities::read(cx, row).map_err(broken)?;
    let was_auto = bandwidth(cx, row).map_err(broken)? == "Auto";
    let mut plan = before.clone();
    if let Some(value) = values.get("OperatingFrequencyBand") {
        let wanted = abilities.bands(before.band).into_iter().find(|band| band.name() == value);
        let refused = || Fault::value("not one of SupportedFrequencyBands");
        move_to(&mut plan, wanted.ok_or_else(|| ("OperatingFrequencyBand", refused()))?);
    }
    if let Some(value) = values.get("OperatingStandards") {
        set_standards(&mut plan, &abilities, value).map_err(|fault| ("OperatingStandards", fault))?;
    }
    set_channel(&mut plan, &abilities, values)?;
    let auto = set_width(&mut plan, &abilities, values, was_auto)?;
    judge(&plan, &before, &abilities)?;
    let stage = |cx: &mut Context| -> Result<(), Fault> {
        let name = cx.key(row)?;
        let mark = auto.then(|| plan.mode());
        if cx.own(&chosen(&name)) != mark && (auto || was_auto) {
            cx.set_own(&chosen(&name), mark.as_deref());
        }
        plan.write(cx, row, &before)
    };
    stage(cx).map_err(|fault| ("Channel", fault))?;
    if let Some(value) = values.get("OperatingStandards") {
        let now = Plan::read(cx, row).map_err(broken)?.standards().join(",");
        words::keep(cx, row, "OperatingStandards", value, &now);
    }
    Ok(())
}

/// Another band takes none of the settings that it cannot have.
fn move_to(plan: &mut Plan, band: Band) {
    if plan.band == band {
        return;
    }
    plan.band = band;
    plan.channel = None;
    plan.side = "";
    plan.oldest = if band == Band::Two { "g" } else { band.standards().first().copied().unwrap_or("a") };
    if band == Band::Six && plan.generation < Generation::He {
        plan.generation = Generation::He;
    }
    if band == Band::Two && plan.generation == Generation::Vht {
        plan.generation = Generation::Ht;
    }
}

fn set_standards(plan: &mut Plan, abilities: &Abilities, value: &str) -> Result<(), Fault> {
    let wanted: Vec<&str> = value.split(',').collect();
    let supported = abilities.standards(plan);
    if let Some(other) = wanted.iter().find(|name| !supported.contains(*name)) {
        return Err(Fault::value(format!("{other} is not one of SupportedStandards")));
    }
    let mut order: Vec<&str> = plan.standards();
    order.sort_unstable();
    let mut same = wanted.clone();
    same.sort_unstable();
    same.dedup();
    if order == same {
        return Ok(());
    }
    let chosen: Vec<&'static str> = supported.iter().copied().filter(|name| wanted.contains(name)).collect();
    let (Some(oldest), Some(newest)) = (chosen.first().copied(), chosen.last().copied()) else {
        return Err(Fault::value("a radio needs a standard"));
    };
    let between = supported.iter().skip_while(|name| **name != oldest).take_while(|name| **name != newest).count();
    if between.saturating_add(1) != chosen.len() {
        return Err(Fault::value("a standard between two others cannot be left out"));
    }
    if matches!(oldest, "ax" | "be") && plan.band != Band::Six {
        return Err(Fault::value("the router cannot refuse stations of all older standards"));
    }
    let generation = match newest {
        "n" => Generation::Ht,
        "ac" => Generation::Vht,
        "ax" => Generation::He,
        "be" => Generation::Eht,
        "b" => return Err(Fault::value("802.11b alone cannot be set")),
        _ => Generation::Legacy,
    };
    plan.generation = generation;
    plan.oldest = oldest;
    Ok(())
}

fn set_channel(plan: &mut Plan, abilities: &Abilities, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let wanted: Option<u16> = values.get("Channel").and_then(|text| text.parse().ok());
    match (values.get("AutoChannelEnable"), wanted) {
        // The end state counts: a choice of the router leaves no room for one of the ACS.
        (Some("true"), _) => plan.channel = None,
        (_, Some(channel)) => plan.channel = Some(channel),
        (Some(_), None) if plan.channel.is_none() => {
            let first = abilities.channels(plan.band).first().copied();
            let fallback = if plan.band == Band::Five { 36 } else { 1 };
            let now = abilities.channel.filter(|channel| abilities.has_channel(plan.band, *channel));
            plan.channel = now.or(first).or(Some(fallback));
        }
        _ => {}
    }
    Ok(())
}

/// Whether the bandwidth is the router's choice.
fn set_width(
    plan: &mut Plan,
    abilities: &Abilities,
    values: &Values<'_>,
    was_auto: bool,
) -> Result<bool, (&'static str, Fault)> {
    let widths = abilities.widths(plan.band, plan.generation);
    let widest = |fits: &dyn Fn(u16) -> bool| widths.iter().copied().filter(|width| fits(*width)).max().unwrap_or(20);
    let asked = values.get("OperatingChannelBandwidth");
    let auto = asked.map_or(was_auto, |value| value == "Auto");
    if let Some(value) = values.get("ExtensionChannel") {
        plan.side = match value {
            "AboveControlChannel" => "+",
            "BelowControlChannel" => "-",
            _ => "",
        };
    }
    match asked {
        Some("Auto") => {
            let channel = plan.channel;
            plan.width = widest(&|width| channel.is_none_or(|channel| fits(plan.band, abilities, channel, width)));
        }
        None if auto => {
            let channel = plan.channel;
            plan.width = widest(&|width| channel.is_none_or(|channel| fits(plan.band, abilities, channel, width)));
        }
        Some(value) => {
            let width = width_of(value).filter(|width| widths.contains(width));
            let refused = || Fault::value("not a bandwidth of this radio in this band and with these standards");
            plan.width = width.ok_or_else(|| ("OperatingChannelBandwidth", refused()))?;
        }
        // Older standards have narrower channels.
        None if !widths.contains(&plan.width) => plan.width = widest(&|width| width <= plan.width),
        None => {}
    }
    let sided = plan.generation == Generation::Ht && plan.width == 40;
    if !sided {
        if matches!(values.get("ExtensionChannel"), Some(value) if value != "Auto") {
            return Err(("ExtensionChannel", Fault::value("only 40 MHz channels of 802.11n have a choice")));
        }
        plan.side = "";
    }
    Ok(auto)
}

/// Whether a channel can be the control channel of a block of this width.
fn fits(band: Band, abilities: &Abilities, channel: u16, width: u16) -> bool {
    let start = match band {
        Band::Five => match channel {
            36..=64 => 36,
            100..=144 => 100,
            149..=177 => 149,
            _ => return width == 20,
        },
        Band::Two => return width == 20 || channel < 14,
        Band::Six => return true,
    };
    let many = (width / 20).max(1);
    let Some(offset) = channel.checked_sub(start).map(|distance| distance / 4) else { return false };
    let first = start.saturating_add((offset / many).saturating_mul(many).saturating_mul(4));
    (0..many).all(|step| {
        let member = first.saturating_add(step.saturating_mul(4));
        // A block never reaches over the end of its part of the band.
        let inside = match start {
            36 => member <= 64,
            100 => member <= 144,
            _ => member <= 177,
        };
        inside && abilities.has_channel(band, member)
    })
}

fn judge(plan: &Plan, before: &Plan, abilities: &Abilities) -> Result<(), (&'static str, Fault)> {
    let Some(channel) = plan.channel.filter(|_| plan != before) else { return Ok(()) };
    if before.channel != plan.channel && !abilities.has_channel(plan.band, channel) {
        return Err(("Channel", Fault::value("not one of PossibleChannels")));
    }
    if !fits(plan.band, abilities, channel, plan.width) {
        let name = if plan.width != before.width { "OperatingChannelBandwidth" } else { "Channel" };
        return Err((name, Fault::value(format!("channel {channel} has no room for {} MHz", plan.width))));
    }
    let wrong_side = match plan.side {
        "+" => plan.band == Band::Two && channel > 9,
        "-" => plan.band == Band::Two && channel < 5,
        _ => false,
    };
    if wrong_side {
        return Err(("ExtensionChannel", Fault::value("the extension channel would be outside the band")));
    }
    Ok(())
}
