//! Taking originals on, and ended jobs up again.

use std::time::Duration;

use vodmill_clock::Clock;
use vodmill_model::Failed;
use vodmill_queue::{Enqueued, JobFilter, JobInfo, JobState, Jobs, NewJob};

use super::Worker;
use crate::Result;
use crate::housekeeping::settle;
use crate::job::{JobOrder, Submission, id_of};
use crate::original::{Disposal, Original};
use crate::stages;

/// How long a job that is to be retried may be in the hands of its settler, and between two looks.
const SETTLING: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The job's id.
    pub job: String,
    /// The state that it was found in; none for a new job.
    pub known: Option<JobState>,
}

impl Worker {
    /// Takes an original on. Submitting the same one again finds the job that is there.
    ///
    /// # Errors
    /// If the file cannot be looked at or the queue not written.
    pub fn submit(&self, submission: &Submission) -> Result<Submitted> {
        let order = JobOrder::new(submission, &self.settings.catalogue)?;
        if let Some(job) = self.under_way(&order)? {
            return Ok(Submitted { job: job.id, known: Some(job.state) });
        }
        let job = NewJob {
            id: id_of(submission, &self.settings.catalogue),
            pipeline: order.pipeline.clone(),
            name: order.name(),
            source: order.original.source(),
            payload: serde_json::to_string(&order)
                .map_err(|e| Failed::from_error("describe job", &e))?,
            priority: 0,
        };
        let known = match self.queue.enqueue(&job, &stages::first_tasks(&order.spec))? {
            Enqueued::New => None,
            Enqueued::Existing(state) => Some(state),
        };
        match known {
            None => {
                tracing::info!(job = job.id, name = job.name, pipeline = job.pipeline, "job taken")
            }
            Some(state) if state.has_ended() => {
                let known = self.queue.job(&job.id)?;
                if let Some(original) = self.told_from(&order, &known)? {
                    return self.submit(&Submission { original, ..submission.clone() });
                }
                // Dropped once more, the very same file: it goes where the first one went.
                self.put_away_as(&known, &order)?
            }
            Some(_) => {}
        }
        Ok(Submitted { job: job.id, known })
    }

    /// The original of a submission that is known, where it turns out to be another content than that
    /// of the job that ended.
    fn told_from(&self, order: &JobOrder, known: &JobInfo) -> Result<Option<Original>> {
        let Some(decided) = stages::decided(&*self.queue, &known.id)? else { return Ok(None) };
        let earlier = settle::order(known)?.original;
        Ok(order.original.told_from(&earlier, &decided.plan.original.sha256)?)
    }

    /// The job that works on this original already, through the pipeline as it was before an edit.
    /// Where originals move when they are done, a second job would lose its own under its hands.
    fn under_way(&self, order: &JobOrder) -> Result<Option<JobInfo>> {
        if order.disposal == Disposal::Leave {
            return Ok(None);
        }
        for state in [JobState::Waiting, JobState::Running] {
            let (pipeline, source) = (order.pipeline.clone(), order.original.source());
            let filter = JobFilter {
                state: Some(state),
                pipeline: Some(pipeline),
                source: Some(source),
                asset: None,
            };
            let mut jobs = self.queue.jobs(&filter, u32::MAX)?.into_iter();
            let found = jobs.find(|job| order.is_same_original(&job.payload));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Takes an ended job up again: with what it had done, where that is still there.
    ///
    /// # Errors
    /// If there is no such job, or it is not one that can be retried.
    pub fn retry(&self, job: &str) -> Result<()> {
        retry(&*self.queue, &*self.clock, job)
    }
}

/// As [`Worker::retry`], on a queue that another process may be working on.
///
/// # Errors
/// If there is no such job, or it is not one that can be retried; or if what is left of it is still
/// being put away after some seconds.
pub fn retry(queue: &dyn Jobs, clock: &dyn Clock, job: &str) -> Result<()> {
    let until = clock.uptime() + SETTLING;
    loop {
        // Scratch may be gone; what was encoded is found again among the renditions.
        match queue.restart(job) {
            Err(vodmill_queue::Error::BeingSettled { .. }) if clock.uptime() < until => {
                clock.sleep(LOOK);
            }
            done => return Ok(done?),
        }
    }
}
