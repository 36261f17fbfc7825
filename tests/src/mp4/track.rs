//! Tracks: what they hold, and how they are put on the presentation's clock.

use super::boxes::{Atom, find};
use super::samples::{self, Sample};
use crate::media::AAC_RATES;
use crate::nal;

/// A track of a progressive file, or of an init segment (then without samples).
#[derive(Clone, Debug)]
pub struct Track {
    /// track_ID.
    pub id: u32,
    /// Units of time in a second.
    pub timescale: u32,
    /// ISO 639-2 code.
    pub language: String,
    /// What is in its samples.
    pub codec: Codec,
    /// Edits, in order.
    pub edits: Vec<Edit>,
    /// Samples in decode order.
    pub samples: Vec<Sample>,
    /// Decode time at the end of the last sample.
    pub end: i64,
}

/// Sample entries that vodmill writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264, HEVC or AV1.
    Video {
        /// Which.
        coding: Coding,
        /// The first sequence parameter set, or the sequence header.
        sps: Vec<u8>,
        /// Bytes of a NAL length; AV1 has none.
        length_size: usize,
    },
    /// AAC.
    Aac {
        /// MPEG-4 audio object type.
        object_type: u8,
        /// Samples in a second.
        rate: u32,
        /// Channels.
        channels: u8,
    },
    /// Anything else, by its four characters.
    Other(String),
}

/// How pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// H.264.
    H264,
    /// HEVC.
    Hevc,
    /// AV1.
    Av1,
}

/// An entry of an edit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its length in units of the movie's clock.
    pub duration: u64,
    /// Where it starts in the media; -1 for nothing.
    pub media_time: i64,
}

impl Track {
    /// Reads a `trak`.
    pub fn read(file: &[u8], trak: &Atom) -> Result<Track, String> {
        let mdia = trak.at(file, &["mdia"])?;
        let stbl = mdia.at(file, &["minf", "stbl"])?;
        let (samples, end) = samples::read(file, &stbl)?;
        let (timescale, language) = media_header(file, &mdia.at(file, &["mdhd"])?)?;
        Ok(Track {
            id: track_id(file, &trak.at(file, &["tkhd"])?)?,
            timescale,
            language,
            codec: codec(file, &stbl.at(file, &["stsd"])?)?,
            edits: trak
                .at(file, &["edts", "elst"])
                .map_or(Ok(vec![]), |elst| edits(file, &elst))?,
            samples,
            end,
        })
    }

    /// Media time that is shown at zero, when the edit list starts with media.
    pub fn media_start(&self) -> i64 {
        self.edits.iter().find(|edit| edit.media_time >= 0).map_or(0, |edit| edit.media_time)
    }

    /// When the first sample is presented, in seconds; negative for what edits hide.
    pub fn start(&self) -> f64 {
        let first = self.samples.iter().map(|sample| sample.pts).min().unwrap_or(0);
        (first - self.media_start()) as f64 / f64::from(self.timescale)
    }
}

fn track_id(file: &[u8], tkhd: &Atom) -> Result<u32, String> {
    let mut fields = tkhd.fields(file);
    let (version, _) = fields.full()?;
    fields.take(if version == 1 { 16 } else { 8 })?;
    fields.u32()
}

fn media_header(file: &[u8], mdhd: &Atom) -> Result<(u32, String), String> {
    let mut fields = mdhd.fields(file);
    let (version, _) = fields.full()?;
    fields.take(if version == 1 { 16 } else { 8 })?;
    let timescale = fields.u32()?;
    fields.take(if version == 1 { 8 } else { 4 })?;
    let packed = fields.number(2)?;
    let letter = |shift: u32| char::from((packed >> shift & 31) as u8 + 0x60);
    Ok((timescale, [10, 5, 0].into_iter().map(letter).collect()))
}

fn edits(file: &[u8], elst: &Atom) -> Result<Vec<Edit>, String> {
    let mut fields = elst.fields(file);
    let (version, _) = fields.full()?;
    let count = fields.u32()?;
    let mut edits = Vec::new();
    for _ in 0..count {
        let (duration, media_time) = match version {
            1 => (fields.u64()?, fields.u64()?.cast_signed()),
            _ => (u64::from(fields.u32()?), i64::from(fields.i32()?)),
        };
        fields.u32()?; // media_rate
        edits.push(Edit { duration, media_time });
    }
    Ok(edits)
}

fn codec(file: &[u8], stsd: &Atom) -> Result<Codec, String> {
    let entries = stsd.children_after(file, 8)?;
    let [entry] = &entries[..] else {
        return Err(format!("{} sample entries", entries.len()));
    };
    match entry.kind.as_str() {
        "avc1" => {
            let children = entry.children_after(file, 78)?;
            avc(find(&children, "avcC").ok_or("avc1 without avcC")?.bytes(file))
        }
        // Parameter sets are in the sample entry alone: Apple's players take no `hev1`.
        "hvc1" => {
            let children = entry.children_after(file, 78)?;
            hevc(find(&children, "hvcC").ok_or("hvc1 without hvcC")?.bytes(file))
        }
        "av01" => {
            let children = entry.children_after(file, 78)?;
            find(&children, "colr").ok_or("av01 without colr")?;
            av1(find(&children, "av1C").ok_or("av01 without av1C")?.bytes(file))
        }
        "mp4a" => {
            let children = entry.children_after(file, 28)?;
            aac(find(&children, "esds").ok_or("mp4a without esds")?.bytes(file))
        }
        other => Ok(Codec::Other(other.to_owned())),
    }
}

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
fn avc(record: &[u8]) -> Result<Codec, String> {
    let [1, _, _, _, length, count, l0, l1, ref rest @ ..] = *record else {
        return Err("avcC is cut".to_owned());
    };
    if count & 0x1f == 0 {
        return Err("avcC without an SPS".to_owned());
    }
    let size = usize::from(l0) << 8 | usize::from(l1);
    let sps = rest.get(..size).ok_or("avcC is cut")?.to_vec();
    Ok(Codec::Video { coding: Coding::H264, sps, length_size: usize::from(length & 3) + 1 })
}

/// AV1CodecConfigurationRecord (AV1 in ISO BMFF, 2.3.3): profile and level as in the one sequence header
/// behind it.
fn av1(record: &[u8]) -> Result<Codec, String> {
    let (head, units) = record.split_first_chunk::<4>().ok_or("av1C is cut")?;
    let units = nal::open_units(units)?;
    let [sequence] = units[..] else { return Err(format!("{} units in av1C", units.len())) };
    let said = crate::sps_av1::record(sequence)?;
    if head[..3] != said {
        return Err(format!("av1C says {head:02x?}, its sequence header {said:02x?}"));
    }
    Ok(Codec::Video { coding: Coding::Av1, sps: sequence.to_vec(), length_size: 0 })
}

/// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1). All arrays are complete, and there is
/// one of each kind of parameter set.
fn hevc(record: &[u8]) -> Result<Codec, String> {
    let (header, mut rest) = record.split_at_checked(23).ok_or("hvcC is cut")?;
    let mut sets: [Vec<&[u8]>; 3] = Default::default();
    for _ in 0..header[22] {
        let [kind, n0, n1, after @ ..] = rest else { return Err("hvcC is cut".to_owned()) };
        rest = after;
        for _ in 0..u16::from_be_bytes([*n0, *n1]) {
            let [l0, l1, after @ ..] = rest else { return Err("hvcC is cut".to_owned()) };
            let size = usize::from(u16::from_be_bytes([*l0, *l1]));
            let (unit, after) = after.split_at_checked(size).ok_or("hvcC is cut")?;
            rest = after;
            let set = (kind & 0x3f).checked_sub(nal::HEVC_SPS - 1).map(usize::from);
            if let Some(set) = set.and_then(|set| sets.get_mut(set)) {
                if kind & 0x80 == 0 {
                    return Err(format!("NAL units of type {kind} may be in samples too"));
                }
                set.push(unit);
            }
        }
    }
    match &sets {
        [vps, sps, pps] if [vps.len(), sps.len(), pps.len()] == [1, 1, 1] => Ok(Codec::Video {
            coding: Coding::Hevc,
            sps: sps[0].to_vec(),
            length_size: usize::from(header[21] & 3) + 1,
        }),
        _ => Err("hvcC without one VPS, one SPS and one PPS".to_owned()),
    }
}

/// ES_Descriptor down to AudioSpecificConfig (ISO/IEC 14496-1, 7.2.6.5).
fn aac(esds: &[u8]) -> Result<Codec, String> {
    let mut rest = esds.get(4..).ok_or("esds is cut")?;
    for (tag, fields) in [(3, 3), (4, 13), (5, 0)] {
        let body = descriptor(rest, tag)?;
        rest = body.get(fields..).ok_or("esds is cut")?;
    }
    let [a, b, ..] = *rest else { return Err("AudioSpecificConfig is cut".to_owned()) };
    let rate = AAC_RATES.get(usize::from((a & 7) << 1 | b >> 7)).ok_or("an escaped AAC rate")?;
    Ok(Codec::Aac { object_type: a >> 3, rate: *rate, channels: b >> 3 & 0x0f })
}

fn descriptor(bytes: &[u8], tag: u8) -> Result<&[u8], String> {
    let [found, rest @ ..] = bytes else { return Err("esds is cut".to_owned()) };
    if *found != tag {
        return Err(format!("descriptor {found} where {tag} belongs"));
    }
    let size_bytes = rest.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
    Ok(rest.get(size_bytes..).unwrap_or(&[]))
}
