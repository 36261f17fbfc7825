//! Logs on stderr: constant messages with fields. What fields hold is made printable here: it may be
//! the name of a file, or what somebody has written into one.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anyhow::Context as _;
use tracing_subscriber::Layer as _;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{FormatFields, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use vodmill_model::printable;

use crate::cli::LogFormat;
use crate::config::settings::LogFilter;
use crate::output::printable_json;

/// Starts logging; once in a process.
///
/// # Errors
/// If `filter` is none.
pub fn start(filter: &LogFilter, format: LogFormat) -> anyhow::Result<()> {
    let targets: Targets = filter.0.parse().context("understand what to log")?;
    let layer = match format {
        LogFormat::Json => layer().with_writer(JsonLines::new).json().flatten_event(true).boxed(),
        LogFormat::Text => {
            let lines = layer().with_writer(io::stderr).compact().fmt_fields(PrintableFields);
            lines.with_ansi(io::stderr().is_terminal()).boxed()
        }
    };
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
    Ok(())
}

/// Fields as they usually stand, on one line.
struct PrintableFields;

impl<'writer> FormatFields<'writer> for PrintableFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut text = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        writer.write_str(&printable(&text))
    }
}

/// Standard error, for whole lines of JSON.
struct JsonLines;

impl JsonLines {
    fn new() -> JsonLines {
        JsonLines
    }
}

impl Write for JsonLines {
    /// An event comes in one piece.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let shown = printable_json(&String::from_utf8_lossy(line));
        io::stderr().write_all(shown.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
