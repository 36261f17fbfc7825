//! The multivariant playlist, read.

use m3u8_rs::{AlternativeMedia, AlternativeMediaType, ClosedCaptionGroupId, QuotedOrUnquoted};

use super::super::attribute::checked_uri;
use super::super::multivariant::{
    AudioAlternative, IFrameStream, MultivariantPlaylist, Resolution, SubtitleAlternative,
    VariantStream, VideoRange,
};
use super::error::{ReadError, cut};
use super::lines::{Lines, MAX_ENTRIES};
use crate::time::FrameRate;

impl MultivariantPlaylist {
    /// Reads a playlist of at most [`super::MAX_PLAYLIST_BYTES`] bytes, and holds it to the rules of
    /// [`Self::check`].
    ///
    /// # Errors
    /// [`ReadError`]; also for what vodmill cannot represent (groups of closed captions, TYPE=VIDEO).
    pub fn read(bytes: &[u8]) -> Result<MultivariantPlaylist, ReadError> {
        let lines = Lines::of(bytes)?;
        lines.refuse(&["#EXTINF", "#EXT-X-TARGETDURATION"])?;
        let (rest, found) = m3u8_rs::parse_master_playlist(bytes)
            .map_err(|_| ReadError::NotPlaylist("it does not begin like one"))?;
        if !rest.is_empty() {
            return Err(ReadError::Rest(cut(&String::from_utf8_lossy(rest))));
        }
        if found.variants.len() + found.alternatives.len() > MAX_ENTRIES {
            return Err(ReadError::TooLarge(MAX_ENTRIES));
        }
        compare(&lines, &found)?;
        let playlist = playlist(&found)?;
        playlist.check()?;
        Ok(playlist)
    }
}

/// Whether every entry was understood.
fn compare(lines: &Lines<'_>, found: &m3u8_rs::MasterPlaylist) -> Result<(), ReadError> {
    let i_frames = found.variants.iter().filter(|variant| variant.is_i_frame).count();
    let variants = found.variants.len() - i_frames;
    lines.expect("#EXT-X-STREAM-INF", variants)?;
    lines.expect("#EXT-X-I-FRAME-STREAM-INF", i_frames)?;
    lines.expect("#EXT-X-MEDIA", found.alternatives.len())?;
    lines.expect("#EXT-X-VERSION", found.version.iter().count())?;
    lines.expect_uris(variants)
}

fn playlist(found: &m3u8_rs::MasterPlaylist) -> Result<MultivariantPlaylist, ReadError> {
    let mut playlist = MultivariantPlaylist {
        independent_segments: found.independent_segments,
        no_closed_captions: no_closed_captions(&found.variants)?,
        ..MultivariantPlaylist::default()
    };
    for alternative in &found.alternatives {
        match alternative.media_type {
            AlternativeMediaType::Audio => playlist.audio.push(audio(alternative)?),
            AlternativeMediaType::Subtitles => playlist.subtitles.push(subtitles(alternative)?),
            _ => return Err(ReadError::Unsupported("this TYPE of EXT-X-MEDIA")),
        }
    }
    for variant in &found.variants {
        if variant.is_i_frame {
            playlist.i_frames.push(i_frame_stream(variant)?);
        } else {
            playlist.variants.push(variant_stream(variant)?);
        }
    }
    Ok(playlist)
}

/// CLOSED-CAPTIONS=NONE stands on all variants or on none.
fn no_closed_captions(variants: &[m3u8_rs::VariantStream]) -> Result<bool, ReadError> {
    let mut variants = variants.iter().filter(|variant| !variant.is_i_frame).peekable();
    let first = variants.peek().is_some_and(|variant| variant.closed_captions.is_some());
    for variant in variants {
        if !matches!(variant.closed_captions, None | Some(ClosedCaptionGroupId::None)) {
            return Err(ReadError::Unsupported("a group of closed captions"));
        }
        if variant.closed_captions.is_some() != first {
            return Err(ReadError::Unsupported("CLOSED-CAPTIONS=NONE on some variants only"));
        }
    }
    Ok(first)
}

fn variant_stream(found: &m3u8_rs::VariantStream) -> Result<VariantStream, ReadError> {
    Ok(VariantStream {
        uri: checked_uri(&found.uri)?.to_owned(),
        bandwidth: found.bandwidth,
        average_bandwidth: found.average_bandwidth,
        codecs: list("CODECS", found.codecs.as_deref())?,
        resolution: found.resolution.as_ref().map(resolution).transpose()?,
        frame_rate: found.frame_rate.map(frame_rate).transpose()?,
        video_range: video_range(found)?,
        score: score(found)?,
        audio_group: found.audio.clone(),
        subtitle_group: found.subtitles.clone(),
    })
}

fn i_frame_stream(found: &m3u8_rs::VariantStream) -> Result<IFrameStream, ReadError> {
    Ok(IFrameStream {
        uri: checked_uri(&found.uri)?.to_owned(),
        bandwidth: found.bandwidth,
        average_bandwidth: found.average_bandwidth,
        codecs: list("CODECS", found.codecs.as_deref())?,
        resolution: found.resolution.as_ref().map(resolution).transpose()?,
        video_range: video_range(found)?,
    })
}

fn audio(found: &AlternativeMedia) -> Result<AudioAlternative, ReadError> {
    let uri = found.uri.as_deref().map(checked_uri).transpose()?;
    Ok(AudioAlternative {
        group: found.group_id.clone(),
        name: found.name.clone(),
        language: found.language.clone(),
        default: found.default,
        autoselect: found.autoselect || found.default,
        characteristics: list("CHARACTERISTICS", found.characteristics.as_deref())?,
        channels: found.channels.clone(),
        uri: uri.map(str::to_owned),
    })
}

fn subtitles(found: &AlternativeMedia) -> Result<SubtitleAlternative, ReadError> {
    let uri = found.uri.as_deref().ok_or(ReadError::Missing("the URI of EXT-X-MEDIA"))?;
    Ok(SubtitleAlternative {
        group: found.group_id.clone(),
        name: found.name.clone(),
        language: found.language.clone(),
        default: found.default,
        autoselect: found.autoselect || found.default,
        forced: found.forced,
        characteristics: list("CHARACTERISTICS", found.characteristics.as_deref())?,
        uri: checked_uri(uri)?.to_owned(),
    })
}

fn list(what: &'static str, text: Option<&str>) -> Result<Vec<String>, ReadError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    // Some servers put a blank after each comma.
    let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
    if items.iter().any(|item| item.is_empty() || item.contains(' ')) {
        return Err(ReadError::value(what, text));
    }
    Ok(items)
}

fn resolution(found: &m3u8_rs::Resolution) -> Result<Resolution, ReadError> {
    let bad = |_| ReadError::value("RESOLUTION", &found.to_string());
    let width = u32::try_from(found.width).map_err(bad)?;
    let height = u32::try_from(found.height).map_err(bad)?;
    Ok(Resolution { width, height })
}

/// Three decimals count (§4.3.4.2).
fn frame_rate(rate: f64) -> Result<FrameRate, ReadError> {
    let thousandths = (rate * 1000.0).round();
    if !(0.0..=f64::from(u32::MAX)).contains(&thousandths) {
        return Err(ReadError::value("FRAME-RATE", &rate.to_string()));
    }
    Ok(FrameRate { num: thousandths as u32, den: 1000 })
}

/// An attribute that m3u8-rs keeps with those that it does not know.
fn score(found: &m3u8_rs::VariantStream) -> Result<Option<u32>, ReadError> {
    let others = found.other_attributes.as_ref();
    let Some(value) = others.and_then(|others| others.get("SCORE")) else { return Ok(None) };
    let number = value.as_unquoted().and_then(|text| text.parse().ok());
    let fault = || ReadError::value("SCORE", QuotedOrUnquoted::as_str(value));
    number.map(Some).ok_or_else(fault)
}

/// Likewise.
fn video_range(found: &m3u8_rs::VariantStream) -> Result<Option<VideoRange>, ReadError> {
    let others = found.other_attributes.as_ref();
    let Some(value) = others.and_then(|others| others.get("VIDEO-RANGE")) else { return Ok(None) };
    match value.as_unquoted() {
        Some("SDR") => Ok(Some(VideoRange::Sdr)),
        Some("HLG") => Ok(Some(VideoRange::Hlg)),
        Some("PQ") => Ok(Some(VideoRange::Pq)),
        _ => Err(ReadError::value("VIDEO-RANGE", QuotedOrUnquoted::as_str(value))),
    }
}
