//! Fragmented MP4 as HLS uses it (RFC 8216, 3.3): an init segment, and segments that need it.

use std::collections::BTreeMap;

use super::boxes::{self, Atom};
use super::track::{Codec, Coding, Track};
use crate::media::{AAC_FRAME, Audio, Contents, Picture};
use crate::nal;

/// An init segment.
#[derive(Clone, Debug)]
pub struct Init {
    /// Its tracks, without samples.
    pub tracks: Vec<Track>,
    defaults: BTreeMap<u32, Defaults>,
    /// What breaks the rules, in plain words.
    pub faults: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Defaults {
    duration: u32,
    size: u32,
    flags: u32,
}

/// Reads an init segment.
pub fn read_init(bytes: &[u8]) -> Result<Init, String> {
    let atoms = boxes::list(bytes, 0..bytes.len())?;
    let order: Vec<&str> = atoms.iter().map(|atom| atom.kind.as_str()).collect();
    let mut faults = Vec::new();
    if order != ["ftyp", "moov"] {
        faults.push(format!("an init segment of {order:?}"));
    }
    let moov = boxes::find(&atoms, "moov").ok_or("no moov")?;
    let children = moov.children(bytes)?;
    let traks = children.iter().filter(|atom| atom.kind == "trak");
    let tracks: Vec<Track> =
        traks.map(|trak| Track::read(bytes, trak)).collect::<Result<_, _>>()?;
    if tracks.iter().any(|track| !track.samples.is_empty()) {
        faults.push("samples in an init segment".to_owned());
    }
    let mvex = boxes::find(&children, "mvex").ok_or("no mvex")?;
    let mut defaults = BTreeMap::new();
    for trex in mvex.children(bytes)?.iter().filter(|atom| atom.kind == "trex") {
        let mut fields = trex.fields(bytes);
        fields.full()?;
        let (track, _) = (fields.u32()?, fields.u32()?);
        let (duration, size, flags) = (fields.u32()?, fields.u32()?, fields.u32()?);
        defaults.insert(track, Defaults { duration, size, flags });
    }
    Ok(Init { tracks, defaults, faults })
}

/// Reads a segment of one or more fragments.
pub fn read_segment(bytes: &[u8], init: &Init) -> Result<Contents, String> {
    let atoms = boxes::list(bytes, 0..bytes.len())?;
    let mut contents = Contents { faults: order_faults(&atoms), ..Contents::default() };
    for moof in atoms.iter().filter(|atom| atom.kind == "moof") {
        for traf in moof.children(bytes)?.iter().filter(|atom| atom.kind == "traf") {
            let run = Run::read(bytes, moof, traf, init)?;
            run.into(&mut contents, bytes)?;
        }
    }
    if contents.video.is_none() && contents.audio.is_none() {
        return Err("no track fragment".to_owned());
    }
    Ok(contents)
}

/// Fragments are a moof and its mdat; only types and indexes may stand before them.
fn order_faults(atoms: &[Atom]) -> Vec<String> {
    let known = ["styp", "sidx", "emsg", "prft", "moof", "mdat"];
    let strange = atoms.iter().find(|atom| !known.contains(&atom.kind.as_str()));
    let pairs = atoms.windows(2).all(|pair| (pair[0].kind == "moof") == (pair[1].kind == "mdat"));
    let mut faults = Vec::new();
    faults.extend(strange.map(|atom| format!("a box {} in a segment", atom.kind)));
    if !pairs || atoms.first().is_some_and(|atom| atom.kind == "mdat") {
        faults.push("moof and mdat do not go in pairs".to_owned());
    }
    faults
}

/// The samples of one track in one fragment.
struct Run<'a> {
    track: &'a Track,
    samples: Vec<RunSample>,
    first_dts: i64,
    faults: Vec<String>,
}

struct RunSample {
    offset: usize,
    size: usize,
    dts: i64,
    pts: i64,
    flags: u32,
}

impl<'a> Run<'a> {
    fn read(file: &[u8], moof: &Atom, traf: &Atom, init: &'a Init) -> Result<Run<'a>, String> {
        let mut tfhd = traf.at(file, &["tfhd"])?.fields(file);
        let (_, flags) = tfhd.full()?;
        let id = tfhd.u32()?;
        let track = init.tracks.iter().find(|track| track.id == id);
        let track = track.ok_or_else(|| format!("track {id} is not in the init segment"))?;
        let mut run = Run { track, samples: Vec::new(), first_dts: 0, faults: Vec::new() };
        if flags & 0x02_0000 == 0 || flags & 1 != 0 {
            run.faults.push("tfhd without default-base-is-moof".to_owned());
        }
        let mut defaults = init.defaults.get(&id).copied().unwrap_or_default();
        if flags & 2 != 0 {
            tfhd.u32()?; // sample_description_index
        }
        for (bit, field) in [
            (0x08, &mut defaults.duration),
            (0x10, &mut defaults.size),
            (0x20, &mut defaults.flags),
        ] {
            if flags & bit != 0 {
                *field = tfhd.u32()?;
            }
        }
        run.first_dts = decode_time(file, &traf.at(file, &["tfdt"])?)?;
        run.truns(file, moof, traf, defaults)?;
        Ok(run)
    }

    fn truns(
        &mut self,
        file: &[u8],
        moof: &Atom,
        traf: &Atom,
        defaults: Defaults,
    ) -> Result<(), String> {
        let mut dts = self.first_dts;
        for trun in traf.children(file)?.iter().filter(|atom| atom.kind == "trun") {
            let mut fields = trun.fields(file);
            let (_, flags) = fields.full()?;
            let count = fields.u32()?;
            let shift = if flags & 1 != 0 { fields.i32()? } else { 0 };
            let mut offset = moof.start.checked_add_signed(shift as isize).ok_or("a bad offset")?;
            let mut first_flags = if flags & 4 != 0 { Some(fields.u32()?) } else { None };
            for _ in 0..count {
                let mut field = |bit: u32, or: u32| {
                    if flags & bit != 0 { fields.u32() } else { Ok(or) }
                };
                let duration = field(0x100, defaults.duration)?;
                let size = field(0x200, defaults.size)? as usize;
                let own_flags = field(0x400, defaults.flags)?;
                let shift = field(0x800, 0)?.cast_signed();
                let flags = first_flags.take().unwrap_or(own_flags);
                let pts = dts + i64::from(shift);
                self.samples.push(RunSample { offset, size, dts, pts, flags });
                dts += i64::from(duration);
                offset += size;
            }
        }
        Ok(())
    }

    fn into(mut self, contents: &mut Contents, file: &[u8]) -> Result<(), String> {
        match &self.track.codec {
            Codec::Video { coding, sps, length_size } => {
                let video = contents.video.get_or_insert_default();
                video.timescale = self.track.timescale;
                video.sps.clone_from(sps);
                for sample in &self.samples {
                    video.pictures.push(self.picture(sample, file, *length_size, *coding)?);
                }
            }
            Codec::Aac { object_type, rate, channels } => {
                let audio = contents.audio.get_or_insert_default();
                (audio.object_type, audio.rate, audio.channels) = (*object_type, *rate, *channels);
                self.sound(audio);
            }
            Codec::Other(kind) => return Err(format!("a track of {kind}")),
        }
        contents.faults.append(&mut self.faults);
        Ok(())
    }

    fn picture(
        &self,
        sample: &RunSample,
        file: &[u8],
        size: usize,
        coding: Coding,
    ) -> Result<Picture, String> {
        let data = file.get(sample.offset..sample.offset + sample.size);
        let data = data.ok_or("a sample is outside the segment")?;
        let units = match coding {
            Coding::H264 | Coding::Hevc => nal::length_prefixed(data, size)?,
            Coding::Av1 => nal::open_units(data)?,
        };
        let start = self.track.media_start();
        let kind = match coding {
            Coding::H264 => nal::kind,
            Coding::Hevc => nal::hevc_kind,
            Coding::Av1 => nal::open_kind,
        };
        let refresh = match coding {
            Coding::H264 => units.iter().any(|unit| nal::kind(unit) == nal::IDR),
            Coding::Hevc => units.iter().any(|unit| nal::HEVC_IDR.contains(&nal::hevc_kind(unit))),
            Coding::Av1 => nal::open_refresh(&units)?,
        };
        Ok(Picture {
            pts: sample.pts - start,
            dts: sample.dts - start,
            nals: units.into_iter().map(kind).collect(),
            refresh,
            marked_key: sample.flags & 0x0001_0000 == 0,
        })
    }

    fn sound(&mut self, audio: &mut Audio) {
        audio.timescale = self.track.timescale;
        let first = self.first_dts - self.track.media_start();
        if audio.frames == 0 {
            audio.first = first;
        }
        let ticks = AAC_FRAME as f64 * f64::from(audio.timescale) / f64::from(audio.rate);
        let due = audio.first as f64 + audio.frames as f64 * ticks;
        if (first as f64 - due).abs() > 1.5 {
            self.faults.push(format!("sound at {first} where {due:.1} is due"));
        }
        audio.frames += self.samples.len() as u64;
    }
}

fn decode_time(file: &[u8], tfdt: &Atom) -> Result<i64, String> {
    let mut fields = tfdt.fields(file);
    let (version, _) = fields.full()?;
    Ok(if version == 1 { fields.u64()?.cast_signed() } else { i64::from(fields.u32()?) })
}
