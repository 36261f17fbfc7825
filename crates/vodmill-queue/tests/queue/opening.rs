//! What may be opened, and by whom.

use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;
use vodmill_queue::{ClaimFilter, Control, Error, Jobs, Leases, SqliteQueue};

use crate::world::{MINUTE, job, task};

fn fresh() -> (TempDir, PathBuf, SqliteQueue) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.db");
    let queue = SqliteQueue::open(&path).unwrap();
    (dir, path, queue)
}

#[test]
fn looking_creates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.db");
    let error = SqliteQueue::open_existing(&path).unwrap_err();
    assert!(matches!(error, Error::NoDatabase { .. }), "{error}");
    assert!(!path.exists());
    // As it is for a moment while somebody creates it.
    std::fs::write(&path, "").unwrap();
    let error = SqliteQueue::open_existing(&path).unwrap_err();
    assert!(matches!(error, Error::NoDatabase { .. }), "{error}");
    assert_eq!(path.metadata().unwrap().len(), 0);
}

#[test]
fn a_second_handle_sees_and_steers() {
    let (_dir, path, queue) = fresh();
    queue.enqueue(&job("j"), &[task("a", &[])]).unwrap();
    let other = SqliteQueue::open_existing(&path).unwrap();
    assert_eq!(other.job("j").unwrap(), queue.job("j").unwrap());
    other.pause("films").unwrap();
    assert!(queue.claim("me", MINUTE, &ClaimFilter::default()).unwrap().is_none());
    drop(other);
    let again = SqliteQueue::open(&path).unwrap();
    assert_eq!(again.paused().unwrap(), ["films"]);
}

#[test]
fn a_newer_database_is_refused_in_plain_words() {
    let (_dir, path, _queue) = fresh();
    let raw = Connection::open(&path).unwrap();
    raw.execute("UPDATE settings SET value = '99' WHERE name = 'schema'", []).unwrap();
    for result in [SqliteQueue::open(&path), SqliteQueue::open_existing(&path)] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::NewerSchema { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("written by a newer vodmill"), "{error}");
    }
}

#[test]
fn another_programs_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    Connection::open(&path).unwrap().execute("CREATE TABLE jobs (x)", []).unwrap();
    let error = SqliteQueue::open(&path).unwrap_err();
    assert!(matches!(error, Error::NotAQueue { .. }), "{error}");
    std::fs::write(&path, "not a database, but long enough to have a header".repeat(9)).unwrap();
    assert!(matches!(SqliteQueue::open(&path).unwrap_err(), Error::Damaged { .. }));
}

#[test]
fn a_queue_that_was_lost_does_not_begin_anew() {
    let lose: [fn(&PathBuf); 3] = [
        |path| std::fs::write(path, "").unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
        // By another program, say: a database without a table.
        |path| {
            std::fs::remove_file(path).unwrap();
            Connection::open(path).unwrap().pragma_update(None, "user_version", 1).unwrap();
        },
    ];
    for lose in lose {
        let (_dir, path, queue) = fresh();
        drop(queue);
        lose(&path);
        let error = SqliteQueue::open(&path).unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error}");
        assert!(error.to_string().contains("put it back from a backup"), "{error}");
        assert!(SqliteQueue::open_existing(&path).is_err());
        std::fs::remove_file(path.with_file_name("queue.db.made")).unwrap();
        SqliteQueue::open(&path).unwrap();
        SqliteQueue::open(&path).unwrap();
    }
}

#[test]
fn a_damaged_queue_is_refused_in_plain_words() {
    let damage: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes[..4096].fill(0),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes[100..4096].fill(0xff),
    ];
    for damage in damage {
        let (_dir, path, queue) = fresh();
        drop(queue);
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let error = SqliteQueue::open(&path).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("put it back from a backup"), "{error}");
    }
}

/// A home of a release that left no mark.
#[test]
fn a_queue_without_a_mark_is_opened_and_marked() {
    let (_dir, path, queue) = fresh();
    queue.enqueue(&job("j"), &[task("a", &[])]).unwrap();
    drop(queue);
    let mark = path.with_file_name("queue.db.made");
    std::fs::remove_file(&mark).unwrap();
    assert!(SqliteQueue::open(&path).unwrap().job("j").is_ok());
    assert!(mark.exists());
}
