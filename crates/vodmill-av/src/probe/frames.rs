//! What only frames tell, by decoding a few: whether they hold two fields, what they were graded on,
//! and how they are to be shown.

use std::path::Path;

use ffmpeg_next::Packet;
use ffmpeg_next::frame::Video;
use ffmpeg_next::frame::side_data::Type;
use vodmill_model::media::{ClockJump, DolbyVision, FieldOrder, Hdr10, SeekPoint, VideoTrack};
use vodmill_model::outcome::MediaError;

use super::side_data;
use crate::encode::open_decoder;
use crate::source::PacketFinder;
use crate::{error, hdr10};

/// Frames that are looked at from one point.
const FRAMES: usize = 12;
/// Packets that are read for them.
const MAX_PACKETS: usize = 100;

/// Codecs whose frames always say whether they hold two fields, in bits of their own.
const TELL_OF_FIELDS: [&str; 12] = [
    "h264",
    "hevc",
    "mpeg1video",
    "mpeg2video",
    "mpeg4",
    "vc1",
    "wmv3",
    "dvvideo",
    "prores",
    "dnxhd",
    "ffv1",
    "huffyuv",
];

/// Codecs whose frames may say so, or only hand on what the container says.
const MAY_TELL_OF_FIELDS: [&str; 5] = ["mjpeg", "rawvideo", "v210", "jpeg2000", "utvideo"];

/// Codecs whose frames may say more than the container of other things: light, packing, turning.
const TELL_OF_MORE: [&str; 3] = ["av1", "vp9", "png"];

/// Whether frames of the track may tell what its container does not.
pub(super) fn tell_more(track: &VideoTrack) -> bool {
    let codec = &track.codec.as_str();
    TELL_OF_FIELDS.contains(codec)
        || MAY_TELL_OF_FIELDS.contains(codec)
        || TELL_OF_MORE.contains(codec)
        || track.colour.transfer == "smpte2084"
}

/// What frames told.
#[derive(Default)]
pub(super) struct Found {
    votes: Votes,
    hdr10: Hdr10,
    dynamic_hdr: bool,
    dolby_vision: Option<DolbyVision>,
    projection: Option<String>,
    stereo: Option<String>,
    orientation: Option<(u16, bool)>,
}

impl Found {
    fn count(&mut self, frame: &Video) {
        self.votes.count(frame);
        let find = |kind| frame.side_data(kind);
        let display = || hdr10::display(find(Type::MasteringDisplayMetadata)?.data());
        let light = || hdr10::light(find(Type::ContentLightLevel)?.data());
        self.hdr10 = Hdr10 {
            display: self.hdr10.display.or_else(display),
            light: self.hdr10.light.or_else(light),
        };
        self.dynamic_hdr |= find(Type::DYNAMIC_HDR_PLUS).is_some();
        self.dynamic_hdr |= find(Type::DYNAMIC_HDR_VIVID).is_some();
        let vision = || side_data::dolby_vision_of_frame(find(Type::DOVI_METADATA)?.data());
        self.dolby_vision = self.dolby_vision.or_else(vision);
        if let Some(data) = find(Type::Spherical) {
            self.projection = Some(side_data::projection_of(data.data()));
        }
        if let Some(data) = find(Type::Stereo3D) {
            self.stereo = side_data::stereo_of(data.data());
        }
        if let Some(data) = find(Type::DisplayMatrix) {
            self.orientation.get_or_insert(side_data::orientation_of(data.data()));
        }
    }

    /// Puts it beside what the container says. Of fields, the frames are right; of all else the
    /// container is, where it says anything.
    pub(super) fn amend(self, track: &mut VideoTrack) {
        if let Some(order) = self.votes.field_order(track) {
            track.field_order = order;
        }
        track.hdr10.display = self.hdr10.display.or(track.hdr10.display);
        track.hdr10.light = self.hdr10.light.or(track.hdr10.light);
        track.dynamic_hdr |= self.dynamic_hdr;
        track.dolby_vision = track.dolby_vision.or(self.dolby_vision);
        track.projection = track.projection.take().or(self.projection);
        track.stereo = track.stereo.take().or(self.stereo);
        if (track.rotation, track.mirrored) == (0, false) {
            (track.rotation, track.mirrored) = self.orientation.unwrap_or_default();
        }
    }
}

/// Looks at the first frames, and where they deny fields that the container tells of, at some in
/// the middle too: a progressive title does not make a progressive programme. Nothing is found where
/// no decoder opens. An original that cannot be read is an error: it would be planned otherwise than
/// before.
pub(super) fn look(
    path: &Path,
    track: &VideoTrack,
    jumps: &[ClockJump],
    max_pixels: u64,
) -> Result<Found, MediaError> {
    let mut found = Found::default();
    let points = &track.seek_points;
    if let Some(first) = points.first() {
        look_from(path, track, *first, jumps, max_pixels, &mut found)?;
    }
    let denied = track.field_order != FieldOrder::Progressive && found.votes.interlaced == 0;
    if let Some(middle) = points.get(points.len() / 2).filter(|_| denied && points.len() > 1) {
        look_from(path, track, *middle, jumps, max_pixels, &mut found)?;
    }
    Ok(found)
}

fn look_from(
    path: &Path,
    track: &VideoTrack,
    from: SeekPoint,
    jumps: &[ClockJump],
    max_pixels: u64,
    found: &mut Found,
) -> Result<(), MediaError> {
    let mut packets = PacketFinder::open(path, track.index, from, jumps, max_pixels)?;
    let stage = |cause| error::libav("decode", path.display(), cause);
    let parameters = packets
        .source()
        .input()
        .stream(track.index as usize)
        .ok_or_else(|| stage(ffmpeg_next::Error::StreamNotFound))?
        .parameters();
    let Ok(mut codec) = open_decoder(parameters, track.time_base, max_pixels) else {
        return Ok(());
    };
    let enough = found.votes.frames + FRAMES;
    let mut packet = Packet::empty();
    for _ in 0..MAX_PACKETS {
        let more = packets.read(&mut packet)?;
        // Damage is counted when the chunk is encoded, not here.
        let _ = if more { codec.send_packet(&packet) } else { codec.send_eof() };
        let mut frame = Video::empty();
        while codec.receive_frame(&mut frame).is_ok() {
            found.count(&frame);
        }
        if !more || found.votes.frames >= enough {
            break;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Votes {
    frames: usize,
    interlaced: usize,
    top_first: usize,
}

impl Votes {
    fn count(&mut self, frame: &Video) {
        self.frames += 1;
        if frame.is_interlaced() {
            self.interlaced += 1;
            self.top_first += usize::from(frame.is_top_first());
        }
    }

    /// The order that the frames are marked with; none where they leave it to the container. One
    /// that tells of fields is believed if a third of them bear it out: programmes mix both kinds,
    /// and combs are worse than a picture that was deinterlaced in vain.
    fn field_order(&self, track: &VideoTrack) -> Option<FieldOrder> {
        let told = track.field_order != FieldOrder::Progressive;
        let interlaced = match told {
            true => self.interlaced * 3 > self.frames,
            false => self.interlaced * 2 > self.frames,
        };
        if interlaced {
            let top = self.top_first * 2 >= self.interlaced;
            return Some(if top { FieldOrder::TopFirst } else { FieldOrder::BottomFirst });
        }
        let certain = self.frames > 0 && TELL_OF_FIELDS.contains(&track.codec.as_str());
        certain.then_some(FieldOrder::Progressive)
    }
}
