//! The media playlist (RFC 8216 §4.3.2, §4.3.3), written.

use std::fmt::Write as _;

use super::attribute::{TagLine, checked_uri};
use super::error::PlaylistError;
use crate::time::{Seconds, Timeline};

/// A media playlist of VOD: what one rendition is made of, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MediaPlaylist {
    /// EXT-X-TARGETDURATION is at least this many seconds. Every playlist of
    /// a variant must declare the same one (§6.2.4), so give the largest of
    /// [`Self::needed_target_duration`] to all; 0 leaves it to the segments.
    pub target_duration: u64,
    /// EXT-X-MEDIA-SEQUENCE: the number of the first segment.
    pub media_sequence: u64,
    /// EXT-X-PLAYLIST-TYPE:VOD.
    pub vod: bool,
    /// EXT-X-INDEPENDENT-SEGMENTS: each segment starts with a key frame.
    pub independent_segments: bool,
    /// EXT-X-I-FRAMES-ONLY: each segment is one I-frame.
    pub i_frames_only: bool,
    /// EXT-X-MAP, always clear: it is written before the first EXT-X-KEY.
    pub init: Option<InitSection>,
    /// The segments; at least one.
    pub segments: Vec<Segment>,
    /// EXT-X-ENDLIST: nothing will be added.
    pub ended: bool,
}

/// The media initialization section of an fMP4 rendition (§4.3.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitSection {
    /// Where it is.
    pub uri: String,
    /// The part of it, when not the whole.
    pub byte_range: Option<ByteRange>,
}

/// A media segment (§3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where it is.
    pub uri: String,
    /// Its exact duration; in an I-frame playlist, the time to the next I-frame.
    pub duration: Seconds,
    /// The part of the object, when not the whole.
    pub byte_range: Option<ByteRange>,
    /// The key and IV it is encrypted with; `None` for a clear one.
    pub key: Option<KeyRef>,
}

/// A run of bytes in an object (§4.3.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// How many bytes; not zero.
    pub length: u64,
    /// The first one.
    pub offset: u64,
}

/// How a segment is encrypted, METHOD=AES-128 (§4.3.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRef {
    /// Where a player gets the key.
    pub uri: String,
    /// The IV; `None` stands for the segment's media sequence number (§5.2), which
    /// vodmill does not use.
    pub iv: Option<[u8; 16]>,
}

impl ByteRange {
    /// The first byte after it; `None` when there can be no such range.
    pub fn end(self) -> Option<u64> {
        if self.length == 0 { None } else { self.offset.checked_add(self.length) }
    }

    fn checked(self) -> Result<Self, PlaylistError> {
        let Self { length, offset } = self;
        self.end().map(|_| self).ok_or(PlaylistError::ByteRange { length, offset })
    }
}

impl MediaPlaylist {
    /// The playlist as text.
    ///
    /// EXTINF has microseconds, rounded on the running sum so that it never
    /// drifts from the exact one.
    ///
    /// # Errors
    /// [`PlaylistError`] names the first thing that a playlist cannot say.
    pub fn write(&self) -> Result<String, PlaylistError> {
        let micros = self.micros()?;
        let mut out = self.header(&micros);
        if let Some(init) = &self.init {
            init.write(&mut out)?;
        }
        let mut key = None;
        for (segment, micros) in self.segments.iter().zip(micros) {
            if segment.key.as_ref() != key {
                key = segment.key.as_ref();
                write_key(&mut out, key)?;
            }
            segment.write(&mut out, micros)?;
        }
        if self.ended {
            out.push_str("#EXT-X-ENDLIST\n");
        }
        Ok(out)
    }

    /// The lowest EXT-X-VERSION that allows what is used (§7). Never under 3:
    /// EXTINF always has decimals.
    pub fn needed_version(&self) -> u64 {
        let map = self.init.is_some();
        let ranges = self.segments.iter().any(|segment| segment.byte_range.is_some());
        match (map, self.i_frames_only) {
            (true, false) => 6,
            (true, true) => 5,
            (false, true) => 4,
            (false, false) if ranges => 4,
            (false, false) => 3,
        }
    }

    /// The lowest EXT-X-TARGETDURATION in seconds that the segments allow:
    /// their largest EXTINF, rounded (§4.3.3.1).
    ///
    /// # Errors
    /// As [`Self::write`], for the durations.
    pub fn needed_target_duration(&self) -> Result<u64, PlaylistError> {
        Ok(target(&self.micros()?))
    }

    /// The EXTINF of each segment in microseconds, as written.
    ///
    /// # Errors
    /// No segments, one without duration, or durations out of range.
    pub fn micros(&self) -> Result<Vec<u64>, PlaylistError> {
        if self.segments.is_empty() {
            return Err(PlaylistError::Empty);
        }
        let line = Timeline::lay(self.segments.iter().map(|segment| segment.duration))?;
        let micros = line.micros()?;
        match micros.iter().position(|micros| *micros == 0) {
            Some(index) => Err(PlaylistError::ZeroDuration(index)),
            None => Ok(micros),
        }
    }

    fn header(&self, micros: &[u64]) -> String {
        let mut out = String::with_capacity(128 + self.segments.len() * 160);
        let target = target(micros).max(self.target_duration);
        // Writing into a String cannot fail.
        let _ = write!(
            out,
            "#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:{target}\n\
             #EXT-X-MEDIA-SEQUENCE:{}\n",
            self.needed_version(),
            self.media_sequence,
        );
        let flags = [
            (self.vod, "#EXT-X-PLAYLIST-TYPE:VOD\n"),
            (self.independent_segments, "#EXT-X-INDEPENDENT-SEGMENTS\n"),
            (self.i_frames_only, "#EXT-X-I-FRAMES-ONLY\n"),
        ];
        flags.iter().filter(|(on, _)| *on).for_each(|(_, tag)| out.push_str(tag));
        out
    }
}

impl InitSection {
    fn write(&self, out: &mut String) -> Result<(), PlaylistError> {
        let mut tag = TagLine::new("#EXT-X-MAP");
        tag.uri(&self.uri)?;
        if let Some(range) = self.byte_range {
            let ByteRange { length, offset } = range.checked()?;
            tag.quoted("BYTERANGE", &format!("{length}@{offset}"))?;
        }
        tag.end(out);
        Ok(())
    }
}

impl Segment {
    fn write(&self, out: &mut String, micros: u64) -> Result<(), PlaylistError> {
        let _ = writeln!(out, "#EXTINF:{}.{:06},", micros / 1_000_000, micros % 1_000_000);
        if let Some(range) = self.byte_range {
            let ByteRange { length, offset } = range.checked()?;
            let _ = writeln!(out, "#EXT-X-BYTERANGE:{length}@{offset}");
        }
        out.push_str(checked_uri(&self.uri)?);
        out.push('\n');
        Ok(())
    }
}

fn write_key(out: &mut String, key: Option<&KeyRef>) -> Result<(), PlaylistError> {
    let mut tag = TagLine::new("#EXT-X-KEY");
    match key {
        None => tag.bare("METHOD", "NONE"),
        Some(key) => {
            tag.bare("METHOD", "AES-128");
            tag.uri(&key.uri)?;
            if let Some(iv) = key.iv {
                tag.bare("IV", format_args!("0x{}", hex::encode(iv)));
            }
        }
    }
    tag.end(out);
    Ok(())
}

/// The largest of the durations, to the nearest second; at least one.
pub(crate) fn target(micros: &[u64]) -> u64 {
    let longest = micros.iter().copied().max().unwrap_or(0);
    (longest.saturating_add(500_000) / 1_000_000).max(1)
}
