//! Subtitles as segmented WebVTT (RFC 8216, 3.5).

use vodmill_manifest::bandwidth::{BitRates, SegmentSize};
use vodmill_manifest::hls::{MediaPlaylist, Segment};
use vodmill_manifest::time::Seconds;
use vodmill_manifest::webvtt;
use vodmill_model::asset::Repair;
use vodmill_model::plan::{HlsPlan, SubtitleAlternativePlan};
use vodmill_model::receipt::{Holds, PlaylistFact};
use vodmill_model::transcode::SubtitleOrder;
use vodmill_model::{Failed, MediaError};

use crate::package::{PackageContext, losses};

/// A subtitle playlist.
pub(super) struct SubtitleStream {
    pub playlist: MediaPlaylist,
    pub fact: PlaylistFact,
    /// Where it is less than what was delivered.
    pub losses: Vec<Repair>,
    sizes: Vec<SegmentSize>,
}

impl SubtitleStream {
    /// Bytes of all its segments.
    pub fn bytes(&self) -> u64 {
        self.sizes.iter().map(|segment| segment.bytes).sum()
    }

    /// Measured bit rates, for an EXT-X-TARGETDURATION in seconds.
    pub fn bit_rates(&self, target: u64) -> Result<BitRates, Failed> {
        BitRates::measure(&self.sizes, target)
            .map_err(|error| Failed::from_error(format!("measure {}", self.fact.name), &error))
    }

    pub fn text(&self, target: u64) -> Result<String, Failed> {
        let playlist = MediaPlaylist { target_duration: target, ..self.playlist.clone() };
        playlist
            .write()
            .map_err(|error| Failed::from_error(format!("write {}", self.fact.name), &error))
    }
}

pub(super) fn make(
    context: &PackageContext<'_>,
    plan: &HlsPlan,
) -> Result<Vec<SubtitleStream>, MediaError> {
    plan.subtitles.iter().map(|alternative| make_one(context, plan, alternative)).collect()
}

fn make_one(
    context: &PackageContext<'_>,
    plan: &HlsPlan,
    alternative: &SubtitleAlternativePlan,
) -> Result<SubtitleStream, MediaError> {
    let (cues, losses) = extract(context, alternative)?;
    let mut playlist = MediaPlaylist { vod: true, ended: true, ..MediaPlaylist::default() };
    let mut sizes = Vec::new();
    let mut start = 0;
    for (number, end) in context.plan.timeline.segment_ends.iter().enumerate() {
        let uri = format!("{number:06}.vtt");
        let end = end.0.unsigned_abs();
        let text = webvtt::write_segment(&cues, start..end, plan.base.0.unsigned_abs());
        let text = text.map_err(|error| Failed::from_error("write WebVTT", &error))?;
        context.tree.write(&format!("{}/{uri}", alternative.prefix), text.as_bytes())?;
        let duration = Seconds::from_ticks(end - start);
        sizes.push(SegmentSize { bytes: text.len() as u64, duration });
        playlist.segments.push(Segment { uri, duration, byte_range: None, key: None });
        start = end;
    }
    let name = format!("{}/index.m3u8", alternative.prefix);
    let fact =
        PlaylistFact { name, holds: Holds::Subtitles, codecs: Vec::new(), size: None, range: None };
    Ok(SubtitleStream { playlist, fact, losses, sizes })
}

fn extract(
    context: &PackageContext<'_>,
    alternative: &SubtitleAlternativePlan,
) -> Result<(Vec<webvtt::Cue>, Vec<Repair>), MediaError> {
    let unknown =
        || Failed::new("package", format!("the plan has no subtitles {}", alternative.subtitle));
    let subtitle =
        context.plan.subtitles.iter().find(|subtitle| subtitle.id == alternative.subtitle);
    let subtitle = subtitle.ok_or_else(unknown)?;
    let found = context.transcode.extract_subtitles(&SubtitleOrder {
        original: context.order.original.clone(),
        origin: context.plan.timeline.origin,
        subtitle: subtitle.clone(),
    })?;
    let end = context.plan.timeline.duration;
    let late = found.cues.iter().filter(|cue| cue.start >= end).count() as u64;
    let losses = losses::of_subtitles(subtitle.track, &found.balance, late);
    let ticks = |time: vodmill_model::Ticks| time.0.max(0).unsigned_abs();
    let cue = |cue: vodmill_model::transcode::Cue| webvtt::Cue {
        start: ticks(cue.start),
        end: ticks(cue.end),
        text: cue.text,
    };
    let cues = found.cues.into_iter().map(cue).filter(|cue| cue.end > cue.start).collect();
    Ok((cues, losses))
}
