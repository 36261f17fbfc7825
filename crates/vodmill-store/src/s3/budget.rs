//! A bound on the bytes that all transfers of the process hold in memory.

use tokio::sync::{Semaphore, SemaphorePermit};

/// What all transfers together hold in memory at most.
pub(super) const BUDGET: u64 = 64 * 1024 * 1024;

const UNIT: u64 = 1024;

static FREE: Semaphore = Semaphore::const_new((BUDGET / UNIT) as usize);

/// Waits until `bytes` may be held; they count until the permit is dropped. A part larger than the
/// whole budget, of an object of more than 640 GB, waits for all of it.
pub(super) async fn reserve(bytes: u64) -> SemaphorePermit<'static> {
    let units = bytes.min(BUDGET).div_ceil(UNIT);
    let units = u32::try_from(units).unwrap_or(u32::MAX);
    match FREE.acquire_many(units).await {
        Ok(permit) => permit,
        Err(_) => unreachable!("nobody closes it"),
    }
}
