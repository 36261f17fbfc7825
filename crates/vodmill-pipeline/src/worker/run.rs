//! Workers: claim a task, run it, record how it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use vodmill_clock::{Signal, spawn_scoped};
use vodmill_fault::point;
use vodmill_model::outcome::Reason;
use vodmill_model::{Failed, MediaError, Rejected};
use vodmill_queue::{Cause, ClaimFilter, Lease, RetryPolicy};

use crate::file::passed;
use crate::stage_error::StageError;
use crate::stages::{self, TaskContext};
use crate::worker::Worker;
use crate::worker::progress::Ledger;
use crate::worker::{Stop, StopLevel};

/// How often the heart beats: progress is noted, and every so often the lease extended.
const BEAT: Duration = Duration::from_millis(500);

/// Extensions in the time of a lease: as many may fail one after the other.
const EXTENSIONS: u32 = 4;

/// How long an idle worker waits before it looks again, if nobody tells it to look sooner.
const IDLE: Duration = Duration::from_millis(500);

/// From one look for what others left unsettled to the next.
const ROUND: Duration = Duration::from_secs(30);

/// How long a worker waits when the queue cannot be written, on a full disk say.
const TROUBLED: Duration = Duration::from_secs(5);

/// How long a worker waits that has too little room for a task.
const SHORT: Duration = Duration::from_secs(10);

/// How often a failing task is tried.
const RETRIES: RetryPolicy = RetryPolicy {
    cause: Cause::Failure,
    max_attempts: 4,
    base_delay: Duration::from_secs(2),
    max_delay: Duration::from_secs(300),
};

/// Of a task that no further attempt mends.
const ONCE: RetryPolicy = RetryPolicy { max_attempts: 1, ..RETRIES };

/// How often a task is tried for which a store or the database is away: most of an hour.
const AWAY: RetryPolicy = RetryPolicy {
    cause: Cause::Outage,
    max_attempts: 64,
    base_delay: Duration::from_secs(2),
    max_delay: Duration::from_secs(60),
};

impl Worker {
    /// Works with all workers until `stop` asks to leave, or until `done` answers true between two
    /// tasks. Returns when every worker has finished or parked what it held.
    pub fn work(&self, stop: &Stop, done: &(dyn Fn() -> bool + Sync)) {
        std::thread::scope(|scope| {
            spawn_scoped(&*self.clock, scope, || self.go_round(stop, done));
            for _ in 0..self.settings.workers.max(1) {
                spawn_scoped(&*self.clock, scope, || self.work_alone(stop, done));
            }
        });
    }

    /// Now and then settles what a worker that died has left unsettled.
    fn go_round(&self, stop: &Stop, done: &dyn Fn() -> bool) {
        let mut next = self.clock.uptime() + ROUND;
        while stop.level() == StopLevel::Running && !done() {
            stop.wait(IDLE);
            self.late.look();
            if self.clock.uptime() >= next {
                self.settle_ended();
                next = self.clock.uptime() + ROUND;
            }
        }
    }

    fn work_alone(&self, stop: &Stop, done: &dyn Fn() -> bool) {
        while stop.level() == StopLevel::Running && !done() {
            match self.claim() {
                Ok(Some(lease)) => {
                    self.run_task(&lease, stop);
                    stop.wake();
                }
                Ok(None) => self.wait_for_work(stop),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "queue does not answer");
                    stop.wait(TROUBLED);
                }
            }
        }
        stop.wake();
    }

    fn wait_for_work(&self, stop: &Stop) {
        if stop.level() == StopLevel::Running {
            self.queue.wait(IDLE);
        }
    }

    fn claim(&self) -> vodmill_queue::Result<Option<Lease>> {
        self.queue.reap_expired()?;
        self.queue.claim(&self.holder, self.settings.lease, &ClaimFilter::default())
    }

    /// Runs one task under a beating heart and records its end.
    fn run_task(&self, lease: &Lease, stop: &Stop) {
        let span = tracing::info_span!("job", id = lease.job_id, task = lease.key);
        let _entered = span.enter();
        tracing::debug!(attempt = lease.attempt, "task begun");
        let ledger = Mutex::new(Ledger::default());
        let lost = AtomicBool::new(false);
        let finished = Signal::default();
        let ended = std::thread::scope(|scope| {
            spawn_scoped(&*self.clock, scope, || self.beat(lease, &ledger, &lost, &finished));
            // Also where the task panics: the scope would wait for the heart for ever.
            let _finished = RaiseOnDrop(&finished);
            let must_go = || lost.load(Ordering::Relaxed) || stop.must_park();
            let mut progress =
                |step| ledger.lock().unwrap_or_else(PoisonError::into_inner).note(step);
            let context = TaskContext::new(self, lease, &mut progress, &must_go);
            let ended = context.and_then(stages::run_task);
            finished.raise();
            ended.and_then(|done| Ok(passed(point!("task.ended")).map(|()| done)?))
        });
        match self.record(lease, ended) {
            // Taken over meanwhile, or its job has ended: what was made here counts for nothing.
            Err(vodmill_queue::Error::LeaseLost { .. }) => {
                tracing::warn!("lease lost; nothing recorded");
                // An ended job is settled when no holder is at work any more; this one is not.
                let _ = self.queue.release(lease);
            }
            Err(error) => {
                // On a full disk say; the lease runs out, and the task is done again.
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "end of task not recorded");
            }
            // Nothing can fail that has been recorded; but it can be late.
            Ok(()) => drop(point!("task.recorded")),
        }
        self.settle_if_ended(&lease.job_id);
    }

    /// Keeps the lease and notes progress until the task has ended.
    fn beat(&self, lease: &Lease, ledger: &Mutex<Ledger>, lost: &AtomicBool, finished: &Signal) {
        let every = self.settings.lease / (EXTENSIONS + 1);
        let mut next = self.clock.uptime() + every;
        loop {
            self.clock.wait(finished, 0, BEAT);
            if finished.count() > 0 {
                return;
            }
            let news = ledger.lock().unwrap_or_else(PoisonError::into_inner).take_news();
            let mut kept = match news {
                Some(news) => self.queue.progress(lease, &news),
                None => Ok(()),
            };
            if self.clock.uptime() >= next {
                kept = kept.and(self.queue.heartbeat(lease, self.settings.lease).map(drop));
                next = self.clock.uptime() + every;
            }
            // Seen at every beat: media work that does not move has no news to be refused with.
            let ended = self.queue.job(&lease.job_id).is_ok_and(|job| job.state.has_ended());
            if ended || matches!(kept, Err(vodmill_queue::Error::LeaseLost { .. })) {
                // Cancelled, or taken over: what is being made has no value any more.
                lost.store(true, Ordering::Relaxed);
                return;
            }
        }
    }

    fn record(
        &self,
        lease: &Lease,
        ended: Result<vodmill_queue::Completion, StageError>,
    ) -> vodmill_queue::Result<()> {
        match ended {
            Ok(completion) => {
                self.queue.complete(lease, &completion)?;
                tracing::debug!("task done");
            }
            Err(StageError::Interrupted) => {
                self.queue.release(lease)?;
                tracing::info!("task parked");
            }
            Err(StageError::Media(MediaError::Rejected(rejected))) => {
                self.queue.reject(lease, &describe(&rejected))?;
                tracing::warn!(
                    reason = rejected.reason.code(),
                    detail = rejected.detail,
                    "job rejected"
                );
            }
            Err(StageError::Media(MediaError::Failed(failed))) if failed.disk_full => {
                self.postpone(lease, &failed.to_string())?
            }
            Err(StageError::Media(MediaError::Failed(failed))) => {
                self.record_failure(lease, &failed, &RETRIES)?
            }
            Err(StageError::Permanent(failed)) => self.record_failure(lease, &failed, &ONCE)?,
            Err(StageError::Unavailable(failed)) => self.record_failure(lease, &failed, &AWAY)?,
            Err(StageError::Misconfigured(failed)) => {
                let retries = if self.settings.foreground { &ONCE } else { &AWAY };
                self.record_failure(lease, &failed, retries)?
            }
            Err(StageError::NoCapacity(shortage)) => self.postpone(lease, &shortage)?,
        }
        Ok(())
    }

    /// Gives back what there is no room for: another worker may have it, or this one later.
    fn postpone(&self, lease: &Lease, shortage: &str) -> vodmill_queue::Result<()> {
        self.queue.postpone(lease, SHORT, &format!("waiting for room: {shortage}"))?;
        tracing::warn!(shortage, "task waits for room");
        Ok(())
    }

    fn record_failure(
        &self,
        lease: &Lease,
        failed: &Failed,
        retries: &RetryPolicy,
    ) -> vodmill_queue::Result<()> {
        let assignment = failed.evidence.as_deref();
        let assignment = assignment.and_then(|it| serde_json::from_str::<Value>(it).ok());
        let evidence = serde_json::json!({
            "stage": failed.stage, "cause": failed.cause, "task": lease.key,
            "payload": lease.payload, "attempt": lease.attempt, "holder": self.holder,
            "assignment": assignment,
        });
        let outcome =
            self.queue.fail(lease, &failed.to_string(), &evidence.to_string(), retries)?;
        tracing::error!(stage = failed.stage, cause = failed.cause, outcome = ?outcome, "task failed");
        Ok(())
    }
}

/// Raises a signal when it is dropped.
struct RaiseOnDrop<'a>(&'a Signal);

impl Drop for RaiseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.raise();
    }
}

/// A refusal as it is kept with the job.
fn describe(rejected: &Rejected) -> String {
    serde_json::to_string(rejected).unwrap_or_else(|_| rejected.to_string())
}

/// A refusal read back from [`describe`]'s form.
pub(crate) fn refusal(reason: &str) -> Rejected {
    serde_json::from_str(reason).unwrap_or_else(|_| Rejected::new(Reason::Damaged, reason))
}
