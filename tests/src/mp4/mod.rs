//! ISO base media files (ISO/IEC 14496-12): boxes, tracks of progressive files, fragments.

mod boxes;
mod fragment;
mod samples;
mod track;

pub use boxes::Atom;
pub use fragment::{Init, read_init, read_segment};
pub use samples::Sample;
pub use track::{Codec, Edit, Track};

/// A progressive file.
#[derive(Clone, Debug)]
pub struct Movie {
    /// Kinds of the top-level boxes, in order.
    pub order: Vec<String>,
    /// The tracks.
    pub tracks: Vec<Track>,
}

impl Movie {
    /// Reads a whole file.
    pub fn read(bytes: &[u8]) -> Result<Movie, String> {
        let atoms = boxes::list(bytes, 0..bytes.len())?;
        let order = atoms.iter().map(|atom| atom.kind.clone()).collect();
        let moov = boxes::find(&atoms, "moov").ok_or("no moov")?;
        let children = moov.children(bytes)?;
        let traks = children.iter().filter(|atom| atom.kind == "trak");
        let tracks = traks.map(|trak| Track::read(bytes, trak)).collect::<Result<_, _>>()?;
        Ok(Movie { order, tracks })
    }

    /// The first track of pictures.
    pub fn video(&self) -> Option<&Track> {
        self.tracks.iter().find(|track| matches!(track.codec, Codec::Video { .. }))
    }

    /// The tracks of sound.
    pub fn audio(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| matches!(track.codec, Codec::Aac { .. }))
    }

    /// How far apart in time two neighbours in the file are, at most, in seconds: large when
    /// tracks are stored one after the other.
    pub fn interleaving(&self) -> f64 {
        let timed = self.tracks.iter().enumerate().flat_map(|(number, track)| {
            track.samples.iter().map(move |sample| {
                (sample.offset, number, sample.dts as f64 / f64::from(track.timescale))
            })
        });
        let mut all: Vec<_> = timed.collect();
        all.sort_by_key(|(offset, ..)| *offset);
        let changes = all.windows(2).filter(|pair| pair[0].1 != pair[1].1);
        changes.map(|pair| (pair[0].2 - pair[1].2).abs()).fold(0.0, f64::max)
    }
}
