//! `vodmill regress`: what the presets of a home make of clips, compared with a baseline.

mod clips;
mod encode;
mod examine;
mod measure;
mod pipelines;
mod scratch;
mod yardstick;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use vodmill_model::Catalogue;
use vodmill_pipeline::Stop;
use vodmill_regress::baseline::{Baseline, VERSION};
use vodmill_regress::compare::{Level, Options, Verdicts};
use vodmill_regress::{Limits, compare, report, settings};

use super::build;
use crate::cli::Regress;
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{print, print_json, say};
use crate::signals;
use clips::Original;
use scratch::Scratch;

/// Name of the baseline in the home.
const BASELINE: &str = "regression.json";

/// `vodmill regress`.
pub fn run(config: &Config, arguments: &Regress) -> anyhow::Result<ExitCode> {
    let path = arguments.baseline.clone().unwrap_or_else(|| config.home.join(BASELINE));
    let earlier = read(&path)?;
    if earlier.is_none() && !arguments.update {
        return Err(Usage::error(format!(
            "there is no baseline {}: make it with `vodmill regress --update`, look at it, and commit it",
            path.display()
        )));
    }
    let stop = Arc::new(Stop::default());
    signals::watch(&stop, Duration::ZERO)?;
    if measure::meter().is_none() {
        say(
            "this program was built without VMAF: quality is not compared, nor bytes at equal quality",
        );
    }
    let scratch = Scratch::new(config)?;
    let wanted = Wanted::of(config, arguments, earlier.as_ref(), &scratch)?;
    let before = earlier.as_ref().map(|earlier| wanted.part_of(earlier, arguments));
    let mut now = wanted.encode(config, &scratch, &stop)?;
    if let Some(before) = &before {
        now.inherit(before);
    }
    if arguments.update {
        say_findings(&now);
        if arguments.slopes || now.lacks_slopes() {
            say("encoding once more, a little softer, for what a point of VMAF costs in each rung");
            wanted.learn_slopes(config, &mut now, &stop)?;
        }
    }
    let level = match &before {
        Some(before) => tell(arguments, before, &now)?,
        None => Level::Green,
    };
    if arguments.update {
        let merged = match &earlier {
            Some(earlier) => wanted.merged(earlier, now),
            None => now,
        };
        write(&path, &merged.write())?;
        say(&format!("wrote {}: look at the difference, and commit it", path.display()));
        return Ok(ExitCode::SUCCESS);
    }
    // 1 although nothing of ours failed: CI asks whether the presets are as they were.
    Ok(if level == Level::Red { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Compares, and tells what came of it in every form that is wanted.
fn tell(arguments: &Regress, before: &Baseline, now: &Baseline) -> anyhow::Result<Level> {
    let verdicts = compare(before, now, Options { cpu_is_red: arguments.cpu });
    write_reports(arguments, &verdicts)?;
    if arguments.json {
        print_json(&verdicts)?;
    } else {
        print(&report::text(&verdicts))?;
    }
    Ok(verdicts.level)
}

/// What goes into a baseline although it is wrong.
fn say_findings(now: &Baseline) {
    for (pipeline, clips) in &now.results {
        for (clip, package) in clips {
            for finding in &package.findings {
                say(&format!("pipeline {pipeline}, clip {clip}: {finding}"));
            }
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Option<Baseline>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    let baseline = Baseline::read(&bytes);
    let baseline = baseline.with_context(|| format!("read {}", path.display()));
    Ok(Some(baseline.map_err(Usage::because)?))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

fn write_reports(arguments: &Regress, verdicts: &Verdicts) -> anyhow::Result<()> {
    type Form = fn(&Verdicts) -> String;
    let forms: [(&Option<PathBuf>, Form); 3] = [
        (&arguments.markdown, report::markdown),
        (&arguments.junit, report::junit),
        (&arguments.html, report::html),
    ];
    for (path, form) in forms {
        if let Some(path) = path {
            write(path, &form(verdicts))?;
        }
    }
    Ok(())
}

/// What is to be encoded, and by what.
struct Wanted {
    originals: Vec<Original>,
    catalogue: Catalogue,
    limits: Limits,
    /// Whether all pipelines and presets are.
    all_pipelines: bool,
}

impl Wanted {
    fn of(
        config: &Config,
        arguments: &Regress,
        earlier: Option<&Baseline>,
        scratch: &Scratch,
    ) -> anyhow::Result<Wanted> {
        let originals = clips::choose(arguments, earlier, scratch)?;
        let catalogue = pipelines::all(&config.catalogue, &arguments.pipeline)?;
        let mut limits = earlier.map(|earlier| earlier.limits).unwrap_or_default();
        for limit in &arguments.limit {
            limit.apply(&mut limits);
        }
        Ok(Wanted { originals, catalogue, limits, all_pipelines: arguments.pipeline.is_empty() })
    }

    /// Encodes, examines and measures.
    fn encode(&self, config: &Config, scratch: &Scratch, stop: &Stop) -> anyhow::Result<Baseline> {
        let before = yardstick::measure(config);
        let encoded = encode::run(config, &self.catalogue, &self.originals, scratch, stop)?;
        let after = yardstick::measure(config);
        let results = examine::all(&encoded, stop)?;
        let originals = self.originals.iter();
        Ok(Baseline {
            version: VERSION,
            build: build(),
            meter: measure::meter(),
            cpu: yardstick::thousandths(encoded.cpu_ms(), before + after),
            limits: self.limits,
            clips: originals.map(|clip| (clip.name.clone(), clip.sha256.clone())).collect(),
            presets: settings::of_presets(&config.catalogue),
            pipelines: settings::of_pipelines(&config.catalogue),
            results,
        })
    }

    fn learn_slopes(&self, config: &Config, now: &mut Baseline, stop: &Stop) -> anyhow::Result<()> {
        let scratch = Scratch::new(config)?;
        let catalogue = pipelines::softer(&self.catalogue);
        let encoded = encode::run(config, &catalogue, &self.originals, &scratch, stop)?;
        now.learn_slopes(&examine::all(&encoded, stop)?);
        Ok(())
    }

    /// Whether a result is of what is encoded now.
    fn holds(&self, pipeline: &str, clip: &str) -> bool {
        let is_here = self.catalogue.pipelines.contains_key(pipeline);
        let has_clip = self.originals.iter().any(|original| original.name == clip);
        // What is gone is to be noticed, unless only a part was asked for.
        (is_here || self.all_pipelines) && has_clip
    }

    /// The part of a baseline that is compared.
    fn part_of(&self, baseline: &Baseline, arguments: &Regress) -> Baseline {
        let mut part = baseline.clone();
        part.limits = self.limits;
        part.results.retain(|pipeline, clips| {
            clips.retain(|clip, _| self.holds(pipeline, clip));
            !clips.is_empty()
        });
        let is_part = !arguments.made.is_empty() || !self.all_pipelines;
        part.cpu = part.cpu.filter(|_| !is_part);
        part
    }

    /// What was found now, and of the baseline what was not looked at.
    fn merged(&self, earlier: &Baseline, now: Baseline) -> Baseline {
        let mut merged = now;
        merged.limits = earlier.limits;
        merged.settle_cpu(earlier);
        // Results of another build do not belong beside these.
        if merged.build == earlier.build && !self.all_pipelines {
            for (pipeline, clips) in &earlier.results {
                merged.results.entry(pipeline.clone()).or_insert_with(|| clips.clone());
            }
            merged.cpu = earlier.cpu;
        }
        merged
    }
}
