//! One trial: takes pictures, encodes and decodes them in memory, and scores what came back.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;

use ffmpeg_next::codec::{Parameters, decoder, encoder};
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, Packet, picture};
use vodmill_model::analysis::{Probe, Trial};
use vodmill_model::outcome::MediaError;
use vodmill_model::quality::{BitDepth, Subsample};
use vodmill_model::units::{Frames, Ratio, Size};

use super::filter::Filter;
use super::frames::strip_side_data;
use super::{encoder as encoders, open_decoder};
use crate::error;
use crate::quality::{Luma, Meter, Models};

/// Which frames are scored: a step at which frames of every kind have their turn.
const SCORED: Subsample = Subsample::Fifth;

/// What a trial is to do.
pub(super) struct Work<'a> {
    pub probe: &'a Probe,
    /// Size at which pictures are compared.
    pub size: Size,
    /// Frames per second.
    pub rate: Ratio,
}

/// One picture, at both sizes.
pub(super) struct Picture {
    pub encoded: Video,
    pub compared: Video,
}

/// Encodes and scores every picture that comes.
pub(super) fn run(work: &Work<'_>, pictures: Receiver<Picture>) -> Result<Trial, MediaError> {
    let mut running = None;
    for mut picture in pictures {
        strip_side_data(&mut picture.encoded);
        let running = match &mut running {
            Some(running) => running,
            None => running.insert(Running::begin(work, &picture.encoded)?),
        };
        running.take(picture)?;
    }
    match running {
        Some(running) => running.finish(),
        None => Err(error::failed("try", &work.probe.encode.id, "no picture came")),
    }
}

struct Running<'a> {
    work: &'a Work<'a>,
    encoder: encoder::video::Encoder,
    decoder: decoder::Video,
    /// Brings a smaller size back to that of the comparison, as a player would.
    scaler: Option<Filter>,
    meter: Meter,
    /// Pictures that have not come back yet.
    waiting: VecDeque<Video>,
    taken: Frames,
    scored: Frames,
    bytes: u64,
}

impl<'a> Running<'a> {
    fn begin(work: &'a Work<'a>, first: &Video) -> Result<Running<'a>, MediaError> {
        let encode = &work.probe.encode;
        let encoder = encoders::open(encode, work.rate, first)?;
        let pixels = u64::from(encode.size.width) * u64::from(encode.size.height);
        let decoder =
            open_decoder(Parameters::from(&encoder), work.rate.inverse(), pixels.max(1 << 20))
                .map_err(|cause| error::libav("open decoder of", &encode.id, cause))?;
        let Size { width, height } = work.size;
        let scaler = (encode.size != work.size).then(|| {
            let chain = format!("scale={width}:{height}:flags=bicubic+accurate_rnd+bitexact");
            Filter::new([chain], work.rate.inverse(), Some(work.rate))
        });
        let depth = BitDepth::Eight;
        let models = Models { size: work.size, depth, subsample: SCORED, neg: false };
        Ok(Running {
            work,
            encoder,
            decoder,
            scaler,
            meter: Meter::new(models)?,
            waiting: VecDeque::new(),
            taken: 0,
            scored: 0,
            bytes: 0,
        })
    }

    fn take(&mut self, picture: Picture) -> Result<(), MediaError> {
        let Picture { mut encoded, compared } = picture;
        let gop = u64::from(self.work.probe.encode.gop.0.max(1));
        let key = self.taken.is_multiple_of(gop);
        encoded.set_kind(if key { picture::Type::I } else { picture::Type::None });
        encoded.set_pts(i64::try_from(self.taken).ok());
        self.taken += 1;
        self.waiting.push_back(compared);
        self.encoder.send_frame(&encoded).map_err(|cause| self.error("encode", cause))?;
        self.pass_packets()
    }

    fn pass_packets(&mut self) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        while given(self.encoder.receive_packet(&mut packet))
            .map_err(|cause| self.error("encode", cause))?
        {
            self.bytes += packet.size() as u64;
            self.decoder.send_packet(&packet).map_err(|cause| self.error("decode", cause))?;
            self.score_frames()?;
        }
        Ok(())
    }

    fn score_frames(&mut self) -> Result<(), MediaError> {
        loop {
            let mut frame = Video::empty();
            let came = given(self.decoder.receive_frame(&mut frame));
            if !came.map_err(|cause| self.error("decode", cause))? {
                return Ok(());
            }
            self.score(frame)?;
        }
    }

    /// Frames come back in the order in which they were sent.
    fn score(&mut self, frame: Video) -> Result<(), MediaError> {
        let more =
            || error::failed("try", &self.work.probe.encode.id, "more came back than went in");
        let compared = self.waiting.pop_front().ok_or_else(more)?;
        let number = self.scored;
        self.scored += 1;
        if !self.meter.scores_next() {
            return self.meter.push(number, luma(&compared), None);
        }
        let frame = self.scaled(frame)?;
        self.meter.push(number, luma(&compared), Some(luma(&frame)))
    }

    /// The picture at the size of the comparison.
    fn scaled(&mut self, frame: Video) -> Result<Video, MediaError> {
        let Some(scaler) = &mut self.scaler else { return Ok(frame) };
        scaler.push(frame)?;
        let none = || error::failed("scale", &self.work.probe.encode.id, "no picture came out");
        scaler.take().map(|(_, frame)| frame).ok_or_else(none)
    }

    fn finish(mut self) -> Result<Trial, MediaError> {
        self.encoder.send_eof().map_err(|cause| self.error("encode", cause))?;
        self.pass_packets()?;
        self.decoder.send_eof().map_err(|cause| self.error("decode", cause))?;
        self.score_frames()?;
        if self.scored != self.taken {
            let cause = format!("{} of {} pictures came back", self.scored, self.taken);
            return Err(error::failed("try", &self.work.probe.encode.id, cause));
        }
        let scores = self.meter.finish()?;
        Ok(Trial {
            crf: self.work.probe.crf,
            size: self.work.probe.encode.size,
            bytes: self.bytes,
            scores: scores.into_iter().map(|frame| frame.vmaf).collect(),
        })
    }

    fn error(&self, operation: &str, cause: Error) -> MediaError {
        error::libav(operation, &self.work.probe.encode.id, cause)
    }
}

fn luma(frame: &Video) -> Luma<'_> {
    Luma { data: frame.data(0), stride: frame.stride(0) }
}

/// Whether something was given; not where there is nothing yet, or nothing more.
fn given(received: Result<(), Error>) -> Result<bool, Error> {
    match received {
        Ok(()) => Ok(true),
        Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => Ok(false),
        Err(cause) => Err(cause),
    }
}
