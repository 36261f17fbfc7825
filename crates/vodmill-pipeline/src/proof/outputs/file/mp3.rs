//! MP3 by a reader of our own (ISO/IEC 11172-3, 2.4): frame by frame, and what the first one tells.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use vodmill_model::units::{Ratio, Ticks};

use super::ebml::broken;

/// Samples of a frame of MPEG-1 layer III.
const FRAME_SAMPLES: u64 = 1152;
/// Kilobits in a second, by the number in a frame's header.
const RATES: [u64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const SAMPLE_RATES: [u64; 3] = [44_100, 48_000, 32_000];
/// Flags of the first frame: it tells of frames, bytes and a table of contents.
const TOLD: u32 = 0b111;

type Findings = Vec<(&'static str, String)>;

/// Holds a file against its length.
pub(super) fn prove(path: &Path, length: Ticks) -> io::Result<Findings> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mp3 = Mp3::read(&mut BufReader::new(file))?;
    let Some(told) = mp3.told else {
        let detail = "its first frame does not tell of the others (Xing)";
        return Ok(vec![("not_streamable", detail.to_owned())]);
    };
    let mut findings = Findings::new();
    if (told.frames, told.bytes) != (mp3.frames, bytes) {
        let detail = format!(
            "tells of {} frames in {} bytes, has {} in {bytes}",
            told.frames, told.bytes, mp3.frames
        );
        findings.push(("index", detail));
    }
    let samples = (mp3.frames * FRAME_SAMPLES).saturating_sub(told.unheard);
    let unit = Ratio::new(1, mp3.sample_rate.max(1) as u32);
    let heard = Ticks::from_units(i64::try_from(samples).unwrap_or(i64::MAX), unit);
    // A sample, and the rounding of a tick.
    if (heard - length).0.abs() > 90_000 / 16_000 + 1 {
        findings.push(("duration", format!("{heard} are heard instead of {length}")));
    }
    Ok(findings)
}

/// What is in a file.
#[derive(Default)]
struct Mp3 {
    /// Frames of sound.
    frames: u64,
    sample_rate: u64,
    told: Option<Told>,
}

/// What the first frame tells of the others.
#[derive(Clone, Copy)]
struct Told {
    frames: u64,
    bytes: u64,
    /// Samples at both ends that are not to be heard.
    unheard: u64,
}

impl Mp3 {
    fn read(source: &mut impl Read) -> io::Result<Mp3> {
        let mut mp3 = Mp3::default();
        let mut frame = Vec::new();
        while let Some(sample_rate) = read_frame(source, &mut frame)? {
            if mp3.sample_rate == 0 {
                (mp3.sample_rate, mp3.told) = (sample_rate, told(&frame));
                mp3.frames = u64::from(mp3.told.is_none());
                continue;
            }
            if sample_rate != mp3.sample_rate {
                return Err(broken(format!("frame {} has another rate", mp3.frames)));
            }
            mp3.frames += 1;
        }
        Ok(mp3)
    }
}

/// Reads the next frame, and gives its sampling rate; none at the end.
fn read_frame(source: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<Option<u64>> {
    frame.clear();
    source.take(4).read_to_end(frame)?;
    let head = match frame.as_slice() {
        [] => return Ok(None),
        // In step, MPEG-1, layer III.
        [0xff, second, third, _] if second & 0xfe == 0xfa => *third,
        _ => return Err(broken("no frame of MPEG-1 layer III follows".to_owned())),
    };
    let rate = RATES.get(usize::from(head >> 4)).filter(|&&rate| rate > 0);
    let sample_rate = SAMPLE_RATES.get(usize::from(head >> 2 & 3));
    let (Some(rate), Some(sample_rate)) = (rate, sample_rate) else {
        return Err(broken("a frame has a rate that there is not".to_owned()));
    };
    let size = 144_000 * rate / sample_rate + u64::from(head >> 1 & 1);
    source.take(size - 4).read_to_end(frame)?;
    if frame.len() as u64 != size {
        return Err(broken("its last frame is torn".to_owned()));
    }
    Ok(Some(*sample_rate))
}

/// What a first frame without sound tells: behind its side information `Xing` or `Info`, flags,
/// frames, bytes, table of contents and quality, then LAME's part with delay and padding.
fn told(frame: &[u8]) -> Option<Told> {
    let is_mono = frame.get(3)? >> 6 == 3;
    let tag = frame.get(4 + if is_mono { 17 } else { 32 }..)?;
    let number = |at: usize| tag.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let is_tag = tag.starts_with(b"Xing") || tag.starts_with(b"Info");
    if !is_tag || number(4)? & TOLD != TOLD {
        return None;
    }
    let lame = 16 + 100 + if number(4)? & 8 == 0 { 0 } else { 4 };
    let trimmed = number(lame + 21)? >> 8;
    let unheard = u64::from(trimmed >> 12) + u64::from(trimmed & 0xfff);
    Some(Told { frames: number(8)?.into(), bytes: number(12)?.into(), unheard })
}
