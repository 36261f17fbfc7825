//! PostgreSQL, with a database for each queue.

use std::process::Command;

use super::{Service, unique};
use crate::tools::succeeded;

/// A server of databases.
pub struct Postgres {
    service: Service,
}

impl Postgres {
    /// The server of this run, or one of its own where there is none. It is not to be stopped.
    pub fn shared() -> Postgres {
        let service = Service::of_this_run("postgres");
        service.map_or_else(Postgres::start, |service| Postgres { service })
    }

    /// Starts one without data.
    pub fn start() -> Postgres {
        Postgres { service: Service::start("postgres", 1, is_ready) }
    }

    /// Makes a database.
    pub fn make(&self, name: &str) {
        let statement = format!("CREATE DATABASE {}", unique(name, '_'));
        let run = psql(&maintenance(&self.service), &statement);
        run.unwrap_or_else(|why| panic!("{statement}: {why}"));
    }

    /// Runs a statement in a database.
    pub fn run(&self, name: &str, statement: &str) {
        let run = psql(&self.database(name), statement);
        run.unwrap_or_else(|why| panic!("{statement}: {why}"));
    }

    /// The URL of a database.
    pub fn database(&self, name: &str) -> String {
        format!("postgres://vodmill@127.0.0.1:{}/{}", self.service.port, unique(name, '_'))
    }

    /// Kills it with all its processes.
    pub fn kill(&self) {
        self.service.kill();
    }

    /// It stands still, as on a machine that is out of memory: it takes connections, and says
    /// nothing.
    pub fn stand_still(&self) {
        self.service.signal("STOP");
    }

    /// It goes on after that.
    pub fn go_on(&self) {
        self.service.signal("CONT");
    }

    /// Starts it again with what it had.
    pub fn start_again(&self) {
        self.service.start_again(is_ready);
    }
}

fn is_ready(service: &Service) -> bool {
    psql(&maintenance(service), "SELECT 1").is_ok()
}

/// The database that every server has.
fn maintenance(service: &Service) -> String {
    format!("postgres://vodmill@127.0.0.1:{}/postgres", service.port)
}

fn psql(url: &str, statement: &str) -> Result<(), String> {
    succeeded(Command::new("psql").args(["-qXtc", statement]).arg(url)).map(drop)
}
