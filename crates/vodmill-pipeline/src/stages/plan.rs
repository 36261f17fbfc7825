//! Probe the original and decide everything.

use std::collections::BTreeMap;
use std::path::Path;

use vodmill_fault::point;
use vodmill_model::planner::{self, PlanInput};
use vodmill_model::{Failed, MediaInfo, Plan};
use vodmill_queue::NewTask;
use vodmill_store::{Key, Store, StoreError};

use super::{Bench, Decided, StageResult, TaskKind, done};
use crate::Error;
use crate::asset_name::asset_name;
use crate::child::{Assignment, Bounds, ChildEnd};
use crate::file::passed;
use crate::generation::{self, Number};
use crate::owner::{self, Ownership};
use crate::package::ASSET;
use crate::progress::Totals;
use crate::sweep::writes;

pub(super) fn run(bench: &mut Bench<'_>) -> StageResult {
    bench.check_unchanged()?;
    check_destination(bench)?;
    let media = probe(bench)?;
    passed(point!("plan.probed"))?;
    bench.check_content(Some(&media.sha256))?;
    let plan = decide(bench, &media)?;
    passed(point!("plan.decided"))?;
    let asset = name_asset(bench)?;
    let generation = number(bench, &asset, &plan.digest())?;
    passed(point!("plan.named"))?;
    let tasks = tasks(&plan);
    let mut completion = done(&Decided { plan, asset, generation })?;
    completion.then = tasks;
    Ok(completion)
}

/// Refuses to publish where another home does.
fn check_destination(bench: &Bench<'_>) -> Result<(), ChildEnd> {
    let (stage, place) = ("look whose the destination is", &bench.order.destination);
    match owner::claim(&*bench.destination()?, &*bench.mill.names) {
        Ok(Ownership::Ours | Ownership::Nobodys) => Ok(()),
        Ok(Ownership::Others(owner)) => {
            Err(ChildEnd::Lasting(Failed::new(stage, owner::not_ours(place, &owner))))
        }
        Err(Error::Store(error)) => Err(ChildEnd::away(stage)(error)),
        Err(Error::Queue(error)) => Err(error.into()),
        Err(error) => Err(ChildEnd::Lasting(Failed::from_error(stage, &error))),
    }
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
    let owner = bench.order.owner(&bench.mill.settings.home);
    let asset = bench.mill.names.claim_asset(&wanted, &owner, &[bench.order.owner_before()])?;
    bench.mill.queue.set_job_asset(&bench.lease.job_id, &asset, &bench.order.name())?;
    Ok(asset)
}

/// A name for this package that no other has: a number, one above what is published, and the job.
/// The number is that of the plan too: a job taken up again by another build has other bytes.
fn number(bench: &Bench<'_>, asset: &str, plan: &str) -> Result<String, ChildEnd> {
    let job = &bench.lease.job_id;
    let given = bench.mill.names.next_generation(asset, &format!("{job}/{plan}"))?;
    let store = bench.destination()?;
    let published = published(&*store, asset)?;
    let mut last = published.as_deref().and_then(Number::of);
    if given == 1 {
        check_strangers(bench, asset, published.as_deref())?;
        // Names that have been lost do not begin again below what lies there.
        last = last.max(highest(&*store, asset)?);
    }
    let next = match last {
        None => Some(u64::from(given)),
        Some(last) => last.version().checked_add(1).map(|next| next.max(u64::from(given))),
    };
    let spent = || Failed::new(format!("number a generation of {asset}"), "numbers are used up");
    let next = next.ok_or_else(|| ChildEnd::Lasting(spent()))?;
    Ok(Number::of_version(next).name(job))
}

/// The first version by our names: what is published already is somebody else's, unless a user has
/// said that it is ours.
fn check_strangers(
    bench: &Bench<'_>,
    asset: &str,
    published: Option<&str>,
) -> Result<(), ChildEnd> {
    let Some(published) = published else { return Ok(()) };
    let place = &bench.order.destination;
    let names = &*bench.mill.names;
    let stage = || format!("look for {asset}");
    let adopted = owner::is_adopted(names, place);
    let adopted = adopted.map_err(|error| Failed::from_error(stage(), &error))?;
    // Where a plan is made again, a later job may have been faster, or the job itself.
    let is_known = writes(&bench.lease.job_id, published)
        || names.republished_assets()?.iter().any(|known| known == asset);
    if adopted || is_known {
        return Ok(());
    }
    let why = format!(
        "{place} has an asset of this name that this home knows nothing of: if it is yours all the \
         same, `vodmill adopt {place}` has it go on with this original"
    );
    Err(ChildEnd::Lasting(Failed::new(stage(), why)))
}

/// The generation that is published.
fn published(store: &dyn Store, asset: &str) -> Result<Option<String>, ChildEnd> {
    let stage = "look for what is published";
    let key =
        Key::new(format!("{asset}/{ASSET}")).map_err(|error| Failed::from_error(stage, &error))?;
    match store.get(&key) {
        Ok(bytes) => match generation::published(&bytes) {
            Some(name) if Number::of(&name).is_some() => Ok(Some(name)),
            _ => {
                let why = "it names no generation: put it right, or move it away";
                Err(ChildEnd::Lasting(Failed::new(format!("read {key}"), why)))
            }
        },
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(linked @ StoreError::Link(_)) => {
            Err(ChildEnd::Lasting(Failed::from_error(stage, &linked)))
        }
        Err(error) => Err(ChildEnd::away(stage)(error)),
    }
}

/// The highest number of all generations that lie there, published or not.
fn highest(store: &dyn Store, asset: &str) -> Result<Option<Number>, ChildEnd> {
    let stage = "look for generations";
    let prefix = Key::new(asset).map_err(|error| Failed::from_error(stage, &error))?;
    let entries = store.list(&prefix).map_err(ChildEnd::away(stage))?;
    let names = entries.iter().filter_map(|entry| {
        entry.key.as_str().strip_prefix(asset)?.strip_prefix('/')?.split_once('/')
    });
    Ok(names.filter_map(|(generation, _)| Number::of(generation)).max())
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
