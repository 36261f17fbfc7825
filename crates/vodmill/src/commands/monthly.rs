//! `vodmill cost --by-month`: what was published, summed up by pipeline and month.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;

use super::shared::queues;
use crate::cli::Cost;
use crate::config::Config;
use crate::output::{bytes, print, print_json, table};

/// What a pipeline has published in a month (UTC). Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Month {
    pipeline: String,
    month: String,
    /// Jobs that were published; each once.
    publications: u64,
    /// Of these, first generations of an asset.
    assets: u64,
    /// Streams that a viewer may be sent: variants, sound, subtitles, MP4.
    renditions: u64,
    objects: u64,
    bytes: u64,
    /// Length of the programmes.
    duration_ms: u64,
    encode_cpu_ms: u64,
    package_cpu_ms: u64,
}

#[derive(Serialize)]
struct Output<'a> {
    version: u32,
    months: &'a [Month],
}

/// `vodmill cost --by-month`.
pub fn run(config: &Config, arguments: &Cost) -> anyhow::Result<ExitCode> {
    let mut months = months(config)?;
    months.retain(|month| arguments.what.as_ref().is_none_or(|only| *only == month.pipeline));
    match arguments.json {
        true => print_json(&Output { version: 1, months: &months })?,
        false => print(&describe(&months))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The sums of the daemon's queue, or the workers', and of `run`'s.
fn months(config: &Config) -> anyhow::Result<Vec<Month>> {
    let mut months: BTreeMap<(String, String), Month> = BTreeMap::new();
    for queue in queues(config)? {
        for total in queue.totals()? {
            let key = (total.pipeline.clone(), total.month.clone());
            let new = Month { pipeline: total.pipeline, month: total.month, ..Month::default() };
            if let Some(figure) = months.entry(key).or_insert(new).figure(&total.name) {
                *figure += total.value;
            }
        }
    }
    Ok(months.into_values().collect())
}

impl Month {
    /// A figure by its name in the queue; a newer vodmill may have others.
    fn figure(&mut self, name: &str) -> Option<&mut u64> {
        match name {
            "publications" => Some(&mut self.publications),
            "assets" => Some(&mut self.assets),
            "renditions" => Some(&mut self.renditions),
            "objects" => Some(&mut self.objects),
            "bytes" => Some(&mut self.bytes),
            "duration_ms" => Some(&mut self.duration_ms),
            "encode_cpu_ms" => Some(&mut self.encode_cpu_ms),
            "package_cpu_ms" => Some(&mut self.package_cpu_ms),
            _ => None,
        }
    }
}

fn describe(months: &[Month]) -> String {
    if months.is_empty() {
        return "nothing was published since sums are kept".to_owned();
    }
    let head = [
        "pipeline",
        "month",
        "published",
        "new",
        "renditions",
        "objects",
        "size",
        "length s",
        "encode cpu s",
        "package cpu s",
    ];
    let seconds = |ms: u64| ms.div_ceil(1000).to_string();
    let row = |month: &Month| {
        vec![
            month.pipeline.clone(),
            month.month.clone(),
            month.publications.to_string(),
            month.assets.to_string(),
            month.renditions.to_string(),
            month.objects.to_string(),
            bytes(month.bytes),
            seconds(month.duration_ms),
            seconds(month.encode_cpu_ms),
            seconds(month.package_cpu_ms),
        ]
    };
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(months.iter().map(row));
    table(&rows)
}
