//! FFmpeg's command-line tools, for making inputs and as a second opinion on outputs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// What ffprobe read of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// `video`, `audio` or another.
    pub kind: String,
    /// Frames that came out of the decoder.
    pub frames: u64,
}

/// Runs ffmpeg; its output is the reason when it fails.
pub fn ffmpeg<S: AsRef<OsStr>>(arguments: &[S]) -> Result<(), String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]).args(arguments);
    succeeded(&mut command).map(drop)
}

/// Decodes a whole file. An error of the decoder or demuxer is an error here.
pub fn decode(file: &Path) -> Result<Vec<Decoded>, String> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-count_frames", "-of", "json", "-show_entries"]);
    command.arg("stream=codec_type,nb_read_frames").arg(file);
    let output = succeeded(&mut command)?;
    if !output.stderr.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let streams = json(&output.stdout)?;
    let streams = streams["streams"].as_array().cloned().unwrap_or_default();
    Ok(streams.iter().map(decoded).collect())
}

fn decoded(stream: &Value) -> Decoded {
    let frames = stream["nb_read_frames"].as_str().and_then(|text| text.parse().ok());
    let kind = stream["codec_type"].as_str().unwrap_or("none").to_owned();
    Decoded { kind, frames: frames.unwrap_or(0) }
}

/// What ffprobe says of a file, entries as its `-show_entries` takes them.
pub fn probe(file: &Path, entries: &str) -> Result<Value, String> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "json", "-show_entries", entries]).arg(file);
    json(&succeeded(&mut command)?.stdout)
}

/// The mean difference of two equally long runs of pictures, as SSIM from 0 to 1.
pub fn ssim(left: &Path, right: &Path, filter: &str) -> Result<f64, String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-i"]).arg(left).arg("-i").arg(right);
    command.args(["-lavfi", filter, "-f", "null", "-"]);
    let text = String::from_utf8_lossy(&succeeded(&mut command)?.stderr).into_owned();
    let all = text.rsplit_once("All:").ok_or("ffmpeg printed no SSIM")?.1;
    let number = all.split_whitespace().next().unwrap_or_default();
    number.parse().map_err(|why| format!("SSIM {number:?}: {why}"))
}

fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|why| why.to_string())
}

/// Runs to the end; anything but success is an error that tells what was run.
pub fn succeeded(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|why| format!("{command:?}: {why}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{command:?}: {}: {said}", output.status))
}

/// The mean luma of a file's pictures as they are shown in BT.709, from 0 to 255.
pub fn luma(file: &Path) -> Result<f64, String> {
    let filter = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,signalstats,\
                  metadata=print:key=lavfi.signalstats.YAVG:file=-";
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-i"]).arg(file);
    command.args(["-an", "-vf", filter, "-f", "null", "-"]);
    let text = String::from_utf8_lossy(&succeeded(&mut command)?.stdout).into_owned();
    let values = text.lines().filter_map(|line| line.split_once("YAVG=")?.1.parse().ok());
    let values: Vec<f64> = values.collect();
    match values.len() {
        0 => Err("ffmpeg measured no picture".to_owned()),
        count => Ok(values.iter().sum::<f64>() / count as f64),
    }
}

/// How many pictures of a file look interlaced, of how many that say anything.
pub fn combed(file: &Path) -> Result<(u32, u32), String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-i"]).arg(file);
    command.args(["-an", "-vf", "idet", "-f", "null", "-"]);
    let text = String::from_utf8_lossy(&succeeded(&mut command)?.stderr).into_owned();
    let counts = text.rsplit_once("Multi frame detection:").ok_or("ffmpeg detected nothing")?.1;
    let words: Vec<&str> = counts.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1)?.parse::<u32>().ok()
    };
    let count = |name: &str| after(name).ok_or_else(|| format!("no {name} in {counts:?}"));
    let fields = count("TFF:")? + count("BFF:")?;
    Ok((fields, fields + count("Progressive:")?))
}

/// When sound begins after silence at the start, in seconds.
pub fn sound_begins(file: &Path) -> Result<f64, String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-i"]).arg(file);
    command.args(["-vn", "-af", "silencedetect=noise=-40dB:d=0.1", "-f", "null", "-"]);
    let text = String::from_utf8_lossy(&succeeded(&mut command)?.stderr).into_owned();
    let Some((_, after)) = text.split_once("silence_end: ") else { return Ok(0.0) };
    let number = after.split_whitespace().next().unwrap_or_default();
    number.parse().map_err(|why| format!("{number:?}: {why}"))
}
