//! The media playlist, read.

use m3u8_rs::{KeyMethod, MediaPlaylistType};

use super::super::attribute::checked_uri;
use super::super::media::{ByteRange, InitSection, KeyRef, MediaPlaylist, Segment, target};
use super::error::{ReadError, cut};
use super::lines::{Lines, MAX_ENTRIES};
use crate::time::Seconds;

impl MediaPlaylist {
    /// Reads a playlist of at most [`super::MAX_PLAYLIST_BYTES`] bytes, and holds it to its declared
    /// version and target duration.
    ///
    /// Durations of less than 16 s are as they stand there, to the microsecond; longer ones, which
    /// m3u8-rs keeps as 32-bit floats too, to 2 µs below 64 s and 4 µs below 128 s.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(bytes: &[u8]) -> Result<MediaPlaylist, ReadError> {
        let lines = Lines::of(bytes)?;
        lines.refuse(&["#EXT-X-STREAM-INF", "#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF"])?;
        let (rest, found) = m3u8_rs::parse_media_playlist(bytes)
            .map_err(|_| ReadError::NotPlaylist("it does not begin like one"))?;
        if !rest.is_empty() {
            return Err(ReadError::Rest(cut(&String::from_utf8_lossy(rest))));
        }
        if found.segments.len() > MAX_ENTRIES {
            return Err(ReadError::TooLarge(MAX_ENTRIES));
        }
        compare(&lines, &found)?;
        let playlist = playlist(&lines, &found)?;
        let version = found.version.map_or(1, |version| version as u64);
        hold_to_its_word(&playlist, version)?;
        Ok(playlist)
    }
}

/// Whether every line that says something of a segment was understood.
fn compare(lines: &Lines<'_>, found: &m3u8_rs::MediaPlaylist) -> Result<(), ReadError> {
    let segments = &found.segments;
    lines.expect_uris(segments.len())?;
    lines.expect("#EXTINF", segments.len())?;
    let ranges = segments.iter().filter(|segment| segment.byte_range.is_some()).count();
    lines.expect("#EXT-X-BYTERANGE", ranges)?;
    let keys = segments.iter().filter(|segment| segment.key.is_some() || is_clear(segment)).count();
    lines.expect_keys(keys)?;
    let maps = segments.iter().filter(|segment| segment.map.is_some()).count();
    lines.expect("#EXT-X-MAP", maps)?;
    lines.expect("#EXT-X-VERSION", found.version.iter().count())?;
    lines.expect("#EXT-X-PLAYLIST-TYPE", found.playlist_type.iter().count())?;
    let unknown = segments.iter().flat_map(|segment| &segment.unknown_tags);
    let known = ["X-TARGETDURATION", "X-MEDIA-SEQUENCE"];
    for tag in unknown {
        if let Some(known) = known.into_iter().find(|known| tag.tag == *known) {
            return Err(ReadError::value(known, tag.rest.as_deref().unwrap_or_default()));
        }
    }
    Ok(())
}

/// Whether EXT-X-KEY says METHOD=NONE, which m3u8-rs takes for a tag that it does not know.
fn is_clear(segment: &m3u8_rs::MediaSegment) -> bool {
    let says_none =
        |tag: &m3u8_rs::ExtTag| tag.tag == "X-KEY" && tag.rest.as_deref() == Some("METHOD=NONE");
    segment.unknown_tags.iter().filter(|tag| says_none(tag)).count() == 1
}

fn playlist(lines: &Lines<'_>, found: &m3u8_rs::MediaPlaylist) -> Result<MediaPlaylist, ReadError> {
    if lines.count("#EXT-X-TARGETDURATION") == 0 {
        return Err(ReadError::Missing("EXT-X-TARGETDURATION"));
    }
    if lines.stands_after_a_uri("#EXT-X-MEDIA-SEQUENCE") {
        return Err(ReadError::Unsupported("EXT-X-MEDIA-SEQUENCE after a segment"));
    }
    if lines.stands_after_a_uri("#EXT-X-MAP") {
        return Err(ReadError::Unsupported("EXT-X-MAP after a segment"));
    }
    if lines.stands_before("#EXT-X-KEY", "#EXT-X-MAP") {
        return Err(ReadError::Unsupported("an encrypted EXT-X-MAP"));
    }
    let init = found.segments.first().and_then(|segment| segment.map.as_ref());
    Ok(MediaPlaylist {
        target_duration: found.target_duration,
        media_sequence: found.media_sequence,
        vod: is_vod(found.playlist_type.as_ref())?,
        independent_segments: found.independent_segments,
        i_frames_only: found.i_frames_only,
        init: init.map(init_section).transpose()?,
        segments: segments(&found.segments)?,
        ended: found.end_list,
    })
}

fn is_vod(kind: Option<&MediaPlaylistType>) -> Result<bool, ReadError> {
    match kind {
        Some(MediaPlaylistType::Vod) => Ok(true),
        Some(MediaPlaylistType::Event) | None => Ok(false),
        Some(other) => Err(ReadError::value("EXT-X-PLAYLIST-TYPE", &other.to_string())),
    }
}

fn segments(found: &[m3u8_rs::MediaSegment]) -> Result<Vec<Segment>, ReadError> {
    let mut key = None;
    let mut segments = Vec::with_capacity(found.len());
    for segment in found {
        // A key holds until the next one (§4.3.2.4), which m3u8-rs leaves to its callers.
        if let Some(next) = &segment.key {
            key = Some(key_ref(next)?);
        } else if is_clear(segment) {
            key = None;
        }
        if segment.discontinuity {
            return Err(ReadError::Unsupported("EXT-X-DISCONTINUITY"));
        }
        let range = segment.byte_range.as_ref();
        segments.push(Segment {
            uri: checked_uri(&segment.uri)?.to_owned(),
            duration: duration(segment.duration)?,
            byte_range: range.map(|range| byte_range(range, None)).transpose()?,
            key: key.clone(),
        });
    }
    Ok(segments)
}

/// The microseconds that stand in the playlist, which has six decimals.
fn duration(seconds: f32) -> Result<Seconds, ReadError> {
    let micros = (f64::from(seconds) * 1e6).round() as u64;
    let duration = Seconds::new(micros, 1_000_000).filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| ReadError::value("EXTINF", &seconds.to_string()))
}

fn init_section(found: &m3u8_rs::Map) -> Result<InitSection, ReadError> {
    // §4.3.2.5: without an offset it is the start of the resource.
    let range = found.byte_range.as_ref().map(|range| byte_range(range, Some(0)));
    Ok(InitSection { uri: checked_uri(&found.uri)?.to_owned(), byte_range: range.transpose()? })
}

fn byte_range(found: &m3u8_rs::ByteRange, usual: Option<u64>) -> Result<ByteRange, ReadError> {
    let offset = found.offset.or(usual);
    let offset = offset.ok_or(ReadError::Unsupported("EXT-X-BYTERANGE without an offset"))?;
    let range = ByteRange { length: found.length, offset };
    let bad = || ReadError::value("BYTERANGE", &format!("{}@{offset}", found.length));
    range.end().map(|_| range).ok_or_else(bad)
}

fn key_ref(found: &m3u8_rs::Key) -> Result<KeyRef, ReadError> {
    if found.method != KeyMethod::AES128 {
        return Err(ReadError::Unsupported("a METHOD other than AES-128"));
    }
    if found.keyformat.as_ref().is_some_and(|format| format != "identity") {
        return Err(ReadError::Unsupported("a KEYFORMAT other than identity"));
    }
    let uri = found.uri.as_deref().ok_or(ReadError::Missing("the URI of EXT-X-KEY"))?;
    let iv = found.iv.as_deref().map(initialisation_vector).transpose()?;
    Ok(KeyRef { uri: checked_uri(uri)?.to_owned(), iv })
}

fn initialisation_vector(text: &str) -> Result<[u8; 16], ReadError> {
    let bad = || ReadError::value("IV", text);
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).ok_or_else(bad)?;
    let mut iv = [0; 16];
    hex::decode_to_slice(digits, &mut iv).map_err(|_| bad())?;
    Ok(iv)
}

fn hold_to_its_word(playlist: &MediaPlaylist, declared: u64) -> Result<(), ReadError> {
    let needed = playlist.needed_version();
    if declared < needed {
        return Err(ReadError::Version { declared, needed });
    }
    // A duration that was read a little too long may round to a second more.
    let longest = playlist.micros()?.into_iter().max().unwrap_or_default();
    let needed = target(&[longest - imprecision(longest)]);
    let declared = playlist.target_duration;
    if declared < needed {
        return Err(ReadError::TargetDuration { declared, needed });
    }
    Ok(())
}

/// Microseconds by which a duration may differ from what stands in the playlist.
fn imprecision(micros: u64) -> u64 {
    match micros {
        0..16_000_000 => 0,
        16_000_000..64_000_000 => 2,
        _ => 4,
    }
}
