//! PostgreSQL, with a database for each queue.

use std::process::Command;

use super::Service;
use crate::tools::succeeded;

/// A server of databases.
pub struct Postgres {
    service: Service,
}

impl Postgres {
    /// Starts one without data.
    pub fn start() -> Postgres {
        Postgres { service: Service::start("postgres", 1, is_ready) }
    }

    /// Makes a database.
    pub fn make(&self, name: &str) {
        self.run("postgres", &format!("CREATE DATABASE {name}"));
    }

    /// Runs a statement in a database.
    pub fn run(&self, name: &str, statement: &str) {
        let run = psql(&self.database(name), statement);
        run.unwrap_or_else(|why| panic!("{statement}: {why}"));
    }

    /// The URL of a database.
    pub fn database(&self, name: &str) -> String {
        format!("postgres://vodmill@127.0.0.1:{}/{name}", self.service.port)
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
    psql(&format!("postgres://vodmill@127.0.0.1:{}/postgres", service.port), "SELECT 1").is_ok()
}

fn psql(url: &str, statement: &str) -> Result<(), String> {
    succeeded(Command::new("psql").args(["-qXtc", statement]).arg(url)).map(drop)
}
