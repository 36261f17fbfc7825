//! Media playlists (RFC 8216, 4.3.2 and 4.3.3).

use super::{Attributes, Line, decimal, integer, lines, once};

/// A media playlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Media {
    /// EXT-X-VERSION.
    pub version: Option<u64>,
    /// EXT-X-TARGETDURATION.
    pub target: u64,
    /// EXT-X-MEDIA-SEQUENCE; 0 when absent.
    pub sequence: u64,
    /// EXT-X-PLAYLIST-TYPE:VOD.
    pub vod: bool,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent: bool,
    /// EXT-X-I-FRAMES-ONLY.
    pub iframes_only: bool,
    /// EXT-X-MAP.
    pub map: Option<Map>,
    /// Whether EXT-X-MAP stands after an EXT-X-KEY, which would encrypt it.
    pub map_after_key: bool,
    /// The segments.
    pub segments: Vec<Segment>,
    /// EXT-X-ENDLIST, as the last line.
    pub ended: bool,
}

/// An init segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Where it is.
    pub uri: String,
    /// Length and offset.
    pub range: Option<(u64, u64)>,
}

/// A segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Where it is.
    pub uri: String,
    /// EXTINF.
    pub duration: f64,
    /// Decimals of EXTINF: what its rounding may hide.
    pub decimals: usize,
    /// Length and offset.
    pub range: Option<(u64, u64)>,
    /// How it is encrypted.
    pub key: Option<Key>,
}

/// EXT-X-KEY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// METHOD.
    pub method: String,
    /// URI.
    pub uri: String,
    /// IV, if it is given.
    pub iv: Option<[u8; 16]>,
}

impl Media {
    /// Reads a playlist.
    pub fn parse(text: &str) -> Result<Media, String> {
        let mut reader = Reader::default();
        for line in lines(text)? {
            reader.line(line)?;
        }
        reader.end()
    }

    /// The sum of EXTINF.
    pub fn duration(&self) -> f64 {
        self.segments.iter().map(|segment| segment.duration).sum()
    }
}

#[derive(Default)]
struct Reader {
    playlist: Media,
    target: Option<u64>,
    sequence: Option<u64>,
    kind: Option<()>,
    key: Option<Key>,
    extinf: Option<(f64, usize)>,
    range: Option<(u64, u64)>,
    /// End of the last byte range and its URI: where one without offset goes on.
    last: Option<(String, u64)>,
}

impl Reader {
    fn line(&mut self, line: Line<'_>) -> Result<(), String> {
        if self.playlist.ended {
            return Err("lines after EXT-X-ENDLIST".to_owned());
        }
        match line {
            Line::Tag(name, value) => self.tag(name, value).map_err(|why| format!("{name}: {why}")),
            Line::Uri(uri) => self.segment(uri),
        }
    }

    fn tag(&mut self, name: &str, value: &str) -> Result<(), String> {
        let playlist = &mut self.playlist;
        match name {
            "#EXT-X-VERSION" => once(&mut playlist.version, integer(value)?, name)?,
            "#EXT-X-TARGETDURATION" => once(&mut self.target, integer(value)?, name)?,
            "#EXT-X-MEDIA-SEQUENCE" => once(&mut self.sequence, integer(value)?, name)?,
            "#EXT-X-PLAYLIST-TYPE" => {
                once(&mut self.kind, (), name)?;
                playlist.vod = value == "VOD";
            }
            "#EXT-X-INDEPENDENT-SEGMENTS" => playlist.independent = true,
            "#EXT-X-I-FRAMES-ONLY" => playlist.iframes_only = true,
            "#EXT-X-ENDLIST" => playlist.ended = true,
            "#EXT-X-MAP" => {
                playlist.map_after_key = self.key.is_some();
                once(&mut playlist.map, map(value)?, name)?;
            }
            "#EXT-X-KEY" => self.key = key(value)?,
            "#EXT-X-BYTERANGE" => self.range = Some(range(value, None)?),
            "#EXTINF" => self.extinf = Some(extinf(value)?),
            _ => return Err("an unknown tag".to_owned()),
        }
        Ok(())
    }

    fn segment(&mut self, uri: &str) -> Result<(), String> {
        let (duration, decimals) = self.extinf.take().ok_or("a URI without EXTINF")?;
        let range = self.range.take().map(|(length, offset)| {
            let go_on = self.last.as_ref().filter(|(before, _)| before == uri);
            match offset {
                u64::MAX => go_on.map(|(_, end)| (length, *end)).ok_or("a range without offset"),
                offset => Ok((length, offset)),
            }
        });
        let range = range.transpose()?;
        self.last = range.map(|(length, offset)| (uri.to_owned(), length + offset));
        let key = self.key.clone();
        self.playlist.segments.push(Segment {
            uri: uri.to_owned(),
            duration,
            decimals,
            range,
            key,
        });
        Ok(())
    }

    fn end(self) -> Result<Media, String> {
        let target = self.target.ok_or("EXT-X-TARGETDURATION is missing")?;
        if self.extinf.is_some() || self.range.is_some() {
            return Err("a segment without its URI".to_owned());
        }
        Ok(Media { target, sequence: self.sequence.unwrap_or(0), ..self.playlist })
    }
}

fn extinf(value: &str) -> Result<(f64, usize), String> {
    let (duration, _title) = value.split_once(',').ok_or("no comma")?;
    let decimals = duration.split_once('.').map_or(0, |(_, part)| part.len());
    Ok((decimal(duration)?, decimals))
}

/// `length[@offset]`; the offset is `u64::MAX` where it is left out and `none` is not given.
fn range(value: &str, none: Option<u64>) -> Result<(u64, u64), String> {
    match value.split_once('@') {
        Some((length, offset)) => Ok((integer(length)?, integer(offset)?)),
        None => Ok((integer(value)?, none.unwrap_or(u64::MAX))),
    }
}

fn map(value: &str) -> Result<Map, String> {
    let attributes = Attributes::parse(value, &["URI", "BYTERANGE"])?;
    let range = attributes.quoted("BYTERANGE")?.map(|text| range(&text, Some(0))).transpose()?;
    Ok(Map { uri: attributes.required("URI")?, range })
}

fn key(value: &str) -> Result<Option<Key>, String> {
    let known = ["METHOD", "URI", "IV", "KEYFORMAT", "KEYFORMATVERSIONS"];
    let attributes = Attributes::parse(value, &known)?;
    let method = attributes.bare("METHOD")?.ok_or("METHOD is missing")?.to_owned();
    if method == "NONE" {
        return Ok(None);
    }
    let iv = attributes.bare("IV")?.map(hexadecimal).transpose()?;
    Ok(Some(Key { method, uri: attributes.required("URI")?, iv }))
}

fn hexadecimal(text: &str) -> Result<[u8; 16], String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = digits.filter(|digits| digits.len() == 32).ok_or("an IV of another length")?;
    let value = u128::from_str_radix(digits, 16).map_err(|why| why.to_string())?;
    Ok(value.to_be_bytes())
}
