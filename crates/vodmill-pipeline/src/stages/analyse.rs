//! Look at the pictures of an original before it is planned: probe it, and try samples of it where a
//! ladder wants a quality for each title.

use serde::{Deserialize, Serialize};
use vodmill_fault::point;
use vodmill_model::planner::{self, PlanInput};
use vodmill_model::transcode::AnalysisOrder;
use vodmill_model::{Analysis, MediaInfo};

use super::{StageResult, TaskContext, done, plan};
use crate::child::{Assignment, Bounds};
use crate::file::passed;
use crate::stage_error::StageError;

/// What is known of an original before it is planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Analysed {
    /// What it is.
    pub media: MediaInfo,
    /// What came of its samples; none where it is not worth them.
    pub analysis: Option<Analysis>,
}

pub(super) fn run(context: &mut TaskContext<'_>) -> StageResult {
    context.check_unchanged()?;
    plan::check_destination(context)?;
    let media = plan::probe(context)?;
    passed(point!("analyse.probed"))?;
    context.check_content(Some(&media.sha256))?;
    let analysis = try_samples(context, &media)?;
    context.check_content(Some(&media.sha256))?;
    passed(point!("analyse.tried"))?;
    done(&Analysed { media, analysis })
}

fn try_samples(
    context: &mut TaskContext<'_>,
    media: &MediaInfo,
) -> Result<Option<Analysis>, StageError> {
    let (spec, build) = (&context.order.spec, &context.worker.build);
    let input = PlanInput { media, spec, analysis: None, build };
    let Some(plan) = planner::analysis_plan(&input)? else { return Ok(None) };
    let bounds = Bounds::of_analysis(&plan, media.bytes, &context.worker.settings.limits);
    let order = AnalysisOrder { original: context.original()?, plan };
    context.run_child(&Assignment::Analyse(Box::new(order)), &bounds)
}
