//! MP3, frame by frame (ISO/IEC 11172-3, 2.4), and the first frame's table (Xing, LAME).
#![expect(missing_docs, reason = "the fields are named as the standard names them")]

/// What is in a file.
#[derive(Debug)]
pub struct Mp3 {
    pub sample_rate: u32,
    pub channels: u32,
    /// Kilobits per second of each frame of sound.
    pub rates: Vec<u32>,
    /// What the first frame tells: frames, bytes, the table of contents, delay and padding.
    pub told_frames: u32,
    pub told_bytes: u32,
    pub contents: Vec<u8>,
    pub delay: u32,
    pub padding: u32,
}

const RATES: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

impl Mp3 {
    pub fn read(bytes: &[u8]) -> Result<Mp3, String> {
        let mut frames = frames(bytes)?.into_iter();
        let first = frames.next().ok_or("it is empty")?;
        let channels = if first[3] >> 6 == 3 { 1 } else { 2 };
        let tag = &first[if channels == 1 { 21 } else { 36 }..];
        if !matches!(&tag[..4], b"Info" | b"Xing") {
            return Err("its first frame tells of nothing".to_owned());
        }
        let number =
            |at: usize| u32::from_be_bytes([tag[at], tag[at + 1], tag[at + 2], tag[at + 3]]);
        let trimmed = number(120 + 21) >> 8;
        Ok(Mp3 {
            sample_rate: [44_100, 48_000, 32_000][usize::from(first[2] >> 2 & 3)],
            channels,
            rates: frames.map(|frame| RATES[usize::from(frame[2] >> 4)]).collect(),
            told_frames: number(8),
            told_bytes: number(12),
            contents: tag[16..116].to_vec(),
            delay: trimmed >> 12,
            padding: trimmed & 0xfff,
        })
    }

    /// Seconds that are heard.
    pub fn duration(&self) -> f64 {
        let samples = self.rates.len() as f64 * 1152.0 - f64::from(self.delay + self.padding);
        samples / f64::from(self.sample_rate)
    }
}

fn frames(bytes: &[u8]) -> Result<Vec<&[u8]>, String> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let head = bytes.get(at..at + 4).ok_or("a torn frame")?;
        if head[0] != 0xff || head[1] & 0xfe != 0xfa {
            return Err(format!("no frame at {at}"));
        }
        let rate = *RATES.get(usize::from(head[2] >> 4)).ok_or("no such rate")?;
        let per_second = [44_100, 48_000, 32_000][usize::from(head[2] >> 2 & 3)];
        let size = (144_000 * rate / per_second + u32::from(head[2] >> 1 & 1)) as usize;
        all.push(bytes.get(at..at + size).ok_or("a torn frame")?);
        at += size;
    }
    Ok(all)
}
