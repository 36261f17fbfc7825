//! Probe the original and decide everything.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use vodmill_model::outcome::Reason;
use vodmill_model::planner::{self, PlanInput};
use vodmill_model::{Failed, MediaInfo, Plan, Rejected};
use vodmill_queue::NewTask;
use vodmill_store::{Key, LocalStore, Store};

use super::{Bench, Decided, StageResult, TaskKind, done};
use crate::child::{Assignment, ChildEnd};
use crate::file::{failed, make_dir};
use crate::job::{JobOrder, asset_name};
use crate::progress::Totals;

pub(super) fn run(bench: &mut Bench<'_>, order: &JobOrder) -> StageResult {
    order.check_unchanged()?;
    link_original(bench, order)?;
    let media = probe(bench, order)?;
    order.check_unchanged()?;
    let plan = decide(bench, order, &media)?;
    let asset = name_asset(bench, order)?;
    let generation = generation(bench, order, &asset, &plan.digest())?;
    let tasks = tasks(&plan);
    let mut completion = done(&Decided { plan, asset, generation })?;
    completion.then = tasks;
    Ok(completion)
}

/// libav sees the original under a name of ours only: what a name can hold never reaches it.
fn link_original(bench: &Bench<'_>, order: &JobOrder) -> Result<(), Failed> {
    let job = &bench.lease.job_id;
    make_dir(&bench.mill.layout.scratch(job))?;
    let link = bench.mill.layout.original(job);
    match symlink(&order.original, &link) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.map_err(failed("link", &link)),
    }
}

fn probe(bench: &mut Bench<'_>, order: &JobOrder) -> Result<MediaInfo, ChildEnd> {
    let pipeline = order.catalogue.pipeline(&order.pipeline);
    let pipeline =
        pipeline.ok_or_else(|| Failed::new("plan", format!("no pipeline {}", order.pipeline)))?;
    let original = bench.mill.layout.original(&bench.lease.job_id);
    bench.run_child(&Assignment::Probe { original, policy: pipeline.input.clone() })
}

fn decide(bench: &Bench<'_>, order: &JobOrder, media: &MediaInfo) -> Result<Plan, ChildEnd> {
    let pipeline = order.catalogue.pipeline(&order.pipeline);
    let pipeline =
        pipeline.ok_or_else(|| Rejected::new(Reason::NothingToDo, "no such pipeline"))?;
    Ok(planner::plan(&PlanInput {
        media,
        pipeline_name: &order.pipeline,
        pipeline,
        presets: &order.catalogue.presets,
        build: &bench.mill.build,
    })?)
}

fn name_asset(bench: &Bench<'_>, order: &JobOrder) -> Result<String, Failed> {
    let fault = |error: vodmill_queue::Error| Failed::from_error("name asset", &error);
    let wanted = asset_name(&order.original);
    let asset = bench.mill.names.claim_asset(&wanted, &order.owner()).map_err(fault)?;
    bench.mill.queue.set_job_asset(&bench.lease.job_id, &asset, &order.name()).map_err(fault)?;
    Ok(asset)
}

/// A name for this package that no other has: a number, one above what is published, and the job.
/// The number is that of the plan too: a job taken up again by another build has other bytes.
fn generation(
    bench: &Bench<'_>,
    order: &JobOrder,
    asset: &str,
    plan: &str,
) -> Result<String, Failed> {
    let job = &bench.lease.job_id;
    let number = bench.mill.names.next_generation(asset, &format!("{job}/{plan}"));
    let number = number.map_err(|error| Failed::from_error("number generation", &error))?;
    let store = LocalStore::new(&order.destination);
    let pointer = Key::new(format!("{asset}/asset.json")).and_then(|key| store.get(&key)).ok();
    let published = pointer.as_deref().and_then(published_number).unwrap_or(0);
    Ok(format!("g{:04}-{}", number.max(published + 1), &job[..8]))
}

/// The number of the generation that an `asset.json` points to.
pub(super) fn published_number(asset_json: &[u8]) -> Option<u32> {
    let asset: serde_json::Value = serde_json::from_slice(asset_json).ok()?;
    generation_number(asset.get("generation")?.as_str()?)
}

/// The number in a generation's name.
pub(super) fn generation_number(generation: &str) -> Option<u32> {
    generation.strip_prefix('g')?.split('-').next()?.parse().ok()
}

/// The graph of a job: chunks and tracks side by side, the segments of each chunk as soon as it is
/// there and all sound, then what needs all of them.
fn tasks(plan: &Plan) -> Vec<NewTask> {
    let (video, audio) = (video_tasks(plan), audio_tasks(plan));
    let segments = segments_tasks(plan, &audio);
    let mut tasks = [video, audio, segments].concat();
    let all = tasks.iter().map(|task| task.key.clone()).collect();
    tasks.push(task("package", TaskKind::Package, all, &Totals::default()));
    tasks.push(task("publish", TaskKind::Publish, vec!["package".to_owned()], &Totals::default()));
    tasks
}

fn segments_tasks(plan: &Plan, audio: &[NewTask]) -> Vec<NewTask> {
    let run_task = |run: vodmill_model::plan::SegmentRun<'_>| {
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

fn video_tasks(plan: &Plan) -> Vec<NewTask> {
    let rate = plan.timeline.video.as_ref().map(|video| video.rate);
    let chunk_task = |chunk: &vodmill_model::plan::ChunkPlan| {
        let units = plan.video.iter().map(|encode| (encode.id.clone(), chunk.frames)).collect();
        task(&video_key(chunk.index), TaskKind::Video, vec![], &Totals { units, rate })
    };
    plan.chunks.iter().map(chunk_task).collect()
}

fn audio_tasks(plan: &Plan) -> Vec<NewTask> {
    let track_task = |encode: &vodmill_model::plan::AudioEncode| {
        let units = BTreeMap::from([(encode.id.clone(), encode.samples)]);
        let rate = Some(vodmill_model::Ratio::new(encode.sample_rate, 1));
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
