//! Pictures of renditions, which know their numbers on the grid.

use std::path::{Path, PathBuf};

use ffmpeg_next::codec::{Parameters, decoder};
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, Packet};
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::ChunkPlan;
use vodmill_model::transcode::VideoDone;
use vodmill_model::units::Frames;

use crate::encode::pictures::Take;
use crate::encode::{frames, open_decoder};
use crate::error;
use crate::mux::describe;
use crate::rendition::{Header, PacketMeta, RenditionReader};

/// Gives the pictures of the stretch of the grid that `chunk` is.
pub(super) fn run(
    renditions: &[PathBuf],
    chunk: &ChunkPlan,
    take: &mut Take<'_>,
) -> Result<VideoDone, MediaError> {
    let mut pictures =
        Pictures { next: chunk.first_frame, end: chunk.first_frame + chunk.frames, damaged: 0 };
    for path in renditions {
        if pictures.next < pictures.end {
            pictures.read(path, take)?;
        }
    }
    if pictures.next < pictures.end {
        let cause = format!("frame {} is in none", pictures.next);
        return Err(error::failed("measure", "renditions", cause));
    }
    Ok(VideoDone {
        frames: chunk.frames,
        source_frames: chunk.frames,
        damaged_frames: pictures.damaged,
        repeated_frames: 0,
        decoded_frames: Some(chunk.frames),
    })
}

/// What is left of the stretch.
struct Pictures {
    next: Frames,
    end: Frames,
    damaged: Frames,
}

impl Pictures {
    fn read(&mut self, path: &Path, take: &mut Take<'_>) -> Result<(), MediaError> {
        let fault = |cause| error::libav("decode", path.display(), cause);
        let mut reader = RenditionReader::open(path)?;
        let mut codec = open(&reader).map_err(fault)?;
        let mut data = Vec::new();
        while let Some(meta) = reader.next(&mut data)? {
            codec.send_packet(&packet(&data, meta)).map_err(fault)?;
            self.give(&mut codec, path, take)?;
        }
        codec.send_eof().map_err(fault)?;
        self.give(&mut codec, path, take)
    }

    fn give(
        &mut self,
        codec: &mut decoder::Video,
        path: &Path,
        take: &mut Take<'_>,
    ) -> Result<(), MediaError> {
        loop {
            let mut frame = Video::empty();
            match codec.receive_frame(&mut frame) {
                Ok(()) => self.place(frame, path, take)?,
                Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => {
                    return Ok(());
                }
                Err(cause) => return Err(error::libav("decode", path.display(), cause)),
            }
        }
    }

    fn place(
        &mut self,
        mut frame: Video,
        path: &Path,
        take: &mut Take<'_>,
    ) -> Result<(), MediaError> {
        let number = frame.timestamp().and_then(|time| Frames::try_from(time).ok());
        let Some(number) = number else {
            return Err(error::failed("decode", path.display(), "a picture has no number"));
        };
        if number < self.next || number >= self.end {
            return Ok(());
        }
        if number > self.next {
            let cause = format!("picture {} is missing", self.next);
            return Err(error::failed("decode", path.display(), cause));
        }
        self.damaged += u64::from(frames::is_damaged(&frame));
        self.next += 1;
        frame.set_pts(i64::try_from(number).ok());
        take(frame)
    }
}

fn open(reader: &RenditionReader) -> Result<decoder::Video, Error> {
    let header = reader.header();
    let Header::Video(video) = header else { return Err(Error::StreamNotFound) };
    let mut parameters = Parameters::new();
    // SAFETY: the parameters were just made and nothing else refers to them.
    unsafe { describe(&mut *parameters.as_mut_ptr(), header)? };
    open_decoder(parameters, video.time_base, i64::MAX as u64)
}

fn packet(data: &[u8], meta: PacketMeta) -> Packet {
    let mut packet = Packet::copy(data);
    packet.set_pts(Some(meta.pts));
    packet.set_dts(Some(meta.dts));
    packet
}
