//! Renditions for the tests: synthetic pictures through x264, in the documented form.

use std::path::{Path, PathBuf};

use ffmpeg_next::codec::{Context, Flags};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Dictionary, Packet, Rational, encoder, frame};
use sha2::{Digest, Sha256};
use vodmill_model::transcode::VideoInput;
use vodmill_model::units::Ratio;

/// Bytes of a rendition, packet by packet.
pub struct Rendition(Vec<u8>, u64);

impl Rendition {
    pub fn new(header: &serde_json::Value) -> Rendition {
        let json = header.to_string().into_bytes();
        let mut bytes = b"vodmREN1".to_vec();
        bytes.extend((json.len() as u32).to_le_bytes());
        bytes.extend(json);
        Rendition(bytes, 0)
    }

    pub fn packet(&mut self, times: [i64; 3], key: bool, data: &[u8]) {
        self.0.push(1);
        times.iter().for_each(|time| self.0.extend(time.to_le_bytes()));
        self.0.push(u8::from(key));
        self.0.extend((data.len() as u32).to_le_bytes());
        self.0.extend(data);
        self.1 += 1;
    }

    pub fn write(mut self, path: &Path) {
        self.0.push(0);
        self.0.extend(self.1.to_le_bytes());
        let digest = Sha256::digest(&self.0);
        self.0.extend(digest);
        std::fs::write(path, self.0).unwrap();
    }
}

/// What to draw.
#[derive(Clone, Copy)]
pub struct Film {
    pub rate: Ratio,
    pub gop: u32,
    pub b_frames: u32,
    pub size: (u32, u32),
    /// Whether no picture refers to one before the last key frame.
    pub closed: bool,
}

impl Default for Film {
    fn default() -> Film {
        Film { rate: Ratio::new(25, 1), gop: 25, b_frames: 2, size: (320, 180), closed: true }
    }
}

impl Film {
    /// Encodes frames `first..first + frames`.
    pub fn chunk(self, path: &Path, first: i64, frames: i64) {
        let mut encoder = self.encoder();
        let mut rendition = Rendition::new(&self.header(&encoder));
        for n in first..first + frames {
            encoder.send_frame(&self.picture(n, n == first)).unwrap();
            drain(&mut encoder, &mut rendition);
        }
        encoder.send_eof().unwrap();
        drain(&mut encoder, &mut rendition);
        rendition.write(path);
    }

    /// Encodes chunks of the given lengths in `dir`.
    pub fn chunks(self, dir: &Path, lengths: &[i64]) -> VideoInput {
        let mut first = 0;
        let write = |(index, &frames): (usize, &i64)| -> PathBuf {
            let path = dir.join(format!("video-{index}"));
            self.chunk(&path, first, frames);
            first += frames;
            path
        };
        VideoInput { chunks: lengths.iter().enumerate().map(write).collect(), rate: self.rate }
    }

    fn encoder(self) -> encoder::Video {
        let codec = encoder::find_by_name("libx264").unwrap();
        let mut video = Context::new_with_codec(codec).encoder().video().unwrap();
        video.set_width(self.size.0);
        video.set_height(self.size.1);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(Rational::new(self.rate.den as i32, self.rate.num as i32));
        video.set_frame_rate(Some(Rational::new(self.rate.num as i32, self.rate.den as i32)));
        video.set_gop(self.gop);
        video.set_max_b_frames(self.b_frames as usize);
        video.set_flags(
            Flags::GLOBAL_HEADER | if self.closed { Flags::CLOSED_GOP } else { Flags::empty() },
        );
        let mut options = Dictionary::new();
        options.set("preset", "veryfast");
        options.set("crf", "35");
        options.set("sc_threshold", "0");
        options.set("x264-params", "threads=1");
        video.open_with(options).unwrap()
    }

    fn header(self, encoder: &encoder::Video) -> serde_json::Value {
        // SAFETY: an opened encoder with a global header has its extradata.
        let extradata = unsafe {
            let context = encoder.as_ptr();
            std::slice::from_raw_parts((*context).extradata, (*context).extradata_size as usize)
        };
        serde_json::json!({"video": {
            "codec": "h264", "size": {"width": self.size.0, "height": self.size.1},
            "time_base": [self.rate.den, self.rate.num], "extradata": extradata,
        }})
    }

    fn picture(self, n: i64, key: bool) -> frame::Video {
        let mut picture = frame::Video::new(Pixel::YUV420P, self.size.0, self.size.1);
        for plane in 0..3 {
            let stride = picture.stride(plane);
            for (at, byte) in picture.data_mut(plane).iter_mut().enumerate() {
                let (x, y) = ((at % stride) as i64, (at / stride) as i64);
                *byte = ((x + 3 * n) ^ (y + n)) as u8;
            }
        }
        picture.set_pts(Some(n));
        if key {
            picture.set_kind(ffmpeg_next::picture::Type::I);
        }
        picture
    }
}

fn drain(encoder: &mut encoder::Video, rendition: &mut Rendition) {
    let mut packet = Packet::empty();
    while encoder.receive_packet(&mut packet).is_ok() {
        let (pts, dts) = (packet.pts().unwrap(), packet.dts().unwrap());
        rendition.packet([pts, dts, 1], packet.is_key(), packet.data().unwrap());
    }
}

/// How libav and x264 sign what they make.
pub const HEAD: [&[u8]; 3] = [b"Lavc", b"Lavf", b"2022"];

/// Makes media with FFmpeg's command-line tool.
pub fn media(dir: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let path = dir.join(name);
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(arguments).arg(&path);
    assert!(command.status().unwrap().success(), "{arguments:?}");
    path
}
