//! What the readers find in a piece of media, whatever its container.

/// What is in a segment, or in a whole file.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The pictures, if any.
    pub video: Option<Video>,
    /// The sound, if any.
    pub audio: Option<Audio>,
    /// What breaks the rules of the container itself, in plain words.
    pub faults: Vec<String>,
}

/// A run of H.264, HEVC or AV1 pictures in decode order.
#[derive(Clone, Debug, Default)]
pub struct Video {
    /// Units of time in a second.
    pub timescale: u32,
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// The first sequence parameter set, from its NAL header on; the sequence header of AV1, likewise.
    pub sps: Vec<u8>,
}

/// One coded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// When it is shown.
    pub pts: i64,
    /// When it is decoded.
    pub dts: i64,
    /// Types of its NAL units, or open bitstream units, in order; each codec has its own.
    pub nals: Vec<u8>,
    /// Whether it is an instantaneous decoding refresh, or what AV1 has in its place.
    pub refresh: bool,
    /// Whether the container marks it as a key picture; for TS the random access indicator.
    pub marked_key: bool,
}

impl Picture {
    /// Whether it is an instantaneous decoding refresh: nothing after it needs what was before.
    pub fn idr(&self) -> bool {
        self.refresh
    }
}

impl Video {
    /// Presentation times in order.
    pub fn times(&self) -> Vec<i64> {
        let mut times: Vec<i64> = self.pictures.iter().map(|picture| picture.pts).collect();
        times.sort_unstable();
        times
    }

    /// The first presentation time in seconds.
    pub fn start(&self) -> f64 {
        self.times().first().map_or(0.0, |pts| self.seconds(*pts))
    }

    /// A time of this track in seconds.
    pub fn seconds(&self, time: i64) -> f64 {
        time as f64 / f64::from(self.timescale)
    }
}

/// A run of AAC frames.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio {
    /// Units of time in a second.
    pub timescale: u32,
    /// When the first frame is heard.
    pub first: i64,
    /// How many frames.
    pub frames: u64,
    /// Samples in a second.
    pub rate: u32,
    /// Channels.
    pub channels: u8,
    /// MPEG-4 audio object type; 2 for AAC-LC.
    pub object_type: u8,
}

/// Samples of an AAC frame.
pub const AAC_FRAME: u64 = 1024;

impl Audio {
    /// When the first frame is heard, in seconds.
    pub fn start(&self) -> f64 {
        self.first as f64 / f64::from(self.timescale)
    }

    /// How long the frames last, in seconds.
    pub fn length(&self) -> f64 {
        (self.frames * AAC_FRAME) as f64 / f64::from(self.rate)
    }

    /// The RFC 6381 name.
    pub fn codec(&self) -> String {
        format!("mp4a.40.{}", self.object_type)
    }
}

/// Sampling rates by their index in AudioSpecificConfig and ADTS (ISO/IEC 14496-3, 1.6.3.4).
pub const AAC_RATES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
