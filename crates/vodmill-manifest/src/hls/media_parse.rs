//! The media playlist, read strictly. Unknown tags are ignored (§6.3.1).

use super::attribute::{Attributes, checked_uri, decimal_integer};
use super::error::{ParseError, ParseProblem};
use super::lines::{Line, MAX_ENTRIES, Parsed, lines, once};
use super::media::{ByteRange, InitSection, KeyRef, MediaPlaylist, Segment};
use crate::time::Seconds;

impl MediaPlaylist {
    /// Reads a playlist of at most [`super::MAX_PLAYLIST_BYTES`] bytes.
    ///
    /// Beyond the form of each line it holds the playlist to its declared
    /// version and target duration. What vodmill never writes and cannot
    /// represent (discontinuities, several or encrypted EXT-X-MAP, methods
    /// other than AES-128) is an error, not ignored.
    ///
    /// # Errors
    /// [`ParseError`] with the line.
    pub fn parse(bytes: &[u8]) -> Result<Parsed<Self>, ParseError> {
        let mut reader = Reader::default();
        for (number, line) in lines(bytes)? {
            let read = match line {
                Line::Tag(name, value) => reader.tag(name, value),
                Line::Uri(uri) => reader.segment(uri),
            };
            read.map_err(|problem| problem.at(number))?;
        }
        reader.finish().map_err(|problem| problem.at(0))
    }
}

#[derive(Default)]
struct Reader {
    version: Option<u64>,
    target: Option<u64>,
    sequence: Option<u64>,
    kind: Option<bool>,
    independent: bool,
    i_frames: bool,
    ended: bool,
    init: Option<InitSection>,
    key: Option<KeyRef>,
    duration: Option<Seconds>,
    range: Option<RawRange>,
    segments: Vec<Segment>,
}

/// A range whose offset may be left to the segment before (§4.3.2.2).
#[derive(Clone, Copy)]
struct RawRange {
    length: u64,
    offset: Option<u64>,
}

impl Reader {
    fn tag(&mut self, name: &str, value: &str) -> Result<(), ParseProblem> {
        let integer = |what| decimal_integer(what, value);
        match name {
            "#EXT-X-VERSION" => once(&mut self.version, integer("EXT-X-VERSION")?, name),
            "#EXT-X-TARGETDURATION" => {
                once(&mut self.target, integer("EXT-X-TARGETDURATION")?, name)
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                if !self.segments.is_empty() {
                    return Err(ParseProblem::value("EXT-X-MEDIA-SEQUENCE", "after a segment"));
                }
                once(&mut self.sequence, integer("EXT-X-MEDIA-SEQUENCE")?, name)
            }
            "#EXT-X-PLAYLIST-TYPE" => once(&mut self.kind, is_vod(value)?, name),
            "#EXT-X-INDEPENDENT-SEGMENTS" => flag(&mut self.independent),
            "#EXT-X-I-FRAMES-ONLY" => flag(&mut self.i_frames),
            "#EXT-X-ENDLIST" => flag(&mut self.ended),
            _ => self.segment_tag(name, value),
        }
    }

    fn segment_tag(&mut self, name: &str, value: &str) -> Result<(), ParseProblem> {
        match name {
            "#EXTINF" => once(&mut self.duration, extinf(value)?, name),
            "#EXT-X-BYTERANGE" => once(&mut self.range, raw_range(value)?, name),
            "#EXT-X-MAP" => self.map(&Attributes::parse(value)?),
            "#EXT-X-KEY" => {
                self.key = key(&Attributes::parse(value)?)?;
                Ok(())
            }
            "#EXT-X-DISCONTINUITY" => Err(ParseProblem::Unsupported("EXT-X-DISCONTINUITY")),
            "#EXT-X-STREAM-INF" => Err(ParseProblem::WrongKind("EXT-X-STREAM-INF")),
            "#EXT-X-MEDIA" => Err(ParseProblem::WrongKind("EXT-X-MEDIA")),
            "#EXT-X-I-FRAME-STREAM-INF" => Err(ParseProblem::WrongKind("EXT-X-I-FRAME-STREAM-INF")),
            _ => Ok(()),
        }
    }

    fn map(&mut self, attributes: &Attributes) -> Result<(), ParseProblem> {
        if self.key.is_some() {
            return Err(ParseProblem::Unsupported("an encrypted EXT-X-MAP"));
        }
        if !self.segments.is_empty() {
            return Err(ParseProblem::Unsupported("EXT-X-MAP after a segment"));
        }
        let uri = checked_uri(&attributes.required("URI")?)?.to_owned();
        let range = attributes.quoted("BYTERANGE")?;
        let range = range.map(|text| raw_range(&text)).transpose()?;
        // §4.3.2.5: an absent offset of a map is the start of the resource.
        let byte_range = range
            .map(|raw| ByteRange { length: raw.length, offset: raw.offset.unwrap_or(0) })
            .map(possible)
            .transpose()?;
        once(&mut self.init, InitSection { uri, byte_range }, "EXT-X-MAP")
    }

    fn segment(&mut self, uri: &str) -> Result<(), ParseProblem> {
        if self.ended {
            return Err(ParseProblem::Unsupported("a segment after EXT-X-ENDLIST"));
        }
        if self.segments.len() >= MAX_ENTRIES {
            return Err(ParseProblem::TooLarge(MAX_ENTRIES));
        }
        let uri = checked_uri(uri)?.to_owned();
        let duration = self.duration.take().ok_or(ParseProblem::Missing("EXTINF"))?;
        let byte_range = self.range.take().map(|raw| self.resolve(raw, &uri)).transpose()?;
        self.segments.push(Segment { uri, duration, byte_range, key: self.key.clone() });
        Ok(())
    }

    fn resolve(&self, raw: RawRange, uri: &str) -> Result<ByteRange, ParseProblem> {
        let before = || self.segments.last().filter(|before| before.uri == uri);
        let follows = || before().and_then(|before| before.byte_range?.end());
        let missing = ParseProblem::Missing("the offset of EXT-X-BYTERANGE");
        let offset = raw.offset.or_else(follows).ok_or(missing)?;
        possible(ByteRange { length: raw.length, offset })
    }

    fn finish(self) -> Result<Parsed<MediaPlaylist>, ParseProblem> {
        if self.duration.is_some() || self.range.is_some() {
            return Err(ParseProblem::Missing("the URI of the last segment"));
        }
        let playlist = MediaPlaylist {
            target_duration: self.target.ok_or(ParseProblem::Missing("EXT-X-TARGETDURATION"))?,
            media_sequence: self.sequence.unwrap_or(0),
            vod: self.kind.unwrap_or(false),
            independent_segments: self.independent,
            i_frames_only: self.i_frames,
            init: self.init,
            segments: self.segments,
            ended: self.ended,
        };
        let version = self.version.unwrap_or(1);
        hold_to_its_word(&playlist, version)?;
        Ok(Parsed { version, playlist })
    }
}

fn hold_to_its_word(playlist: &MediaPlaylist, declared: u64) -> Result<(), ParseProblem> {
    let needed = playlist.needed_version();
    if declared < needed {
        return Err(ParseProblem::Version { declared, needed });
    }
    let needed = playlist.needed_target_duration()?;
    if playlist.target_duration < needed {
        let declared = playlist.target_duration;
        return Err(ParseProblem::TargetDuration { declared, needed });
    }
    Ok(())
}

fn flag(slot: &mut bool) -> Result<(), ParseProblem> {
    *slot = true;
    Ok(())
}

fn is_vod(value: &str) -> Result<bool, ParseProblem> {
    match value {
        "VOD" => Ok(true),
        "EVENT" => Ok(false),
        other => Err(ParseProblem::value("EXT-X-PLAYLIST-TYPE", other)),
    }
}

fn possible(range: ByteRange) -> Result<ByteRange, ParseProblem> {
    let text = || format!("{}@{}", range.length, range.offset);
    range.end().map(|_| range).ok_or_else(|| ParseProblem::value("BYTERANGE", &text()))
}

fn raw_range(text: &str) -> Result<RawRange, ParseProblem> {
    let (length, offset) = match text.split_once('@') {
        Some((length, offset)) => (length, Some(decimal_integer("BYTERANGE", offset)?)),
        None => (text, None),
    };
    Ok(RawRange { length: decimal_integer("BYTERANGE", length)?, offset })
}

/// `6.006,title`: the comma is required (§4.3.2.1); nine decimals at most.
fn extinf(value: &str) -> Result<Seconds, ParseProblem> {
    let bad = || ParseProblem::value("EXTINF", value);
    let (number, _title) = value.split_once(',').ok_or_else(bad)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if decimals.len() > 9 || (number.contains('.') && decimals.is_empty()) {
        return Err(bad());
    }
    let digits = decimal_integer("EXTINF", whole)?;
    let fraction = if decimals.is_empty() { 0 } else { decimal_integer("EXTINF", decimals)? };
    let den = 10_u32.pow(decimals.len() as u32);
    let num = digits.checked_mul(den.into()).and_then(|num| num.checked_add(fraction));
    num.and_then(|num| Seconds::new(num, den)).ok_or_else(bad)
}

fn key(attributes: &Attributes) -> Result<Option<KeyRef>, ParseProblem> {
    match attributes.bare("METHOD")? {
        Some("NONE") => return Ok(None),
        Some("AES-128") => {}
        Some(_) => return Err(ParseProblem::Unsupported("a METHOD other than AES-128")),
        None => return Err(ParseProblem::Missing("METHOD")),
    }
    if attributes.quoted("KEYFORMAT")?.is_some_and(|format| format != "identity") {
        return Err(ParseProblem::Unsupported("a KEYFORMAT other than identity"));
    }
    let uri = checked_uri(&attributes.required("URI")?)?.to_owned();
    let iv = attributes.bare("IV")?.map(hexadecimal_iv).transpose()?;
    Ok(Some(KeyRef { uri, iv }))
}

fn hexadecimal_iv(text: &str) -> Result<[u8; 16], ParseProblem> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let mut iv = [0; 16];
    let read = digits.is_some_and(|digits| hex::decode_to_slice(digits, &mut iv).is_ok());
    if read { Ok(iv) } else { Err(ParseProblem::value("IV", text)) }
}
