//! What is left to do when a job has ended: its original is put where it belongs, what it left
//! behind is removed. Every step can be repeated, so a crash in between is made good by whichever
//! worker comes by next.

use std::sync::PoisonError;

use vodmill_fault::point;
use vodmill_model::{Failed, Rejected};
use vodmill_queue::{JobInfo, JobState};

use crate::file::{passed, remove_dir};
use crate::job::JobOrder;
use crate::mill::Mill;
use crate::original::Whereabouts;
use crate::stages;
use crate::work::refusal;

impl Mill {
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
        let order = order(job)?;
        let note = match job.state {
            JobState::Published => None,
            JobState::Rejected => {
                let why = refusal(job.reason.as_deref().unwrap_or_default());
                Some(reason_text(&order, &why))
            }
            _ => return Ok(()),
        };
        let s3 = &self.settings.s3;
        order.original.put_away(s3, &order.disposal, &job.id, note.as_deref())?;
        Ok(())
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

fn order(job: &JobInfo) -> Result<JobOrder, Failed> {
    serde_json::from_str(&job.payload)
        .map_err(|error| Failed::from_error(format!("read job {}", job.id), &error))
}

fn reason_text(order: &JobOrder, why: &Rejected) -> String {
    format!(
        "{}\n\nThis file was not published.\n\nWhat was found: {}\nWhat to do: {}\nReason code: {}\n",
        order.name(),
        why.detail,
        why.remedy,
        why.reason.code(),
    )
}
