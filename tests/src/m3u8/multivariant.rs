//! Multivariant playlists (RFC 8216, 4.3.4).

use super::{Attributes, Line, integer, lines, once};

/// A multivariant playlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Multivariant {
    /// EXT-X-VERSION.
    pub version: Option<u64>,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent: bool,
    /// EXT-X-STREAM-INF.
    pub variants: Vec<Variant>,
    /// EXT-X-I-FRAME-STREAM-INF.
    pub iframes: Vec<Variant>,
    /// EXT-X-MEDIA.
    pub alternatives: Vec<Alternative>,
}

/// A variant stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variant {
    /// Where its media playlist is.
    pub uri: String,
    /// BANDWIDTH.
    pub bandwidth: u64,
    /// AVERAGE-BANDWIDTH.
    pub average: Option<u64>,
    /// CODECS, parted.
    pub codecs: Vec<String>,
    /// RESOLUTION.
    pub resolution: Option<(u32, u32)>,
    /// FRAME-RATE.
    pub frame_rate: Option<f64>,
    /// VIDEO-RANGE.
    pub range: Option<String>,
    /// SCORE.
    pub score: Option<f64>,
    /// AUDIO.
    pub audio: Option<String>,
    /// SUBTITLES.
    pub subtitles: Option<String>,
}

/// An alternative rendition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alternative {
    /// TYPE.
    pub kind: String,
    /// GROUP-ID.
    pub group: String,
    /// NAME.
    pub name: String,
    /// LANGUAGE.
    pub language: Option<String>,
    /// DEFAULT.
    pub default: bool,
    /// AUTOSELECT.
    pub autoselect: bool,
    /// FORCED.
    pub forced: bool,
    /// CHANNELS.
    pub channels: Option<String>,
    /// URI.
    pub uri: Option<String>,
}

const VARIANT: &[&str] = &[
    "BANDWIDTH",
    "AVERAGE-BANDWIDTH",
    "CODECS",
    "RESOLUTION",
    "FRAME-RATE",
    "VIDEO-RANGE",
    "SCORE",
    "HDCP-LEVEL",
    "AUDIO",
    "SUBTITLES",
    "CLOSED-CAPTIONS",
    "URI",
];
const ALTERNATIVE: &[&str] = &[
    "TYPE",
    "GROUP-ID",
    "NAME",
    "LANGUAGE",
    "ASSOC-LANGUAGE",
    "DEFAULT",
    "AUTOSELECT",
    "FORCED",
    "CHARACTERISTICS",
    "CHANNELS",
    "URI",
];

impl Multivariant {
    /// Reads a playlist.
    pub fn parse(text: &str) -> Result<Multivariant, String> {
        let mut playlist = Multivariant::default();
        let mut open: Option<Variant> = None;
        for line in lines(text)? {
            match line {
                Line::Uri(uri) => {
                    let variant = open.take().ok_or("a URI without EXT-X-STREAM-INF")?;
                    playlist.variants.push(Variant { uri: uri.to_owned(), ..variant });
                }
                Line::Tag(name, _) if open.is_some() => {
                    return Err(format!("{name} between EXT-X-STREAM-INF and its URI"));
                }
                Line::Tag(name, value) => {
                    playlist.tag(name, value, &mut open).map_err(|why| format!("{name}: {why}"))?;
                }
            }
        }
        match open {
            None => Ok(playlist),
            Some(_) => Err("EXT-X-STREAM-INF without its URI".to_owned()),
        }
    }

    fn tag(&mut self, name: &str, value: &str, open: &mut Option<Variant>) -> Result<(), String> {
        match name {
            "#EXT-X-VERSION" => once(&mut self.version, integer(value)?, name)?,
            "#EXT-X-INDEPENDENT-SEGMENTS" => self.independent = true,
            "#EXT-X-STREAM-INF" => *open = Some(variant(&Attributes::parse(value, VARIANT)?)?),
            "#EXT-X-I-FRAME-STREAM-INF" => {
                let attributes = Attributes::parse(value, VARIANT)?;
                let uri = attributes.required("URI")?;
                self.iframes.push(Variant { uri, ..variant(&attributes)? });
            }
            "#EXT-X-MEDIA" => {
                let attributes = Attributes::parse(value, ALTERNATIVE)?;
                self.alternatives.push(alternative(&attributes)?);
            }
            _ => return Err("an unknown tag".to_owned()),
        }
        Ok(())
    }

    /// The members of a group.
    pub fn group(&self, kind: &str, id: &str) -> impl Iterator<Item = &Alternative> {
        let member = move |one: &&Alternative| one.kind == kind && one.group == id;
        self.alternatives.iter().filter(member)
    }
}

fn variant(attributes: &Attributes) -> Result<Variant, String> {
    let codecs = attributes.quoted("CODECS")?.unwrap_or_default();
    Ok(Variant {
        uri: String::new(),
        bandwidth: attributes.integer("BANDWIDTH")?.ok_or("BANDWIDTH is missing")?,
        average: attributes.integer("AVERAGE-BANDWIDTH")?,
        codecs: codecs.split(',').filter(|codec| !codec.is_empty()).map(str::to_owned).collect(),
        resolution: attributes.bare("RESOLUTION")?.map(resolution).transpose()?,
        frame_rate: attributes.decimal("FRAME-RATE")?,
        range: attributes.bare("VIDEO-RANGE")?.map(str::to_owned),
        score: attributes.decimal("SCORE")?,
        audio: attributes.quoted("AUDIO")?,
        subtitles: attributes.quoted("SUBTITLES")?,
    })
}

fn resolution(text: &str) -> Result<(u32, u32), String> {
    let (width, height) = text.split_once('x').ok_or("RESOLUTION without x")?;
    Ok((integer(width)? as u32, integer(height)? as u32))
}

fn alternative(attributes: &Attributes) -> Result<Alternative, String> {
    Ok(Alternative {
        kind: attributes.bare("TYPE")?.ok_or("TYPE is missing")?.to_owned(),
        group: attributes.required("GROUP-ID")?,
        name: attributes.required("NAME")?,
        language: attributes.quoted("LANGUAGE")?,
        default: attributes.yes("DEFAULT")?,
        autoselect: attributes.yes("AUTOSELECT")?,
        forced: attributes.yes("FORCED")?,
        channels: attributes.quoted("CHANNELS")?,
        uri: attributes.quoted("URI")?,
    })
}
