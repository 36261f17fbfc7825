use vodmill_regress::compare::{Level, Options, Verdicts};
use vodmill_regress::{Baseline, compare, report};

use super::make::{baseline, changed, each, of, quality};

/// Whether it is red, and says so.
fn assert_red(verdicts: &Verdicts, sentence: &str) {
    let text = report::text(verdicts);
    assert!(verdicts.level == Level::Red && text.contains(sentence), "no {sentence:?} in\n{text}");
}

fn assert_green(verdicts: &Verdicts) {
    assert_eq!(verdicts.level, Level::Green, "{}", report::text(verdicts));
}

#[test]
fn what_is_the_same_is_green() {
    let verdicts = changed(|_| {});
    assert_green(&verdicts);
    assert!(report::text(&verdicts).contains("  tv: as before\n"));
    assert!(verdicts.verdicts.iter().all(|verdict| verdict.causes.is_empty()));
}

#[test]
fn bytes_count_at_equal_quality() {
    let dearer = changed(|now| each(now, "mp4/tv.mp4", |tv| tv.bytes.pictures = 416_400));
    assert_red(&dearer, "tv: mp4/tv.mp4: 4.1 % more bytes at equal quality, limit 2 %: red");
    // A quarter of a point more is worth 5 % here.
    let better = changed(|now| {
        each(now, "mp4/tv.mp4", |tv| {
            tv.bytes.pictures = 416_400;
            tv.quality = Some(quality(95_250, 92_000, 0.98));
        });
    });
    assert_green(&better);
    let cheaper = changed(|now| each(now, "mp4/tv.mp4", |tv| tv.bytes.pictures = 380_000));
    assert!(report::text(&cheaper).contains("at equal quality: mp4/tv.mp4 5.0 % fewer bytes"));
    assert_green(&cheaper);
}

#[test]
fn one_clip_alone_may_be_too_dear() {
    let verdicts = changed(|now| {
        let cuts = of(now, "cuts").streams.get_mut("hls/low").expect("a rung");
        cuts.bytes.pictures = 109_000;
        let motion = of(now, "motion").streams.get_mut("hls/low").expect("a rung");
        motion.bytes.pictures = 94_000;
    });
    assert_red(&verdicts, "hls/low: 9.0 % more bytes at equal quality in clip cuts, limit 6 %");
}

#[test]
fn quality_that_is_given_away_is_red_and_so_are_bytes_that_nobody_wanted() {
    let worse = changed(|now| {
        each(now, "hls/high", |high| {
            high.bytes.pictures = 280_000;
            high.quality = Some(quality(93_000, 91_500, 0.979));
        });
    });
    assert_red(&worse, "hls/high: VMAF falls by 2.00, bytes -30.0 %, limit 1 points");
    let larger = changed(|now| {
        each(now, "hls/high", |high| {
            high.bytes.pictures = 520_000;
            high.quality = Some(quality(96_500, 93_000, 0.983));
        });
    });
    assert_red(&larger, "30.0 % more bytes, VMAF +1.50, limit 10 %");
}

#[test]
fn one_damaged_scene_is_seen() {
    let verdicts = changed(|now| {
        let stream = of(now, "cuts").streams.get_mut("hls/high").expect("a rung");
        stream.quality = Some(quality(94_300, 61_000, 0.98));
    });
    assert_red(
        &verdicts,
        "the worst frames of clip cuts fall by 31.0 to VMAF 61.0 (5th percentile)",
    );
}

#[test]
fn ssim_is_a_second_witness() {
    let verdicts = changed(|now| {
        each(now, "hls/low", |low| low.quality = Some(quality(95_000, 92_000, 0.97)))
    });
    assert_red(&verdicts, "SSIM falls by 0.0100, limit 0.004");
}

/// What is done to a baseline.
type Plant = fn(&mut Baseline);

fn each_is_red(plants: &[(Plant, &str)]) {
    for (plant, sentence) in plants {
        assert_red(&changed(*plant), sentence);
    }
}

#[test]
fn each_kind_of_stream_is_red_by_its_name() {
    each_is_red(&[
        (
            |now| {
                each(now, "mp4/tv.mp4", |tv| {
                    drop(tv.form.insert("colour range".into(), "full".into()))
                })
            },
            "colour range full, was limited (all clips)",
        ),
        (
            |now| {
                each(now, "mp4/tv.mp4", |tv| drop(tv.form.insert("languages".into(), "swe".into())))
            },
            "languages swe, was eng",
        ),
        (
            |now| each(now, "hls/low", |low| low.pictures.iter_mut().for_each(|it| it.b = 0)),
            "B-frames are lost: none, was 60 %",
        ),
        (
            |now| each(now, "hls/low", |low| low.pictures.iter_mut().for_each(|it| it.b = 10)),
            "fewer B-frames: 20 %, was 60 %",
        ),
        (
            |now| each(now, "hls/low", |low| low.pictures.iter_mut().for_each(|it| it.gop = 100)),
            "a key frame every 100 pictures, was 50",
        ),
        (|now| each(now, "hls/low", |low| low.bytes.sound = 0), "sound is lost"),
        (|now| each(now, "hls/low", |low| low.bytes.packaging = 9_000), "packaging takes"),
    ]);
}

#[test]
fn each_kind_of_file_is_red_by_its_name() {
    each_is_red(&[
        (
            |now| {
                of(now, "cuts").objects.remove("thumbnails/poster.jpg");
            },
            "thumbnails/poster.jpg: the file is missing (clip cuts)",
        ),
        (
            |now| {
                of(now, "cuts").objects.insert("notes.txt".into(), 1);
            },
            "notes.txt: the file is additional",
        ),
        (
            |now| drop(of(now, "cuts").streams.remove("hls/low")),
            "hls/low: it is missing (clip cuts)",
        ),
        (
            |now| {
                of(now, "cuts")
                    .playlists
                    .values_mut()
                    .for_each(|it| drop(it.remove("EXT-X-ENDLIST")))
            },
            "hls/low/index.m3u8: EXT-X-ENDLIST is missing",
        ),
        (
            |now| of(now, "cuts").findings.push("hls/low/000000.ts: undecodable: 1 errors".into()),
            "undecodable",
        ),
    ]);
}

#[test]
fn swapped_sizes_are_told_as_what_they_are() {
    let verdicts = changed(|now| {
        each(now, "hls/low", |low| drop(low.form.insert("size".into(), "1280x720".into())));
        each(now, "hls/high", |high| drop(high.form.insert("size".into(), "640x360".into())));
    });
    assert_red(&verdicts, "hls/low: size 1280x720, was 640x360: swapped with hls/high");
}

#[test]
fn a_missing_rung_is_one_finding() {
    let verdicts = changed(|now| {
        let cuts = of(now, "cuts");
        cuts.streams.remove("hls/low");
        cuts.objects.retain(|name, _| !name.starts_with("hls/low/"));
        cuts.playlists.remove("hls/low/index.m3u8");
    });
    let findings: usize = verdicts
        .verdicts
        .iter()
        .map(|verdict| verdict.findings.iter().filter(|it| it.level == Level::Red).count())
        .sum();
    assert_eq!(findings, 1, "{}", report::text(&verdicts));
}

#[test]
fn a_clip_that_cannot_be_encoded_is_one_finding() {
    let verdicts = changed(|now| {
        let why = "the clip is refused: input_empty: 0 bytes".to_owned();
        *of(now, "cuts") =
            vodmill_regress::baseline::Package { findings: vec![why], ..Default::default() };
    });
    assert_red(
        &verdicts,
        "the package: the clip is refused: input_empty: 0 bytes (clip cuts): red\n",
    );
}

#[test]
fn the_cause_is_told_apart() {
    let dearer = |now: &mut Baseline| each(now, "mp4/tv.mp4", |tv| tv.bytes.pictures = 440_000);
    let preset = |now: &mut Baseline| {
        drop(now.presets.get_mut("tv").expect("a preset").insert("video.crf".into(), "20".into()));
    };
    let build = |now: &mut Baseline| now.build.libav = "x264 core 165".to_owned();
    assert_red(&changed(dearer), "neither settings nor encoders were changed");
    assert_red(
        &changed(|now| (preset(now), dearer(now)).1),
        "preset tv was changed: video.crf 20, was 22",
    );
    let others = changed(|now| (build(now), dearer(now)).1);
    assert_red(
        &others,
        "the settings are the same; other encoders: libav and its encoders x264 core 165",
    );
    let both = changed(|now| (build(now), preset(now), dearer(now)).2);
    assert_red(&both, "two causes at once");
    // Another preset of the pipeline was changed.
    let other = |now: &mut Baseline| {
        now.presets.get_mut("hls").expect("a preset").insert("video.crf".into(), "20".into());
    };
    let by_another = changed(|now| (other(now), dearer(now)).1);
    assert_red(&by_another, "preset hls was changed: video.crf 20, was 22");
    assert!(!report::text(&by_another).contains("vodmill itself"));
    // A change that costs nothing is told, and green.
    let harmless = changed(preset);
    assert_green(&harmless);
    assert!(report::text(&harmless).contains("preset tv was changed"));
}

#[test]
fn processor_time_is_a_warning_unless_it_is_asked_for() {
    let mut now = baseline();
    now.cpu = Some(130_000);
    let level = |cpu_is_red| compare(&baseline(), &now, Options { cpu_is_red }).level;
    assert_eq!((level(false), level(true)), (Level::Warning, Level::Red));
    now.cpu = Some(110_000);
    assert_eq!(compare(&baseline(), &now, Options { cpu_is_red: true }).level, Level::Green);
}

#[test]
fn another_clip_is_not_compared() {
    let verdicts = changed(|now| drop(now.clips.insert("cuts".into(), "11".repeat(32))));
    assert_red(&verdicts, "clip cuts is another than in the baseline");
}

#[test]
fn what_is_new_is_to_be_taken_in_and_what_is_gone_is_red() {
    let with = |name: &str| {
        let mut baseline = baseline();
        let clips = baseline.results["default"].clone();
        baseline.results.insert(name.to_owned(), clips);
        baseline
    };
    let new = compare(&baseline(), &with("other"), Options::default());
    assert_eq!(new.level, Level::Warning);
    assert!(report::text(&new).contains("take it in with --update"));
    let gone = compare(&with("other"), &baseline(), Options::default());
    assert_red(&gone, "it is gone");
    for verdicts in [new, gone] {
        assert!(!report::text(&verdicts).contains("vodmill itself"));
    }
}

#[test]
fn limits_are_overridden_by_name() {
    let mut limits = vodmill_regress::Limits::default();
    let limit: vodmill_regress::limits::Override = "bytes=3.5%".parse().expect("a limit");
    limit.apply(&mut limits);
    assert_eq!(limits.bytes, 3.5);
    for wrong in ["bytes", "bites=3", "bytes=-1", "bytes=NaN", "bytes=inf", "=3"] {
        assert!(wrong.parse::<vodmill_regress::limits::Override>().is_err(), "{wrong}");
    }
}
