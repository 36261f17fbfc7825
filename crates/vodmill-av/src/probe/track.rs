//! The facts of one track.

use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Rational, Stream, ffi, media};
use vodmill_model::media::{AudioTrack, OtherTrack, SubtitleTrack, VideoTrack};
use vodmill_model::units::{Ratio, Size, TICKS_PER_SECOND, Ticks};

use super::drift::DriftWatch;
use super::scan::TrackScan;
use super::silence::Listener;
use super::timing::Span;
use super::{names, side_data};
use crate::roles;
use crate::source::units_of;

/// A last frame that lasts longer is not believed.
const LONGEST_LAST_FRAME: i64 = 60 * TICKS_PER_SECOND;

/// No longer is assumed where the container does not say, whatever the gaps are.
const LONGEST_ASSUMED_FRAME: i64 = TICKS_PER_SECOND;

/// A last packet of sound that lasts longer is not believed.
const LONGEST_LAST_SOUND: Ticks = Ticks::from_seconds(10);

pub(super) fn video(stream: &Stream<'_>, scan: TrackScan) -> VideoTrack {
    let parameters = stream.parameters();
    let format = names::pixel_format(&parameters);
    let coded = size(stream);
    let time_base = scan.time_base.unwrap_or(Ratio::new(1, 90_000));
    let nominal_rate = ratio(stream.rate());
    let packets = scan.timing.frames();
    let span = scan.timing.finish();
    let (rotation, mirrored) = side_data::orientation(stream);
    let (pictures, before_first_key) = scan.pictures.finish();
    let (seek_points, seek_bytes) = scan.seek_points.finish();
    VideoTrack {
        index: stream.index() as u32,
        codec: names::codec(&parameters),
        decodable: names::has_decoder(&parameters)
            && coded.width > 0
            && coded.height > 0
            && (packets > 0 || is_attached(stream)),
        attached_picture: is_attached(stream),
        default: stream.disposition().contains(Disposition::DEFAULT),
        auxiliary: side_data::is_auxiliary(stream),
        coded,
        pixel_aspect: pixel_aspect(stream),
        crop: None,
        rotation,
        mirrored,
        time_base,
        nominal_rate,
        packets: packets.max(scan.packets),
        pictures,
        before_first_key,
        first: span.first,
        last: span.last,
        last_duration: last_duration(&span, time_base, nominal_rate),
        gaps: span.gaps,
        bit_depth: format.as_ref().map_or(8, |format| format.bit_depth),
        colour: names::colour(&parameters, format.as_ref()),
        hdr10: side_data::hdr10(stream),
        dynamic_hdr: false,
        dolby_vision: side_data::dolby_vision(stream),
        projection: side_data::projection(stream),
        stereo: side_data::stereo(stream),
        pixel_format: format.map_or_else(|| "unknown".to_owned(), |format| format.name),
        field_order: names::field_order(&parameters),
        size_changes: scan.size_changes,
        captions: scan.captions,
        seek_points,
        seek_bytes,
    }
}

pub(super) fn audio(stream: &Stream<'_>, scan: &TrackScan) -> AudioTrack {
    let parameters = stream.parameters();
    let (channels, layout) = names::channels(&parameters);
    // SAFETY: parameters of an open stream.
    let sample_rate = u32::try_from(unsafe { (*parameters.as_ptr()).sample_rate }).unwrap_or(0);
    let (first, end) = sound_span(stream, scan);
    AudioTrack {
        index: stream.index() as u32,
        codec: names::codec(&parameters),
        decodable: names::has_decoder(&parameters)
            && sample_rate > 0
            && channels > 0
            && scan.packets > 0,
        sample_rate,
        channels,
        layout,
        language: language(stream),
        title: tag(stream, "title"),
        default: stream.disposition().contains(Disposition::DEFAULT),
        first,
        end,
        packets: scan.packets,
        format_changes: scan.sound.as_ref().is_some_and(|sound| sound.changed),
        roles: roles::of(stream),
        silent_channels: scan.listener.as_ref().map(Listener::silent_channels).unwrap_or_default(),
        drift: scan.drift.as_ref().map(DriftWatch::most).unwrap_or_default(),
    }
}

/// First and end time. A last packet that does not say how long it is, as those of WMA Lossless,
/// lasts as the container says.
fn sound_span(stream: &Stream<'_>, scan: &TrackScan) -> (Ticks, Ticks) {
    let (first, end) = scan.span.unwrap_or_default();
    let base = scan.time_base.unwrap_or(Ratio::new(1, 90_000));
    // SAFETY: the stream is valid.
    let declared = Ticks::from_units(unsafe { (*stream.as_ptr()).duration }.max(0), base);
    let believable = !scan.end_is_known && declared <= end - first + LONGEST_LAST_SOUND;
    (first, if believable { end.max(first + declared) } else { end })
}

pub(super) fn subtitle(stream: &Stream<'_>) -> SubtitleTrack {
    let parameters = stream.parameters();
    SubtitleTrack {
        index: stream.index() as u32,
        codec: names::codec(&parameters),
        text: names::is_text(&parameters) && names::has_decoder(&parameters),
        language: language(stream),
        title: tag(stream, "title"),
        default: stream.disposition().contains(Disposition::DEFAULT),
        forced: stream.disposition().contains(Disposition::FORCED),
        roles: roles::of(stream),
    }
}

pub(super) fn other(stream: &Stream<'_>) -> OtherTrack {
    let parameters = stream.parameters();
    let kind = match parameters.medium() {
        media::Type::Data => "data",
        media::Type::Attachment => "attachment",
        _ => "unknown",
    };
    OtherTrack {
        index: stream.index() as u32,
        kind: kind.to_owned(),
        codec: names::codec(&parameters),
    }
}

/// Size of the coded picture; zeros where unknown.
pub(super) fn size(stream: &Stream<'_>) -> Size {
    // SAFETY: parameters of an open stream.
    let (width, height) = unsafe {
        let parameters = stream.parameters();
        ((*parameters.as_ptr()).width, (*parameters.as_ptr()).height)
    };
    Size { width: u32::try_from(width).unwrap_or(0), height: u32::try_from(height).unwrap_or(0) }
}

/// Whether it is a picture of the file, such as cover art.
pub(super) fn is_attached(stream: &Stream<'_>) -> bool {
    stream.disposition().contains(Disposition::ATTACHED_PIC)
}

fn pixel_aspect(stream: &Stream<'_>) -> Ratio {
    // SAFETY: the stream is valid; without a context or a frame only the stream is looked at.
    let aspect = unsafe {
        ffi::av_guess_sample_aspect_ratio(
            std::ptr::null_mut(),
            stream.as_ptr().cast_mut(),
            std::ptr::null_mut(),
        )
    };
    ratio(Rational::from(aspect)).unwrap_or(Ratio::ONE)
}

/// What the container says if it is believable, else the usual gap, else one nominal frame.
fn last_duration(span: &Span, time_base: Ratio, nominal: Option<Ratio>) -> i64 {
    let longest = units_of(LONGEST_LAST_FRAME, time_base).max(span.gaps.max);
    if (1..=longest).contains(&span.last_duration) {
        return span.last_duration;
    }
    if span.gaps.median > 0 {
        return span.gaps.median.min(units_of(LONGEST_ASSUMED_FRAME, time_base).max(1));
    }
    let rate = nominal.unwrap_or(Ratio::new(25, 1));
    units_of(rate.inverse().scale(1, TICKS_PER_SECOND), time_base).max(1)
}

fn ratio(value: Rational) -> Option<Ratio> {
    let num = u32::try_from(value.numerator()).ok().filter(|&num| num > 0)?;
    let den = u32::try_from(value.denominator()).ok().filter(|&den| den > 0)?;
    Some(Ratio::new(num, den))
}

fn language(stream: &Stream<'_>) -> Option<String> {
    tag(stream, "language").filter(|language| language != "und")
}

fn tag(stream: &Stream<'_>, name: &str) -> Option<String> {
    let tags = stream.metadata();
    let value = tags.get(name)?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
