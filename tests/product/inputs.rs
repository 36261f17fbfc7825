//! The odd and broken inputs I1 to I26: each has exactly one stated outcome.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::{Kind, Package, Report, assert_package};
use vodmill_tests::product::{Daemon, Home, wait_until};
use vodmill_tests::tools;

/// A published input, with its home.
struct Published {
    home: Home,
    asset: PathBuf,
    package: Package,
}

impl Published {
    fn json(&self) -> Value {
        self.home.asset_json(&self.asset)
    }

    fn repairs(&self) -> Vec<String> {
        let json = self.json();
        let repairs = json["repairs"].as_array().expect("a list of repairs").clone();
        repairs.iter().filter_map(|repair| repair["code"].as_str().map(str::to_owned)).collect()
    }

    /// Sizes of the variants.
    fn sizes(&self) -> Vec<(u32, u32)> {
        let variants = self.package.multivariant.variants.iter();
        variants.filter_map(|variant| variant.resolution).collect()
    }

    fn mp4(&self) -> PathBuf {
        self.package.generation.join("mp4/small-mp4.mp4")
    }

    fn frames(&self) -> u64 {
        self.json()["frames"].as_u64().unwrap_or(0)
    }
}

/// Publishes a case by the quick pipeline, clear, with `top` in it, and applies every rule.
fn published_by(name: &str, top: &str) -> Published {
    let home = Home::quick("", false);
    home.pipeline("default", "", &format!("{top}\n"), false);
    let asset = home.publish(&case(name));
    assert_package(&asset, None);
    let package = Package::load(&asset, None, &mut Report::default()).expect("it loads");
    Published { home, asset, package }
}

fn published(name: &str) -> Published {
    published_by(name, "")
}

/// Runs a case that is to be refused: exit code 3, the reason and what to do about it printed,
/// nothing published.
fn refused(name: &str, code: &str) {
    let home = Home::quick("", false);
    let ended = home.run(&case(name));
    assert_eq!(ended.code, 3, "{name}: {ended:?}");
    let (reason, remedy) = ended.out.split_once("\n  ").expect("a reason and a remedy");
    assert!(reason.contains(&format!("refused: {code}: ")), "{name}: {ended:?}");
    assert!(remedy.trim_end().ends_with('.') && remedy.len() > 20, "{name}: {ended:?}");
    assert!(home.assets().is_empty(), "{name} was published");
    assert!(home.scratch().is_empty(), "{name} left scratch");
    assert!(case(name).exists(), "{name} is gone");
}

/// `vodmill probe` names these hazards.
fn has_hazards(name: &str, wanted: &[&str]) {
    let found = Home::quick("", false).vodmill(&["probe".as_ref(), case(name).as_os_str()]);
    for code in wanted {
        assert!(found.out.contains(&format!("\n  {code}: ")), "{name}: no {code} in {found:?}");
    }
}

/// The MP4 shows what the original shows, as FFmpeg's own conversion has it.
fn looks_like(mp4: &Path, original: &Path, least: f64) {
    let shown = tools::probe(mp4, "stream=width,height").expect("ffprobe reads the MP4");
    let stream = &shown["streams"][0];
    let size = format!("{}:{}", stream["width"], stream["height"]);
    let filter = format!(
        "[1:v:0]scale={size}:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p,setpts=N/25/TB[a];\
         [0:v:0]scale={size}:out_color_matrix=bt709,setsar=1,format=yuv420p,setpts=N/25/TB[b];[b][a]ssim"
    );
    let ssim = tools::ssim(mp4, original, &filter).expect("ffmpeg compares");
    assert!(ssim >= least, "SSIM {ssim} of {} against {}", mp4.display(), original.display());
}

/// The first video stream's field of a file.
fn field(file: &Path, name: &str) -> Value {
    let found = tools::probe(file, &format!("stream={name}")).expect("ffprobe reads it");
    found["streams"][0][name].clone()
}

#[test]
fn i1_truncated_with_the_index_at_the_end() {
    refused("truncated.mp4", "input_incomplete");
}

#[test]
fn i2_truncated_with_the_index_in_front() {
    refused("truncated_faststart.mp4", "input_incomplete");
}

#[test]
fn i2_truncated_is_published_in_part_where_the_pipeline_says_so() {
    let it = published_by("truncated_faststart.mp4", "\n[input]\ntruncated = \"repair\"");
    assert!(it.repairs().contains(&"truncated".to_owned()), "{:?}", it.repairs());
    assert!((50..80).contains(&it.frames()), "{} of 100 frames", it.frames());
}

#[test]
fn i3_empty_and_text() {
    refused("empty.mp4", "input_empty");
    refused("text.mp4", "input_not_media");
}

/// The daemon takes what is not whole much later than what is, and says what is wrong with it.
#[test]
fn i1_and_i3_in_an_inbox_are_put_aside_with_the_reason() {
    let cases = [("truncated.mp4", "input_incomplete"), ("empty.mp4", "input_empty")];
    let home = Home::quick("", false);
    for (name, _) in cases {
        home.drop_into("default", &case(name), name);
    }
    let _daemon = Daemon::start(&home, &[]);
    let rejected = home.inbox("default").join("rejected");
    for (name, code) in cases {
        let moved = || fs::read(rejected.join(name)).ok();
        let original = wait_until(name, Duration::from_secs(120), moved);
        let note = rejected.join(format!("{name}.reason.txt"));
        let note = fs::read_to_string(note).expect("a reason beside it");
        assert!(note.contains(code), "{name}: {note}");
        assert_eq!(original, fs::read(case(name)).expect("the case"), "{name} was altered");
    }
    assert!(home.assets().is_empty());
}

#[test]
fn i5_variable_frame_rate() {
    has_hazards("variable_rate.mp4", &["variable_frame_rate"]);
    let it = published("variable_rate.mp4");
    let off = it.json()["duration_ms"].as_i64().unwrap_or(0) - 4000;
    assert!(off.abs() <= 50, "{off} ms off");
    let rate = it.package.multivariant.variants[0].frame_rate.unwrap_or_default();
    assert!((it.frames() as f64 / rate - 4.0).abs() < 0.05, "{} frames at {rate}", it.frames());
}

#[test]
fn i6_ntsc_rate_keeps_its_frames() {
    let it = published("ntsc.mp4");
    let source = tools::decode(&case("ntsc.mp4")).expect("ffprobe counts")[0].frames;
    assert_eq!(it.frames(), source);
    let total: f64 = it.package.renditions[0].playlist.duration();
    let exact = source as f64 * 1001.0 / 24000.0;
    assert!((total - exact).abs() < 0.001, "EXTINF sum {total}, {exact} by frames");
}

#[test]
fn i7_rotation_is_applied_and_dropped() {
    has_hazards("rotated.mp4", &["rotated"]);
    let it = published("rotated.mp4");
    assert!(it.sizes().iter().all(|(width, height)| height > width), "{:?}", it.sizes());
    let matrix = field(&it.mp4(), "side_data_list");
    assert!(matrix.is_null(), "a display matrix is left: {matrix}");
    looks_like(&it.mp4(), &case("rotated.mp4"), 0.9);
}

#[test]
fn i8_odd_size_and_full_chroma() {
    has_hazards("odd.mkv", &["odd_size", "chroma_subsampling"]);
    let it = published("odd.mkv");
    assert!(it.sizes().iter().all(|(width, height)| width % 2 == 0 && height % 2 == 0));
    looks_like(&it.mp4(), &case("odd.mkv"), 0.85);
}

#[test]
fn i9_hdr_is_tone_mapped() {
    for (name, code) in [("hdr_pq.mp4", "hdr_pq"), ("hdr_hlg.mp4", "hdr_hlg")] {
        has_hazards(name, &[code, "high_bit_depth"]);
        let it = published(name);
        assert_eq!(field(&it.mp4(), "color_transfer"), "bt709", "{name}");
        assert_eq!(field(&it.mp4(), "color_primaries"), "bt709", "{name}");
        assert_eq!(field(&it.mp4(), "pix_fmt"), "yuv420p", "{name}");
    }
}

/// What was graded with white paper at 203 cd/m² is as bright as it was before, and as clear.
#[test]
fn i9_tone_mapping_is_neither_dark_nor_washed_out() {
    let want = tools::luma(&case("sdr.mp4")).expect("ffmpeg measures");
    for name in ["graded_pq.mp4", "graded_hlg.mp4"] {
        let it = published(name);
        let have = tools::luma(&it.mp4()).expect("ffmpeg measures");
        assert!((have / want - 1.0).abs() < 0.12, "{name}: luma {have}, {want} before");
        looks_like(&it.mp4(), &case("sdr.mp4"), 0.85);
    }
}

#[test]
fn i10_other_chroma_and_range() {
    for name in ["prores.mov", "rgb.mkv", "full_range.mp4"] {
        let it = published(name);
        assert_eq!(field(&it.mp4(), "pix_fmt"), "yuv420p", "{name}");
        looks_like(&it.mp4(), &case(name), 0.9);
    }
    has_hazards("prores.mov", &["chroma_subsampling", "high_bit_depth"]);
    has_hazards("full_range.mp4", &["full_range"]);
}

#[test]
fn i11_unknown_sound_is_dropped_and_said() {
    has_hazards("unknown_sound.mov", &["track_dropped"]);
    let it = published("unknown_sound.mov");
    assert!(it.repairs().contains(&"track_dropped".to_owned()), "{:?}", it.repairs());
    let sound = it.package.renditions[0].pieces[0].contents.audio.is_some();
    assert!(sound, "the known sound is gone as well");
}

#[test]
fn i12_languages_and_subtitles() {
    let it = published("languages.mkv");
    let alternatives = &it.package.multivariant.alternatives;
    let languages: Vec<_> = alternatives
        .iter()
        .map(|one| (one.kind.as_str(), one.language.as_deref(), one.default))
        .collect();
    assert_eq!(languages[..2], [("AUDIO", Some("sv"), true), ("AUDIO", Some("en"), false)]);
    assert_eq!((languages[2].0, languages[2].1), ("SUBTITLES", Some("sv")));
    let subtitles = it.package.of(Kind::Subtitles).next().expect("a subtitle playlist");
    assert!(subtitles.pieces[0].text.contains("hej"), "{}", subtitles.pieces[0].text);
}

#[test]
fn i13_cover_art_is_no_video() {
    has_hazards("cover.mp3", &["cover_art"]);
    let it = published("cover.mp3");
    assert!(it.sizes().is_empty(), "{:?}", it.sizes());
    assert_eq!(field(&it.mp4(), "codec_type"), "audio", "the cover is a video");
    assert!(it.package.renditions[0].pieces[0].contents.audio.is_some());
}

#[test]
fn i14_no_sound_and_no_picture() {
    let it = published("no_audio.mp4");
    assert_eq!(it.frames(), 100);
    assert!(it.package.renditions[0].pieces[0].contents.audio.is_none());
    let it = published("no_video.m4a");
    assert!(it.sizes().is_empty());
    let off = it.json()["duration_ms"].as_i64().unwrap_or(0) - 4000;
    assert!(off.abs() <= 50, "{off} ms off");
}

#[test]
fn i15_no_duration() {
    has_hazards("no_duration.webm", &["no_duration"]);
    assert_eq!(published("no_duration.webm").frames(), 50);
}

#[test]
fn i16_interlaced_and_anamorphic() {
    has_hazards("interlaced.mpg", &["interlaced"]);
    let it = published("interlaced.mpg");
    assert_eq!(it.frames(), 25, "one picture for each frame of two fields");
    let combed = |file: &Path| tools::combed(file).expect("ffmpeg looks for combing");
    let (before, after) = (combed(&case("interlaced.mpg")), combed(&it.mp4()));
    assert!(before.0 > 12 && after.0 <= 2, "{before:?} interlaced pictures, then {after:?}");
    has_hazards("anamorphic.mp4", &["non_square_pixels"]);
    let it = published("anamorphic.mp4");
    for (width, height) in it.sizes() {
        let shape = f64::from(width) / f64::from(height);
        assert!((shape - 16.0 / 9.0).abs() < 0.02, "{width}x{height}");
    }
    let aspect = field(&it.mp4(), "sample_aspect_ratio");
    assert!(aspect.is_null() || aspect == "1:1", "{aspect}");
}

#[test]
fn i17_late_sound_keeps_its_place() {
    let it = published("late_audio.mp4");
    has_hazards("late_audio.mp4", &["audio_offset"]);
    let hls = it.package.of(Kind::Variant).next().expect("a variant").clear.path();
    // FFmpeg counts from what is first, and the priming of AAC stands before the pictures.
    for (file, slack) in [(it.mp4().as_path(), 0.03), (hls, 0.06)] {
        let heard = tools::sound_begins(file).expect("ffmpeg hears it");
        assert!((heard - 1.5).abs() < slack, "{}: heard at {heard} s", file.display());
    }
    has_hazards("offset.ts", &["start_not_zero"]);
    let it = published("offset.ts");
    assert_eq!(it.frames(), 100);
}

#[test]
fn i18_clock_jump_and_size_change() {
    has_hazards("jump_resize.ts", &["clock_jump", "size_changes"]);
    let it = published("jump_resize.ts");
    assert_eq!(it.frames(), 100);
    has_hazards("twice.ts", &["clock_jump"]);
    let it = published("twice.ts");
    assert_eq!(it.frames(), 200);
}

#[test]
fn i19_one_frame() {
    has_hazards("one_frame.mp4", &["single_frame"]);
    let it = published("one_frame.mp4");
    assert_eq!(it.frames(), 1);
    for name in ["poster.jpg", "storyboard.vtt"] {
        assert!(it.package.generation.join("thumbnails").join(name).is_file(), "{name}");
    }
}

#[test]
fn i20_damaged_middle() {
    refused("damaged.mp4", "media_damaged");
    let it = published_by("damaged.mp4", "\n[input]\ndamage = \"repair\"");
    assert!(!it.repairs().is_empty(), "no repair is stated");
    assert_eq!(it.frames(), 100);
}

#[test]
fn i20_a_header_that_no_decoder_takes() {
    refused("damaged_header.mkv", "nothing_decodable");
}

#[test]
fn i21_timestamp_bomb() {
    refused("bomb.mkv", "timestamp_gap");
}

#[test]
fn i22_pixel_bomb() {
    refused("pixel_bomb.mov", "too_many_pixels");
}

#[test]
fn i23_playlists_in_disguise() {
    refused("playlist.mp4", "input_disguised");
    refused("concat.mp4", "input_disguised");
}

#[test]
fn i25_a_rate_that_changes_is_said() {
    has_hazards("two_rates.aac", &["sound_format_changes", "no_video"]);
    let it = published("two_rates.aac");
    assert_eq!(it.repairs(), ["sound_format_changes"], "a file without a clock");
    has_hazards("two_rates.ts", &["sound_format_changes"]);
}

#[test]
fn i25_wide_sound_is_mixed_down() {
    for name in ["wide_sound.mov", "surround.mkv"] {
        has_hazards(name, &["surround_sound"]);
        let it = published(name);
        let sound = it.package.renditions[0].pieces[0].contents.audio.clone().expect("sound");
        assert_eq!((sound.rate, sound.channels), (48_000, 2), "{name}");
    }
}
