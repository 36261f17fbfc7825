//! Probe the original and decide everything.

use std::path::Path;

use vodmill_fault::point;
use vodmill_model::asset::AssetHead;
use vodmill_model::planner::{self, PlanInput};
use vodmill_model::transcode::ProbeOrder;
use vodmill_model::{Failed, GenerationName, GenerationNumber, MediaInfo, Plan};
use vodmill_store::{Key, Store, StoreError};

use super::analyse::Analysed;
use super::{Decided, StageResult, TaskContext, done, graph};
use crate::Error;
use crate::child::{Assignment, Bounds};
use crate::file::passed;
use crate::generation::ASSET;
use crate::publication::asset_name::asset_name;
use crate::publication::owner::{self, Ownership};
use crate::stage_error::StageError;

pub(super) fn run(context: &mut TaskContext<'_>) -> StageResult {
    context.check_unchanged()?;
    check_destination(context)?;
    let known = known(context)?;
    passed(point!("plan.probed"))?;
    context.check_content(Some(&known.media.sha256))?;
    let plan = decide(context, &known)?;
    passed(point!("plan.decided"))?;
    let asset = name_asset(context)?;
    let generation = number(context, &asset, &plan.digest())?;
    passed(point!("plan.named"))?;
    let tasks = graph::after_plan(&plan);
    let mut completion = done(&Decided { plan, asset, generation })?;
    completion.then = tasks;
    Ok(completion)
}

/// What the task before this one found out, if there is one: nothing is read twice.
fn known(context: &mut TaskContext<'_>) -> Result<Analysed, StageError> {
    match context.has_task(graph::ANALYSE)? {
        true => context.result_of(graph::ANALYSE),
        false => Ok(Analysed { media: probe(context)?, analysis: None }),
    }
}

/// Refuses to publish where another home does.
pub(super) fn check_destination(context: &TaskContext<'_>) -> Result<(), StageError> {
    let (stage, place) = ("look whose the destination is", &context.order.destination);
    match owner::claim(&*context.destination()?, &*context.worker.names) {
        Ok(Ownership::Ours | Ownership::Nobodys) => Ok(()),
        Ok(Ownership::Others(owner)) => {
            Err(StageError::Permanent(Failed::new(stage, owner::not_ours(place, &owner))))
        }
        Err(Error::Store(error)) => Err(StageError::unavailable(stage)(error)),
        Err(Error::Queue(error)) => Err(error.into()),
        Err(error) => Err(StageError::Permanent(Failed::from_error(stage, &error))),
    }
}

pub(super) fn probe(context: &mut TaskContext<'_>) -> Result<MediaInfo, StageError> {
    let max_pixels = context.order.spec.input()?.policy.max_pixels;
    let original = context.original()?;
    let bounds =
        Bounds::of_reading(context.order.original.bytes(), &context.worker.settings.limits);
    context.run_child(&Assignment::Probe(ProbeOrder { original, max_pixels }), &bounds)
}

fn decide(context: &TaskContext<'_>, known: &Analysed) -> Result<Plan, StageError> {
    Ok(planner::plan(&PlanInput {
        media: &known.media,
        spec: &context.order.spec,
        analysis: known.analysis.as_ref(),
        build: &context.worker.build,
    })?)
}

fn name_asset(context: &TaskContext<'_>) -> Result<String, StageError> {
    let wanted = asset_name(Path::new(context.order.original.file_name()));
    let owner = context.order.owner(&context.worker.settings.home);
    let asset =
        context.worker.names.claim_asset(&wanted, &owner, &[context.order.owner_before()])?;
    context.worker.queue.set_job_asset(&context.lease.job_id, &asset, &context.order.name())?;
    Ok(asset)
}

/// A name for this package that no other has: a number, one above what is published, and the job.
/// The number is that of the plan too: a job taken up again by another build has other bytes.
fn number(
    context: &TaskContext<'_>,
    asset: &str,
    plan: &str,
) -> Result<GenerationName, StageError> {
    let job = &context.lease.job_id;
    let given = context.worker.names.next_generation(asset, &format!("{job}/{plan}"))?;
    let store = context.destination()?;
    let published = published(&*store, asset)?;
    let mut last = published.as_ref().map(GenerationName::number);
    if given == 1 {
        check_strangers(context, asset, published.as_ref())?;
        // Names that have been lost do not begin again below what lies there.
        last = last.max(highest(&*store, asset)?);
    }
    let next = match last {
        None => Some(u64::from(given)),
        Some(last) => last.version().checked_add(1).map(|next| next.max(u64::from(given))),
    };
    let stage = || format!("number a generation of {asset}");
    let spent = || StageError::Permanent(Failed::new(stage(), "numbers are used up"));
    let number = GenerationNumber::of_version(next.ok_or_else(spent)?);
    let name = GenerationName::new(number, job);
    name.map_err(|error| StageError::Permanent(Failed::from_error(stage(), &error)))
}

/// The first version by our names: what is published already is somebody else's, unless a user has
/// said that it is ours.
fn check_strangers(
    context: &TaskContext<'_>,
    asset: &str,
    published: Option<&GenerationName>,
) -> Result<(), StageError> {
    let Some(published) = published else { return Ok(()) };
    let place = &context.order.destination;
    let names = &*context.worker.names;
    let stage = || format!("look for {asset}");
    let adopted = names.is_adopted(place);
    let adopted = adopted.map_err(|error| Failed::from_error(stage(), &error))?;
    // Where a plan is made again, a later job may have been faster, or the job itself.
    let is_known = published.is_made_by(&context.lease.job_id)
        || names.republished_assets()?.iter().any(|known| known == asset);
    if adopted || is_known {
        return Ok(());
    }
    let why = format!(
        "{place} has an asset of this name that this home knows nothing of: if it is yours all the \
         same, `vodmill adopt {place}` has it go on with this original"
    );
    Err(StageError::Permanent(Failed::new(stage(), why)))
}

/// The generation that is published.
fn published(store: &dyn Store, asset: &str) -> Result<Option<GenerationName>, StageError> {
    let stage = "look for what is published";
    let key =
        Key::new(format!("{asset}/{ASSET}")).map_err(|error| Failed::from_error(stage, &error))?;
    match store.get(&key) {
        Ok(bytes) => match AssetHead::read(&bytes) {
            Ok(head) => Ok(Some(head.generation)),
            Err(_) => {
                let why = "it names no generation: put it right, or move it away";
                Err(StageError::Permanent(Failed::new(format!("read {key}"), why)))
            }
        },
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(linked @ StoreError::Link(_)) => {
            Err(StageError::Permanent(Failed::from_error(stage, &linked)))
        }
        Err(error) => Err(StageError::unavailable(stage)(error)),
    }
}

/// The highest number of all generations that lie there, published or not.
fn highest(store: &dyn Store, asset: &str) -> Result<Option<GenerationNumber>, StageError> {
    let stage = "look for generations";
    let prefix = Key::new(asset).map_err(|error| Failed::from_error(stage, &error))?;
    let entries = store.list(&prefix).map_err(StageError::unavailable(stage))?;
    let names = entries.iter().filter_map(|entry| {
        entry.key.as_str().strip_prefix(asset)?.strip_prefix('/')?.split_once('/')
    });
    let names = names.filter_map(|(generation, _)| GenerationName::parse(generation));
    Ok(names.map(|generation| generation.number()).max())
}
