//! A job: inputs and outputs, fixed when it is submitted.

mod former;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vodmill_model::catalogue::Catalogue;
use vodmill_model::plan::digest_of;
use vodmill_model::{JobSpec, MediaError};
use vodmill_store::s3::{ObjectSettings, S3Settings};
use vodmill_store::{Location, Store, StoreError};

use crate::original::{Disposal, Original};
use crate::{Error, Result};

/// What is wanted: an original, a pipeline, and where everything goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The original.
    pub original: Original,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Where the package is published: a folder or an `s3://` location.
    pub destination: String,
    /// How objects are kept there, where it is a bucket.
    pub objects: ObjectSettings,
    /// What becomes of the original afterwards.
    pub disposal: Disposal,
}

/// The payload of a job in the queue: everything that its tasks need to know, fixed when it is
/// submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobOrder {
    /// The original as it was when it was submitted.
    pub original: Original,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Where the package is published.
    pub destination: String,
    /// How objects are kept there, where it is a bucket.
    #[serde(default)]
    pub objects: ObjectSettings,
    /// What becomes of the original.
    pub disposal: Disposal,
    /// What is made of it, as the pipeline asked then: a later edit makes another job.
    #[serde(flatten, with = "former")]
    pub spec: JobSpec,
}

impl JobOrder {
    pub(crate) fn new(submission: &Submission, catalogue: &Catalogue) -> Result<JobOrder> {
        let name = &submission.pipeline;
        let pipeline = catalogue.pipeline(name).ok_or_else(|| Error::NoPipeline(name.clone()))?;
        let spec = JobSpec::of_pipeline(name, pipeline, &catalogue.presets);
        Ok(JobOrder {
            original: submission.original.clone(),
            pipeline: submission.pipeline.clone(),
            destination: submission.destination.clone(),
            objects: submission.objects.clone(),
            disposal: submission.disposal.clone(),
            spec: spec.map_err(MediaError::from)?,
        })
    }

    /// Whether a job's payload is about the same content of the same original.
    pub(crate) fn is_same_original(&self, payload: &str) -> bool {
        serde_json::from_str::<JobOrder>(payload)
            .is_ok_and(|job| self.original.is_same(&job.original))
    }

    /// What people call the original.
    pub(crate) fn name(&self) -> String {
        self.original.file_name().to_string_lossy().into_owned()
    }

    /// Whose asset it is: the same for every version of one original in one pipeline, wherever the
    /// home is.
    pub(crate) fn owner(&self, home: &Path) -> String {
        let source = self.original.source();
        let inner = Path::new(&source).strip_prefix(home).ok().and_then(Path::to_str);
        format!("{}:{}", self.pipeline, inner.unwrap_or(&source))
    }

    /// What it was called by versions that did not know of homes that move.
    pub(crate) fn owner_before(&self) -> String {
        format!("{}:{}", self.pipeline, self.original.source())
    }

    /// The store that the package is published in.
    pub(crate) fn destination(
        &self,
        s3: &S3Settings,
    ) -> std::result::Result<Arc<dyn Store>, StoreError> {
        Ok(Location::parse(&self.destination)?.open(s3, &self.objects))
    }
}

/// The id of the job that a submission makes: the same for the same original, content, pipeline with
/// its presets, and destination.
pub(crate) fn id_of(submission: &Submission, catalogue: &Catalogue) -> String {
    let identity = (submission.original.identity(), &submission.destination);
    digest_of(&(identity, only(catalogue, &submission.pipeline)))[..16].to_owned()
}

/// The part of a catalogue that one pipeline uses.
fn only(catalogue: &Catalogue, pipeline: &str) -> Catalogue {
    let Some(wanted) = catalogue.pipeline(pipeline) else { return Catalogue::default() };
    let is_used =
        |name: &str| wanted.ladders().chain(wanted.file_presets()).any(|used| used == name);
    let presets = catalogue.presets.iter().filter(|(name, _)| is_used(name));
    Catalogue {
        pipelines: [(pipeline.to_owned(), wanted.identity())].into(),
        presets: presets.map(|(name, preset)| (name.clone(), preset.clone())).collect(),
    }
}
