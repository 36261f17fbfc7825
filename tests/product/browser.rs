//! Packages play to their end in Chromium: HLS by hls.js, MP4 by the browser itself.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use vodmill_tests::cases::case;
use vodmill_tests::product::Home;
use vodmill_tests::tools::succeeded;

/// Plays by tests/browser/play.mjs; what it finds wrong is what this panics with.
pub fn plays(root: &Path, arguments: &[&str], keys: Option<&Path>) {
    let mut command = player();
    command.arg("--root").arg(root).args(arguments);
    if let Some(keys) = keys {
        command.arg("--keys").arg(keys);
    }
    succeeded(&mut command).map_err(|why| panic!("{why}")).expect("it plays");
}

/// Plays HLS from a server somewhere, keys from where its playlists say.
pub fn plays_from(url: &str, levels: u32) {
    let mut command = player();
    command.args(["--url", url, "--expect-levels", &levels.to_string()]);
    succeeded(&mut command).map_err(|why| panic!("{why}")).expect("it plays");
}

/// As [`plays_from`], in a page at this port of the loopback address.
pub fn plays_from_page_on(port: u16, url: &str, levels: u32) {
    let mut command = player();
    command.args(["--url", url, "--expect-levels", &levels.to_string()]);
    command.args(["--port", &port.to_string()]);
    succeeded(&mut command).map_err(|why| panic!("{why}")).expect("it plays");
}

/// A page that has loaded its playlists and one segment, and waits.
pub struct Page {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Page {
    /// Opens one that is to play `generation`, and waits until it has begun.
    pub fn open(url: &str, token: &str, generation: &str) -> Page {
        let mut command = player();
        command.args(["--url", url, "--expect-levels", "3", "--token", token, "--hold"]);
        command.args(["--expect-generation", generation]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("node runs");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says something");
        let mut page = Page { child, output };
        if line != "holding\n" {
            let problems = page.problems();
            panic!("it has not begun: {line}: {problems}");
        }
        page
    }

    /// Lets it play to the end.
    pub fn go_on(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until it has; what went wrong, if it did not get there.
    pub fn played(mut self) -> Result<(), String> {
        let problems = self.problems();
        match self.child.wait().expect("it ends").success() {
            true => Ok(()),
            false => Err(problems),
        }
    }

    fn problems(&mut self) -> String {
        let (mut report, mut problems) = (String::new(), String::new());
        self.output.read_to_string(&mut report).expect("its report");
        let stderr = self.child.stderr.as_mut().expect("its problems");
        stderr.read_to_string(&mut problems).expect("its problems");
        problems
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A browser leaves with its page's pipe.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens pages of the product's own, and waits until the status line of each fits its pattern.
pub fn pages_say(pages: &[(String, &str)]) {
    visited(&[], pages);
}

/// The same, in a browser that plays HLS itself, as it says, but gets no playlist.
pub fn pages_say_without_hls(pages: &[(String, &str)]) {
    visited(&["--no-hls"], pages);
}

fn visited(options: &[&str], pages: &[(String, &str)]) {
    let mut command = script("visit.mjs");
    command.args(options);
    for (url, pattern) in pages {
        command.args([url, *pattern]);
    }
    succeeded(&mut command).map_err(|why| panic!("{why}")).expect("they say so");
}

/// A copy of hls.js.
pub fn hls_js() -> PathBuf {
    let file = folder().join("node_modules/hls.js/dist/hls.js");
    assert!(file.exists(), "hls.js is missing: scripts/install --tests brings it");
    file
}

fn player() -> Command {
    script("play.mjs")
}

fn script(name: &str) -> Command {
    hls_js();
    let mut command = Command::new("node");
    command.arg(folder().join(name));
    command
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

fn hls(case_name: &str, settings: &str, encrypted: bool) {
    let home = Home::quick(settings, encrypted);
    let asset = home.publish(&case(case_name));
    let keys = home.keys(&asset);
    plays(&asset, &["--playlist", "index.m3u8", "--expect-levels", "3"], keys.as_deref());
}

#[test]
fn ts_encrypted() {
    hls("film.mp4", "", true);
}

#[test]
fn fmp4_encrypted_with_languages_and_subtitles() {
    hls("film_languages.mkv", "container = \"fmp4\"", true);
}

#[test]
fn fmp4_clear() {
    hls("film.mp4", "container = \"fmp4\"", false);
}

#[test]
fn ts_clear_with_sound_of_its_own() {
    hls("film.mp4", "audio = \"group\"", false);
}

#[test]
fn mp4() {
    let home = Home::quick("", false);
    let asset = home.publish(&case("film.mp4"));
    let json = home.asset_json(&asset);
    let file = Home::output(&json, "file");
    assert_eq!(file["container"], "mp4");
    let path = file["path"].as_str().map(PathBuf::from).expect("an MP4 in asset.json");
    plays(&asset, &["--rate", "8", "--file", &path.to_string_lossy()], None);
}

#[test]
fn sound_alone() {
    let home = Home::quick("", true);
    let asset = home.publish(&case("no_video.m4a"));
    let keys = home.keys(&asset);
    plays(&asset, &["--playlist", "index.m3u8"], keys.as_deref());
}
