//! What ffprobe and ffmpeg read in a file.

use std::path::Path;
use std::process::Command;

/// A packet as ffprobe sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    pub kind: String,
    pub pts: f64,
    pub dts: f64,
    pub duration: f64,
    pub size: u64,
    pub position: u64,
    pub key: bool,
}

/// Runs a tool, which must succeed and have nothing to complain about.
pub fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(["-v", "warning"]).args(arguments).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{arguments:?}: {complaints}");
    String::from_utf8(output.stdout).unwrap()
}

/// All packets of a file.
pub fn packets(path: &Path) -> Vec<Packet> {
    let entries = "packet=codec_type,pts_time,dts_time,duration_time,size,pos,flags";
    let json = run("ffprobe", &["-of", "json", "-show_entries", entries, path.to_str().unwrap()]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    value["packets"].as_array().unwrap().iter().map(packet).collect()
}

fn packet(value: &serde_json::Value) -> Packet {
    let text = |name: &str| value[name].as_str().unwrap_or("0").to_owned();
    Packet {
        kind: text("codec_type"),
        pts: text("pts_time").parse().unwrap(),
        dts: text("dts_time").parse().unwrap(),
        duration: text("duration_time").parse().unwrap(),
        size: text("size").parse().unwrap(),
        position: text("pos").parse().unwrap(),
        key: text("flags").starts_with('K'),
    }
}

/// Packets of one kind.
pub fn of<'a>(packets: &'a [Packet], kind: &str) -> Vec<&'a Packet> {
    packets.iter().filter(|packet| packet.kind == kind).collect()
}

/// Decodes all of a file; any complaint is a failure.
pub fn decode(path: &Path) {
    run("ffmpeg", &["-nostdin", "-xerror", "-i", path.to_str().unwrap(), "-f", "null", "-"]);
}

/// The first channel of a file as it sounds, at 48 kHz.
pub fn pcm(path: &Path) -> Vec<f32> {
    let mono = ["-map", "0:a:0", "-af", "pan=mono|c0=c0", "-f", "f32le", "-"];
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i", path.to_str().unwrap()])
        .args(mono)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    output.stdout.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
