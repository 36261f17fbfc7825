//! Probe the original and decide everything.

use std::collections::BTreeMap;
use std::path::Path;

use vodmill_fault::point;
use vodmill_model::planner::{self, PlanInput};
use vodmill_model::{Failed, MediaInfo, Plan};
use vodmill_queue::NewTask;
use vodmill_store::{Key, StoreError};

use super::{Bench, Decided, StageResult, TaskKind, done};
use crate::asset_name::asset_name;
use crate::child::{Assignment, Bounds, ChildEnd};
use crate::file::passed;
use crate::progress::Totals;

pub(super) fn run(bench: &mut Bench<'_>) -> StageResult {
    bench.check_unchanged()?;
    let media = probe(bench)?;
    passed(point!("plan.probed"))?;
    bench.check_content(Some(&media.sha256))?;
    let plan = decide(bench, &media)?;
    passed(point!("plan.decided"))?;
    let asset = name_asset(bench)?;
    let generation = generation(bench, &asset, &plan.digest())?;
    passed(point!("plan.named"))?;
    let tasks = tasks(&plan);
    let mut completion = done(&Decided { plan, asset, generation })?;
    completion.then = tasks;
    Ok(completion)
}

fn probe(bench: &mut Bench<'_>) -> Result<MediaInfo, ChildEnd> {
    let policy = bench.order.pipeline()?.input.clone();
    let original = bench.original()?;
    let bounds = Bounds::of_reading(bench.order.original.bytes(), &bench.mill.settings.limits);
    bench.run_child(&Assignment::Probe { original, policy }, &bounds)
}

fn decide(bench: &Bench<'_>, media: &MediaInfo) -> Result<Plan, ChildEnd> {
    Ok(planner::plan(&PlanInput {
        media,
        pipeline_name: &bench.order.pipeline,
        pipeline: bench.order.pipeline()?,
        presets: &bench.order.catalogue.presets,
        build: &bench.mill.build,
    })?)
}

fn name_asset(bench: &Bench<'_>) -> Result<String, ChildEnd> {
    let wanted = asset_name(Path::new(bench.order.original.file_name()));
    let asset = bench.mill.names.claim_asset(&wanted, &bench.order.owner())?;
    bench.mill.queue.set_job_asset(&bench.lease.job_id, &asset, &bench.order.name())?;
    Ok(asset)
}

/// A name for this package that no other has: a number, one above what is published, and the job.
/// The number is that of the plan too: a job taken up again by another build has other bytes.
fn generation(bench: &Bench<'_>, asset: &str, plan: &str) -> Result<String, ChildEnd> {
    let job = &bench.lease.job_id;
    let number = bench.mill.names.next_generation(asset, &format!("{job}/{plan}"))?;
    let stage = "look for what is published";
    let key = Key::new(format!("{asset}/asset.json"))
        .map_err(|error| Failed::from_error(stage, &error))?;
    let published = match bench.destination()?.get(&key) {
        Ok(bytes) => published_number(&bytes).unwrap_or(0),
        Err(StoreError::NotFound(_)) => 0,
        Err(error) => return Err(ChildEnd::away(stage)(error)),
    };
    Ok(format!("g{:04}-{}", number.max(published + 1), &job[..8]))
}

/// The number of the generation that an `asset.json` points to.
pub(super) fn published_number(asset_json: &[u8]) -> Option<u32> {
    let asset: serde_json::Value = serde_json::from_slice(asset_json).ok()?;
    generation_number(asset.get("generation")?.as_str()?)
}

/// The number in a generation's name.
pub(crate) fn generation_number(generation: &str) -> Option<u32> {
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
