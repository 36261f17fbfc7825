//! What is said of poster and storyboard.

use vodmill_model::asset::{Poster, StillsOutput, Storyboard};
use vodmill_model::plan::{StillsPlan, StoryboardPlan};

use super::path;
use crate::package::PackageContext;

pub(super) fn of(context: &PackageContext<'_>, plan: &StillsPlan) -> StillsOutput {
    let poster = Poster { path: path(context, &plan.poster.object), size: plan.poster.size };
    let storyboard = plan.storyboard.as_ref().map(|plan| storyboard(context, plan));
    StillsOutput { poster, storyboard }
}

fn storyboard(context: &PackageContext<'_>, plan: &StoryboardPlan) -> Storyboard {
    Storyboard {
        index: path(context, &plan.index),
        sheets: plan.sheets.iter().map(|sheet| path(context, sheet)).collect(),
        tile: plan.tile,
        tiles: plan.frames.len() as u64,
        columns: plan.columns,
        rows: plan.rows,
    }
}
