//! The multivariant playlist, read strictly. Unknown tags and attributes are
//! ignored (RFC 8216 §6.3.1).

use super::attribute::{Attributes, checked_uri, decimal_integer};
use super::error::{ParseError, ParseProblem};
use super::lines::{Line, MAX_ENTRIES, Parsed, lines, once};
use super::multivariant::{
    AudioAlternative, IFrameStream, MultivariantPlaylist, Resolution, SubtitleAlternative,
    VariantStream, VideoRange,
};
use crate::time::FrameRate;

impl MultivariantPlaylist {
    /// Reads a playlist of at most [`super::MAX_PLAYLIST_BYTES`] bytes and
    /// holds it to the rules of [`Self::check`].
    ///
    /// # Errors
    /// [`ParseError`] with the line; also for what vodmill cannot represent
    /// (closed-caption groups, TYPE=VIDEO).
    pub fn parse(bytes: &[u8]) -> Result<Parsed<Self>, ParseError> {
        let mut reader = Reader::default();
        for (number, line) in lines(bytes)? {
            let read = match line {
                Line::Tag(name, value) => reader.tag(name, value),
                Line::Uri(uri) => reader.uri(uri),
            };
            read.map_err(|problem| problem.at(number))?;
        }
        reader.finish().map_err(|problem| problem.at(0))
    }
}

#[derive(Default)]
struct Reader {
    version: Option<u64>,
    /// A variant whose URI line has to come next.
    pending: Option<VariantStream>,
    /// What all variants so far say of CLOSED-CAPTIONS=NONE.
    no_captions: Option<bool>,
    entries: usize,
    playlist: MultivariantPlaylist,
}

impl Reader {
    fn tag(&mut self, name: &str, value: &str) -> Result<(), ParseProblem> {
        if self.pending.is_some() {
            return Err(ParseProblem::Missing("the URI line after EXT-X-STREAM-INF"));
        }
        match name {
            "#EXT-X-VERSION" => {
                once(&mut self.version, decimal_integer("EXT-X-VERSION", value)?, name)
            }
            "#EXT-X-INDEPENDENT-SEGMENTS" => {
                self.playlist.independent_segments = true;
                Ok(())
            }
            "#EXT-X-STREAM-INF" | "#EXT-X-MEDIA" | "#EXT-X-I-FRAME-STREAM-INF" => {
                self.entry(name, &Attributes::parse(value)?)
            }
            "#EXTINF" => Err(ParseProblem::WrongKind("EXTINF")),
            "#EXT-X-TARGETDURATION" => Err(ParseProblem::WrongKind("EXT-X-TARGETDURATION")),
            _ => Ok(()),
        }
    }

    fn entry(&mut self, name: &str, attributes: &Attributes) -> Result<(), ParseProblem> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(ParseProblem::TooLarge(MAX_ENTRIES));
        }
        match name {
            "#EXT-X-STREAM-INF" => self.variant(attributes)?,
            "#EXT-X-MEDIA" => self.media(attributes)?,
            _ => self.playlist.i_frames.push(i_frame_stream(attributes)?),
        }
        Ok(())
    }

    fn variant(&mut self, attributes: &Attributes) -> Result<(), ParseProblem> {
        let none = match attributes.bare("CLOSED-CAPTIONS") {
            Ok(None) => false,
            Ok(Some("NONE")) => true,
            _ => return Err(ParseProblem::Unsupported("a group of closed captions")),
        };
        if *self.no_captions.get_or_insert(none) != none {
            return Err(ParseProblem::Unsupported("CLOSED-CAPTIONS=NONE on some variants only"));
        }
        self.pending = Some(variant_stream(attributes)?);
        Ok(())
    }

    fn media(&mut self, attributes: &Attributes) -> Result<(), ParseProblem> {
        match attributes.bare("TYPE")? {
            Some("AUDIO") => self.playlist.audio.push(audio(attributes)?),
            Some("SUBTITLES") => self.playlist.subtitles.push(subtitles(attributes)?),
            Some(_) => return Err(ParseProblem::Unsupported("this TYPE of EXT-X-MEDIA")),
            None => return Err(ParseProblem::Missing("TYPE")),
        }
        Ok(())
    }

    fn uri(&mut self, uri: &str) -> Result<(), ParseProblem> {
        let mut variant = self.pending.take().ok_or(ParseProblem::Missing("EXT-X-STREAM-INF"))?;
        variant.uri = checked_uri(uri)?.to_owned();
        self.playlist.variants.push(variant);
        Ok(())
    }

    fn finish(mut self) -> Result<Parsed<MultivariantPlaylist>, ParseProblem> {
        if self.pending.is_some() {
            return Err(ParseProblem::Missing("the URI line after EXT-X-STREAM-INF"));
        }
        self.playlist.no_closed_captions = self.no_captions.unwrap_or(false);
        self.playlist.check()?;
        Ok(Parsed { version: self.version.unwrap_or(1), playlist: self.playlist })
    }
}

fn variant_stream(attributes: &Attributes) -> Result<VariantStream, ParseProblem> {
    Ok(VariantStream {
        uri: String::new(),
        bandwidth: bandwidth(attributes)?,
        average_bandwidth: attributes.integer("AVERAGE-BANDWIDTH")?,
        codecs: list(attributes, "CODECS")?,
        resolution: attributes.bare("RESOLUTION")?.map(resolution).transpose()?,
        frame_rate: attributes.bare("FRAME-RATE")?.map(frame_rate).transpose()?,
        video_range: attributes.bare("VIDEO-RANGE")?.map(video_range).transpose()?,
        audio_group: attributes.quoted("AUDIO")?,
        subtitle_group: attributes.quoted("SUBTITLES")?,
    })
}

fn i_frame_stream(attributes: &Attributes) -> Result<IFrameStream, ParseProblem> {
    Ok(IFrameStream {
        uri: uri(attributes)?.ok_or(ParseProblem::Missing("URI"))?,
        bandwidth: bandwidth(attributes)?,
        average_bandwidth: attributes.integer("AVERAGE-BANDWIDTH")?,
        codecs: list(attributes, "CODECS")?,
        resolution: attributes.bare("RESOLUTION")?.map(resolution).transpose()?,
        video_range: attributes.bare("VIDEO-RANGE")?.map(video_range).transpose()?,
    })
}

fn audio(attributes: &Attributes) -> Result<AudioAlternative, ParseProblem> {
    Ok(AudioAlternative {
        group: attributes.required("GROUP-ID")?,
        name: attributes.required("NAME")?,
        language: attributes.quoted("LANGUAGE")?,
        default: attributes.yes("DEFAULT")?,
        autoselect: autoselect(attributes)?,
        characteristics: list(attributes, "CHARACTERISTICS")?,
        channels: attributes.quoted("CHANNELS")?,
        uri: uri(attributes)?,
    })
}

fn subtitles(attributes: &Attributes) -> Result<SubtitleAlternative, ParseProblem> {
    Ok(SubtitleAlternative {
        group: attributes.required("GROUP-ID")?,
        name: attributes.required("NAME")?,
        language: attributes.quoted("LANGUAGE")?,
        default: attributes.yes("DEFAULT")?,
        autoselect: autoselect(attributes)?,
        forced: attributes.yes("FORCED")?,
        characteristics: list(attributes, "CHARACTERISTICS")?,
        uri: uri(attributes)?.ok_or(ParseProblem::Missing("URI"))?,
    })
}

/// AUTOSELECT, if present, must be YES when DEFAULT is (§4.3.4.1).
fn autoselect(attributes: &Attributes) -> Result<bool, ParseProblem> {
    let default = attributes.yes("DEFAULT")?;
    let chosen = attributes.yes("AUTOSELECT")?;
    match attributes.bare("AUTOSELECT")? {
        Some(text) if default && !chosen => Err(ParseProblem::value("AUTOSELECT", text)),
        _ => Ok(chosen || default),
    }
}

fn uri(attributes: &Attributes) -> Result<Option<String>, ParseProblem> {
    let uri = attributes.quoted("URI")?;
    uri.as_deref().map(checked_uri).transpose()?;
    Ok(uri)
}

fn bandwidth(attributes: &Attributes) -> Result<u64, ParseProblem> {
    attributes.integer("BANDWIDTH")?.ok_or(ParseProblem::Missing("BANDWIDTH"))
}

fn list(attributes: &Attributes, name: &'static str) -> Result<Vec<String>, ParseProblem> {
    let Some(text) = attributes.quoted(name)? else {
        return Ok(Vec::new());
    };
    // Some servers put a blank after each comma.
    let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
    match items.iter().any(|item| item.is_empty() || item.contains(' ')) {
        true => Err(ParseProblem::value(name, &text)),
        false => Ok(items),
    }
}

fn resolution(text: &str) -> Result<Resolution, ParseProblem> {
    let bad = || ParseProblem::value("RESOLUTION", text);
    let (width, height) = text.split_once('x').ok_or_else(bad)?;
    let side = |text| {
        let pixels = decimal_integer("RESOLUTION", text)?;
        u32::try_from(pixels).map_err(|_| bad())
    };
    Ok(Resolution { width: side(width)?, height: side(height)? })
}

/// Up to three decimals count (§4.3.4.2); more are refused.
fn frame_rate(text: &str) -> Result<FrameRate, ParseProblem> {
    let bad = || ParseProblem::value("FRAME-RATE", text);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    if decimals.len() > 3 {
        return Err(bad());
    }
    let millis = decimal_integer("FRAME-RATE", &format!("{decimals:0<3}"))?;
    let whole = decimal_integer("FRAME-RATE", whole)?.checked_mul(1000).ok_or_else(bad)?;
    let num = whole.checked_add(millis).and_then(|num| u32::try_from(num).ok());
    Ok(FrameRate { num: num.ok_or_else(bad)?, den: 1000 })
}

fn video_range(text: &str) -> Result<VideoRange, ParseProblem> {
    match text {
        "SDR" => Ok(VideoRange::Sdr),
        "HLG" => Ok(VideoRange::Hlg),
        "PQ" => Ok(VideoRange::Pq),
        other => Err(ParseProblem::value("VIDEO-RANGE", other)),
    }
}
