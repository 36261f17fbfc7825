//! Audio: one sound, decoded and encoded whole.

mod encoder;
mod frames;
mod gain;
mod graph;
mod input;
mod joined;
mod loudness;
mod timeline;

use ffmpeg_next::frame::Audio;
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::transcode::{AudioDone, AudioOrder, Progress, ProgressSink, SoundBalance};

use crate::error;
use encoder::Encoder;
use input::Input;
use joined::Joined;

pub(crate) use frames::is_heard;

/// Decodes one sound, filters it and encodes exactly the planned number of samples.
pub(crate) fn encode_audio(
    order: &AudioOrder,
    watch: &dyn ProgressSink,
) -> Result<AudioDone, MediaError> {
    let encode = &order.encode;
    let mut encoder = Encoder::create(encode, &order.path)?;
    let mut sound = Sound::open(order, encoder.frame_samples())?;
    let loudness = loudness::decide(order, encoder.frame_samples(), watch)?;
    let mut frame = Audio::empty();
    while !encoder.is_full() && sound.next(&mut frame)? {
        if let Some(loudness) = &loudness {
            gain::apply(&mut frame, loudness.gain)?;
        }
        encoder.encode(&mut frame)?;
        watch.progress(Progress {
            of: encode.id.clone(),
            done: encoder.done(),
            total: Some(encode.samples),
        });
    }
    let inputs = sound.inputs();
    if inputs.iter().all(|input| !input.has_begun()) {
        let detail = format!("no sound in track {} can be decoded", encode.track);
        return Err(error::rejected(Reason::NothingDecodable, detail));
    }
    let damaged_packets = inputs.iter().map(|input| input.damaged_packets).sum();
    let balance = inputs.iter().fold(SoundBalance::default(), |sum, input| sum + input.balance());
    Ok(AudioDone { samples: encoder.finish()?, damaged_packets, balance, loudness })
}

/// Where samples come from: one track, or channels of several.
enum Sound<'a> {
    Single(Box<Input<'a>>),
    Joined(Box<Joined<'a>>),
}

impl<'a> Sound<'a> {
    fn open(order: &'a AudioOrder, frame_samples: usize) -> Result<Sound<'a>, MediaError> {
        let encode = &order.encode;
        match &encode.join {
            None => {
                let input = Input::open(order, encode.track, &encode.filter, frame_samples)?;
                Ok(Sound::Single(Box::new(input)))
            }
            Some(join) => Ok(Sound::Joined(Box::new(Joined::open(order, join, frame_samples)?))),
        }
    }

    /// Takes the next frame, of the encoder's size or the shorter last one.
    fn next(&mut self, frame: &mut Audio) -> Result<bool, MediaError> {
        match self {
            Sound::Single(input) => input.next(frame),
            Sound::Joined(joined) => joined.next(frame),
        }
    }

    fn inputs(&self) -> &[Input<'a>] {
        match self {
            Sound::Single(input) => std::slice::from_ref(input),
            Sound::Joined(joined) => joined.inputs(),
        }
    }
}
