//! How far a job is, from what its tasks have noted in the queue: the same for a progress bar in
//! the foreground and for `jobs` in another process.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vodmill_model::transcode::Progress;
use vodmill_model::units::Ratio;
use vodmill_queue::{Jobs, TaskInfo, TaskState};

/// How far one stream of a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// The encode's id, as `v360`, or the name of the operation.
    pub of: String,
    /// Units done: frames, samples, or bytes.
    pub done: u64,
    /// Units in all.
    pub total: u64,
    /// Units in a second of media; none where the unit is not media time.
    pub rate: Option<Ratio>,
}

/// What a task will do, noted in its payload so that progress is known without the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Units of each stream.
    pub units: BTreeMap<String, u64>,
    /// Units in a second of media.
    pub rate: Option<Ratio>,
}

/// What a task has done, and whether the queue knows it yet.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    done: BTreeMap<String, u64>,
    news: bool,
}

impl Ledger {
    pub(crate) fn note(&mut self, step: Progress) {
        self.news |= self.done.insert(step.of, step.done) != Some(step.done);
    }

    pub(crate) fn take_news(&mut self) -> Option<String> {
        let news = std::mem::take(&mut self.news);
        news.then(|| serde_json::to_string(&self.done).unwrap_or_default())
    }
}

/// How far each stream of a job is, in the order of their names.
///
/// # Errors
/// If the queue cannot be read.
pub fn progress(queue: &dyn Jobs, job: &str) -> vodmill_queue::Result<Vec<Bar>> {
    let mut bars = BTreeMap::new();
    for task in queue.tasks(job)? {
        add(&mut bars, &task);
    }
    Ok(bars.into_values().collect())
}

fn add(bars: &mut BTreeMap<String, Bar>, task: &TaskInfo) {
    let Ok(totals) = serde_json::from_str::<Totals>(&task.payload) else { return };
    let noted = task.progress.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let noted: BTreeMap<String, u64> = noted.unwrap_or_default();
    for (of, units) in totals.units {
        let done = match task.state {
            TaskState::Done => units,
            _ => noted.get(&of).copied().unwrap_or(0).min(units),
        };
        let fresh = || Bar { of: of.clone(), done: 0, total: 0, rate: totals.rate };
        let bar = bars.entry(of.clone()).or_insert_with(fresh);
        bar.done += done;
        bar.total += units;
    }
}
