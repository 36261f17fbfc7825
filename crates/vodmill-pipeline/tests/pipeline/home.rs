//! A home to try the worker in: folders, pipelines, and originals to drop.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vodmill_clock::ManualClock;
use vodmill_keys::KeyRing;
use vodmill_model::pipeline::{
    AudioPlacement, Container, Encryption, HlsSettings, ProofLevel, Thumbnails,
};
use vodmill_model::preset::{
    AudioPreset, FileContainer, FilePreset, FileVideo, QualityTarget, VideoCommon, VideoTarget,
};
use vodmill_model::{BitsPerSecond, Catalogue, Ladder, Pipeline, Preset, Rung};
use vodmill_pipeline::original::{FileOriginal, Original as OriginalPlace};
use vodmill_pipeline::{
    CheckReport, ChildCommand, Disposal, Error, Limits, Sandbox, Settings, Stop, Submission, Worker,
};
use vodmill_queue::{JobFilter, JobInfo, JobState};
use vodmill_store::s3::{ObjectSettings, S3Settings};

use crate::fake::{self, Desk, Fault, Original, What};

/// Longest time that anything here is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Tasks side by side, and bounds of children.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub workers: usize,
    pub stall: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { workers: 3, stall: Duration::from_secs(30) }
    }
}

/// A home; its folder goes with it if it was made here.
pub struct Home {
    pub root: PathBuf,
    pub desk: Desk,
    _made: Option<tempfile::TempDir>,
}

impl Home {
    pub fn new() -> Home {
        let made = tempfile::tempdir().expect("make home");
        let root = made.path().canonicalize().expect("find home");
        Home { _made: Some(made), ..Home::at(&root) }
    }

    /// The home that is in a folder, or will be.
    pub fn at(root: &Path) -> Home {
        let desk = Desk::at(root.join("desk"));
        for folder in [root.join("inbox"), desk.root().to_owned()] {
            fs::create_dir_all(folder).expect("make folder");
        }
        Home { root: root.to_owned(), desk, _made: None }
    }

    pub fn settings(&self, bounds: Bounds) -> Settings {
        let desk = format!("desk={}", self.desk.root().display());
        Settings {
            state: self.root.join("state"),
            home: self.root.clone(),
            keys: self.root.join("keys"),
            catalogue: catalogue(),
            child: ChildCommand {
                program: std::env::current_exe().expect("this binary"),
                arguments: ["child", "--exact", "--ignored", &desk].map(str::to_owned).into(),
            },
            s3: S3Settings::default(),
            lease: Duration::from_secs(60),
            workers: bounds.workers,
            keep_renditions: 1 << 30,
            foreground: false,
            limits: Limits {
                memory: 2 << 30,
                file_size: 1 << 30,
                stall: bounds.stall,
                // Faults and log lines lie on a desk outside of the scratch.
                sandbox: Sandbox::Off,
            },
        }
    }

    pub fn open(&self) -> Worker {
        self.open_with(self.settings(Bounds::default()))
    }

    /// Opens the worker. A process that another thread is just starting, or that was killed while it
    /// started one, holds a copy of the lock until that one's program is loaded.
    pub fn open_with(&self, settings: Settings) -> Worker {
        let begun = Instant::now();
        loop {
            match Worker::local(settings.clone(), fake::build()).open() {
                Err(Error::Busy(_)) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                opened => return opened.expect("open worker"),
            }
        }
    }

    /// Opens a worker with a clock that stands still until the test moves it.
    pub fn open_by_hand(&self, bounds: Bounds) -> (Arc<ManualClock>, Worker) {
        let clock = Arc::new(ManualClock::new(1_795_334_400_000));
        let worker = Worker::local(self.settings(bounds), fake::build());
        (Arc::clone(&clock), worker.with_clock(clock).open().expect("open worker"))
    }

    /// Puts an original into a folder below the inbox.
    pub fn drop_original(&self, path: &str, original: &Original) -> PathBuf {
        let path = self.root.join("inbox").join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("make folder");
        let json = serde_json::to_vec(original).expect("describe original");
        fs::write(&path, json).expect("write original");
        path
    }

    pub fn submission(&self, original: &Path, pipeline: &str) -> Submission {
        Submission {
            original: OriginalPlace::File(FileOriginal::at(original).expect("look at original")),
            pipeline: pipeline.to_owned(),
            destination: self.published("").display().to_string(),
            objects: ObjectSettings::default(),
            disposal: Disposal::Move {
                done: self.root.join("done").display().to_string(),
                rejected: self.root.join("rejected").display().to_string(),
                done_class: None,
            },
        }
    }

    /// Whether what lies in the inbox under that name cannot be submitted.
    pub fn submission_refused(&self, name: &str) -> bool {
        FileOriginal::at(self.root.join("inbox").join(name)).is_err()
    }

    /// Drops an original of that title and submits it; returns the job.
    pub fn submit(&self, worker: &Worker, title: &str, pipeline: &str) -> String {
        let original = self.drop_original(&format!("{title}.mov"), &Original::titled(title));
        worker.submit(&self.submission(&original, pipeline)).expect("submit").job
    }

    pub fn published(&self, asset: &str) -> PathBuf {
        self.root.join("published").join(asset)
    }

    /// The folder of the generation that an asset points to.
    pub fn generation(&self, asset: &str) -> PathBuf {
        let folder = self.published(asset);
        let json = fs::read(folder.join("asset.json")).expect("read asset.json");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("asset.json is JSON");
        folder.join(json["generation"].as_str().expect("a generation"))
    }

    pub fn check(&self, worker: &Worker, asset: &str) -> CheckReport {
        self.check_with(asset, all_keys(worker))
    }

    pub fn check_with(&self, asset: &str, keys: KeyRing) -> CheckReport {
        let settings = self.settings(Bounds::default());
        vodmill_pipeline::check(&settings, &self.published(asset), keys, ProofLevel::Standard)
            .expect("check")
    }

    pub fn assert_sound(&self, worker: &Worker, asset: &str) -> CheckReport {
        let report = self.check(worker, asset);
        assert!(report.findings.is_empty(), "{asset}: {:#?}", report.findings);
        assert_eq!(report.without_key, 0, "{asset}: every key is at hand");
        report
    }

    /// Nothing is left of jobs that have ended.
    pub fn assert_swept(&self) {
        let work = self.root.join("state/work");
        let left: Vec<_> = fs::read_dir(work).map(Iterator::collect).unwrap_or_default();
        assert!(left.is_empty(), "scratch: {left:?}");
    }
}

/// Every key of the worker's store.
pub fn all_keys(worker: &Worker) -> KeyRing {
    let mut table = KeyRing::default();
    for generation in worker.keys().list().expect("list keys") {
        for kid in generation.kids {
            let stored = worker.keys().get(&kid).expect("get key").expect("listed key");
            table.insert(&kid, &stored.key);
        }
    }
    table
}

/// Works until every job has ended.
pub fn work(worker: &Worker) {
    work_until(worker, || jobs(worker).iter().all(|job| job.state.has_ended()));
}

/// Works until `done`.
pub fn work_until(worker: &Worker, done: impl Fn() -> bool + Sync) {
    let begun = Instant::now();
    worker.work(&Stop::default(), &|| done() || begun.elapsed() > PATIENCE);
    assert!(done(), "not done after {PATIENCE:?}: {:#?}", states(worker));
}

/// Works until every job has ended, and lets time pass whenever all threads wait for it.
pub fn work_by_hand(worker: &Worker, clock: &Arc<ManualClock>) {
    let stop = Stop::new(Arc::clone(clock) as Arc<_>);
    let have_ended = || jobs(worker).iter().all(|job| job.state.has_ended());
    std::thread::scope(|scope| {
        let work = scope.spawn(|| worker.work(&stop, &have_ended));
        while !work.is_finished() {
            clock.until_idle();
            clock.advance(Duration::from_millis(500));
        }
    });
}

/// Waits for something that other threads or processes bring about.
pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn jobs(worker: &Worker) -> Vec<JobInfo> {
    worker.queue().jobs(&JobFilter::default(), u32::MAX).expect("list jobs")
}

fn states(worker: &Worker) -> Vec<(String, JobState, Option<String>)> {
    jobs(worker).into_iter().map(|job| (job.name, job.state, job.reason)).collect()
}

pub fn job(worker: &Worker, id: &str) -> JobInfo {
    worker.queue().job(id).expect("look at job")
}

pub fn assert_state(worker: &Worker, id: &str, state: JobState) -> JobInfo {
    let job = job(worker, id);
    assert_eq!(job.state, state, "{}: {:?}", job.name, job.reason);
    job
}

/// A fault that happens `times` times.
pub fn fault(title: &str, point: &str, times: u32, what: What) -> Fault {
    Fault { title: title.to_owned(), point: point.to_owned(), times, what }
}

/// The pipelines `clear`, `secret`, `fmp4` and `fmp4-secret`, and `titled`, whose titles are looked at.
pub fn catalogue() -> Catalogue {
    let pipelines = [
        ("clear", Container::Ts, false),
        ("secret", Container::Ts, true),
        ("fmp4", Container::Fmp4, false),
        ("fmp4-secret", Container::Fmp4, true),
    ];
    let pipelines =
        pipelines.map(|(name, container, secret)| (name.to_owned(), pipeline(container, secret)));
    let titled =
        Pipeline { quality: Some(QualityTarget::Vmaf(95)), ..pipeline(Container::Ts, false) };
    let presets = [("ladder", Preset::Ladder(ladder())), ("phone", Preset::File(phone()))];
    Catalogue {
        pipelines: pipelines.into_iter().chain([("titled".to_owned(), titled)]).collect(),
        presets: presets.map(|(name, preset)| (name.to_owned(), preset)).into(),
    }
}

fn pipeline(container: Container, secret: bool) -> Pipeline {
    let audio = match container {
        Container::Ts => AudioPlacement::Muxed,
        Container::Fmp4 => AudioPlacement::Group,
    };
    let key_uri = "https://keys.example/{asset}/{kid}".to_owned();
    Pipeline {
        ladder: "ladder".to_owned(),
        mp4: vec!["phone".to_owned()],
        hls: HlsSettings { container, segment_seconds: 1, audio, ..HlsSettings::default() },
        encryption: secret.then_some(Encryption {
            key_uri,
            segments_per_key: 5,
            key_max_age: None,
        }),
        thumbnails: Some(Thumbnails { poster_width: 320, tile_width: 64, ..Thumbnails::default() }),
        chunk_seconds: 4,
        ..Pipeline::default()
    }
}

fn common() -> VideoCommon {
    VideoCommon { gop_seconds: 1, ..VideoCommon::default() }
}

fn target(width: u32, height: u32, bitrate: u64) -> VideoTarget {
    VideoTarget {
        width,
        height,
        crf: Some(23),
        bitrate: None,
        max_bitrate: BitsPerSecond(bitrate),
        buffer_seconds: 1,
    }
}

fn ladder() -> Ladder {
    let rung = |name: &str, target| Rung { name: name.to_owned(), target };
    Ladder {
        description: String::new(),
        quality: QualityTarget::Fixed,
        video: common(),
        audio: AudioPreset::default(),
        rungs: vec![
            rung("low", target(320, 176, 400_000)),
            rung("high", target(640, 352, 1_000_000)),
        ],
    }
}

fn phone() -> FilePreset {
    let video = FileVideo { common: common(), target: target(640, 352, 1_000_000) };
    FilePreset {
        description: String::new(),
        container: FileContainer::Mp4,
        video: Some(video),
        audio: AudioPreset::default(),
    }
}
