//! Originals, each as small as its oddity allows.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A directory of originals that goes away with the test.
pub struct Clips(TempDir);

impl Clips {
    pub fn new() -> Clips {
        Clips(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs FFmpeg in the directory; arguments are parted by blanks.
    pub fn ffmpeg(&self, arguments: &str) {
        run("ffmpeg -hide_banner -loglevel error -nostdin -y -threads 1", arguments, self.0.path());
    }

    /// Makes `name` out of a test picture and gives its path.
    pub fn make(&self, source: &str, arguments: &str, name: &str) -> PathBuf {
        self.ffmpeg(&format!("-f lavfi -i {source} {arguments} {name}"));
        self.path(name)
    }

    /// H.264 with B frames and a key frame every ten frames.
    pub fn h264(&self, source: &str, more: &str, name: &str) -> PathBuf {
        let x264 = "-c:v libx264 -preset ultrafast -bf 2 -g 10 -pix_fmt yuv420p \
                    -x264-params threads=1:scenecut=0";
        self.make(source, &format!("{x264} {more}"), name)
    }

    /// The plain one: 50 frames at 25 a second.
    pub fn plain(&self) -> PathBuf {
        self.h264("testsrc2=s=160x90:r=25:d=2", "", "plain.mp4")
    }

    /// Writes a file of any content.
    pub fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }
}

fn run(command: &str, arguments: &str, directory: &Path) {
    let mut words = command.split_whitespace().chain(arguments.split_whitespace());
    let status = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(directory)
        .status()
        .expect("the tests need FFmpeg's command-line tools");
    assert!(status.success(), "{command} {arguments}");
}
