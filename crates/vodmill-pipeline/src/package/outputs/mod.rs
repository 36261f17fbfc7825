//! What is published: a file for each kind, and the table of kinds.

mod file;
pub(super) mod hls;
mod stills;

use std::mem::discriminant;

use vodmill_model::asset::{Output, Repair};
use vodmill_model::plan::{ChunkPlan, OutputPlan};
use vodmill_model::receipt::OutputFact;
use vodmill_model::{MediaError, Plan};

pub(crate) use stills::stills_of;

use super::{PackageContext, joined};

/// What was made of one output.
pub(super) struct MadeOutput {
    /// For the receipt.
    pub fact: OutputFact,
    /// For `asset.json`.
    pub described: Output,
    /// Where it is less than what was delivered.
    pub losses: Vec<Repair>,
    /// The text of the pointer to it, where players begin outside the generation.
    pub pointer: Option<String>,
}

impl MadeOutput {
    /// An output that has everything that was delivered, and no pointer.
    fn new(fact: OutputFact, described: Output) -> MadeOutput {
        MadeOutput { fact, described, losses: Vec::new(), pointer: None }
    }
}

/// Makes every output, in the order of the plan: those of each kind by a thread of its own, since a
/// package may have many files, and the memory of a process is bounded.
pub(super) fn make(context: &PackageContext<'_>) -> Result<Vec<MadeOutput>, MediaError> {
    std::thread::scope(|scope| {
        let kinds = context.plan.outputs.chunk_by(are_of_one_kind);
        let threads: Vec<_> =
            kinds.map(|outputs| scope.spawn(|| make_all(context, outputs))).collect();
        let made = threads.into_iter().map(|thread| joined(thread.join()));
        Ok(made.collect::<Result<Vec<_>, MediaError>>()?.into_iter().flatten().collect())
    })
}

fn are_of_one_kind(one: &OutputPlan, other: &OutputPlan) -> bool {
    discriminant(one) == discriminant(other)
}

fn make_all(
    context: &PackageContext<'_>,
    outputs: &[OutputPlan],
) -> Result<Vec<MadeOutput>, MediaError> {
    outputs.iter().map(|output| make_one(context, output)).collect()
}

fn make_one(context: &PackageContext<'_>, output: &OutputPlan) -> Result<MadeOutput, MediaError> {
    match output {
        OutputPlan::Hls(plan) => hls::make(context, plan),
        OutputPlan::File(plan) => file::make(context, plan),
        OutputPlan::Stills(plan) => stills::make(context, plan),
    }
}

/// Digests of the renditions that the segments of one run are made from.
pub(crate) fn renditions_of_run(plan: &Plan, chunk: Option<&ChunkPlan>) -> Vec<String> {
    let of_output = |output: &OutputPlan| match output {
        OutputPlan::Hls(hls) => hls::renditions_of_run(plan, hls, chunk),
        // They are made when every chunk is there.
        OutputPlan::File(_) | OutputPlan::Stills(_) => Vec::new(),
    };
    distinct(plan.outputs.iter().flat_map(of_output))
}

/// Digests of the renditions that are at hand when a package is made.
pub(crate) fn renditions_of_package(plan: &Plan) -> Vec<String> {
    let of_output = |output: &OutputPlan| match output {
        // Its segments were made of them, run by run.
        OutputPlan::Hls(_) => Vec::new(),
        OutputPlan::File(file) => file::renditions(plan, file),
        OutputPlan::Stills(_) => stills::renditions(plan),
    };
    distinct(plan.outputs.iter().flat_map(of_output))
}

fn distinct(digests: impl Iterator<Item = String>) -> Vec<String> {
    let mut digests: Vec<_> = digests.collect();
    digests.sort();
    digests.dedup();
    digests
}
