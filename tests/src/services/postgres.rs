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
        let made = psql(&self.service, &format!("CREATE DATABASE {name}"));
        made.unwrap_or_else(|why| panic!("database {name}: {why}"));
    }

    /// The URL of a database.
    pub fn database(&self, name: &str) -> String {
        format!("postgres://vodmill@127.0.0.1:{}/{name}", self.service.port)
    }

    /// Kills it with all its processes.
    pub fn kill(&self) {
        self.service.kill();
    }

    /// Starts it again with what it had.
    pub fn start_again(&self) {
        self.service.start_again(is_ready);
    }
}

fn is_ready(service: &Service) -> bool {
    psql(service, "SELECT 1").is_ok()
}

fn psql(service: &Service, statement: &str) -> Result<(), String> {
    let url = format!("postgres://vodmill@127.0.0.1:{}/postgres", service.port);
    succeeded(Command::new("psql").args(["-qXtc", statement]).arg(url)).map(drop)
}
