//! Channels of several tracks as one sound.

use ffmpeg_next::format::{Sample, sample};
use ffmpeg_next::frame::Audio;
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::AudioJoin;
use vodmill_model::transcode::AudioOrder;

use super::frames::{self, Format};
use super::graph::Chain;
use super::input::Input;
use crate::error;

/// Inputs that are read side by side, each by itself from the file, so that nothing is held back
/// where one lies far from the others.
pub(super) struct Joined<'a> {
    inputs: Vec<Input<'a>>,
    /// A frame of the joined layout to make others like it.
    like: Audio,
    chain: Chain,
    frame_samples: usize,
    done: i64,
    ended: bool,
}

impl<'a> Joined<'a> {
    pub(super) fn open(
        order: &'a AudioOrder,
        join: &'a AudioJoin,
        frame_samples: usize,
    ) -> Result<Joined<'a>, MediaError> {
        let encode = &order.encode;
        let parts = join.parts.iter();
        let inputs = parts.map(|part| Input::open(order, part.track, &part.filter, frame_samples));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let like = frames::planar(&join.layout, encode.sample_rate)
            .map_err(|cause| error::libav("join", &join.layout, cause))?;
        if frames::channels(&like) as usize != inputs.len() {
            let cause = format!("{} channels for {}", inputs.len(), join.layout);
            return Err(error::failed("join", "audio", cause));
        }
        let chain = Chain::new(Format::of(&like), &encode.filter, frame_samples)?;
        Ok(Joined { inputs, like, chain, frame_samples, done: 0, ended: false })
    }

    pub(super) fn inputs(&self) -> &[Input<'a>] {
        &self.inputs
    }

    /// Takes the next frame, of the encoder's size or the shorter last one.
    pub(super) fn next(&mut self, frame: &mut Audio) -> Result<bool, MediaError> {
        loop {
            if self.chain.pull(frame)? {
                return Ok(true);
            }
            if self.ended {
                return Ok(false);
            }
            self.join()?;
        }
    }

    /// Feeds a frame of every input; one that has ended is silent until the last one has.
    fn join(&mut self) -> Result<(), MediaError> {
        let mut joined = frames::silence(&self.like, self.frame_samples, self.done)
            .map_err(|cause| error::libav("allocate", "joined sound", cause))?;
        let mut longest = 0;
        let mut part = Audio::empty();
        for (channel, input) in self.inputs.iter_mut().enumerate() {
            if input.next(&mut part)? {
                longest = longest.max(part.samples());
                copy(&part, &mut joined, channel)?;
            }
        }
        if longest == 0 {
            self.ended = true;
            return self.chain.close(self.done);
        }
        joined.set_samples(longest);
        self.done += longest as i64;
        self.chain.push(&joined)
    }
}

/// Copies the only channel of `from` to one of `to`.
fn copy(from: &Audio, to: &mut Audio, channel: usize) -> Result<(), MediaError> {
    let planar = Sample::F32(sample::Type::Planar);
    let fits = from.samples() <= to.samples();
    if from.format() != planar || frames::channels(from) != 1 || !fits {
        let cause = format!("{:?} of {} samples", Format::of(from), from.samples());
        return Err(error::failed("join", "audio", cause));
    }
    let samples = from.samples();
    to.plane_mut::<f32>(channel)[..samples].copy_from_slice(&from.plane::<f32>(0)[..samples]);
    Ok(())
}
