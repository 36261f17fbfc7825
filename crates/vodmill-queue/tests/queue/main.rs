//! The queue from outside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[test]
fn placeholder() {
    let dir = tempfile::tempdir().unwrap();
    vodmill_queue::SqliteQueue::open(dir.path().join("q.db")).unwrap();
}
