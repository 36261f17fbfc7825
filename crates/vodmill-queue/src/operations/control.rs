//! What operators see and steer.

use super::{backlog, quarantine, settings};
use crate::contract::{Backlog, Control, LeaseInfo, QuarantinedTask};
use crate::engine::Engine;
use crate::error::{Object, Result};

impl<E: Engine> Control for E {
    fn backlog(&self) -> Result<Backlog> {
        self.read("count backlog", "of all tasks".into(), backlog::count)
    }

    fn leases(&self) -> Result<Vec<LeaseInfo>> {
        self.read("list leases", "of all holders".into(), backlog::leases)
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
        self.read("list paused", "pipelines".into(), settings::paused)
    }

    fn setting(&self, name: &str) -> Result<Option<String>> {
        self.read("read setting", name.into(), |tx| settings::setting(tx, name))
    }

    fn set_setting(&self, name: &str, value: &str) -> Result<()> {
        self.write("set", name.into(), |tx| settings::set_setting(tx, name, value))
    }
}
