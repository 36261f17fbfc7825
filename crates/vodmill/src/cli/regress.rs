//! Options of `regress`.

use std::path::PathBuf;

use clap::Args;
use vodmill_regress::limits::Override;

/// `regress`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill regress --update             make the baseline, or make it anew; commit it
  vodmill regress                      compare with it: 0 all green, 1 something is red
  vodmill regress --markdown summary.md --junit junit.xml --html report.html
                                       the same, with reports for a pull request
  vodmill regress --clips ~/clips --update
                                       clips of one's own beside the made ones
  vodmill regress --made motion,long --pipeline tv
                                       a quick look at a part of it
  vodmill regress --limit bytes=3      with another limit, for once

Limits are in the baseline, under `limits`: change them there to keep them. docs/regression.md says
what each means, and how a report is read.")]
pub struct Regress {
    /// The baseline [default: regression.json in the home]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write what was found into the baseline, and say what changed; nothing is red then
    #[arg(long)]
    pub update: bool,
    /// Also encode every file in this folder
    #[arg(long, value_name = "DIR")]
    pub clips: Option<PathBuf>,
    /// Made clips to encode: cuts, detail, gradients, grain, hdr, long, motion, text, or none
    /// [default: those of the baseline, or all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub made: Vec<String>,
    /// Only these pipelines; a preset that none uses is `preset-NAME` [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub pipeline: Vec<String>,
    /// Another limit for this run, as bytes=3; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub limit: Vec<Override>,
    /// More processor time is red, not only a warning: for a machine of its own
    #[arg(long)]
    pub cpu: bool,
    /// With --update, measure anew what a point of VMAF costs, also where the baseline says it
    #[arg(long, requires = "update")]
    pub slopes: bool,
    /// Write a report as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write a report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a report as one HTML page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
