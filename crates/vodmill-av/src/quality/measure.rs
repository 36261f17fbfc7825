//! Reference and distorted pictures side by side, frame by frame of the grid.
//!
//! ```text
//! original ─ grid ─ picture filter ─ filter ─┬─▶ meter ◀─ filter ─ grid ─ distorted
//!                                            └─▶ meter ◀─ filter ─ grid ─ distorted
//! ```
//!
//! The original is decoded in the calling thread, and each of the others in one of its own.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use ffmpeg_next::frame::Video;
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{MeasureOrder, Measured, ProgressSink, VideoDone, VideoOrder};

use super::pictures;
use crate::encode::filter::Filter;
use crate::encode::frames;
use crate::encode::pictures::Pictures;
use crate::error;

/// Pictures of the reference that wait for a meter.
const QUEUE: usize = 2;

/// Scores finished pictures against the original.
pub(crate) fn measure(
    order: &MeasureOrder,
    watch: &dyn ProgressSink,
) -> Result<Measured, MediaError> {
    thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut meters = Vec::new();
        for distorted in &order.distorted {
            let (sender, references) = sync_channel(QUEUE);
            senders.push(sender);
            meters.push(scope.spawn(move || pictures::score(order, distorted, references, watch)));
        }
        let reference = give_reference(order, senders, watch);
        let mut distorted = Vec::new();
        for meter in meters {
            let ended = meter.join().unwrap_or_else(|_| {
                Err(error::failed("measure", order.original.display(), "a meter panicked"))
            });
            distorted.push(ended);
        }
        let distorted: Result<Vec<_>, MediaError> = distorted.into_iter().collect();
        // A meter's error explains why the reference stopped; one that the reference left has none.
        let distorted = distorted?.into_iter().flatten().collect();
        Ok(Measured { reference: reference?, distorted })
    })
}

fn give_reference(
    order: &MeasureOrder,
    senders: Vec<SyncSender<Video>>,
    watch: &dyn ProgressSink,
) -> Result<VideoDone, MediaError> {
    let decoding = VideoOrder {
        original: order.original.clone(),
        decode: order.decode.clone(),
        rate: order.rate,
        chunk: order.chunk.clone(),
        encodes: Vec::new(),
        deciders: Vec::new(),
        stills: Vec::new(),
        tolerated_damage_per_mille: None,
        cut_off: false,
        last: order.last,
    };
    let mut pictures = Pictures::open(&decoding, watch)?;
    let mut references = References::new(order, senders);
    pictures.run(&mut |frame| references.take(frame))?;
    references.finish()?;
    pictures.done()
}

/// Brings each frame of the reference into the forms in which it is compared, each once.
struct References {
    picture: Option<Filter>,
    forms: Filter,
    /// Who takes pictures of each form.
    takers: Vec<Vec<SyncSender<Video>>>,
}

impl References {
    fn new(order: &MeasureOrder, senders: Vec<SyncSender<Video>>) -> References {
        let (base, rate) = (order.rate.inverse(), Some(order.rate));
        let picture = order.decode.picture_filter.as_str();
        let mut chains: Vec<&str> = Vec::new();
        let mut takers: Vec<Vec<SyncSender<Video>>> = Vec::new();
        for (distorted, sender) in order.distorted.iter().zip(senders) {
            let chain = distorted.comparison.reference_filter.as_str();
            match chains.iter().position(|&known| known == chain) {
                Some(form) => takers[form].push(sender),
                None => {
                    chains.push(chain);
                    takers.push(vec![sender]);
                }
            }
        }
        References {
            picture: (!picture.is_empty()).then(|| Filter::new([picture], base, rate)),
            forms: Filter::new(chains, base, rate),
            takers,
        }
    }

    fn take(&mut self, frame: Video) -> Result<(), MediaError> {
        let Some(picture) = &mut self.picture else { return self.give(frame) };
        picture.push(frame)?;
        self.give_pictures()
    }

    fn give_pictures(&mut self) -> Result<(), MediaError> {
        while let Some((_, frame)) = self.picture.as_mut().and_then(Filter::take) {
            self.give(frame)?;
        }
        Ok(())
    }

    fn give(&mut self, frame: Video) -> Result<(), MediaError> {
        if self.takers.is_empty() {
            return Ok(());
        }
        self.forms.push(frame)?;
        self.send()
    }

    fn send(&mut self) -> Result<(), MediaError> {
        while let Some((form, frame)) = self.forms.take() {
            for taker in &self.takers[form] {
                let shared = frames::share(&frame)
                    .map_err(|cause| error::libav("share", "a picture of the reference", cause))?;
                taker
                    .send(shared)
                    .map_err(|_| error::failed("hand pictures to", "a meter", "it has stopped"))?;
            }
        }
        Ok(())
    }

    /// What filters hold back comes out at the end.
    fn finish(mut self) -> Result<(), MediaError> {
        if let Some(picture) = &mut self.picture {
            picture.finish()?;
        }
        self.give_pictures()?;
        self.forms.finish()?;
        self.send()
    }
}
