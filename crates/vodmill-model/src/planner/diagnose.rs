//! What is odd about an original, and what is done about it, in plain words.

mod pictures;
mod sound;

use super::colour::HdrHandling;
use super::rate::hertz;
use super::sounds::Sounds;
use super::{colour, hdr10, picture, programme, rate, sounds, timeline, tracks};
use crate::media::{FieldOrder, MediaInfo, VideoTrack};
use crate::pipeline::InputPolicy;
use crate::plan::{Hazard, HazardCode};
use crate::units::{Ratio, TICKS_PER_SECOND, Ticks};

/// Sound this far from the first picture is worth a word; encoder delay stays below it.
const NOTABLE_OFFSET: Ticks = Ticks(TICKS_PER_SECOND / 20);

/// Containers whose times are reckoned from the first rate that is found in them.
const CLOCKLESS: [&str; 5] = ["aac", "ac3", "eac3", "mp3", "dts"];

/// A gap this long between pictures of a track is a hole.
const HOLE: Ticks = Ticks(TICKS_PER_SECOND);

/// Every hazard of `media`; `rate` is the grid's, where a plan has one, and `handling` what outputs make
/// of high dynamic range.
pub fn diagnose(
    media: &MediaInfo,
    policy: &InputPolicy,
    rate: Option<Ratio>,
    handling: HdrHandling,
) -> Vec<Hazard> {
    let mut found = Found(Vec::new());
    programmes(media, &mut found);
    let media = &*programme::chosen(media);
    let video = tracks::main_video(media);
    // What the map names and the file does not have is a refusal, of which the planner speaks.
    let sounds = sounds::sounds(media, policy).unwrap_or_default();
    file(media, &mut found);
    tracks(media, video, &mut found);
    sound::sounds(media, &sounds, &mut found);
    if let Some(track) = video {
        time(track, rate, &mut found);
        shape(track, &mut found);
        colour(track, handling, &mut found);
        captions(track, &mut found);
        pictures::meaning(track, &mut found);
        pictures::start(track, &mut found);
        sync(&sounds, track, policy, &mut found);
    }
    lengths(media, video, policy, &mut found);
    found.0
}

fn programmes(media: &MediaInfo, found: &mut Found) {
    for programme in programme::dropped(media) {
        let detail = format!(
            "{} with {} tracks is in the same multiplex",
            programme::named(programme),
            programme.tracks.len()
        );
        let remedy = "one programme is published; deliver the others in files of their own";
        found.repair(HazardCode::ProgrammeDropped, detail, remedy);
    }
}

struct Found(Vec<Hazard>);

impl Found {
    fn add(&mut self, code: HazardCode, detail: impl Into<String>, remedy: impl Into<String>) {
        self.push(code, detail.into(), remedy.into(), false);
    }

    /// The output is less than what was delivered.
    fn repair(&mut self, code: HazardCode, detail: impl Into<String>, remedy: impl Into<String>) {
        self.push(code, detail.into(), remedy.into(), true);
    }

    fn push(&mut self, code: HazardCode, detail: String, remedy: String, repair: bool) {
        self.0.push(Hazard { code, detail, remedy, repair });
    }
}

fn file(media: &MediaInfo, found: &mut Found) {
    if let Some(kind) = &media.photograph {
        let detail = format!("it is a photograph ({kind})");
        found.add(
            HazardCode::Photograph,
            detail,
            "published as a film, since the pipeline says so",
        );
    }
    if media.truncated {
        found.repair(
            HazardCode::Truncated,
            "the file ends before its index says",
            "what there is of it is published, if the pipeline allows that",
        );
    }
    if media.corrupt_packets > 0 {
        found.repair(
            HazardCode::Damaged,
            format!("{} packets are corrupt or cannot be read", media.corrupt_packets),
            "damaged pictures are concealed, damaged sound is replaced by silence",
        );
    }
    if !media.clock_jumps.is_empty() {
        let detail = format!("the clock of the file jumps {} times", media.clock_jumps.len());
        found.add(HazardCode::ClockJump, detail, "the jumps are taken out of all timestamps");
    }
}

fn tracks(media: &MediaInfo, video: Option<&VideoTrack>, found: &mut Found) {
    for track in &media.video {
        if track.attached_picture {
            let detail = format!("track {} is a still that belongs to the file", track.index);
            found.add(HazardCode::CoverArt, detail, "it is not treated as video");
        } else if video.is_none_or(|main| main.index != track.index) {
            let detail = format!("video track {}, {}", track.index, track.codec);
            found.repair(HazardCode::TrackDropped, detail, "one video track is published");
        }
    }
    for track in media.subtitles.iter().filter(|track| !track.text) {
        let detail = format!("subtitle track {} ({}) holds pictures", track.index, track.codec);
        found.repair(HazardCode::TrackDropped, detail, "it is left out: WebVTT is text");
    }
    if video.is_none() {
        found.add(HazardCode::NoVideo, "there are no pictures", "outputs hold sound only");
    }
}

fn time(track: &VideoTrack, rate: Option<Ratio>, found: &mut Found) {
    let grid = rate.map_or_else(|| "a constant rate".to_owned(), hertz);
    let at = |units| Ticks::from_units(units, track.time_base);
    if track.packets == 1 {
        let detail = "there is a single picture";
        found.add(HazardCode::SingleFrame, detail, "it is shown for as long as the file lasts");
    } else if !rate::is_constant(track) {
        let (min, max) = (at(track.gaps.min), at(track.gaps.max));
        let detail = format!("pictures are {min} to {max} apart");
        found.add(HazardCode::VariableFrameRate, detail, format!("every output runs at {grid}"));
    }
    if track.gaps.max > 4 * track.gaps.median && at(track.gaps.max) >= HOLE {
        let detail = format!("there is no new picture for {}", at(track.gaps.max));
        found.add(HazardCode::TimestampGap, detail, "the picture before it stays");
    }
    if at(track.gaps.median) > Ticks::ZERO && at(track.gaps.median) < Ticks(1_490) {
        let detail = format!("pictures come every {}", at(track.gaps.median));
        found.repair(HazardCode::HighFrameRate, detail, format!("outputs run at {grid}"));
    }
    let first = at(track.first);
    if first != Ticks::ZERO {
        let detail = format!("the first picture stands at {first}");
        found.add(HazardCode::StartNotZero, detail, "it becomes time zero, sound with it");
    }
}

fn shape(track: &VideoTrack, found: &mut Found) {
    let shown = picture::display_size(track);
    if track.rotation != 0 {
        let detail = format!("to be turned by {} degrees", track.rotation);
        found.add(HazardCode::Rotated, detail, format!("turned upright, shown as {shown}"));
    }
    if track.mirrored {
        let detail = "the picture is stored mirrored";
        found.add(HazardCode::Mirrored, detail, "mirrored back, left to right");
    }
    let aspect = picture::pixel_aspect(track);
    if aspect != Ratio::ONE {
        let detail = format!("pixels of {aspect} in a picture of {}", track.coded);
        found.add(HazardCode::NonSquarePixels, detail, format!("made square, shown as {shown}"));
    }
    if shown.width % 2 == 1 || shown.height % 2 == 1 {
        let detail = format!("{shown} has an odd side");
        found.add(HazardCode::OddSize, detail, "outputs have even sides");
    }
    if track.size_changes {
        let detail = "the size of the picture changes within the file";
        found.add(HazardCode::SizeChanges, detail, "every part is scaled to the same size");
    }
    if track.field_order != FieldOrder::Progressive {
        let detail = "pictures are interlaced";
        found.add(HazardCode::Interlaced, detail, "deinterlaced, one picture for each frame");
    }
}

fn captions(track: &VideoTrack, found: &mut Found) {
    if track.captions {
        let detail = "captions (CEA-608 or CEA-708) stand in the pictures";
        let remedy = "they are left out; deliver subtitles as a text track";
        found.repair(HazardCode::CaptionsLost, detail, remedy);
    }
}

fn colour(track: &VideoTrack, handling: HdrHandling, found: &mut Found) {
    let colour = &track.colour;
    let format = &track.pixel_format;
    let handling = if colour::is_hdr(track) { handling } else { HdrHandling::ToneMapped };
    let (range, depth) = match handling {
        HdrHandling::ToneMapped => ("tone mapped to SDR", "converted to 8 bits"),
        HdrHandling::Kept => ("kept as HEVC", "10 bits in HEVC"),
        HdrHandling::Both => {
            ("kept as HEVC, tone mapped to SDR elsewhere", "10 bits in HEVC, else 8")
        }
    };
    match colour.transfer.as_str() {
        "smpte2084" => found.add(HazardCode::HdrPq, "high dynamic range, PQ", range),
        "arib-std-b67" => found.add(HazardCode::HdrHlg, "high dynamic range, HLG", range),
        _ => {}
    }
    for fault in hdr10::faults(track) {
        found.add(HazardCode::WrongMasteringData, fault, "left out");
    }
    if colour::is_wide_gamut(track) {
        let detail = format!("primaries are {}", colour.primaries);
        found.add(HazardCode::WideGamut, detail, "mapped to BT.709");
    }
    if track.bit_depth > 8 {
        let detail = format!("{} bits, {format}", track.bit_depth);
        found.add(HazardCode::HighBitDepth, detail, depth);
    }
    if colour::is_rgb(track) || !has_delivery_chroma(format) {
        found.add(HazardCode::ChromaSubsampling, format.clone(), "converted to 4:2:0");
    }
    if !colour::is_rgb(track) && (colour.full_range || format.starts_with("yuvj")) {
        let detail = "luma uses the full range";
        found.add(HazardCode::FullRange, detail, "converted to the limited range");
    }
}

fn has_delivery_chroma(format: &str) -> bool {
    let names = ["yuv420", "yuvj420", "yuva420", "nv12", "nv21", "p010", "p016", "gray"];
    names.iter().any(|name| format.starts_with(name))
}

fn sync(sounds: &Sounds<'_>, video: &VideoTrack, policy: &InputPolicy, found: &mut Found) {
    let origin = Ticks::from_units(video.first, video.time_base);
    for sound in &sounds.list {
        let offset = sound.first() - origin;
        let name = sound.origin();
        if offset > NOTABLE_OFFSET {
            let detail = format!("audio {name} begins {offset} after the pictures");
            found.add(HazardCode::AudioOffset, detail, "silence fills the time before it");
        } else if Ticks::ZERO - offset > NOTABLE_OFFSET {
            let early = Ticks::ZERO - offset;
            let detail = format!("audio {name} begins {early} before the pictures");
            found.repair(HazardCode::AudioOffset, detail, "what is before the first one is cut");
        }
    }
    let pictures = origin + timeline::picture_span(video, policy.max_gap_seconds);
    let excess = timeline::sound_end(&sounds.list).map_or(Ticks::ZERO, |end| end - pictures);
    if excess > timeline::LONGEST_CUT {
        let detail = format!("sound goes on for {excess} after the last picture");
        let remedy = "the last picture is held until the sound ends";
        found.repair(HazardCode::AudioOutlastsVideo, detail, remedy);
    }
}

/// Compares the declared duration with what the packets say.
fn lengths(media: &MediaInfo, video: Option<&VideoTrack>, policy: &InputPolicy, found: &mut Found) {
    let Some(declared) = media.declared_duration.filter(|duration| duration.0 > 0) else {
        let detail = "the container declares no duration";
        found.add(HazardCode::NoDuration, detail, "measured from the packets");
        return;
    };
    let start = |track: &VideoTrack| Ticks::from_units(track.first, track.time_base);
    let end =
        |track: &VideoTrack| start(track) + timeline::picture_span(track, policy.max_gap_seconds);
    let audio = || media.audio.iter().filter(|track| track.packets > 0);
    let first = video.map(start).into_iter().chain(audio().map(|track| track.first)).min();
    let last = video.map(end).into_iter().chain(audio().map(|track| track.end)).max();
    let (Some(first), Some(last)) = (first, last) else { return };
    // Some containers count from zero, others from the first packet.
    let nearest = (declared - last).0.abs().min((declared - (last - first)).0.abs());
    if Ticks(nearest) > Ticks::from_seconds(1) && nearest > declared.0 / 100 {
        let detail = format!("{declared} declared, {} measured", last - first);
        let is_less = last - first < declared;
        found.push(
            HazardCode::WrongDuration,
            detail,
            "the measured one counts".to_owned(),
            is_less,
        );
    }
}
