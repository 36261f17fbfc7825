//! Samples of an original, each decoded once, encoded by every probe and scored, all in memory.
//!
//! ```text
//! packets ─ decoder ─ field filter ─ grid ─ picture filter ─┬─ filter ─┬─ trial thread ─ bytes, scores
//!                                                           └─ filter ─┴─ trial thread ─ bytes, scores
//! ```

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use ffmpeg_next::frame::Video;
use vodmill_model::analysis::{Analysis, AnalysisPlan, Sample, Trial};
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::ChunkPlan;
use vodmill_model::transcode::{AnalysisOrder, Progress, ProgressSink, VideoOrder};
use vodmill_model::units::Frames;

use super::filter::Filter;
use super::pictures::Pictures;
use super::trial::{self, Picture, Work};
use super::{QUEUE, frames};
use crate::error;

/// Tries every sample of `order`, one after the other.
pub(crate) fn analyse(
    order: &AnalysisOrder,
    watch: &dyn ProgressSink,
) -> Result<Analysis, MediaError> {
    let total = order.plan.samples.iter().map(|sample| sample.frames).sum();
    let mut analysis = Analysis::default();
    let mut done = 0;
    for chunk in &order.plan.samples {
        let report = |frames| {
            let (of, done) = ("analyse".to_owned(), done + frames);
            watch.progress(Progress { of, done, total: Some(total) });
        };
        analysis.samples.push(try_sample(order, chunk, watch, &report)?);
        done += chunk.frames;
    }
    Ok(analysis)
}

/// Tries one sample. One whose pictures are missing or damaged is a fact; any other error is ours.
fn try_sample(
    order: &AnalysisOrder,
    chunk: &ChunkPlan,
    watch: &dyn ProgressSink,
    report: &dyn Fn(Frames),
) -> Result<Sample, MediaError> {
    let sample = |fault, trials| Sample {
        first_frame: chunk.first_frame,
        frames: chunk.frames,
        fault,
        trials,
    };
    match trials(order, chunk, watch, report) {
        Ok(trials) => Ok(sample(None, trials)),
        Err(MediaError::Rejected(rejected)) => Ok(sample(Some(rejected.detail), Vec::new())),
        Err(error) => Err(error),
    }
}

fn trials(
    order: &AnalysisOrder,
    chunk: &ChunkPlan,
    watch: &dyn ProgressSink,
    report: &dyn Fn(Frames),
) -> Result<Vec<Trial>, MediaError> {
    let plan = &order.plan;
    thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut running = Vec::new();
        for probe in &plan.probes {
            let (sender, pictures) = sync_channel(QUEUE);
            let work = Work { probe, size: plan.size, rate: plan.rate };
            senders.push(sender);
            running.push(scope.spawn(move || trial::run(&work, pictures)));
        }
        let made = make_pictures(order, chunk, senders, watch, report);
        let mut trials = Vec::new();
        for trial in running {
            let ended = trial.join().unwrap_or_else(|_| {
                Err(error::failed("try", order.original.display(), "a trial panicked"))
            });
            trials.push(ended);
        }
        match made {
            // What a trial has to say explains why no more pictures could be handed to it.
            Err(refused @ MediaError::Rejected(_)) => Err(refused),
            Err(failed) => trials.into_iter().collect::<Result<Vec<_>, _>>().and(Err(failed)),
            Ok(()) => trials.into_iter().collect(),
        }
    })
}

fn make_pictures(
    order: &AnalysisOrder,
    chunk: &ChunkPlan,
    senders: Vec<SyncSender<Picture>>,
    watch: &dyn ProgressSink,
    report: &dyn Fn(Frames),
) -> Result<(), MediaError> {
    let plan = &order.plan;
    let stretch = VideoOrder {
        original: order.original.clone(),
        decode: plan.decode.clone(),
        rate: plan.rate,
        chunk: chunk.clone(),
        encodes: Vec::new(),
        deciders: Vec::new(),
        stills: Vec::new(),
        // A damaged picture says nothing of what the others need.
        tolerated_damage_per_mille: Some(0),
        cut_off: false,
        last: false,
    };
    let mut pictures = Pictures::open(&stretch, watch)?;
    let mut fan = Fan::new(plan, senders, report);
    pictures.run(&mut |frame| fan.take(frame))?;
    pictures.done()?;
    fan.finish()
}

/// Gives each picture to every trial, at the size that it encodes and at the size that it is compared.
struct Fan<'a> {
    picture: Option<Filter>,
    /// Its first output is what is compared.
    sizes: Filter,
    /// Which output each trial encodes.
    outputs: Vec<usize>,
    /// Pictures of each output that wait for those of the others.
    waiting: Vec<VecDeque<Video>>,
    senders: Vec<SyncSender<Picture>>,
    report: &'a dyn Fn(Frames),
    given: Frames,
}

impl<'a> Fan<'a> {
    fn new(
        plan: &AnalysisPlan,
        senders: Vec<SyncSender<Picture>>,
        report: &'a dyn Fn(Frames),
    ) -> Fan<'a> {
        let (base, rate) = (plan.rate.inverse(), Some(plan.rate));
        let mut chains = vec![plan.filter.as_str()];
        let mut outputs = Vec::new();
        for probe in &plan.probes {
            let chain = probe.encode.filter.as_str();
            let known = chains.iter().position(|&known| known == chain);
            outputs.push(known.unwrap_or(chains.len()));
            if known.is_none() {
                chains.push(chain);
            }
        }
        let picture = plan.decode.picture_filter.as_str();
        Fan {
            picture: (!picture.is_empty()).then(|| Filter::new([picture], base, rate)),
            waiting: chains.iter().map(|_| VecDeque::new()).collect(),
            sizes: Filter::new(chains, base, rate),
            outputs,
            senders,
            report,
            given: 0,
        }
    }

    fn take(&mut self, frame: Video) -> Result<(), MediaError> {
        match &mut self.picture {
            None => self.scale(frame),
            Some(picture) => {
                picture.push(frame)?;
                self.scale_pictures()
            }
        }
    }

    fn scale_pictures(&mut self) -> Result<(), MediaError> {
        while let Some((_, frame)) = self.picture.as_mut().and_then(Filter::take) {
            self.scale(frame)?;
        }
        Ok(())
    }

    fn scale(&mut self, frame: Video) -> Result<(), MediaError> {
        self.sizes.push(frame)?;
        self.give()
    }

    fn give(&mut self) -> Result<(), MediaError> {
        while let Some((output, frame)) = self.sizes.take() {
            self.waiting[output].push_back(frame);
        }
        while self.waiting.iter().all(|waiting| !waiting.is_empty()) {
            let pictures: Vec<Video> =
                self.waiting.iter_mut().filter_map(VecDeque::pop_front).collect();
            for (sender, &output) in self.senders.iter().zip(&self.outputs) {
                let picture =
                    Picture { encoded: share(&pictures[output])?, compared: share(&pictures[0])? };
                let sent = sender.send(picture);
                sent.map_err(|_| error::failed("hand pictures to", "a trial", "it has stopped"))?;
            }
            self.given += 1;
            (self.report)(self.given);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), MediaError> {
        if let Some(picture) = &mut self.picture {
            picture.finish()?;
        }
        self.scale_pictures()?;
        self.sizes.finish()?;
        self.give()
    }
}

fn share(picture: &Video) -> Result<Video, MediaError> {
    frames::share(picture).map_err(|cause| error::libav("share", "a picture", cause))
}
