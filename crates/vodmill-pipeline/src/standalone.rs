//! What a command does with a file or a package without a worker: a media child each, and no queue.

use std::path::Path;

use serde::de::DeserializeOwned;
use vodmill_keys::{ClearKeys, KeyRing, KeyStore};
use vodmill_model::pipeline::{InputPolicy, ProofLevel};
use vodmill_model::plan::Build;
use vodmill_model::planner::{self, PlanInput};
use vodmill_model::transcode::{AnalysisOrder, ProbeOrder, Progress};
use vodmill_model::{Analysis, AnalysisPlan, Failed, JobSpec, MediaInfo, Plan};

use crate::child::{Assignment, Bounds, ChildRunner};
use crate::proof::{self, CheckOrder, CheckReport};
use crate::settings::Settings;
use crate::stage_error::StageError;
use crate::{Error, Result};

/// The keys of a published package, as far as `store` has them.
///
/// # Errors
/// If the package or the store cannot be read.
pub fn keys_of(store: &dyn KeyStore, package: &Path) -> Result<KeyRing> {
    let receipt = proof::receipt_of(package)?;
    let keys = store.of_generation(&receipt.asset, receipt.generation.as_str())?;
    Ok(keys.map(|keys| ClearKeys::from(&keys).ring().clone()).unwrap_or_default())
}

/// Says what a file is, if a pipeline of this policy would take it.
///
/// # Errors
/// [`Error::Media`] with the refusal or the failure.
pub fn probe(settings: &Settings, file: &Path, policy: &InputPolicy) -> Result<MediaInfo> {
    let media = facts(settings, file, policy)?;
    planner::admit(&media, policy).map_err(vodmill_model::MediaError::from)?;
    Ok(media)
}

/// Says what a file is, in a child process.
fn facts(settings: &Settings, file: &Path, policy: &InputPolicy) -> Result<MediaInfo> {
    let order = ProbeOrder { original: file.to_owned(), max_pixels: policy.max_pixels };
    run_alone(settings, &Assignment::Probe(order), bytes_of(file))
}

fn bytes_of(file: &Path) -> u64 {
    file.metadata().map_or(0, |facts| facts.len())
}

/// Plans a file for a pipeline, and writes nothing. Samples of the pictures are tried where the
/// pipeline wants a quality for each title; `watch` hears how far that is.
///
/// # Errors
/// [`Error::Media`] with the refusal or the failure.
pub fn plan(
    settings: &Settings,
    file: &Path,
    pipeline: &str,
    build: &Build,
    watch: &mut dyn FnMut(Progress),
) -> Result<Plan> {
    let wanted = settings.catalogue.pipelines.get(pipeline);
    let wanted = wanted.ok_or_else(|| Error::NoPipeline(pipeline.to_owned()))?;
    let media = facts(settings, file, &wanted.input)?;
    let spec = JobSpec::of_pipeline(pipeline, wanted, &settings.catalogue.presets);
    let spec = spec.map_err(vodmill_model::MediaError::from)?;
    let input = PlanInput { media: &media, spec: &spec, analysis: None, build };
    let trials = planner::analysis_plan(&input).map_err(vodmill_model::MediaError::from)?;
    let analysis = trials.map(|plan| try_samples(settings, file, plan, watch)).transpose()?;
    let planned = planner::plan(&PlanInput { analysis: analysis.as_ref(), ..input });
    Ok(planned.map_err(vodmill_model::MediaError::from)?)
}

fn try_samples(
    settings: &Settings,
    file: &Path,
    plan: AnalysisPlan,
    watch: &mut dyn FnMut(Progress),
) -> Result<Analysis> {
    let bounds = Bounds::of_analysis(&plan, bytes_of(file), &settings.limits);
    let order = AnalysisOrder { original: file.to_owned(), plan };
    run_watched(settings, &Assignment::Analyse(Box::new(order)), &bounds, None, watch)
}

/// What a check may have to read, in bytes.
const LARGEST_PACKAGE: u64 = 1 << 40;

/// Proves a published package again, trying the keys that are at hand.
///
/// # Errors
/// If the package could not be looked at; what is wrong with it is in the report.
pub fn check(
    settings: &Settings,
    package: &Path,
    keys: KeyRing,
    level: ProofLevel,
) -> Result<CheckReport> {
    let order = CheckOrder { package: package.to_owned(), keys, level };
    run_alone(settings, &Assignment::Check(Box::new(order)), LARGEST_PACKAGE)
}

fn run_alone<T: DeserializeOwned>(
    settings: &Settings,
    assignment: &Assignment,
    bytes: u64,
) -> Result<T> {
    let bounds = Bounds::of_reading(bytes, &settings.limits);
    run_watched(settings, assignment, &bounds, None, &mut |_| {})
}

/// Runs an assignment in a child that may write in `scratch`; `progress` hears how far it is.
pub(crate) fn run_watched<T: DeserializeOwned>(
    settings: &Settings,
    assignment: &Assignment,
    bounds: &Bounds,
    scratch: Option<&Path>,
    progress: &mut dyn FnMut(Progress),
) -> Result<T> {
    let Settings { child: command, limits, .. } = settings;
    let sandbox = limits.sandbox;
    let runner = ChildRunner { command, bounds, sandbox, scratch, original: None };
    match runner.run(assignment, progress, &|| false) {
        Ok((result, _)) => Ok(result),
        Err(StageError::Media(error)) => Err(error.into()),
        Err(
            StageError::Unavailable(failed)
            | StageError::Misconfigured(failed)
            | StageError::Permanent(failed),
        ) => Err(failed.into()),
        Err(StageError::NoCapacity(cause)) => Err(Failed::new("media child", cause).into()),
        Err(StageError::Interrupted) => Err(Failed::new("media child", "was told to go").into()),
    }
}
