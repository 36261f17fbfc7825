//! One media playlist's worth of segments: muxed, encrypted, written.

use vodmill_hls::aes128;
use vodmill_hls::bandwidth::{BitRates, SegmentSize};
use vodmill_hls::playlist::{ByteRange, InitSection, KeyRef, MediaPlaylist, Segment as Entry};
use vodmill_hls::time::Seconds;
use vodmill_model::pipeline::Container;
use vodmill_model::transcode::{Cut, Media, Part, Segment, SegmentOrder, VideoInput};
use vodmill_model::units::{Size, Ticks};
use vodmill_model::{Failed, MediaError};

use super::tree::ObjectWriter;
use super::{Shop, codec_of};
use crate::receipt::{Holds, PlaylistFact};

/// What a media playlist is made from.
pub(super) struct Wanted<'a> {
    /// Prefix of its objects.
    pub prefix: &'a str,
    pub holds: Holds,
    /// Id of its video encode.
    pub video: Option<&'a str>,
    /// Id of its audio encode.
    pub audio: Option<&'a str>,
}

/// A media playlist and what a multivariant playlist says of it.
pub(super) struct Stream {
    pub playlist: MediaPlaylist,
    pub fact: PlaylistFact,
}

impl Stream {
    /// Bytes of all its segments.
    pub fn bytes(&self) -> u64 {
        self.sizes().iter().map(|segment| segment.bytes).sum()
    }

    /// Measured bit rates, for an EXT-X-TARGETDURATION in seconds.
    pub fn bit_rates(&self, target: u64) -> Result<BitRates, Failed> {
        BitRates::measure(&self.sizes(), target)
            .map_err(|error| Failed::from_error(format!("measure {}", self.fact.name), &error))
    }

    fn sizes(&self) -> Vec<SegmentSize> {
        let size = |segment: &Entry| SegmentSize {
            bytes: segment.byte_range.map_or(0, |range| range.length),
            duration: segment.duration,
        };
        self.playlist.segments.iter().map(size).collect()
    }

    /// The playlist as it is published. Ranges of whole objects were kept for their sizes only.
    pub fn text(&self, target: u64) -> Result<String, Failed> {
        let mut playlist = self.playlist.clone();
        playlist.target_duration = target;
        if self.fact.holds != Holds::IFrames {
            playlist.segments.iter_mut().for_each(|segment| segment.byte_range = None);
        }
        playlist
            .write()
            .map_err(|error| Failed::from_error(format!("write {}", self.fact.name), &error))
    }
}

/// Makes the segments of one playlist.
pub(super) fn make(shop: &Shop<'_>, wanted: &Wanted<'_>) -> Result<Stream, MediaError> {
    let order = order(shop, wanted)?;
    let mut press = Press::new(shop, wanted)?;
    shop.transcode.segment(&order, &mut |segment| press.take(segment))?;
    press.finish()
}

fn order(shop: &Shop<'_>, wanted: &Wanted<'_>) -> Result<SegmentOrder, Failed> {
    let hls =
        shop.plan.hls.as_ref().ok_or_else(|| Failed::new("package", "the plan has no HLS"))?;
    let cut = match wanted.holds {
        Holds::IFrames => Cut::KeyFrames,
        _ => Cut::At(shop.plan.timeline.segment_ends.clone()),
    };
    let video = wanted.video.map(|id| shop.video_input(id)).transpose()?;
    let audio = wanted.audio.map(|id| shop.audio_input(id)).transpose()?;
    let (container, base) = (hls.container, hls.base);
    Ok(SegmentOrder { container, video, audio, base, cut, part: Part::WHOLE })
}

impl Shop<'_> {
    /// The renditions of a video encode, in order.
    pub(super) fn video_input(&self, id: &str) -> Result<VideoInput, Failed> {
        let unknown = || Failed::new("package", format!("the plan has no video encode {id}"));
        let encode = self.plan.video_encode(id).ok_or_else(unknown)?;
        let timeline = self.plan.timeline.video.as_ref().ok_or_else(unknown)?;
        let path = |chunk| self.renditions.path(&self.plan.video_rendition(encode, chunk));
        Ok(VideoInput { chunks: self.plan.chunks.iter().map(path).collect(), rate: timeline.rate })
    }

    /// The rendition of an audio encode.
    pub(super) fn audio_input(&self, id: &str) -> Result<std::path::PathBuf, Failed> {
        let unknown = || Failed::new("package", format!("the plan has no audio encode {id}"));
        let encode = self.plan.audio_encode(id).ok_or_else(unknown)?;
        Ok(self.renditions.path(&self.plan.audio_rendition(encode)))
    }
}

/// Takes segments from the muxer and puts them where they belong.
struct Press<'a> {
    shop: &'a Shop<'a>,
    wanted: &'a Wanted<'a>,
    extension: &'static str,
    playlist: MediaPlaylist,
    codecs: Vec<String>,
    size: Option<Size>,
    /// The clear init segment, in front of which nothing can be inspected.
    init: Vec<u8>,
    /// The single object of an I-frame playlist.
    pictures: Option<ObjectWriter<'a>>,
}

impl<'a> Press<'a> {
    fn new(shop: &'a Shop<'a>, wanted: &'a Wanted<'a>) -> Result<Press<'a>, Failed> {
        let fmp4 = shop.plan.hls.as_ref().is_some_and(|hls| hls.container == Container::Fmp4);
        let extension = match (fmp4, wanted.holds) {
            (true, Holds::IFrames) => "mp4",
            (true, _) => "m4s",
            (false, _) => "ts",
        };
        let playlist = MediaPlaylist {
            vod: true,
            independent_segments: true,
            i_frames_only: wanted.holds == Holds::IFrames,
            ended: true,
            ..MediaPlaylist::default()
        };
        let pictures = format!("{}/iframes.{extension}", wanted.prefix);
        let is_pictures = wanted.holds == Holds::IFrames;
        let pictures = is_pictures.then(|| shop.tree.begin(&pictures)).transpose()?;
        let (codecs, size, init) = (Vec::new(), None, Vec::new());
        Ok(Press { shop, wanted, extension, playlist, codecs, size, init, pictures })
    }

    fn take(&mut self, segment: Segment) -> Result<(), MediaError> {
        if segment.init {
            return self.take_init(segment.bytes);
        }
        if self.playlist.segments.is_empty() {
            self.inspect(&segment.bytes)?;
        }
        match self.pictures.is_some() {
            true => self.take_picture(segment),
            false => self.take_segment(segment),
        }
    }

    /// An init segment stays clear, so that it can be fetched and cached before any key.
    fn take_init(&mut self, bytes: Vec<u8>) -> Result<(), MediaError> {
        if let Some(pictures) = &mut self.pictures {
            let byte_range =
                Some(ByteRange { offset: pictures.add(&bytes)?, length: bytes.len() as u64 });
            self.playlist.init = Some(InitSection { uri: self.pictures_name(), byte_range });
        } else {
            self.shop.tree.write(&format!("{}/init.mp4", self.wanted.prefix), &bytes)?;
            self.playlist.init = Some(InitSection { uri: "init.mp4".to_owned(), byte_range: None });
        }
        self.init = bytes;
        Ok(())
    }

    /// Reads codecs and size from the first segment, as a player will.
    fn inspect(&mut self, clear: &[u8]) -> Result<(), MediaError> {
        let media = [self.init.as_slice(), clear].concat();
        let inspection = self.shop.transcode.inspect(Media::Bytes(&media))?;
        self.codecs = inspection.streams.iter().map(codec_of).collect::<Result<_, _>>()?;
        self.size = inspection.streams.iter().find_map(|stream| stream.size);
        Ok(())
    }

    fn take_segment(&mut self, segment: Segment) -> Result<(), MediaError> {
        let number = self.playlist.segments.len();
        let file = format!("{number:06}.{}", self.extension);
        let name = format!("{}/{file}", self.wanted.prefix);
        let mut bytes = segment.bytes;
        let key = self.encrypt(&name, 0, number, &mut bytes)?;
        self.shop.tree.write(&name, &bytes)?;
        self.enter(
            file,
            segment.duration,
            ByteRange { offset: 0, length: bytes.len() as u64 },
            key,
        );
        Ok(())
    }

    /// Each picture is encrypted by itself: a range into a longer ciphertext could not be opened.
    fn take_picture(&mut self, segment: Segment) -> Result<(), MediaError> {
        let piece = self.playlist.segments.len() as u64;
        let ends = &self.shop.plan.timeline.segment_ends;
        let inside =
            ends.partition_point(|end| *end <= segment.start).min(ends.len().saturating_sub(1));
        let name = format!("{}/{}", self.wanted.prefix, self.pictures_name());
        let mut bytes = segment.bytes;
        let key = self.encrypt(&name, piece, inside, &mut bytes)?;
        let offset = self.pictures.as_mut().map(|pictures| pictures.add(&bytes)).transpose()?;
        let range = ByteRange { offset: offset.unwrap_or_default(), length: bytes.len() as u64 };
        self.enter(self.pictures_name(), segment.duration, range, key);
        Ok(())
    }

    fn enter(&mut self, uri: String, duration: Ticks, range: ByteRange, key: Option<KeyRef>) {
        let duration = Seconds::from_ticks(duration.0.unsigned_abs());
        self.playlist.segments.push(Entry { uri, duration, byte_range: Some(range), key });
    }

    fn pictures_name(&self) -> String {
        format!("iframes.{}", self.extension)
    }

    /// Encrypts a piece of an object with the key of the period that segment `number` is in.
    fn encrypt(
        &self,
        object: &str,
        piece: u64,
        number: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<KeyRef>, Failed> {
        let plan = self.shop.plan.hls.as_ref().and_then(|hls| hls.encryption.as_ref());
        let (Some(plan), Some(keys)) = (plan, &self.shop.order.keys) else { return Ok(None) };
        let period = number / plan.segments_per_key.max(1) as usize;
        let missing =
            || Failed::new(format!("encrypt {object}"), format!("no key for period {period}"));
        let (kid, key) = keys.period(period).ok_or_else(missing)?;
        let iv = keys.iv(object, piece);
        aes128::encrypt(&key, &iv, bytes);
        let uri = super::hls::key_uri(self.shop, &plan.key_uri, &kid)?;
        Ok(Some(KeyRef { uri, iv: Some(iv) }))
    }

    fn finish(self) -> Result<Stream, MediaError> {
        let file = if self.pictures.is_some() { "iframes.m3u8" } else { "index.m3u8" };
        self.pictures.map(ObjectWriter::finish).transpose()?;
        let fact = PlaylistFact {
            name: format!("{}/{file}", self.wanted.prefix),
            holds: self.wanted.holds,
            codecs: self.codecs,
            size: self.size,
        };
        Ok(Stream { playlist: self.playlist, fact })
    }
}
