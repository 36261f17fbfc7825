//! I26: three hours. The memory of every process stays flat and the disk is bounded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use vodmill_tests::cases::case;
use vodmill_tests::product::{Home, descendants};
use vodmill_tests::tools::probe;

const MIB: u64 = 1 << 20;
/// The most that any process may take.
const LARGEST: u64 = 160 * MIB;
/// The most that a process may grow from the first half of its life to the last quarter: 15 %, and
/// what an allocator may hold back.
fn allowed(early: u64) -> u64 {
    early + early * 15 / 100 + 8 * MIB
}

/// From one sample to the next.
const EVERY: Duration = Duration::from_millis(200);

const LADDER: &str = r#"
kind = "ladder"
[video]
speed = "ultrafast"
[audio]
channels = 1
bitrate = "48k"
sample_rate = 16000
[[rung]]
name = "low"
width = 128
height = 72
crf = 40
max_bitrate = "100k"
"#;

/// Samples of resident memory by process.
type Memory = BTreeMap<u32, Vec<u64>>;

#[test]
fn three_hours() {
    let home = Home::quick("", true);
    home.write("presets/small.toml", LADDER);
    let pipeline = "ladder = \"small\"\nmp4 = []\nchunk_seconds = 300\n[encryption]\n\
                    key_uri = \"http://127.0.0.1:8480/k/{kid}\"\nsegments_per_key = 100\n";
    home.write("pipelines/default.toml", pipeline);
    let original = case("long.mp4");
    let mut command = home.command();
    command.arg("run").arg(&original).args(["--out"]).arg(home.at("published"));
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().expect("vodmill runs");
    let (mut memory, mut disk) = (Memory::new(), 0);
    let status = loop {
        for process in descendants(child.id()) {
            memory.entry(process.pid).or_default().push(process.resident);
        }
        disk = disk.max(size_of(home.path()));
        if let Some(status) = child.try_wait().expect("waiting") {
            break status;
        }
        thread::sleep(EVERY);
    };
    println!("three hours took {:?}, {} MiB of disk at most", start.elapsed(), disk / MIB);
    assert!(status.success(), "{status}");
    let published = size_of(&home.at("published"));
    // Renditions are kept, and a package is made beside them before it is moved.
    assert!(disk <= 3 * published + 64 * MIB, "{disk} bytes of disk for {published}");
    flat(&memory);
    assert!(home.scratch().is_empty(), "{:?}", home.scratch());
    whole(&home);
}

fn flat(memory: &Memory) {
    let peak = memory.values().flatten().max().copied().unwrap_or(0);
    println!("{} processes, {} MiB at most", memory.len(), peak / MIB);
    assert!(peak <= LARGEST, "a process took {} MiB", peak / MIB);
    for (pid, samples) in memory.iter().filter(|(_, samples)| samples.len() >= 40) {
        let quarter = samples.len() / 4;
        let most = |part: &[u64]| part.iter().max().copied().unwrap_or(0);
        let (early, late) = (most(&samples[..2 * quarter]), most(&samples[3 * quarter..]));
        let detail = format!("process {pid} grew from {} to {} MiB", early / MIB, late / MIB);
        assert!(late <= allowed(early), "{detail}");
    }
}

/// `vodmill check` proves every segment; here only that all three hours are there.
fn whole(home: &Home) {
    let asset = home.only_asset();
    // The sound of each minute is a little longer, and so is the whole.
    let told = probe(&case("long.mp4"), "format=duration").expect("ffprobe");
    let seconds: f64 = told["format"]["duration"].as_str().unwrap_or_default().parse().expect("s");
    let frames = home.asset_json(&asset)["frames"].as_f64().expect("a number");
    assert!(seconds > 3.0 * 3600.0 && (frames - seconds * 5.0).abs() <= 2.0, "{frames} {seconds}");
    let ended = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size_of(&entry.path()),
            Ok(_) => entry.metadata().map_or(0, |file| file.len()),
            Err(_) => 0,
        })
        .sum()
}
