//! The program `vodmill`: configuration, command line, inboxes and wiring; the work is done in the
//! crates below it.

use std::process::ExitCode;

use clap::Parser as _;

mod cli;
mod commands;
mod config;
#[cfg(test)]
mod documents;
mod exit;
mod inbox;
mod logs;
mod notifications;
mod output;
mod progress;
mod signals;

pub use config::Config;

/// Runs the command of the command line, and prints its error.
pub fn main() -> ExitCode {
    if let Err(why) = vodmill_fault::start() {
        eprintln!("vodmill: {why}");
        return ExitCode::from(2);
    }
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            output::say(&format!("vodmill: {}", exit::explain(&error)));
            ExitCode::from(exit::code_of(&error))
        }
    }
}
