//! What is left to do when a job has ended: its original is put where it belongs, what it left
//! behind is removed. Every step can be repeated, so a crash in between is made good by whichever
//! worker comes by next.

use std::path::Path;
use std::sync::PoisonError;

use vodmill_clock::millis;
use vodmill_fault::point;
use vodmill_model::{Failed, Rejected, printable, printable_lines};
use vodmill_queue::{JobFilter, JobInfo, JobState};

use crate::file::{passed, remove_dir};
use crate::job::JobOrder;
use crate::original::{Disposal, Ended, Original, WATCH, Whereabouts};
use crate::stages;
use crate::worker::Worker;
use crate::worker::refusal;

/// Ended jobs of each kind that are looked at after a start.
const RECALLED: u32 = 1000;

impl Worker {
    /// Settles every job that has ended, was not settled yet, and is nobody else's just now.
    pub(crate) fn settle_ended(&self) {
        let _one_at_a_time = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // Twice a lease: no heartbeat extends it.
            match self.queue.claim_ended(&self.holder, self.settings.lease * 2) {
                Ok(Some(job)) => {
                    if let Err(error) = self.settle(&job) {
                        // It is taken up again when its time is over.
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(job = job.id, error, "ended job not settled");
                    }
                }
                Ok(None) => break,
                Err(error) => return tracing::error!(error = %error, "ended jobs not listed"),
            }
        }
        if let Err(error) = self.renditions.evict(self.settings.keep_renditions) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "old renditions not removed");
        }
    }

    /// After a task: settles its job if that was the end of it, and removes what a late attempt at
    /// an ended job may have left.
    pub(crate) fn settle_if_ended(&self, job: &str) {
        let Ok(job) = self.queue.job(job) else { return };
        if !job.state.has_ended() {
            return;
        }
        self.settle_ended();
        if let Err(error) = remove_dir(&self.layout.scratch(&job.id)) {
            tracing::error!(job = job.id, error = %error, "scratch not swept");
        }
        if job.cleaned
            && let Err(error) = self.withdraw(&job)
        {
            tracing::error!(job = job.id, error = %error, "unpublished objects not removed");
        }
    }

    fn settle(&self, job: &JobInfo) -> crate::Result<()> {
        passed(point!("settle.begun"))?;
        self.put_original_away(job)?;
        passed(point!("settle.moved"))?;
        self.withdraw(job)?;
        self.renditions.abandon(&job.id)?;
        remove_dir(&self.layout.scratch(&job.id))?;
        passed(point!("settle.swept"))?;
        self.queue.mark_cleaned(&job.id)?;
        tracing::info!(job = job.id, name = job.name, state = %job.state, "job ended");
        Ok(())
    }

    /// Moves the original of a published or rejected job where its pipeline says.
    pub(crate) fn put_original_away(&self, job: &JobInfo) -> crate::Result<()> {
        self.put_away_as(job, &order(job)?)
    }

    /// Puts away what `order` names, for it is the same as the original of the job.
    pub(crate) fn put_away_as(&self, job: &JobInfo, order: &JobOrder) -> crate::Result<()> {
        let note = match job.state {
            JobState::Published => None,
            JobState::Rejected => {
                let why = refusal(job.reason.as_deref().unwrap_or_default());
                Some(reason_text(order, &why))
            }
            _ => return Ok(()),
        };
        let s3 = &self.settings.s3;
        let decided = stages::decided(&*self.queue, &job.id)?;
        let sha256 = decided.map(|decided| decided.plan.original.sha256);
        let ended = Ended { job: &job.id, note: note.as_deref(), sha256: sha256.as_deref() };
        let place = order.original.put_away(s3, &order.disposal, &ended)?;
        if let (Original::File(original), Some(place)) = (&order.original, place) {
            self.late.watch(original, place);
        }
        Ok(())
    }

    /// Watches what an earlier process put away shortly before it ended.
    pub(crate) fn recall_put_away(&self) {
        let since = self.clock.now() - millis(WATCH);
        for state in [JobState::Published, JobState::Rejected] {
            let filter = JobFilter { state: Some(state), ..JobFilter::default() };
            for job in self.queue.jobs(&filter, RECALLED).unwrap_or_default() {
                if job.ended_at.is_some_and(|at| at >= since) {
                    self.recall(&job);
                }
            }
        }
    }

    fn recall(&self, job: &JobInfo) {
        let Ok(JobOrder { original: Original::File(original), disposal, .. }) = order(job) else {
            return;
        };
        let Disposal::Move { done, rejected, .. } = disposal else { return };
        let folder = if job.state == JobState::Published { done } else { rejected };
        self.late.recall(&original, Path::new(&folder));
    }

    /// Removes what a job put under its generation, unless it was published.
    fn withdraw(&self, job: &JobInfo) -> crate::Result<()> {
        if job.state == JobState::Published {
            return Ok(());
        }
        let Some(decided) = stages::decided(&*self.queue, &job.id)? else { return Ok(()) };
        stages::withdraw(&*order(job)?.destination(&self.settings.s3)?, &decided)?;
        Ok(passed(point!("settle.withdrawn"))?)
    }
}

/// Where the original of a published job is, and where the job published.
///
/// # Errors
/// If the job is not one of ours.
pub fn whereabouts(job: &JobInfo) -> crate::Result<(Whereabouts, String)> {
    let order = order(job)?;
    Ok((order.original.whereabouts(&order.disposal, &job.id), order.destination))
}

pub(crate) fn order(job: &JobInfo) -> Result<JobOrder, Failed> {
    serde_json::from_str(&job.payload)
        .map_err(|error| Failed::from_error(format!("read job {}", job.id), &error))
}

fn reason_text(order: &JobOrder, why: &Rejected) -> String {
    format!(
        "{}\n\nThis file was not published.\n\nWhat was found: {}\nWhat to do: {}\nReason code: {}\n",
        printable(&order.name()),
        printable_lines(&why.detail),
        why.remedy,
        why.reason.code(),
    )
}
