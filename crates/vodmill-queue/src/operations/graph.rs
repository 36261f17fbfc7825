//! The graph of a job's tasks: adding to it, and releasing successors.

use std::collections::{BTreeSet, HashMap};

use vodmill_clock::UnixMillis;

use crate::contract::{NewTask, TaskState};
use crate::engine::{Tx, params};
use crate::error::{Fault, Sql};

/// What a task takes from its job.
pub(super) struct Parent<'a> {
    pub job: &'a str,
    pub pipeline: &'a str,
    pub priority: i64,
    /// Whether the tasks come with the job itself, and not from a completion.
    pub first: bool,
}

/// Adds tasks; those that wait for nothing are ready at once.
pub(super) fn add(
    tx: &mut dyn Tx,
    parent: &Parent<'_>,
    tasks: &[NewTask],
    now: UnixMillis,
) -> Sql<()> {
    refuse_cycles(tasks)?;
    open_lanes(tx, parent.pipeline, tasks)?;
    for task in tasks {
        insert(tx, parent, task, now)?;
    }
    // Only now, since a task may wait for a later one of the list.
    for task in tasks.iter().filter(|task| !task.after.is_empty()) {
        connect(tx, parent.job, task)?;
    }
    // Some are ready at once, or will wait for what wakes in its turn.
    tx.wake();
    Ok(())
}

fn insert(tx: &mut dyn Tx, parent: &Parent<'_>, task: &NewTask, now: UnixMillis) -> Sql<()> {
    let state = if task.after.is_empty() { TaskState::Ready } else { TaskState::Waiting };
    let added = tx.execute(
        "INSERT INTO tasks
           (job_id, key, pipeline, kind, payload, priority, first, state, run_at, dated_at,
            created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?9)
         ON CONFLICT (job_id, key) DO NOTHING",
        params![
            parent.job,
            &task.key,
            parent.pipeline,
            &task.kind,
            &task.payload,
            parent.priority + i64::from(task.priority),
            parent.first,
            state,
            now,
        ],
    )?;
    if added == 0 { Err(refused(&task.key, "exists already")) } else { Ok(()) }
}

/// Draws the edges to what the task waits for, and makes it ready if there is nothing left.
fn connect(tx: &mut dyn Tx, job: &str, task: &NewTask) -> Sql<()> {
    let (id, _) = find(tx, job, &task.key)?;
    let mut pending = 0_i64;
    for key in &task.after {
        let (needs, state) = find(tx, job, key)?;
        match state {
            TaskState::Cancelled | TaskState::Rejected | TaskState::Quarantined => {
                return Err(refused(&task.key, &format!("waits for {key}, which is {state}")));
            }
            TaskState::Done | TaskState::Waiting | TaskState::Ready | TaskState::Leased => {}
        }
        let drawn = tx.execute(
            "INSERT INTO edges (needs_id, task_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![needs, id],
        )?;
        if drawn == 1 && state != TaskState::Done {
            pending += 1;
        }
    }
    let state = if pending == 0 { TaskState::Ready } else { TaskState::Waiting };
    tx.execute(
        "UPDATE tasks SET pending = ?2, state = ?3 WHERE id = ?1",
        params![id, pending, state],
    )?;
    Ok(())
}

fn find(tx: &mut dyn Tx, job: &str, key: &str) -> Sql<(i64, TaskState)> {
    let found = tx.one(
        "SELECT id, state FROM tasks WHERE job_id = ?1 AND key = ?2",
        params![job, key],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    found.ok_or_else(|| Fault::Refused(format!("a task waits for {key}, which does not exist")))
}

/// Claims look for tasks in the lanes that ever had any: see [`claim`](super::claim).
fn open_lanes(tx: &mut dyn Tx, pipeline: &str, tasks: &[NewTask]) -> Sql<()> {
    let kinds: BTreeSet<&str> = tasks.iter().map(|task| task.kind.as_str()).collect();
    for kind in kinds {
        tx.execute(
            "INSERT INTO lanes (pipeline, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![pipeline, kind],
        )?;
    }
    Ok(())
}

/// Counts down what waits for a task that is now done; whatever reaches zero is ready.
pub(super) fn release_successors(tx: &mut dyn Tx, task: i64, now: UnixMillis) -> Sql<()> {
    let changed = tx.execute(
        "UPDATE tasks SET
           run_at = CASE WHEN pending = 1 THEN ?2 ELSE run_at END,
           dated_at = CASE WHEN pending = 1 THEN ?2 ELSE dated_at END,
           state = CASE WHEN pending = 1 AND state = 'waiting' THEN 'ready' ELSE state END,
           pending = pending - 1
         WHERE id IN (SELECT task_id FROM edges WHERE needs_id = ?1)",
        params![task, now],
    )?;
    if changed > 0 {
        tx.wake();
    }
    Ok(())
}

/// Existing tasks never wait for new ones, so a circle can only lie within the list.
fn refuse_cycles(tasks: &[NewTask]) -> Sql<()> {
    let index: HashMap<&str, usize> =
        tasks.iter().enumerate().map(|(at, task)| (task.key.as_str(), at)).collect();
    let mut pending = vec![0_usize; tasks.len()];
    let mut followers = vec![Vec::new(); tasks.len()];
    for (at, task) in tasks.iter().enumerate() {
        for needs in task.after.iter().filter_map(|key| index.get(key.as_str())) {
            followers[*needs].push(at);
            pending[at] += 1;
        }
    }
    let mut free: Vec<usize> = (0..tasks.len()).filter(|at| pending[*at] == 0).collect();
    while let Some(done) = free.pop() {
        for &next in &followers[done] {
            pending[next] -= 1;
            if pending[next] == 0 {
                free.push(next);
            }
        }
    }
    match pending.iter().position(|count| *count > 0) {
        Some(at) => Err(refused(&tasks[at].key, "waits for itself, directly or through others")),
        None => Ok(()),
    }
}

fn refused(key: &str, problem: &str) -> Fault {
    Fault::Refused(format!("task {key} {problem}"))
}
