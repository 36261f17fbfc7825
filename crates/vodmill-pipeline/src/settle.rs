//! What is left to do when a job has ended: its original is put where it belongs, its scratch
//! swept. Every step can be repeated, so a crash in between is made good at the next start.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use vodmill_model::{Failed, Rejected};
use vodmill_queue::{JobFilter, JobInfo, JobState};

use crate::file::{failed, make_dir, remove_dir, sync_and_finish, write_durably};
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
        self.renditions.evict(self.settings.keep_renditions, || self.oldest_need())
    }

    /// Since when a job that has not ended may have found renditions.
    fn oldest_need(&self) -> crate::Result<SystemTime> {
        let mut since = SystemTime::now();
        for state in [JobState::Waiting, JobState::Running] {
            let filter = JobFilter { state: Some(state), ..JobFilter::default() };
            for job in self.queue.jobs(&filter, u32::MAX)? {
                let millis = u64::try_from(job.created_at).unwrap_or(0);
                since = since.min(UNIX_EPOCH + Duration::from_millis(millis));
            }
        }
        Ok(since)
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
    match rename_to_free(&order.original, &place) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            copy_over(&order.original, &place)
        }
        renamed => renamed.map_err(failed("move", &order.original)),
    }
}

/// Never over a file that came to be there meanwhile: it may be somebody's only copy.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems know no such flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// The copy's hidden name is the same at every attempt, so that a crash does not leave many.
fn copy_over(from: &Path, to: &Path) -> Result<(), Failed> {
    let mut hidden = OsString::from(".");
    hidden.push(to.file_name().unwrap_or_default());
    hidden.push(".part");
    let part = to.with_file_name(hidden);
    if let Err(error) = fs::copy(from, &part) {
        // Most likely the disk is full, and nobody else would make room.
        let _ = fs::remove_file(&part);
        return Err(failed("copy", from)(error));
    }
    sync_and_finish(&part, to)?;
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
