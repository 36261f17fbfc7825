//! The product as its user has it: a program, a home folder, files in and packages out.

mod cluster;
mod daemon;
mod faults;
mod objects;
mod processes;
mod random;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

pub use cluster::{BUCKET, Cluster, clips};
pub use daemon::{Daemon, gone, wait_until};
pub use faults::{Pass, Passes, fault_points};
pub use objects::{media, objects, tree};
pub use processes::{Process, descendants, signal};
pub use random::Random;

/// A ladder of three small rungs that encodes fast.
pub const SMALL_LADDER: &str = r#"
kind = "ladder"
[video]
speed = "ultrafast"
[[rung]]
name = "low"
width = 160
height = 90
crf = 28
max_bitrate = "200k"
[[rung]]
name = "mid"
width = 320
height = 180
crf = 28
max_bitrate = "500k"
[[rung]]
name = "high"
width = 480
height = 270
crf = 28
max_bitrate = "1M"
"#;

/// An MP4 that shares the encode of the middle rung of [`SMALL_LADDER`].
pub const SMALL_MP4: &str = r#"
kind = "mp4"
[video]
speed = "ultrafast"
width = 320
height = 180
crf = 28
max_bitrate = "500k"
"#;

/// The built program: made once by cargo, from the tree that these tests are in. Where many tests run,
/// a process each, scripts/test has built it, and says where it is.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match env::var_os("VODMILL_BIN") {
        Some(path) => path.into(),
        None => build("vodmill", &[]),
    })
}

/// The program with fault points; a file of its own.
pub fn binary_with_faults() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match env::var_os("VODMILL_FAULTS_BIN") {
        Some(path) => path.into(),
        None => build("vodmill-faults", &["--features", "faults"]),
    })
}

/// Cargo says where it put the program, whatever its configuration is.
fn build(name: &str, features: &[&str]) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "vodmill", "--bin", name]).args(features);
    // What cargo tells tests of themselves: a build script that looks at it would run again, and half
    // of all crates with it.
    let told = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    for name in told.filter(|name| starts.iter().any(|start| name.starts_with(start))) {
        command.env_remove(name);
    }
    command.args(["--message-format", "json"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo build of vodmill: {}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut programs = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    programs.next_back().expect("cargo built a program")
}

/// A private home folder, gone with its test.
pub struct Home {
    directory: TempDir,
    environment: Vec<(String, String)>,
    program: PathBuf,
}

/// What came of running the program.
#[derive(Debug)]
pub struct Ended {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Home {
    /// An empty home: everything is as the product has it by default, but files are taken sooner.
    pub fn new() -> Home {
        Home::of(binary())
    }

    /// As [`new`](Home::new), for the program with fault points.
    pub fn with_faults() -> Home {
        Home::of(binary_with_faults())
    }

    fn of(program: &Path) -> Home {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let home = Home { directory, environment: Vec::new(), program: program.to_owned() };
        home.write("vodmill.toml", "settle_seconds = 1\n");
        home
    }

    /// A home whose default pipeline is quick: small rungs, one MP4, a new key every two segments.
    /// `hls` goes into its `[hls]` table.
    pub fn quick(hls: &str, encrypted: bool) -> Home {
        Home::new().made_quick(hls, encrypted)
    }

    /// As [`quick`](Home::quick), for the program with fault points.
    pub fn quick_with_faults(hls: &str, encrypted: bool) -> Home {
        Home::with_faults().made_quick(hls, encrypted)
    }

    fn made_quick(self, hls: &str, encrypted: bool) -> Home {
        self.write("presets/small.toml", SMALL_LADDER);
        self.write("presets/small-mp4.toml", SMALL_MP4);
        self.pipeline("default", "", hls, encrypted);
        self
    }

    /// Adds a pipeline on the small presets.
    pub fn pipeline(&self, name: &str, top: &str, hls: &str, encrypted: bool) {
        let keys =
            "[encryption]\nkey_uri = \"http://127.0.0.1:8480/k/{kid}\"\nsegments_per_key = 2\n";
        let keys = if encrypted { keys } else { "" };
        let presets = "ladder = \"small\"\nmp4 = [\"small-mp4\"]\nchunk_seconds = 6\n";
        let text = format!("{presets}{top}\n[thumbnails]\n[hls]\n{hls}\n{keys}");
        self.write(&format!("pipelines/{name}.toml"), &text);
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A path in it.
    pub fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file in it, with the folders above.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file of the home");
    }

    /// Writes a file that only its owner can read.
    pub fn write_secret(&self, name: &str, text: &str) {
        self.write(name, text);
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.at(name), private).expect("permissions");
    }

    /// The inbox of a pipeline, made if it is not there.
    pub fn inbox(&self, pipeline: &str) -> PathBuf {
        let inbox = self.at("inbox").join(pipeline);
        fs::create_dir_all(&inbox).expect("an inbox");
        inbox
    }

    /// Drops a file into an inbox as a careful program would: under a hidden name first.
    pub fn drop_into(&self, pipeline: &str, file: &Path, name: impl AsRef<OsStr>) -> PathBuf {
        let inbox = self.inbox(pipeline);
        let hidden = inbox.join(".arriving");
        let place = inbox.join(name.as_ref());
        fs::copy(file, &hidden).and_then(|_| fs::rename(&hidden, &place)).expect("dropping a file");
        place
    }

    /// Gives the program a variable of its environment, in place of what it had.
    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable of its environment away.
    pub fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// The program with this home.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--home").arg(self.path()).stdin(Stdio::null());
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs the program to its end.
    pub fn vodmill<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ended {
        let output = self.command().args(arguments).output().expect("vodmill runs");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `vodmill run FILE --out published`; the asset's folder.
    pub fn publish(&self, file: &Path) -> PathBuf {
        let ended = self.run(file);
        assert_eq!(ended.code, 0, "{}: {ended:?}", file.display());
        self.only_asset()
    }

    /// `vodmill run FILE --out published`, whatever comes of it.
    pub fn run(&self, file: &Path) -> Ended {
        let out = self.at("published");
        self.vodmill(&[
            OsStr::new("run"),
            "--out".as_ref(),
            out.as_ref(),
            "--".as_ref(),
            file.as_ref(),
        ])
    }

    /// Folders of all published assets, sorted.
    pub fn assets(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.at("published")).into_iter().flatten().flatten();
        let mut assets: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.join("asset.json").exists())
            .collect();
        assets.sort();
        assets
    }

    /// The folder of the one published asset.
    pub fn only_asset(&self) -> PathBuf {
        let mut assets = self.assets();
        assert_eq!(assets.len(), 1, "{assets:?}");
        assets.remove(0)
    }

    /// Keys of an asset, exported; none when it has none.
    pub fn keys(&self, asset: &Path) -> Option<PathBuf> {
        let name = asset.file_name().expect("an asset has a name");
        let to = self.at("exported").join(name);
        let ended = self.vodmill(&[
            "keys".as_ref(),
            "export".as_ref(),
            name,
            "--to".as_ref(),
            to.as_os_str(),
        ]);
        let some = fs::read_dir(&to).is_ok_and(|mut keys| keys.next().is_some());
        (ended.code == 0 && some).then_some(to)
    }

    /// `vodmill jobs --json`.
    pub fn jobs(&self) -> Vec<Value> {
        let ended = self.vodmill(&["jobs", "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        serde_json::from_str(&ended.out).expect("jobs --json prints a list")
    }

    /// `asset.json` of an asset.
    pub fn asset_json(&self, asset: &Path) -> Value {
        let text = fs::read(asset.join("asset.json")).expect("asset.json");
        serde_json::from_slice(&text).expect("asset.json is JSON")
    }

    /// The first output of that kind in an `asset.json`.
    pub fn output(json: &Value, kind: &str) -> Value {
        let outputs = json["outputs"].as_array().expect("a list of outputs");
        let found = outputs.iter().find(|output| output["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {json}")).clone()
    }

    /// `vodmill plan FILE --json`.
    pub fn plan(&self, file: &Path) -> Value {
        let ended = self.vodmill(&["plan".as_ref(), "--json".as_ref(), file.as_os_str()]);
        assert_eq!(ended.code, 0, "{ended:?}");
        serde_json::from_str(&ended.out).expect("plan --json prints JSON")
    }

    /// What is left in scratch folders of the state.
    pub fn scratch(&self) -> Vec<PathBuf> {
        let parts = fs::read_dir(self.at("state")).into_iter().flatten().flatten();
        let works = parts.map(|part| part.path().join("work"));
        let entries = works.flat_map(|work| fs::read_dir(work).into_iter().flatten().flatten());
        entries.map(|entry| entry.path()).collect()
    }
}

impl Default for Home {
    fn default() -> Home {
        Home::new()
    }
}
