//! Which samples of a title are encoded as a trial, and how. One group of pictures from the middle of
//! each of a few equal parts, where decoding has least to skip; of a short title, which has one
//! sample, the group that took most bytes in the original.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Title;
use super::numbers::{
    BELOW_SECONDS, FEWEST_SAMPLES, HIGH_CRF, LEAST_SIDE, LOW_CRF, MOST_SAMPLES, SAMPLE_SECONDS,
    SHORT_SECONDS, SHORTEST_SECONDS, STRATUM_SECONDS,
};
use super::rungs::QualityRungs;
use crate::analysis::{AnalysisPlan, Probe};
use crate::plan::{ChunkPlan, VideoEncode, VideoTimeline};
use crate::planner::budget;
use crate::planner::chunks::{seek, time_of};
use crate::planner::source_bytes::SourceBytes;
use crate::units::{Crf, Frames, Ticks};

/// Why a title is not sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsampled {
    Short,
    ClockJumps,
    Tiny,
}

impl Unsampled {
    pub(super) fn reason(self) -> String {
        match self {
            Unsampled::Short => format!(
                "shorter than {SHORTEST_SECONDS} s: to look at it would cost a tenth of the encode \
                 and more"
            ),
            Unsampled::ClockJumps => {
                "the clock of the file jumps: every sample would be read from its beginning"
                    .to_owned()
            }
            Unsampled::Tiny => {
                format!("VMAF scores no pictures with a side below {LEAST_SIDE} pixels")
            }
        }
    }
}

/// What is tried.
pub(super) fn plan(title: &Title<'_>, rungs: &QualityRungs<'_>) -> Result<AnalysisPlan, Unsampled> {
    if !title.media.clock_jumps.is_empty() {
        return Err(Unsampled::ClockJumps);
    }
    if title.timeline.duration < Ticks::from_seconds(SHORTEST_SECONDS) {
        return Err(Unsampled::Short);
    }
    let top = rungs.top();
    if top.size.width.min(top.size.height) < LEAST_SIDE {
        return Err(Unsampled::Tiny);
    }
    let probes = probes(title, rungs);
    let encodes: Vec<&VideoEncode> = probes.iter().map(|probe| &probe.encode).collect();
    Ok(AnalysisPlan {
        decode: title.decode.clone(),
        rate: title.grid.rate,
        samples: samples(title),
        size: top.size,
        filter: top.filter.clone(),
        budget: budget::of_trials(title.track, &encodes),
        probes,
    })
}

/// Two trials of the largest size and, of longer titles, one of the size below.
fn probes(title: &Title<'_>, rungs: &QualityRungs<'_>) -> Vec<Probe> {
    let top = rungs.top();
    let mut probes = vec![probe(top, LOW_CRF), probe(top, HIGH_CRF)];
    if title.timeline.duration >= Ticks::from_seconds(BELOW_SECONDS) {
        probes.extend(rungs.below_top().map(|below| probe(below, LOW_CRF)));
    }
    probes
}

/// Options of an encode that its trial does not have: the rate that bounds it, and what its own speed
/// would set.
const LEFT_OUT: [&str; 6] = ["maxrate", "bufsize", "b", "b-adapt", "refs", "b_strategy"];

/// Speeds that are slow enough for a trial at a faster one to pay.
const SLOWER_THAN_FASTER: [&str; 5] = ["fast", "medium", "slow", "slower", "veryslow"];

/// As the encode, but by CRF alone, and faster where it is slow.
fn probe(encode: &VideoEncode, crf: Crf) -> Probe {
    let kept = |name: &&String| !LEFT_OUT.contains(&name.as_str());
    let names = encode.options.keys().filter(kept);
    let mut options: BTreeMap<String, String> =
        names.map(|name| (name.clone(), encode.options[name].clone())).collect();
    options.insert("crf".to_owned(), crf.to_string());
    if is_slow(encode) {
        options.insert("preset".to_owned(), "faster".to_owned());
    }
    let id = format!("{}-crf{crf}", encode.id);
    // A trial finds its frame types itself.
    Probe { crf, encode: VideoEncode { id, options, types: None, ..encode.clone() } }
}

/// Whether trials of an encode are made at a faster speed than its own.
pub(super) fn is_slow(encode: &VideoEncode) -> bool {
    let preset = encode.options.get("preset").map_or("", String::as_str);
    SLOWER_THAN_FASTER.contains(&preset)
}

fn samples(title: &Title<'_>) -> Vec<ChunkPlan> {
    let count = count(title.timeline.duration);
    let frames = sample_frames(title.grid);
    let mut samples: Vec<ChunkPlan> = Vec::new();
    for number in 0..count {
        let (from, to) =
            (title.grid.frames * number / count, title.grid.frames * (number + 1) / count);
        let first = match count {
            1 => hardest(title, frames),
            _ => place(title, from..to, frames),
        };
        let index = u32::try_from(number).unwrap_or(u32::MAX);
        samples.push(ChunkPlan {
            index,
            input: title.decode.input,
            first_frame: first,
            frames: frames.min(title.grid.frames - first),
            seek: seek(title.track, title.grid.rate, first),
            source_bytes: 0,
        });
    }
    samples
}

/// How many samples a programme of that length has.
fn count(duration: Ticks) -> u64 {
    let seconds = duration.0 / Ticks::from_seconds(1).0;
    if seconds < SHORT_SECONDS {
        return 1;
    }
    let count = (seconds / STRATUM_SECONDS).clamp(FEWEST_SAMPLES, MOST_SAMPLES);
    u64::try_from(count).unwrap_or(1)
}

/// Frames of a sample: whole groups of pictures, or a part of one that is longer.
fn sample_frames(grid: &VideoTimeline) -> Frames {
    let wanted = grid.rate.scale(i64::from(SAMPLE_SECONDS), 1).max(1).unsigned_abs();
    let gop = Frames::from(grid.gop.0.max(1));
    match gop >= wanted {
        true => wanted,
        false => wanted / gop * gop,
    }
}

/// Groups of pictures on either side of the middle that a sample may be taken from.
const AROUND: u64 = 7;

/// The group of pictures around the middle of a part before which least has to be decoded; of several
/// the one nearest to the middle.
fn place(title: &Title<'_>, part: Range<Frames>, frames: Frames) -> Frames {
    let gop = Frames::from(title.grid.gop.0.max(1));
    let middle = (part.start + (part.end - part.start) / 2).saturating_sub(frames / 2) / gop;
    let quarter = (part.end - part.start) / 4;
    let within = part.start + quarter..=part.end.saturating_sub(quarter + frames);
    let mut best = (i64::MAX, u64::MAX, middle * gop);
    for group in middle.saturating_sub(AROUND)..=middle + AROUND {
        let first = group * gop;
        if within.contains(&first) {
            best = best.min((lead(title, first), group.abs_diff(middle), first));
        }
    }
    best.2
}

/// The group of pictures that took most bytes in the original; of several the one nearest to the
/// middle. A title that is judged by one sample is not judged by an easy one.
fn hardest(title: &Title<'_>, frames: Frames) -> Frames {
    let gop = Frames::from(title.grid.gop.0.max(1));
    let last = title.grid.frames.saturating_sub(frames);
    let bytes = SourceBytes::of(title.track);
    let mut best = (0, u64::MAX, 0);
    for group in 0..=last / gop {
        let first = group * gop;
        let taken = bytes_of(title, &bytes, first..first + frames);
        let off = first.abs_diff(last / 2);
        if taken > best.0 || (taken == best.0 && off < best.1) {
            best = (taken, off, first);
        }
    }
    best.2
}

fn bytes_of(title: &Title<'_>, bytes: &SourceBytes<'_>, frames: Range<Frames>) -> u64 {
    let from = time_of(title.track, title.grid.rate, frames.start);
    let to = time_of(title.track, title.grid.rate, frames.end);
    bytes.between(from, to)
}

/// How much is decoded before a frame, to whole quarter seconds.
fn lead(title: &Title<'_>, first: Frames) -> i64 {
    let track = title.track;
    let start =
        Ticks::from_units(track.first, track.time_base) + title.grid.rate.frame_start(first);
    let seek = seek(track, title.grid.rate, first);
    let lead = start - Ticks::from_units(seek.pts, track.time_base);
    lead.0 / (Ticks::from_seconds(1).0 / 4)
}
