//! `vodmill adopt`: a destination is this home's from now on; and whose destinations are, for the
//! commands that publish or remove.

use std::process::ExitCode;

use anyhow::Context as _;
use vodmill_pipeline::owner::{self, Ownership};

use super::published::Destination;
use super::shared::names;
use crate::cli::Adopt;
use crate::config::Config;
use crate::exit::Usage;
use crate::output::print;

/// `vodmill adopt`.
pub fn run(config: &Config, arguments: &Adopt) -> anyhow::Result<ExitCode> {
    vodmill_secret::make_dir(&config.state()).context("make the state folder")?;
    let names = names(config)?;
    for destination in Destination::all(config, Some(&arguments.place))? {
        let place = destination.place.to_string();
        let adopted = owner::adopt(&*destination.open(config), &*names, &place);
        adopted.with_context(|| format!("adopt {place}"))?;
        print(&format!("{place} is this home's from now on"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses to begin where another home publishes. A destination that does not answer is looked at
/// again by each job.
///
/// # Errors
/// Names the destination, and says what to do.
pub fn check_all(config: &Config) -> anyhow::Result<()> {
    for destination in Destination::all(config, None)? {
        match check(config, &destination) {
            Err(error) if error.downcast_ref::<Usage>().is_none() => {
                let place = destination.place.to_string();
                tracing::warn!(place, error = format!("{error:#}"), "destination not looked at");
            }
            checked => checked?,
        }
    }
    Ok(())
}

/// Refuses a destination that is another home's.
///
/// # Errors
/// As [`check_all`], and what failed.
pub fn check(config: &Config, destination: &Destination) -> anyhow::Result<()> {
    let place = destination.place.to_string();
    let owned = owner::look(&*destination.open(config), &*names(config)?);
    match owned.with_context(|| format!("look whose {place} is"))? {
        Ownership::Ours | Ownership::Nobodys => Ok(()),
        Ownership::Others(owner) => Err(Usage::error(owner::not_ours(&place, &owner))),
    }
}
