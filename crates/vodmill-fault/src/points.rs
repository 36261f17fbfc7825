//! All points, in the order in which a job comes by.

/// Every point. The tests walk through all of them, and fail for one that they do not reach.
pub const POINTS: &[&str] = &[
    // An original is accepted (vodmill/inbox).
    "inbox.settled",
    "inbox.accepted",
    "inbox.heard",
    // The queue, on either side of a commit. Before it, nothing has happened; after it, everything,
    // and nobody knows.
    "queue.enqueue.written",
    "queue.enqueue.committed",
    "queue.claim.written",
    "queue.claim.committed",
    "queue.heartbeat.written",
    "queue.heartbeat.committed",
    "queue.progress.written",
    "queue.progress.committed",
    "queue.complete.written",
    "queue.complete.committed",
    "queue.fail.written",
    "queue.fail.committed",
    "queue.reject.written",
    "queue.reject.committed",
    "queue.release.written",
    "queue.release.committed",
    "queue.postpone.written",
    "queue.postpone.committed",
    "queue.release_all.written",
    "queue.release_all.committed",
    "queue.reap.written",
    "queue.reap.committed",
    "queue.cancel.written",
    "queue.cancel.committed",
    "queue.restart.written",
    "queue.restart.committed",
    "queue.claim_ended.written",
    "queue.claim_ended.committed",
    "queue.mark_cleaned.written",
    "queue.mark_cleaned.committed",
    "queue.claim_asset.written",
    "queue.claim_asset.committed",
    "queue.next_generation.written",
    "queue.next_generation.committed",
    "queue.set_job_asset.written",
    "queue.set_job_asset.committed",
    "queue.keep_rendition.written",
    "queue.keep_rendition.committed",
    "queue.evict_renditions.written",
    "queue.evict_renditions.committed",
    "queue.keep_secret.written",
    "queue.keep_secret.committed",
    "queue.replace_secret.written",
    "queue.replace_secret.committed",
    // What leaves the house, in the queue as well.
    "queue.claim_delivery.written",
    "queue.claim_delivery.committed",
    "queue.delivered.written",
    "queue.delivered.committed",
    "queue.delivery_failed.written",
    "queue.delivery_failed.committed",
    "queue.mark_stale.written",
    "queue.mark_stale.committed",
    "queue.claim_batch.written",
    "queue.claim_batch.committed",
    "queue.batch_sent.written",
    "queue.batch_sent.committed",
    "queue.batch_completed.written",
    "queue.batch_completed.committed",
    "queue.batch_failed.written",
    "queue.batch_failed.committed",
    // Tasks (vodmill-pipeline/stages). `written` and `made` are in the child.
    "analyse.probed",
    "analyse.tried",
    "plan.probed",
    "plan.decided",
    "plan.named",
    "rendition.written",
    "rendition.stored",
    "rendition.recorded",
    "keys.written",
    "keys.linked",
    "keys.renamed",
    "segments.keyed",
    "segments.made",
    "segments.stored",
    "package.written",
    "package.proved",
    "package.stored",
    "publish.leased",
    "publish.playlist",
    "publish.pointed",
    "task.ended",
    "task.recorded",
    // Other keys for a package (vodmill-pipeline/rekey).
    "rekey.keyed",
    "rekey.stored",
    "rekey.described",
    "rekey.playlist",
    "rekey.pointed",
    // Settling.
    "settle.begun",
    "settle.moved",
    "settle.withdrawn",
    "settle.swept",
    "file.written",
    "file.synced",
    "file.renamed",
    "original.noted",
    "original.copied",
    // A store in a directory.
    "store.put.looked",
    "store.put.written",
    "store.put.synced",
    "store.put.renamed",
    "store.put.durable",
    "store.files.synced",
    "store.files.renamed",
    "store.files.durable",
    "store.files.copied",
    "store.removed",
    // A store in a bucket.
    "s3.put.sent",
    "s3.upload.begun",
    "s3.part.sent",
    "s3.upload.filled",
    "s3.upload.joined",
    "s3.copied",
    "s3.removed",
];

/// For constants, where `contains` cannot be called.
pub(crate) const fn is_listed(name: &str) -> bool {
    let mut at = 0;
    while at < POINTS.len() {
        if is_same(POINTS[at].as_bytes(), name.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
