//! The multivariant playlist (RFC 8216 §4.3.4), written.

use std::fmt;

use super::attribute::{TagLine, checked_uri};
use super::error::PlaylistError;
use crate::time::FrameRate;

/// The multivariant playlist: the choices that a player has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MultivariantPlaylist {
    /// EXT-X-INDEPENDENT-SEGMENTS, for every playlist that this one names.
    pub independent_segments: bool,
    /// CLOSED-CAPTIONS=NONE on every variant stream; the RFC allows it on all
    /// or none.
    pub no_closed_captions: bool,
    /// The audio tracks that variants may name by group.
    pub audio: Vec<AudioAlternative>,
    /// The subtitle tracks that variants may name by group.
    pub subtitles: Vec<SubtitleAlternative>,
    /// The variant streams; a player may start with the first. At least one.
    pub variants: Vec<VariantStream>,
    /// The variants for fast forward and rewind.
    pub i_frames: Vec<IFrameStream>,
}

/// An EXT-X-STREAM-INF entry (§4.3.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VariantStream {
    /// Its media playlist.
    pub uri: String,
    /// Peak bits per second, with the largest of its audio group. Not zero.
    pub bandwidth: u64,
    /// Average bits per second.
    pub average_bandwidth: Option<u64>,
    /// RFC 6381 strings of every sample type in it and its groups; the
    /// attribute is left out when empty.
    pub codecs: Vec<String>,
    /// Displayed size; `None` for audio only.
    pub resolution: Option<Resolution>,
    /// Written with three decimals; `None` for audio only.
    pub frame_rate: Option<FrameRate>,
    /// The transfer characteristics; `None` leaves it out (a player takes SDR).
    pub video_range: Option<VideoRange>,
    /// SCORE (draft-pantos-hls-rfc8216bis §4.4.6.2): which a player prefers, the highest first. On all
    /// variants or on none.
    pub score: Option<u32>,
    /// The GROUP-ID of its [`AudioAlternative`]s.
    pub audio_group: Option<String>,
    /// The GROUP-ID of its [`SubtitleAlternative`]s.
    pub subtitle_group: Option<String>,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// VIDEO-RANGE (draft-pantos-hls-rfc8216bis §4.4.6.2; ignored by old players).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoRange {
    /// BT.709 and its like.
    Sdr,
    /// Hybrid log-gamma.
    Hlg,
    /// SMPTE ST 2084.
    Pq,
}

/// An audio track: EXT-X-MEDIA with TYPE=AUDIO (§4.3.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudioAlternative {
    /// GROUP-ID.
    pub group: String,
    /// Shown to the viewer; unique in its group.
    pub name: String,
    /// BCP 47, such as `de`.
    pub language: Option<String>,
    /// Played when the viewer chose nothing; one in a group at most.
    pub default: bool,
    /// May be chosen by the system's language. Implied by `default`.
    pub autoselect: bool,
    /// Uniform type identifiers, such as `public.accessibility.describes-video`; without commas.
    pub characteristics: Vec<String>,
    /// CHANNELS, such as `2` or `6`.
    pub channels: Option<String>,
    /// Its media playlist; `None` when it is muxed into the variant's.
    pub uri: Option<String>,
}

/// A subtitle track: EXT-X-MEDIA with TYPE=SUBTITLES (§4.3.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubtitleAlternative {
    /// GROUP-ID.
    pub group: String,
    /// Shown to the viewer; unique in its group.
    pub name: String,
    /// BCP 47, such as `de`.
    pub language: Option<String>,
    /// Shown when the viewer chose nothing; one in a group at most.
    pub default: bool,
    /// May be chosen by the system's language. Implied by `default`.
    pub autoselect: bool,
    /// Only what a viewer must read in any case (signs, foreign speech).
    pub forced: bool,
    /// Uniform type identifiers, such as
    /// `public.accessibility.transcribes-spoken-dialog`; without commas.
    pub characteristics: Vec<String>,
    /// Its media playlist.
    pub uri: String,
}

/// An EXT-X-I-FRAME-STREAM-INF entry (§4.3.4.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IFrameStream {
    /// Its media playlist, which has EXT-X-I-FRAMES-ONLY.
    pub uri: String,
    /// Peak bits per second. Not zero.
    pub bandwidth: u64,
    /// Average bits per second.
    pub average_bandwidth: Option<u64>,
    /// RFC 6381 strings; left out when empty.
    pub codecs: Vec<String>,
    /// Displayed size.
    pub resolution: Option<Resolution>,
    /// As in [`VariantStream::video_range`].
    pub video_range: Option<VideoRange>,
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl VideoRange {
    /// As it stands in the playlist.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sdr => "SDR",
            Self::Hlg => "HLG",
            Self::Pq => "PQ",
        }
    }
}

impl MultivariantPlaylist {
    /// The playlist as text: alternatives, variants, I-frame variants.
    ///
    /// # Errors
    /// [`PlaylistError`] names the first thing that cannot be said, or the
    /// first broken rule: a group that nothing defines, two defaults, a name
    /// twice, a zero bandwidth.
    pub fn write(&self) -> Result<String, PlaylistError> {
        self.check()?;
        let mut out = format!("#EXTM3U\n#EXT-X-VERSION:{}\n", self.needed_version());
        if self.independent_segments {
            out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
        for audio in &self.audio {
            audio.write(&mut out)?;
        }
        for subtitles in &self.subtitles {
            subtitles.write(&mut out)?;
        }
        for variant in &self.variants {
            variant.write(&mut out, self.no_closed_captions)?;
        }
        for stream in &self.i_frames {
            stream.write(&mut out)?;
        }
        Ok(out)
    }

    /// The EXT-X-VERSION it declares: 4 with alternatives or I-frame variants,
    /// as §7 advises for them, else 3, which its media playlists need anyway.
    pub fn needed_version(&self) -> u64 {
        let plain = self.audio.is_empty() && self.subtitles.is_empty() && self.i_frames.is_empty();
        if plain { 3 } else { 4 }
    }
}

impl AudioAlternative {
    fn write(&self, out: &mut String) -> Result<(), PlaylistError> {
        let mut tag = media_tag("AUDIO", &self.group, &self.name, self.language.as_deref())?;
        choice(&mut tag, self.default, self.autoselect);
        list(&mut tag, "CHARACTERISTICS", &self.characteristics)?;
        tag.quoted_if("CHANNELS", self.channels.as_deref())?;
        if let Some(uri) = &self.uri {
            tag.uri(uri)?;
        }
        tag.end(out);
        Ok(())
    }
}

impl SubtitleAlternative {
    fn write(&self, out: &mut String) -> Result<(), PlaylistError> {
        let mut tag = media_tag("SUBTITLES", &self.group, &self.name, self.language.as_deref())?;
        choice(&mut tag, self.default, self.autoselect);
        tag.bare("FORCED", yes_no(self.forced));
        list(&mut tag, "CHARACTERISTICS", &self.characteristics)?;
        tag.uri(&self.uri)?;
        tag.end(out);
        Ok(())
    }
}

impl VariantStream {
    fn write(&self, out: &mut String, no_captions: bool) -> Result<(), PlaylistError> {
        let mut tag = TagLine::new("#EXT-X-STREAM-INF");
        bandwidth(&mut tag, self.bandwidth, self.average_bandwidth);
        list(&mut tag, "CODECS", &self.codecs)?;
        picture(&mut tag, self.resolution, self.video_range);
        if let Some(rate) = self.frame_rate.and_then(FrameRate::millihertz) {
            tag.bare("FRAME-RATE", format_args!("{}.{:03}", rate / 1000, rate % 1000));
        }
        if let Some(score) = self.score {
            tag.bare("SCORE", score);
        }
        tag.quoted_if("AUDIO", self.audio_group.as_deref())?;
        tag.quoted_if("SUBTITLES", self.subtitle_group.as_deref())?;
        if no_captions {
            tag.bare("CLOSED-CAPTIONS", "NONE");
        }
        tag.end(out);
        out.push_str(checked_uri(&self.uri)?);
        out.push('\n');
        Ok(())
    }
}

impl IFrameStream {
    fn write(&self, out: &mut String) -> Result<(), PlaylistError> {
        let mut tag = TagLine::new("#EXT-X-I-FRAME-STREAM-INF");
        bandwidth(&mut tag, self.bandwidth, self.average_bandwidth);
        list(&mut tag, "CODECS", &self.codecs)?;
        picture(&mut tag, self.resolution, self.video_range);
        tag.uri(&self.uri)?;
        tag.end(out);
        Ok(())
    }
}

fn media_tag(
    kind: &str,
    group: &str,
    name: &str,
    language: Option<&str>,
) -> Result<TagLine, PlaylistError> {
    let mut tag = TagLine::new("#EXT-X-MEDIA");
    tag.bare("TYPE", kind);
    tag.quoted("GROUP-ID", group)?;
    tag.quoted_if("LANGUAGE", language)?;
    tag.quoted("NAME", name)?;
    Ok(tag)
}

/// A default track has to be AUTOSELECT=YES too (§4.3.4.1).
fn choice(tag: &mut TagLine, default: bool, autoselect: bool) {
    tag.bare("DEFAULT", yes_no(default));
    tag.bare("AUTOSELECT", yes_no(autoselect || default));
}

fn bandwidth(tag: &mut TagLine, peak: u64, average: Option<u64>) {
    tag.bare("BANDWIDTH", peak);
    if let Some(average) = average {
        tag.bare("AVERAGE-BANDWIDTH", average);
    }
}

fn picture(tag: &mut TagLine, resolution: Option<Resolution>, range: Option<VideoRange>) {
    if let Some(resolution) = resolution {
        tag.bare("RESOLUTION", resolution);
    }
    if let Some(range) = range {
        tag.bare("VIDEO-RANGE", range.as_str());
    }
}

fn list(tag: &mut TagLine, name: &'static str, items: &[String]) -> Result<(), PlaylistError> {
    if items.is_empty() {
        return Ok(());
    }
    match items.iter().find(|item| item.is_empty() || item.contains([',', ' '])) {
        Some(item) => Err(PlaylistError::Unquotable { attribute: name, value: item.clone() }),
        None => tag.quoted(name, &items.join(",")),
    }
}

const fn yes_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}
