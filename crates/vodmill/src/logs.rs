//! Logs on stderr: constant messages with fields.

use std::io::{self, IsTerminal};

use anyhow::Context as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::cli::LogFormat;
use crate::config::settings::LogFilter;

/// Starts logging; once in a process.
///
/// # Errors
/// If `filter` is none.
pub fn start(filter: &LogFilter, format: LogFormat) -> anyhow::Result<()> {
    let targets: Targets = filter.0.parse().context("understand what to log")?;
    let lines = fmt::layer().with_writer(io::stderr);
    let layer = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).compact().boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
    Ok(())
}
