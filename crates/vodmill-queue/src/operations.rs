//! Every engine is a queue: the operations, each in its transaction and with its name for errors.

use std::time::Duration;

use crate::around::{always, around};
use crate::backlog::{self, Backlog, LeaseInfo};
use crate::clock::UnixMillis;
use crate::engine::Engine;
use crate::error::{Object, Result};
use crate::finish::{self, Completion, Failure, RetryPolicy};
use crate::graph::NewTask;
use crate::jobs::{self, Enqueued, JobFilter, JobInfo, NewJob};
use crate::lease::{self, ClaimFilter, Lease};
use crate::quarantine::{self, QuarantinedTask};
use crate::queue::Queue;
use crate::renditions::{self, RenditionInfo};
use crate::state::JobState;
use crate::sums::{self, Sum};
use crate::tasks::{self, TaskInfo};
use crate::vault::{self, Kept, Secret};
use crate::{assets, claim, leap, reap, settings, settle, steer};

impl<E: Engine> Queue for E {
    fn enqueue(&self, job: &NewJob, tasks: &[NewTask]) -> Result<Enqueued> {
        around!("enqueue").write(self, "enqueue job", job.id.as_str().into(), always, |tx| {
            jobs::enqueue(tx, job, tasks)
        })
    }

    fn claim(
        &self,
        holder: &str,
        duration: Duration,
        filter: &ClaimFilter,
    ) -> Result<Option<Lease>> {
        let count = self.signal().count();
        let lease =
            around!("claim").write(self, "claim for", holder.into(), Option::is_some, |tx| {
                claim::claim(tx, holder, duration, filter)
            })?;
        if lease.is_none() {
            self.signal().found_nothing(count);
        }
        Ok(lease)
    }

    fn wait(&self, timeout: Duration) {
        self.signal().wait(timeout);
    }

    fn heartbeat(&self, lease: &Lease, extend: Duration) -> Result<UnixMillis> {
        leap::catch_up(self)?;
        around!("heartbeat").write(self, "heartbeat", lease.object(), always, |tx| {
            lease::heartbeat(tx, lease, extend)
        })
    }

    fn progress(&self, lease: &Lease, progress: &str) -> Result<()> {
        leap::catch_up(self)?;
        around!("progress").write(self, "progress", lease.object(), always, |tx| {
            lease::progress(tx, lease, progress)
        })
    }

    fn complete(&self, lease: &Lease, completion: &Completion) -> Result<()> {
        around!("complete").write(self, "complete", lease.object(), always, |tx| {
            finish::complete(tx, lease, completion)
        })
    }

    fn fail(
        &self,
        lease: &Lease,
        error: &str,
        evidence: &str,
        policy: &RetryPolicy,
    ) -> Result<Failure> {
        around!("fail").write(self, "fail", lease.object(), always, |tx| {
            finish::fail(tx, lease, error, evidence, policy)
        })
    }

    fn reject(&self, lease: &Lease, reason: &str) -> Result<()> {
        around!("reject")
            .write(self, "reject", lease.object(), always, |tx| finish::reject(tx, lease, reason))
    }

    fn release(&self, lease: &Lease) -> Result<()> {
        around!("release")
            .write(self, "release", lease.object(), always, |tx| lease::release(tx, lease))
    }

    fn postpone(&self, lease: &Lease, delay: Duration, why: &str) -> Result<()> {
        around!("postpone").write(self, "postpone", lease.object(), always, |tx| {
            lease::postpone(tx, lease, delay, why)
        })
    }

    fn release_holder(&self, holder: &str) -> Result<usize> {
        let object = Object::from(holder);
        self.write("release leases of", object, |tx| lease::release_of(tx, Some(holder)))
    }

    fn release_all(&self) -> Result<usize> {
        let released = |count: &usize| *count > 0;
        around!("release_all")
            .write(self, "release", "all leases".into(), released, |tx| lease::release_of(tx, None))
    }

    fn reap_expired(&self) -> Result<u64> {
        reap::reap_expired(self)
    }

    fn cancel(&self, job: &str) -> Result<JobState> {
        around!("cancel").write(self, "cancel job", job.into(), always, |tx| steer::cancel(tx, job))
    }

    fn retry(&self, job: &str) -> Result<()> {
        self.write("retry job", job.into(), |tx| steer::retry(tx, job))
    }

    fn restart(&self, job: &str) -> Result<()> {
        around!("restart")
            .write(self, "restart job", job.into(), always, |tx| steer::restart(tx, job))
    }

    fn job(&self, id: &str) -> Result<JobInfo> {
        self.read("look at job", id.into(), |tx| jobs::get(tx, id))
    }

    fn jobs_by_prefix(&self, prefix: &str, limit: u32) -> Result<Vec<JobInfo>> {
        self.read("find job", prefix.into(), |tx| jobs::by_prefix(tx, prefix, limit))
    }

    fn jobs(&self, filter: &JobFilter, limit: u32) -> Result<Vec<JobInfo>> {
        self.read("list jobs", "of all states".into(), |tx| jobs::list(tx, filter, limit))
    }

    fn tasks(&self, job: &str) -> Result<Vec<TaskInfo>> {
        self.read("list tasks of job", job.into(), |tx| tasks::of_job(tx, job))
    }

    fn backlog(&self) -> Result<Backlog> {
        self.read("count backlog", "of all tasks".into(), |tx| backlog::count(tx))
    }

    fn leases(&self) -> Result<Vec<LeaseInfo>> {
        self.read("list leases", "of all holders".into(), |tx| backlog::leases(tx))
    }

    fn quarantined(&self, limit: u32) -> Result<Vec<QuarantinedTask>> {
        self.read("list tasks", "in quarantine".into(), |tx| quarantine::list(tx, limit))
    }

    fn retry_quarantined(&self, job: &str, key: &str) -> Result<()> {
        self.write("retry", Object::task(job, key), |tx| quarantine::retry(tx, job, key))
    }

    fn drop_quarantined(&self, job: &str, key: &str) -> Result<()> {
        self.write("drop", Object::task(job, key), |tx| quarantine::drop(tx, job, key))
    }

    fn pause(&self, pipeline: &str) -> Result<()> {
        self.write("pause", pipeline.into(), |tx| settings::pause(tx, pipeline))
    }

    fn resume(&self, pipeline: &str) -> Result<()> {
        self.write("resume", pipeline.into(), |tx| settings::resume(tx, pipeline))
    }

    fn paused(&self) -> Result<Vec<String>> {
        self.read("list paused", "pipelines".into(), |tx| settings::paused(tx))
    }

    fn ended_uncleaned(&self) -> Result<Vec<JobInfo>> {
        self.read("list jobs", "to be cleaned".into(), |tx| settle::ended_uncleaned(tx))
    }

    fn claim_ended(&self, holder: &str, duration: Duration) -> Result<Option<JobInfo>> {
        leap::catch_up(self)?;
        let object = Object::from(holder);
        around!("claim_ended").write(self, "claim ended job for", object, Option::is_some, |tx| {
            settle::claim(tx, holder, duration)
        })
    }

    fn mark_cleaned(&self, job: &str) -> Result<()> {
        around!("mark_cleaned").write(self, "mark cleaned: job", job.into(), always, |tx| {
            settle::mark_cleaned(tx, job)
        })
    }

    fn claim_asset(&self, wanted: &str, owner: &str, before: &[String]) -> Result<String> {
        around!("claim_asset").write(self, "claim asset", wanted.into(), always, |tx| {
            assets::claim(tx, wanted, owner, before)
        })
    }

    fn next_generation(&self, asset: &str, job: &str) -> Result<u32> {
        let object = Object::from(asset);
        around!("next_generation").write(self, "next generation of", object, always, |tx| {
            assets::next_generation(tx, asset, job)
        })
    }

    fn republished_assets(&self) -> Result<Vec<String>> {
        self.read("list assets", "published again".into(), assets::republished)
    }

    fn set_job_asset(&self, job: &str, asset: &str, source_name: &str) -> Result<()> {
        let object = Object::from(job);
        around!("set_job_asset").write(self, "set asset of job", object, always, |tx| {
            assets::set_on_job(tx, job, asset, source_name)
        })
    }

    fn sums(&self) -> Result<Vec<Sum>> {
        self.read("list", "sums".into(), sums::list)
    }

    fn setting(&self, name: &str) -> Result<Option<String>> {
        self.read("read setting", name.into(), |tx| settings::setting(tx, name))
    }

    fn set_setting(&self, name: &str, value: &str) -> Result<()> {
        self.write("set", name.into(), |tx| settings::set_setting(tx, name, value))
    }

    fn rendition(&self, digest: &str) -> Result<Option<RenditionInfo>> {
        self.write("find rendition", digest.into(), |tx| renditions::find(tx, digest))
    }

    fn keep_rendition(&self, rendition: &RenditionInfo) -> Result<RenditionInfo> {
        let object = Object::from(rendition.digest.as_str());
        around!("keep_rendition")
            .write(self, "keep rendition", object, always, |tx| renditions::keep(tx, rendition))
    }

    fn evict_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>> {
        let object = Object::from("longest unused");
        let some = |evicted: &Vec<RenditionInfo>| !evicted.is_empty();
        around!("evict_renditions")
            .write(self, "evict renditions", object, some, |tx| renditions::evict(tx, keep_bytes))
    }

    fn evictable_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>> {
        self.read("list", "renditions".into(), |tx| renditions::evictable(tx, keep_bytes))
    }

    fn forget_rendition(&self, digest: &str, place: &str) -> Result<()> {
        self.write("forget rendition", digest.into(), |tx| renditions::forget(tx, digest, place))
    }

    fn rendition_places(&self, prefix: &str) -> Result<Vec<String>> {
        self.read("list renditions of", prefix.into(), |tx| renditions::places(tx, prefix))
    }

    fn keep_secret(&self, id: &str, names: &[String], value: &str) -> Result<Kept> {
        around!("keep_secret")
            .write(self, "keep secret", id.into(), always, |tx| vault::keep(tx, id, names, value))
    }

    fn replace_secret(&self, id: &str, expected: &str, value: &str) -> Result<bool> {
        let replaced = |replaced: &bool| *replaced;
        around!("replace_secret").write(self, "replace secret", id.into(), replaced, |tx| {
            vault::replace(tx, id, expected, value)
        })
    }

    fn secret(&self, id: &str) -> Result<Option<Secret>> {
        self.read("find secret", id.into(), |tx| vault::get(tx, id))
    }

    fn secret_by_name(&self, name: &str) -> Result<Option<Secret>> {
        self.read("find secret", name.into(), |tx| vault::by_name(tx, name))
    }

    fn secrets(&self) -> Result<Vec<Secret>> {
        self.read("list secrets", "of all ids".into(), |tx| vault::all(tx))
    }
}
