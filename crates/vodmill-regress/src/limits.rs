//! From where on a difference is red: in one place, kept in the baseline, and to be overridden there
//! or for one run.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From where on a difference is red. Of a rung, over all clips, unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Per cent more bytes of pictures at equal VMAF.
    pub bytes: f64,
    /// The same of one clip.
    pub clip_bytes: f64,
    /// Per cent more bytes of pictures, whatever became of the quality.
    pub raw_bytes: f64,
    /// Points of VMAF less.
    pub vmaf: f64,
    /// Points less of the 5th percentile of frames, of one clip.
    pub p5: f64,
    /// Thousandths of SSIM less.
    pub ssim: f64,
    /// Per cent more bytes of sound.
    pub sound: f64,
    /// Per cent of all bytes that packaging takes more.
    pub packaging: f64,
    /// Per cent more processor time for a pipeline.
    pub cpu: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: 2.0,
            clip_bytes: 6.0,
            raw_bytes: 10.0,
            vmaf: 1.0,
            p5: 1.0,
            ssim: 4.0,
            sound: 2.0,
            packaging: 2.0,
            cpu: 15.0,
        }
    }
}

/// One limit for a run, as `bytes=3`.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    name: String,
    value: f64,
}

/// Names of limits.
const NAMES: &str = "bytes, clip_bytes, raw_bytes, vmaf, p5, ssim, sound, packaging, cpu";

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Override, String> {
        let wrong = || format!("{text:?} is no limit such as bytes=3; there are {NAMES}");
        let (name, value) = text.split_once('=').ok_or_else(wrong)?;
        let value = value.trim_end_matches('%').parse().map_err(|_| wrong())?;
        let limit = Override { name: name.to_owned(), value };
        let is_limit =
            value >= 0.0 && value.is_finite() && limit.field(&mut Limits::default()).is_some();
        if is_limit { Ok(limit) } else { Err(wrong()) }
    }
}

impl Override {
    fn field<'a>(&self, limits: &'a mut Limits) -> Option<&'a mut f64> {
        match self.name.as_str() {
            "bytes" => Some(&mut limits.bytes),
            "clip_bytes" => Some(&mut limits.clip_bytes),
            "raw_bytes" => Some(&mut limits.raw_bytes),
            "vmaf" => Some(&mut limits.vmaf),
            "p5" => Some(&mut limits.p5),
            "ssim" => Some(&mut limits.ssim),
            "sound" => Some(&mut limits.sound),
            "packaging" => Some(&mut limits.packaging),
            "cpu" => Some(&mut limits.cpu),
            _ => None,
        }
    }

    /// Puts the value where it belongs.
    pub fn apply(&self, limits: &mut Limits) {
        if let Some(field) = self.field(limits) {
            *field = self.value;
        }
    }
}
