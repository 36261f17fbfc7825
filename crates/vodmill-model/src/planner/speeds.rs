//! `speed = "auto"`: the speed at which encoding and delivery together cost least.

use std::collections::BTreeSet;

use super::{Decisions, tracks};
use crate::audience::{Audience, AudiencePrices};
use crate::media::MediaInfo;
use crate::preset::{Speed, VideoCommon, VideoTarget};
use crate::spec::{JobSpec, OutputPreset};
use crate::units::Size;

/// A speed against `medium`, in thousandths: processor time, and bytes for the same picture.
struct Trade {
    speed: Speed,
    cpu: u128,
    bytes: u128,
}

/// `fast` and `slow` lie behind these. Means of five clips, measured as docs/decisions.md says (2026-11-29, "The speed by expected views").
static TRADES: [Trade; 3] = [
    Trade { speed: Speed::Veryfast, cpu: 467, bytes: 1345 },
    Trade { speed: Speed::Faster, cpu: 750, bytes: 1109 },
    Trade { speed: Speed::Medium, cpu: 1000, bytes: 1000 },
];

/// Milliseconds of a processor for a million pixels at `medium`; from the same measurement.
const MEGAPIXEL_MS: u128 = 30;

/// Frames a second that are reckoned with: all speeds cost more of more frames alike.
const FRAMES: u128 = 30;

const GB: u128 = 1 << 30;
const BILLION: u128 = 1_000_000_000;

/// `spec` with a speed instead of `auto`, if it says who watches.
pub(super) fn choose(spec: &JobSpec, media: &MediaInfo, decisions: &mut Decisions) -> JobSpec {
    let mut spec = spec.clone();
    let audience = spec.audience.clone();
    let Some(Audience { expected_views, prices: Some(prices), .. }) = audience else { return spec };
    let display = tracks::main_video(media).map(|track| track.coded);
    let Some(hour) = display.and_then(|display| Hour::of(&spec, display)) else { return spec };
    let costs = Costs { hour, prices: &prices, views: expected_views };
    let mut least = &TRADES[0];
    for trade in &TRADES {
        if costs.all(trade) < costs.all(least) {
            least = trade;
        }
    }
    decisions.add("speed", super::rungs::speed(least.speed), costs.reason(least));
    for common in commons_mut(&mut spec) {
        if common.speed == Speed::Auto {
            common.speed = least.speed;
        }
    }
    spec
}

fn commons_mut(spec: &mut JobSpec) -> impl Iterator<Item = &mut VideoCommon> {
    spec.outputs.iter_mut().filter_map(|output| match &mut output.preset {
        OutputPreset::Ladder(ladder) => Some(&mut ladder.video),
        OutputPreset::File(file) => file.video.as_mut().map(|video| &mut video.common),
    })
}

/// What an hour takes at `medium`, of all that is to be made at `auto`.
struct Hour {
    core_ms: u128,
    /// Bytes of a view of the best picture.
    view: u128,
}

impl Hour {
    /// None if nothing is at `auto`.
    fn of(spec: &JobSpec, display: Size) -> Option<Hour> {
        let targets = targets(spec);
        let pixels = u128::from(display.width) * u128::from(display.height);
        let areas: BTreeSet<(u128, u64)> =
            targets.iter().map(|target| (pixels.min(area(target)), target.max_bitrate.0)).collect();
        let encoded: u128 = areas.iter().map(|(area, _)| area).sum();
        let best = targets.iter().max_by_key(|target| area(target))?;
        // Pictures at a CRF take half of the peak that they may.
        let rate = best.bitrate.map_or(best.max_bitrate.0 / 2, |rate| rate.0);
        let view = u128::from(rate) / 8 * 3600;
        Some(Hour { core_ms: encoded * FRAMES * 3600 * MEGAPIXEL_MS / 1_000_000, view })
    }
}

fn area(target: &VideoTarget) -> u128 {
    u128::from(target.width) * u128::from(target.height)
}

/// Boxes of all that is at `auto`.
fn targets(spec: &JobSpec) -> Vec<&VideoTarget> {
    let mut targets = Vec::new();
    for output in &spec.outputs {
        match &output.preset {
            OutputPreset::Ladder(ladder) if ladder.video.speed == Speed::Auto => {
                targets.extend(ladder.rungs.iter().map(|rung| &rung.target));
            }
            OutputPreset::File(file) => {
                let video = file.video.iter().filter(|video| video.common.speed == Speed::Auto);
                targets.extend(video.map(|video| &video.target));
            }
            OutputPreset::Ladder(_) => {}
        }
    }
    targets
}

/// What an hour costs, in billionths.
struct Costs<'a> {
    hour: Hour,
    prices: &'a AudiencePrices,
    views: u64,
}

impl Costs<'_> {
    fn encoding(&self, trade: &Trade) -> u128 {
        self.hour.core_ms * trade.cpu * u128::from(self.prices.core_hour_billionths)
            / (1000 * 3_600_000)
    }

    fn delivery(&self, trade: &Trade) -> u128 {
        let bytes = self.hour.view * u128::from(self.views) * trade.bytes / 1000;
        bytes * u128::from(self.prices.gb_billionths) / GB
    }

    fn all(&self, trade: &Trade) -> u128 {
        self.encoding(trade) + self.delivery(trade)
    }

    fn reason(&self, chosen: &Trade) -> String {
        let mut reason = format!("{} expected views", self.views);
        for other in TRADES.iter().filter(|other| other.speed != chosen.speed) {
            let name = super::rungs::speed(other.speed);
            let encoding = self.difference(self.encoding(chosen), self.encoding(other));
            let delivery = self.difference(self.delivery(chosen), self.delivery(other));
            reason.push_str(&format!("; {name}: {encoding} to encode and {delivery} to deliver"));
        }
        reason.push_str(&format!(", in {} for an hour", self.prices.currency));
        reason
    }

    /// What the other costs more, or less, with two decimals.
    fn difference(&self, chosen: u128, other: u128) -> String {
        let sign = if other < chosen { '-' } else { '+' };
        let cents = (chosen.abs_diff(other) + BILLION / 200) / (BILLION / 100);
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }
}
