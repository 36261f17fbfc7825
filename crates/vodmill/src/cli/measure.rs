//! Arguments of `measure`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use vodmill_model::quality::Subsample;

/// `measure`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill measure talk.mov talk-720p.mp4 talk-540p.mp4
  vodmill measure talk.mov published/talk                all rungs of what is published
  vodmill measure talk.mov published/talk --rung high --rung phone --neg
  vodmill measure talk.mov published/talk --html talk.html

Pictures are compared frame by frame: frame 100 with frame 100, both at the displayed size of the
reference, to which smaller ones are scaled by bicubic interpolation, and with the colours that a
player would show. The first picture of each is number 0.

VMAF goes from 0 to 100: above 95 hardly anybody sees a difference, and 6 points are one that is
seen. p5 is the 5th percentile: one frame in twenty is no better. SSIM is a second witness that is
blind to other things. NEG is VMAF that sharpening cannot raise: look at it when encoder settings
are compared.

Exit codes: 0 measured, whatever the scores; 1 failed; 2 wrong usage, or a program that was built
without VMAF; 3 a file was refused.")]
pub struct Measure {
    /// The original
    pub reference: PathBuf,
    /// What was made of it: files, or folders of published assets or of one generation of them
    #[arg(required = true, value_name = "DISTORTED")]
    pub distorted: Vec<PathBuf>,
    /// Of packages, only this rung of the ladder, or this file; may be given several times
    /// [default: all rungs, or all files where there are none]
    #[arg(long, value_name = "NAME")]
    pub rung: Vec<String>,
    /// Score every 3rd or every 5th frame; an even step would flatter
    #[arg(long, value_name = "3|5", default_value = "5")]
    pub every: Every,
    /// Also print NEG
    #[arg(long)]
    pub neg: bool,
    /// Print JSON, with every scored frame; `vodmill schema measurement` describes it
    #[arg(long)]
    pub json: bool,
    /// Also write a page: VMAF over time, and the worst frames beside the original
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Worst frames of each on that page
    #[arg(long, value_name = "COUNT", default_value_t = 3, requires = "html", value_parser = clap::value_parser!(u8).range(0..=20))]
    pub worst: u8,
}

/// Which frames are scored, as people write it.
#[derive(Clone, Copy, Debug)]
pub struct Every(pub Subsample);

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Every, String> {
        let step: u32 = text.parse().map_err(|_| format!("{text:?} is neither 3 nor 5"))?;
        Subsample::try_from(step).map(Every).map_err(|wrong| wrong.to_string())
    }
}
