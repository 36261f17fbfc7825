//! Ended jobs, until they are settled.

use std::time::Duration;

use super::jobs::JobInfo;
use crate::error::Result;

/// Ended jobs: handed out to be settled, one settler each.
///
/// # Contract
///
/// - A job is handed out only when nobody can be at work on it any more: the leases of its tasks,
///   those too that were cancelled with it, have been [released](crate::Leases::release) or have
///   expired.
/// - While it is handed out it cannot be taken up again: its settler removes what it stored.
pub trait Settling: Send + Sync {
    /// Hands the job that ended first and is not cleaned to `holder`, and to nobody else before
    /// `duration` is over.
    fn claim_ended(&self, holder: &str, duration: Duration) -> Result<Option<JobInfo>>;

    /// Notes that an ended job's scratch is gone.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) if the job is unknown or has not ended (it may have been
    /// retried meanwhile).
    fn mark_cleaned(&self, job: &str) -> Result<()>;
}
