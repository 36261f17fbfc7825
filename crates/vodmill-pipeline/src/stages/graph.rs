//! Which tasks a job has, and which wait for which.
//!
//! A job begins with [`before_plan`], one task after the other; the last of them plans, and adds the
//! rest ([`after_plan`]). What a task leaves for later ones is its result in the queue.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use vodmill_model::plan::{AudioEncode, ChunkPlan, SegmentRun};
use vodmill_model::{JobSpec, Plan, Ratio};
use vodmill_queue::NewTask;

use super::TaskKind;
use crate::worker::Totals;

/// Key of the task that decides everything.
pub(crate) const PLAN: &str = "plan";

/// Key of the task that looks at the pictures before that.
pub(super) const ANALYSE: &str = "analyse";

/// The tasks up to the plan, in order; a task that is done once for each job has its kind as key.
fn before_plan(spec: &JobSpec) -> &'static [TaskKind] {
    if spec.wants_analysis() { &[TaskKind::Analyse, TaskKind::Plan] } else { &[TaskKind::Plan] }
}

/// The tasks that a job begins with.
pub(crate) fn first_tasks(spec: &JobSpec) -> Vec<NewTask> {
    let mut tasks: Vec<NewTask> = Vec::new();
    for kind in before_plan(spec) {
        let after = tasks.last().map(|before| before.key.clone());
        let key = kind.as_str().to_owned();
        let kind = kind.as_str().to_owned();
        tasks.push(NewTask { key, kind, after: after.into_iter().collect(), ..NewTask::default() });
    }
    tasks
}

/// The graph of a job: chunks and tracks side by side, the segments of each chunk as soon as it is
/// there and all sound, then what needs all of them.
pub(super) fn after_plan(plan: &Plan) -> Vec<NewTask> {
    let (video, audio) = (video_tasks(plan), audio_tasks(plan));
    let segments = segments_tasks(plan, &audio);
    let mut tasks = [video, audio, segments].concat();
    let all = tasks.iter().map(|task| task.key.clone()).collect();
    tasks.push(task("package", TaskKind::Package, all, &Totals::default()));
    tasks.push(task("publish", TaskKind::Publish, vec!["package".to_owned()], &Totals::default()));
    tasks
}

fn segments_tasks(plan: &Plan, audio: &[NewTask]) -> Vec<NewTask> {
    let run_task = |run: SegmentRun<'_>| {
        let mut after: Vec<_> = audio.iter().map(|task| task.key.clone()).collect();
        after.extend(run.chunk.map(|chunk| video_key(chunk.index)));
        let key = format!("segments/{:04}", run.index);
        // Ahead of everything: it is short work, and what it makes goes up while chunks encode.
        NewTask { priority: 2, ..task(&key, TaskKind::Segments, after, &Totals::default()) }
    };
    plan.segment_runs().into_iter().map(run_task).collect()
}

fn video_key(chunk: u32) -> String {
    format!("video/{chunk:04}")
}

/// Chunks that are likely to take longest come first, so that at the end no core waits long for
/// another. A queue hands tasks out in the order in which they were added.
fn longest_first(chunks: &[ChunkPlan]) -> Vec<&ChunkPlan> {
    let mut chunks: Vec<&ChunkPlan> = chunks.iter().collect();
    chunks.sort_by_key(|chunk| Reverse(chunk.source_bytes));
    chunks
}

fn video_tasks(plan: &Plan) -> Vec<NewTask> {
    let rate = plan.timeline.video.as_ref().map(|video| video.rate);
    let chunk_task = |chunk: &ChunkPlan| {
        let units = plan.video.iter().map(|encode| (encode.id.clone(), chunk.frames)).collect();
        task(&video_key(chunk.index), TaskKind::Video, vec![], &Totals { units, rate })
    };
    longest_first(&plan.chunks).into_iter().map(chunk_task).collect()
}

fn audio_tasks(plan: &Plan) -> Vec<NewTask> {
    let track_task = |encode: &AudioEncode| {
        let units = BTreeMap::from([(encode.id.clone(), encode.samples)]);
        let rate = Some(Ratio::new(encode.sample_rate, 1));
        // Ahead of the chunks: it is short work that the package waits for.
        let priority = 1;
        NewTask {
            priority,
            ..task(
                &format!("audio/{}", encode.id),
                TaskKind::Audio,
                vec![],
                &Totals { units, rate },
            )
        }
    };
    plan.audio.iter().map(track_task).collect()
}

fn task(key: &str, kind: TaskKind, after: Vec<String>, totals: &Totals) -> NewTask {
    NewTask {
        key: key.to_owned(),
        kind: kind.as_str().to_owned(),
        payload: serde_json::to_string(totals).unwrap_or_default(),
        after,
        priority: 0,
    }
}

#[cfg(test)]
mod tests {
    use vodmill_model::media::SeekPoint;
    use vodmill_model::{Pipeline, Preset};

    use super::*;

    #[test]
    fn a_job_begins_with_tasks_in_a_row_the_last_of_which_plans() {
        let ladder = |quality: &str| -> Preset {
            let rung =
                "{\"name\":\"low\",\"width\":64,\"height\":64,\"crf\":23,\"max_bitrate\":90000}";
            let text = format!("{{\"kind\":\"ladder\",\"quality\":{quality},\"rung\":[{rung}]}}");
            serde_json::from_str(&text).expect("a ladder")
        };
        for (quality, keys) in [("\"fixed\"", &[PLAN][..]), ("93", &[ANALYSE, PLAN])] {
            let presets = [("hls".to_owned(), ladder(quality))].into();
            let spec = JobSpec::of_pipeline("tv", &Pipeline::default(), &presets).expect("a spec");
            let tasks = first_tasks(&spec);
            assert!(tasks.first().is_some_and(|first| first.after.is_empty()));
            assert!(tasks.windows(2).all(|pair| pair[1].after == [pair[0].key.clone()]));
            assert_eq!(tasks.iter().map(|task| task.key.as_str()).collect::<Vec<_>>(), keys);
        }
    }

    #[test]
    fn chunks_with_most_to_encode_come_first_and_equal_ones_in_order() {
        let chunk = |(index, source_bytes): (u32, u64)| ChunkPlan {
            index,
            input: 0,
            first_frame: u64::from(index) * 100,
            frames: 100,
            seek: SeekPoint { pts: 0, packet: 0 },
            source_bytes,
        };
        let chunks: Vec<ChunkPlan> = [(0, 7), (1, 9), (2, 7), (3, 30)].map(chunk).into();
        let order: Vec<u32> = longest_first(&chunks).iter().map(|chunk| chunk.index).collect();
        assert_eq!(order, [3, 1, 0, 2]);
    }
}
