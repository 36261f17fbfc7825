//! The contracts, written once over the trait [`Engine`](crate::engine::Engine): each operation in
//! its transaction, with its name for errors.
//!
//! `jobs`, `leases`, `settling`, `control`, `names`, `renditions`, `secrets`, `totals`, `outbox` and
//! `invalidations` implement the contracts of these names; the other files are parts of them.

mod backlog;
mod claim;
mod clock_change;
mod commit_points;
mod control;
mod finish;
mod graph;
mod invalidations;
mod job_control;
mod jobs;
mod leases;
mod names;
mod outbox;
mod quarantine;
mod reap;
mod renditions;
mod secrets;
mod settings;
mod settling;
mod stale_paths;
mod tasks;
mod totals;

#[cfg(test)]
pub(crate) use claim::heads_sql;

/// A name that nothing else has: 32 hex digits.
fn random_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}
