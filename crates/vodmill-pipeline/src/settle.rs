//! What is left to do when a job has ended: its original is put where it belongs, its scratch
//! swept. Every step can be repeated, so a crash in between is made good at the next start.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vodmill_model::{Failed, Rejected};
use vodmill_queue::{JobFilter, JobInfo, JobState};

use crate::file::{failed, make_dir, remove_dir, write_durably};
use crate::job::{Disposal, FileVersion, JobOrder};
use crate::mill::Mill;
use crate::work::refusal;

impl Mill {
    /// Settles every job that has ended and was not settled yet.
    pub(crate) fn settle_ended(&self) {
        let _one_at_a_time = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = match self.queue.ended_uncleaned() {
            Ok(ended) => ended,
            Err(error) => return tracing::error!(error = %error, "ended jobs not listed"),
        };
        for job in ended {
            if let Err(error) = self.settle(&job) {
                tracing::error!(job = job.id, error = %error, "ended job not settled");
            }
        }
        if let Err(error) = self.evict_renditions() {
            tracing::warn!(error = %error, "old renditions not removed");
        }
    }

    pub(crate) fn settle_if_ended(&self, job: &str) {
        let ended = self.queue.job(job).is_ok_and(|job| job.state.has_ended());
        // A sister task may still write into the scratch; its end comes here too.
        let busy = self.queue.tasks(job).is_ok_and(|tasks| {
            tasks.iter().any(|task| task.state == vodmill_queue::TaskState::Leased)
        });
        if ended && !busy {
            self.settle_ended();
            self.sweep_again(job);
        }
    }

    /// A cancelled job may have been settled by another worker while this one's child still wrote.
    fn sweep_again(&self, job: &str) {
        if let Err(error) = remove_dir(&self.layout.scratch(job)) {
            tracing::error!(job, error = %error, "scratch not swept");
        }
    }

    fn settle(&self, job: &JobInfo) -> crate::Result<()> {
        self.put_original_away(job)?;
        remove_dir(&self.layout.scratch(&job.id))?;
        self.queue.mark_cleaned(&job.id)?;
        tracing::info!(job = job.id, name = job.name, state = %job.state, "job ended");
        Ok(())
    }

    /// Moves the original of a published or rejected job where its pipeline says.
    pub(crate) fn put_original_away(&self, job: &JobInfo) -> crate::Result<()> {
        let order: JobOrder = serde_json::from_str(&job.payload)
            .map_err(|error| Failed::from_error(format!("read job {}", job.id), &error))?;
        match job.state {
            JobState::Published => put_away(&order)?,
            JobState::Rejected => {
                refuse(&order, &refusal(job.reason.as_deref().unwrap_or_default()))?
            }
            _ => {}
        }
        Ok(())
    }

    fn evict_renditions(&self) -> crate::Result<()> {
        let jobs = self.queue.jobs(&JobFilter::default(), u32::MAX)?;
        let active = jobs.iter().filter(|job| !job.state.has_ended());
        let since = active.map(|job| job.created_at).min();
        let since = since.and_then(|millis| u64::try_from(millis).ok());
        let spare =
            since.map_or_else(SystemTime::now, |millis| UNIX_EPOCH + Duration::from_millis(millis));
        Ok(self.renditions.evict(self.settings.keep_renditions, spare)?)
    }
}

fn put_away(order: &JobOrder) -> Result<(), Failed> {
    match &order.disposal {
        Disposal::Leave => Ok(()),
        Disposal::Move { done, .. } => move_original(order, done, None),
    }
}

fn refuse(order: &JobOrder, why: &Rejected) -> Result<(), Failed> {
    let Disposal::Move { rejected, .. } = &order.disposal else { return Ok(()) };
    let text = format!(
        "{}\n\nThis file was not published.\n\nWhat was found: {}\nWhat to do: {}\nReason code: {}\n",
        order.name(),
        why.detail,
        why.remedy,
        why.reason.code(),
    );
    move_original(order, rejected, Some(&text))
}

/// Moves the original, if it is still the one that was worked on, to a name that is free: an older
/// original of the same name may be there. A note goes beside it, first, so that no crash leaves a
/// refused file without its reason.
fn move_original(order: &JobOrder, folder: &Path, note: Option<&str>) -> Result<(), Failed> {
    if FileVersion::of(&order.original).ok() != Some(order.version) {
        // Moved by an earlier attempt, taken away, or replaced: a replacement is a job of its own.
        return Ok(());
    }
    make_dir(folder)?;
    let place = free_name(folder, order);
    if let Some(note) = note {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(".reason.txt");
        write_durably(&place.with_file_name(name), note.as_bytes())?;
    }
    match fs::rename(&order.original, &place) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            copy_over(&order.original, &place)
        }
        renamed => renamed.map_err(failed("move", &order.original)),
    }
}

fn copy_over(from: &Path, to: &Path) -> Result<(), Failed> {
    let part = crate::file::unfinished(to, "0");
    fs::copy(from, &part).map_err(failed("copy", from))?;
    crate::file::sync_and_finish(&part, to)?;
    fs::remove_file(from).map_err(failed("remove", from))
}

fn free_name(folder: &Path, order: &JobOrder) -> PathBuf {
    let name = order.original.file_name().unwrap_or_default();
    let numbered = |number: u32| {
        let mut numbered = order.original.file_stem().unwrap_or_default().to_owned();
        numbered.push(format!(".{number}"));
        if let Some(extension) = order.original.extension() {
            numbered.push(".");
            numbered.push(extension);
        }
        folder.join(numbered)
    };
    let names = std::iter::once(folder.join(name)).chain((2..).map(numbered));
    names.into_iter().find(|place| !place.exists()).unwrap_or_else(|| folder.join(name))
}
