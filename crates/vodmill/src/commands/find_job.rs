//! Which job a shortened id means.

use vodmill_queue::{JobInfo, Queue};

use super::shared::NamedQueue;
use crate::exit::Usage;
use crate::output::table;

/// Fewer characters are a slip, and nothing is the beginning of every id.
const LEAST: usize = 4;

/// Jobs that are named where more than one is meant.
const NAMED: u32 = 10;

/// A job, and the queue that it is in.
pub type Found<'a> = (&'a dyn Queue, JobInfo);

/// The one job of all queues whose id is, or begins with, `id`. One that is in several queues is told
/// apart as `QUEUE/ID`.
///
/// # Errors
/// Where there is none, or more than one; the candidates are named.
pub fn find_job<'a>(queues: &'a [NamedQueue], id: &str) -> anyhow::Result<Found<'a>> {
    let (part, prefix) = id.split_once('/').map_or((None, id), |(part, id)| (Some(part), id));
    if prefix.chars().count() < LEAST {
        let message = format!("{id:?}: an id can be shortened to {LEAST} characters, not further");
        return Err(Usage::error(message));
    }
    let mut found = Vec::new();
    for (name, queue) in queues.iter().filter(|(name, _)| part.is_none_or(|part| part == name)) {
        let jobs = queue.jobs_by_prefix(prefix, NAMED)?;
        found.extend(jobs.into_iter().map(|job| (name.as_str(), &**queue, job)));
    }
    if found.iter().any(|(.., job)| job.id == prefix) {
        found.retain(|(.., job)| job.id == prefix);
    }
    match found.pop() {
        None if queues.is_empty() => Err(Usage::error("no jobs yet: nothing has run here")),
        None => Err(Usage::error(format!("there is no job {id:?}; `vodmill jobs` lists them"))),
        Some((_, queue, job)) if found.is_empty() => Ok((queue, job)),
        Some(last) => {
            found.push(last);
            Err(Usage::error(format!("{id:?} is more than one job:\n{}", candidates(&found))))
        }
    }
}

fn candidates(found: &[(&str, &dyn Queue, JobInfo)]) -> String {
    let row = |(name, _, job): &(&str, &dyn Queue, JobInfo)| {
        let id = format!("  {name}/{}", job.id);
        vec![id, job.state.to_string(), job.pipeline.clone(), job.name.clone()]
    };
    table(&found.iter().map(row).collect::<Vec<_>>()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use vodmill_queue::{Jobs as _, NewJob, NewTask, SqliteQueue};

    use super::*;

    fn queue(folder: &Path, ids: &[&str]) -> Arc<dyn Queue> {
        let queue = SqliteQueue::open(folder.join(ids[0])).expect("a queue");
        for id in ids {
            let job = NewJob { id: (*id).to_owned(), name: "a.mp4".into(), ..NewJob::default() };
            let task = NewTask { key: "plan".into(), kind: "plan".into(), ..NewTask::default() };
            queue.enqueue(&job, &[task]).expect("enqueued");
        }
        Arc::new(queue)
    }

    #[test]
    fn an_id_means_one_job_of_all_queues_or_none() {
        let folder = tempfile::tempdir().expect("scratch");
        let queue = |ids: &[&str]| queue(folder.path(), ids);
        let queues = [
            ("daemon".to_owned(), queue(&["aaaa1111", "aaaa2222", "bbbb1111", "dddd1111"])),
            ("run".to_owned(), queue(&["bbbb2222", "cccc1111", "dddd1111"])),
        ];
        let found = |id: &str| find_job(&queues, id).map(|(_, job)| job.id);
        for (id, job) in [
            ("aaaa1", "aaaa1111"),
            ("bbbb2", "bbbb2222"),
            ("cccc", "cccc1111"),
            ("run/bbbb", "bbbb2222"),
            ("daemon/dddd1111", "dddd1111"),
        ] {
            assert_eq!(found(id).expect(id), job);
        }
        // Ambiguous in one queue, over both, and by its whole id.
        for (id, named) in [
            ("aaaa", "daemon/aaaa1111  waiting    a.mp4\n  daemon/aaaa2222"),
            ("bbbb", "daemon/bbbb1111  waiting    a.mp4\n  run/bbbb2222"),
            ("dddd1111", "daemon/dddd1111  waiting    a.mp4\n  run/dddd1111"),
        ] {
            let error = found(id).expect_err(id).to_string();
            assert!(error.contains("more than one job") && error.contains(named), "{error}");
        }
        for id in
            ["", "a", "aaa", "run/", "daemon/aaa", "%", "____", "eeee", "other/aaaa1", "aaaa11112"]
        {
            assert!(found(id).is_err(), "{id:?}");
        }
    }
}
