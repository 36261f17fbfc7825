//! What must hold for every plan, over many sizes, rates and lengths.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "properties/hostile.rs"]
mod hostile;

use std::collections::BTreeSet;

use common::{catalogue, fixture, fixture_names, plan_of};
use vodmill_model::media::{DolbyVision, Gaps, Programme, SeekPoint};
use vodmill_model::outcome::Reason;
use vodmill_model::pipeline::DamagePolicy;
use vodmill_model::plan::{HazardCode, VideoTimeline};
use vodmill_model::preset::{Preset, Sizing};
use vodmill_model::units::{Size, Ticks};
use vodmill_model::{Catalogue, MediaInfo, Plan, Ratio};

const RATES: [(u32, u32); 10] = [
    (24000, 1001),
    (24, 1),
    (25, 1),
    (30000, 1001),
    (50, 1),
    (60000, 1001),
    (120, 1),
    (15, 1),
    (1, 1),
    (17, 1),
];

/// A plain original of `frames` frames, timed in units of `units` a second.
fn original(size: (u32, u32), rate: Ratio, frames: u64, units: u32) -> MediaInfo {
    let mut media = fixture("plain-1080p25");
    let at = |frame: u64| rate.inverse().scale(frame as i64, units.into());
    let gap = |frame| at(frame + 1) - at(frame);
    let mut gaps: Vec<i64> = (0..frames.saturating_sub(1).min(2000)).map(gap).collect();
    gaps.sort_unstable();
    let end = rate.frame_start(frames);
    let track = &mut media.video[0];
    track.coded = Size { width: size.0, height: size.1 };
    track.time_base = Ratio::new(1, units);
    track.nominal_rate = None;
    track.packets = frames;
    (track.first, track.last, track.last_duration) = (0, at(frames - 1), at(1));
    track.gaps = match gaps.as_slice() {
        [] => Gaps::default(),
        [min, .., max] => Gaps { min: *min, median: gaps[gaps.len() / 2], max: *max },
        [one] => Gaps { min: *one, median: *one, max: *one },
    };
    track.seek_points =
        (0..frames).step_by(50).map(|n| SeekPoint { pts: at(n), packet: n }).collect();
    media.audio[0].end = end;
    media.declared_duration = Some(end);
    media
}

fn check(plan: &Plan) {
    check_timeline(plan);
    check_references(plan);
    check_objects(plan);
    for encode in &plan.video {
        assert_eq!((encode.size.width % 2, encode.size.height % 2), (0, 0), "{encode:?}");
        assert!(encode.size.width >= 2 && encode.size.height >= 2 && encode.gop.0 >= 1);
    }
    let text = serde_json::to_string(plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), *plan, "it survives its serial form");
}

fn check_timeline(plan: &Plan) {
    let ends = &plan.timeline.segment_ends;
    assert!(ends.windows(2).all(|pair| pair[0] < pair[1]) && ends[0] > Ticks::ZERO);
    assert_eq!(ends.last(), Some(&plan.timeline.duration));
    let Some(grid) = &plan.timeline.video else { return assert!(plan.chunks.is_empty()) };
    let mut next = 0;
    for (number, chunk) in plan.chunks.iter().enumerate() {
        assert_eq!((chunk.index as usize, chunk.first_frame), (number, next));
        assert_eq!(chunk.first_frame % grid.segment_frames, 0);
        assert!(chunk.frames > 0);
        next += chunk.frames;
    }
    assert_eq!(next, grid.frames, "chunks tile the timeline");
    check_runs(plan, grid);
    assert_eq!(grid.segment_frames % u64::from(grid.gop.0), 0);
    assert_eq!(ends.len() as u64, grid.frames.div_ceil(grid.segment_frames));
}

/// Every segment is in one run, with the frames of its chunk.
fn check_runs(plan: &Plan, grid: &VideoTimeline) {
    let runs = plan.segment_runs();
    assert_eq!(runs.is_empty(), plan.hls().is_none());
    let ends: Vec<_> = runs.iter().flat_map(|run| run.ends.iter().copied()).collect();
    assert!(runs.is_empty() || ends == plan.timeline.segment_ends, "runs tile the segments");
    for (run, chunk) in runs.iter().zip(&plan.chunks) {
        assert_eq!((run.index, run.chunk), (chunk.index, Some(chunk)));
        assert_eq!(run.part.first, chunk.first_frame / grid.segment_frames);
        assert_eq!(run.part.start, grid.rate.frame_start(chunk.first_frame));
        let end = grid.rate.frame_start(chunk.first_frame + chunk.frames);
        assert_eq!(run.ends.last(), Some(&end));
        assert_eq!(run.part.last, run.index as usize + 1 == plan.chunks.len());
    }
}

fn check_references(plan: &Plan) {
    let video = |id: &Option<String>| {
        assert!(id.as_ref().is_none_or(|id| plan.video_encode(id).is_some()), "{id:?}");
    };
    let audio = |id: &str| assert!(plan.audio_encode(id).is_some(), "{id}");
    for mp4 in plan.files() {
        video(&mp4.video);
        mp4.audio.iter().for_each(|track| audio(&track.audio));
    }
    let ids: BTreeSet<_> = plan.video.iter().map(|encode| &encode.id).collect();
    assert_eq!(ids.len(), plan.video.len());
    let Some(hls) = plan.hls() else { return };
    for variant in &hls.variants {
        video(&variant.video);
        variant.muxed_audio.iter().for_each(|id| audio(id));
    }
    hls.audio.iter().for_each(|alternative| audio(&alternative.audio));
    let subtitles: BTreeSet<_> = plan.subtitles.iter().map(|plan| &plan.id).collect();
    assert!(hls.subtitles.iter().all(|alternative| subtitles.contains(&alternative.subtitle)));
    assert!(hls.audio.is_empty() || hls.audio.iter().filter(|audio| audio.default).count() == 1);
}

fn check_objects(plan: &Plan) {
    let files: Vec<_> = plan.files().collect();
    for (at, one) in files.iter().enumerate() {
        for other in &files[..at] {
            let same = one.container == other.container
                && (&one.video, &one.audio) == (&other.video, &other.audio);
            assert_eq!(one.object == other.object, same, "{} and {}", one.name, other.name);
        }
    }
    let objects: BTreeSet<&str> = files.iter().map(|file| file.object.as_str()).collect();
    let mut names: Vec<&str> = objects.into_iter().collect();
    if let Some(hls) = plan.hls() {
        names.extend(hls.variants.iter().map(|variant| variant.prefix.as_str()));
        names.extend(hls.audio.iter().map(|audio| audio.prefix.as_str()));
        names.extend(hls.subtitles.iter().map(|subtitle| subtitle.prefix.as_str()));
    }
    if let Some(stills) = plan.stills() {
        names.push(&stills.poster.object);
        let grid = plan.timeline.video.as_ref().unwrap();
        assert!(stills.poster.frame < grid.frames);
        if let Some(board) = &stills.storyboard {
            names.extend(board.sheets.iter().map(String::as_str));
            assert!(board.frames.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(board.frames.last().is_some_and(|&frame| frame < grid.frames));
        }
    }
    let unique: BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
}

#[test]
fn every_rate_and_length_is_tiled_exactly() {
    let catalogue = catalogue();
    for (num, den) in RATES {
        let rate = Ratio::new(num, den);
        for frames in [1, 2, 3, 47, 48, 49, 143, 144, 145, 433, 1439, 2881, 20_011] {
            for units in [1000, 90_000, num] {
                let media = original((1280, 720), rate, frames, units.max(1));
                check(&plan_of(&media, &catalogue, "default").unwrap());
            }
        }
    }
}

#[test]
fn a_steady_source_keeps_its_frames() {
    let catalogue = catalogue();
    for (num, den) in RATES.into_iter().filter(|&(num, den)| num / den <= 60 && num > 1) {
        let rate = Ratio::new(num, den);
        for units in [1000, 90_000, num * 512] {
            for frames in [100, 1439, 20_011] {
                let media = original((640, 360), rate, frames, units);
                let plan = plan_of(&media, &catalogue, "default").unwrap();
                let grid = plan.timeline.video.unwrap();
                assert_eq!((grid.rate, grid.frames), (rate, frames), "in 1/{units} s");
            }
        }
    }
}

#[test]
fn every_size_and_sizing_gives_even_sides() {
    let sizings = [
        Sizing::Fit,
        Sizing::Fill,
        Sizing::Stretch,
        Sizing::Keep,
        Sizing::ShrinkToFit,
        Sizing::ShrinkToFill,
    ];
    for sizing in sizings {
        for padding in [false, true] {
            let catalogue = sized(sizing, padding);
            for width in [1, 2, 17, 176, 639, 640, 854, 1163, 1920, 4096] {
                for height in [1, 3, 144, 361, 480, 767, 1080, 2160] {
                    let media = original((width, height), Ratio::new(25, 1), 100, 1000);
                    check(&plan_of(&media, &catalogue, "default").unwrap());
                }
            }
        }
    }
}

fn sized(sizing: Sizing, padding: bool) -> Catalogue {
    let mut catalogue = catalogue();
    for preset in catalogue.presets.values_mut() {
        match preset {
            Preset::Ladder(ladder) => {
                (ladder.video.sizing, ladder.video.padding) = (sizing, padding);
            }
            Preset::Mp4(file) | Preset::File(file) => {
                let Some(video) = &mut file.video else { continue };
                (video.common.sizing, video.common.padding) = (sizing, padding);
            }
        }
    }
    catalogue
}

#[test]
fn every_fixture_holds_and_repeats() {
    let catalogue = catalogue();
    for name in fixture_names() {
        let plan = plan_of(&fixture(&name), &catalogue, "default").unwrap();
        check(&plan);
        let again = plan_of(&fixture(&name), &catalogue, "default").unwrap();
        assert_eq!(plan.digest(), again.digest(), "{name}");
    }
}

#[test]
fn rungs_that_a_small_source_cannot_fill_fall_away() {
    let rungs = |size| {
        let media = original(size, Ratio::new(25, 1), 100, 1000);
        let plan = plan_of(&media, &catalogue(), "default").unwrap();
        plan.hls().unwrap().variants.iter().map(|variant| variant.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rungs((640, 360)), ["low"]);
    assert_eq!(rungs((854, 480)), ["low", "mid"]);
    assert_eq!(rungs((1280, 720)), ["low", "mid", "high"]);
}

#[test]
fn sound_that_outlasts_the_pictures_is_cut_or_has_the_last_one_held() {
    let frames = |extra: i64| {
        let mut media = original((640, 360), Ratio::new(25, 1), 100, 1000);
        media.audio[0].end = Ticks(4 * 90_000 + extra);
        let plan = plan_of(&media, &catalogue(), "default").unwrap();
        let held = plan.hazards.iter().any(|hazard| hazard.code == HazardCode::AudioOutlastsVideo);
        (plan.timeline.video.unwrap().frames, held)
    };
    assert_eq!(frames(0), (100, false));
    assert_eq!(frames(9_000), (100, false));
    assert_eq!(frames(18_000), (105, true));
    assert_eq!(frames(90_000), (125, true));
}

#[test]
fn what_cannot_be_done_is_refused_with_its_reason() {
    let refused = |change: &dyn Fn(&mut MediaInfo)| {
        let mut media = fixture("plain-1080p25");
        change(&mut media);
        plan_of(&media, &catalogue(), "default").unwrap_err().reason
    };
    assert_eq!(refused(&|media| media.truncated = true), Reason::Incomplete);
    assert_eq!(refused(&|media| media.video[0].decodable = false), Reason::NothingDecodable);
    assert_eq!(refused(&|media| media.video[0].coded.width = 100_000), Reason::TooManyPixels);
    assert_eq!(refused(&|media| media.video[0].gaps.max = 61 * 12_800), Reason::TimestampGap);
    assert_eq!(refused(&|media| media.audio[0].end = Ticks(90_000 * 90_000)), Reason::TooLong);
    let nothing = |media: &mut MediaInfo| {
        media.video.clear();
        media.audio.clear();
    };
    assert_eq!(refused(&nothing), Reason::NothingDecodable);
}

#[test]
fn a_file_that_was_cut_off_is_published_with_the_repair_stated_where_that_is_wanted() {
    let mut catalogue = catalogue();
    catalogue.pipelines.get_mut("default").unwrap().input.truncated = DamagePolicy::Repair;
    let mut media = fixture("plain-1080p25");
    media.truncated = true;
    let plan = plan_of(&media, &catalogue, "default").unwrap();
    let hazard = plan.hazards.iter().find(|hazard| hazard.code == HazardCode::Truncated);
    assert!(hazard.unwrap().repair);
}

#[test]
fn less_than_the_container_declares_is_stated_as_a_repair_and_more_is_none() {
    let stated = |declared: i64| {
        let mut media = fixture("plain-1080p25");
        let length = media.declared_duration.unwrap();
        media.declared_duration = Some(Ticks(length.0 * declared / 100));
        let plan = plan_of(&media, &catalogue(), "default").unwrap();
        let hazard = plan.hazards.iter().find(|hazard| hazard.code == HazardCode::WrongDuration);
        hazard.map(|hazard| hazard.repair)
    };
    assert_eq!(stated(100), None);
    assert_eq!(stated(200), Some(true), "half of it is missing");
    assert_eq!(stated(50), Some(false));
}

/// A plain film beside another of half its size, each with sound, in programmes of their own.
fn multiplex() -> MediaInfo {
    let mut media = original((1920, 1080), Ratio::new(25, 1), 500, 90_000);
    let (mut video, mut audio) = (media.video[0].clone(), media.audio[0].clone());
    (media.video[0].index, media.audio[0].index) = (0, 1);
    (video.index, audio.index) = (2, 3);
    video.coded = Size { width: 960, height: 540 };
    media.video.insert(0, video);
    media.audio.insert(0, audio);
    let programme = |number, tracks| Programme {
        number,
        name: None,
        tracks,
        clock_jumps: Vec::new(),
        clocks_disagree: false,
    };
    media.programmes = vec![programme(1, vec![2, 3]), programme(2, vec![0, 1])];
    media
}

#[test]
fn one_programme_is_published_whole_and_the_others_are_stated() {
    let mut media = multiplex();
    // What is wrong with a programme that is dropped refuses nothing.
    media.programmes[0].clocks_disagree = true;
    media.video[0].gaps.max = i64::from(u32::MAX);
    media.audio[0].end = Ticks(i64::MAX / 2);
    let plan = plan_of(&media, &catalogue(), "default").unwrap();
    assert_eq!(plan.decode.as_ref().unwrap().track, 0);
    assert!(plan.audio.iter().all(|encode| encode.track == 1));
    let published = plan.original.tracks.iter().filter(|track| track.published);
    assert_eq!(published.map(|track| track.index).collect::<Vec<_>>(), [0, 1]);
    let dropped = plan.hazards.iter().filter(|hazard| hazard.code == HazardCode::ProgrammeDropped);
    assert!(dropped.clone().all(|hazard| hazard.repair));
    assert_eq!(dropped.count(), 1);
    media.programmes[1].clocks_disagree = true;
    assert_eq!(
        plan_of(&media, &catalogue(), "default").unwrap_err().reason,
        Reason::ClocksDisagree
    );
}

#[test]
fn what_is_known_of_pictures_is_refused_stated_or_planned() {
    let change = |change: &dyn Fn(&mut MediaInfo)| {
        let mut media = fixture("plain-1080p25");
        change(&mut media);
        plan_of(&media, &catalogue(), "default")
    };
    let vision = |profile, compatibility| DolbyVision {
        profile,
        compatibility,
        base_layer: true,
        enhancement_layer: false,
    };
    let refused = change(&|media| media.video[0].dolby_vision = Some(vision(5, 0)));
    assert_eq!(refused.unwrap_err().reason, Reason::DolbyVisionOnly);
    let photograph = change(&|media| media.photograph = Some("JPEG".to_owned()));
    assert_eq!(photograph.unwrap_err().reason, Reason::Photograph);
    let wide = change(&|media| media.audio[0].channels = 64);
    assert_eq!(wide.unwrap_err().reason, Reason::BeyondLimits);
    let plan = change(&|media| {
        let track = &mut media.video[0];
        track.dolby_vision = Some(vision(8, 1));
        track.projection = Some("equirectangular".to_owned());
        track.stereo = Some("side by side".to_owned());
        (track.pictures, track.before_first_key) = (Some(254), 54);
    });
    let plan = plan.unwrap();
    let stated = |code| plan.hazards.iter().find(|hazard| hazard.code == code).map(|it| it.repair);
    assert_eq!(stated(HazardCode::DolbyVision), Some(false));
    assert_eq!(stated(HazardCode::Spherical), Some(true));
    assert_eq!(stated(HazardCode::Stereo3d), Some(true));
    assert_eq!(stated(HazardCode::UndecodableStart), Some(true));
    assert_eq!(plan.original.pictures, Some(200));
}
