//! Put together, describe, prove and store everything that will be published besides the segments.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use vodmill_fault::point;
use vodmill_model::Failed;
use vodmill_model::quality::FrameScore;
use vodmill_model::transcode::{AudioDone, VideoDone};
use vodmill_queue::TaskInfo;

use super::measure::MeasuredChunk;
use super::segments::{bounds, deliver, input};
use super::{StageResult, TaskContext, TaskKind, done};
use crate::child::Assignment;
use crate::file::passed;
use crate::generation::SegmentsDone;
use crate::package::{Damage, GENERATION, PackageDone, PackageOrder, renditions_of_package};
use crate::stage_error::StageError;

pub(super) fn run(context: &mut TaskContext<'_>) -> StageResult {
    let decided = context.decided()?;
    let results = Results::of(context)?;
    context.check_unchanged()?;
    let out = context.scratch.join("package");
    let digests = renditions_of_package(&decided.plan);
    let prefix = decided.prefix()?;
    let input = input(context, decided, &digests)?;
    let bounds = bounds(context, &input)?;
    let assignment = PackageOrder {
        input,
        name: context.order.name(),
        damage: results.damage,
        sounds: results.sounds,
        measured: results.measured,
        original: context.original()?,
        segments: results.segments,
        out: out.clone(),
    };
    let assignment = Assignment::Package(Box::new(assignment));
    let packaged: PackageDone = context.run_child(&assignment, &bounds)?;
    // Subtitles come from the original itself.
    context.check_unchanged()?;
    deliver(context, &prefix, &out.join(GENERATION))?;
    passed(point!("package.stored"))?;
    done(&packaged)
}

/// What other tasks have done.
struct Results {
    /// What was concealed while encoding.
    damage: Damage,
    /// By the ids of their encodes.
    sounds: BTreeMap<String, AudioDone>,
    /// Scores of frames, by the id of the encode.
    measured: BTreeMap<String, Vec<FrameScore>>,
    /// In the order of the runs.
    segments: Vec<SegmentsDone>,
}

impl Results {
    fn of(context: &TaskContext<'_>) -> Result<Results, StageError> {
        let tasks = context.worker.queue.tasks(&context.lease.job_id)?;
        let of_kind = |kind: TaskKind| tasks.iter().filter(move |task| task.kind == kind.as_str());
        let video = of_kind(TaskKind::Video).map(noted::<VideoDone>);
        let video = video.collect::<Result<Vec<_>, _>>()?;
        let sound = |task: &TaskInfo| -> Result<_, Failed> {
            let id = task.key.strip_prefix("audio/").unwrap_or_default().to_owned();
            Ok((id, noted::<AudioDone>(task)?))
        };
        let sounds = of_kind(TaskKind::Audio).map(sound);
        let sounds = sounds.collect::<Result<BTreeMap<_, _>, Failed>>()?;
        let damage = Damage {
            frames: video.iter().map(|done| done.damaged_frames).sum(),
            decoded_frames: video.iter().map(|done| done.decoded_frames).sum(),
            audio_packets: sounds.values().map(|done| done.damaged_packets).sum(),
        };
        let mut measured: BTreeMap<String, Vec<FrameScore>> = BTreeMap::new();
        for task in of_kind(TaskKind::Video) {
            for (id, scores) in noted::<MeasuredChunk>(task)?.measured {
                measured.entry(id).or_default().extend(scores);
            }
        }
        let segments = of_kind(TaskKind::Segments).map(noted::<SegmentsDone>);
        let mut segments = segments.collect::<Result<Vec<_>, _>>()?;
        segments.sort_by_key(|done| done.run);
        Ok(Results { damage, sounds, measured, segments })
    }
}

fn noted<T: DeserializeOwned>(task: &TaskInfo) -> Result<T, Failed> {
    result(&task.key, task.result.as_deref())
}

/// What a task has noted. One that says nothing of damage must not count as one without.
fn result<T: DeserializeOwned>(task: &str, text: Option<&str>) -> Result<T, Failed> {
    let stage = || format!("read the result of {task}");
    let text = text.ok_or_else(|| Failed::new(stage(), "there is none"))?;
    serde_json::from_str(text).map_err(|error| Failed::from_error(stage(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_cannot_be_read_is_not_one_without_damage() {
        for text in [None, Some(""), Some("{"), Some("[]"), Some(r#"{"damaged_frames":"three"}"#)] {
            assert!(result::<VideoDone>("video/0000", text).is_err(), "{text:?}");
        }
    }
}
