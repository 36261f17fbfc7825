//! A baseline of two rungs and a file in two clips, to be changed by tests.

use vodmill_model::quality::{Score, Ssim};
use vodmill_regress::Baseline;
use vodmill_regress::baseline::{Bytes, Package, Pictures, Quality, Stream, VERSION};
use vodmill_regress::compare::{Options, Verdicts};

const CLIPS: [&str; 2] = ["cuts", "motion"];

pub fn quality(vmaf: u32, p5: u32, ssim: f64) -> Quality {
    Quality {
        vmaf: Score::from_thousandths(vmaf),
        p5: Score::from_thousandths(p5),
        ssim: Ssim::try_from(ssim).expect("an SSIM"),
        slope: Some(200),
    }
}

fn stream(preset: &str, size: &str, pictures: u64) -> Stream {
    let form = [("size", size), ("colour range", "limited"), ("languages", "eng")];
    Stream {
        preset: preset.to_owned(),
        form: form.map(|(what, value)| (what.to_owned(), value.to_owned())).into(),
        pictures: Some(Pictures { frames: 50, b: 30, gop: 50 }),
        quality: Some(quality(95_000, 92_000, 0.98)),
        bytes: Bytes { pictures, sound: 32_000, packaging: 4_000 },
    }
}

fn package() -> Package {
    let names = [
        "hls/low/*.ts",
        "hls/low/index.m3u8",
        "hls/high/*.ts",
        "hls/high/index.m3u8",
        "mp4/tv.mp4",
        "thumbnails/poster.jpg",
    ];
    let tags =
        |names: &[&str]| names.iter().map(|tag| ((*tag).to_owned(), String::new())).collect();
    Package {
        findings: Vec::new(),
        objects: names.map(|name| (name.to_owned(), 1)).into(),
        playlists: ["hls/low/index.m3u8", "hls/high/index.m3u8"]
            .map(|name| (name.to_owned(), tags(&["EXTM3U", "EXT-X-ENDLIST"])))
            .into(),
        streams: [
            ("hls/low".to_owned(), stream("hls", "640x360", 100_000)),
            ("hls/high".to_owned(), stream("hls", "1280x720", 400_000)),
            ("mp4/tv.mp4".to_owned(), stream("tv", "1280x720", 400_000)),
        ]
        .into(),
    }
}

pub fn baseline() -> Baseline {
    let settings = |crf: &str| [("video.crf".to_owned(), crf.to_owned())].into();
    Baseline {
        version: VERSION,
        build: Default::default(),
        meter: None,
        cpu: Some(100_000),
        limits: Default::default(),
        clips: CLIPS.map(|clip| (clip.to_owned(), "00".repeat(32))).into(),
        presets: ["hls", "tv"].map(|name| (name.to_owned(), settings("22"))).into(),
        pipelines: [("default".to_owned(), settings("-"))].into(),
        results: [("default".to_owned(), CLIPS.map(|clip| (clip.to_owned(), package())).into())]
            .into(),
    }
}

/// The package of one clip.
pub fn of<'a>(baseline: &'a mut Baseline, clip: &str) -> &'a mut Package {
    let clips = baseline.results.get_mut("default").expect("a pipeline");
    clips.get_mut(clip).expect("a clip")
}

/// Changes one stream in all clips.
pub fn each(baseline: &mut Baseline, stream: &str, change: impl Fn(&mut Stream)) {
    for clip in CLIPS {
        change(of(baseline, clip).streams.get_mut(stream).expect("a stream"));
    }
}

/// What comes of a change.
pub fn changed(change: impl FnOnce(&mut Baseline)) -> Verdicts {
    let mut now = baseline();
    change(&mut now);
    vodmill_regress::compare(&baseline(), &now, Options::default())
}
