//! The readers and rules themselves, on HLS and MP4 made by the ffmpeg program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::{Kind, Package, Report, check_package};
use vodmill_tests::mp4::Movie;
use vodmill_tests::tools::{decode, ffmpeg};

/// What ffmpeg's own HLS muxer does otherwise than the rules of a package want.
const FFMPEG_HABITS: [&str; 8] = [
    "asset.json",
    "average bandwidth",
    "bandwidth",
    "frame rate",
    "independent",
    "iv",
    "layout",
    "digests",
];

struct Made {
    directory: TempDir,
    keys: PathBuf,
}

impl Made {
    fn asset(&self) -> PathBuf {
        self.directory.path().join("asset")
    }
}

/// A package as near to the layout as ffmpeg gets: two rungs, AES-128 or clear.
fn made(container: &str, encrypted: bool) -> Made {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path();
    let (hls, keys) = (root.join("asset/g1/hls"), root.join("keys"));
    fs::create_dir_all(&hls).and(fs::create_dir_all(&keys)).expect("directories");
    let clip = case("good.mp4");
    let options = "-map 0:v -map 0:v -map 0:a -map 0:a -c:v libx264 -preset ultrafast -g 25 \
        -keyint_min 25 -sc_threshold 0 -bf 2 -flags +cgop -x264-params threads=1 -s:v:0 160x90 \
        -s:v:1 320x180 -c:a aac -ac 2 -f hls -hls_time 1 -hls_playlist_type vod \
        -hls_flags independent_segments -master_pl_name index.m3u8";
    let mut all = vec!["-i".into(), clip.into_os_string()];
    all.extend(options.split_whitespace().map(Into::into));
    all.extend(
        ["-hls_segment_type", container, "-var_stream_map", "v:0,a:0 v:1,a:1"].map(Into::into),
    );
    if encrypted {
        fs::write(keys.join("k1"), b"0123456789abcdef").expect("a key");
        let info = format!("https://keys.example/k1\n{}\n", keys.join("k1").display());
        fs::write(root.join("info"), info).expect("key info");
        all.extend(["-hls_key_info_file".into(), root.join("info").into_os_string()]);
    }
    all.push(hls.join("v%v/index.m3u8").into_os_string());
    ffmpeg(&all).expect("ffmpeg makes HLS");
    lift_multivariant(root);
    Made { directory, keys }
}

/// Moves ffmpeg's multivariant playlist to where a package has it.
fn lift_multivariant(root: &Path) {
    let from = root.join("asset/g1/hls/index.m3u8");
    let text = fs::read_to_string(&from).expect("ffmpeg's multivariant playlist");
    let text = text.replace("\nv", "\ng1/hls/v");
    fs::write(root.join("asset/index.m3u8"), text).expect("the multivariant playlist");
    fs::remove_file(from).expect("removing ffmpeg's one");
}

fn rules(made: &Made) -> BTreeSet<&'static str> {
    let keys = fs::read_dir(&made.keys).is_ok_and(|mut keys| keys.next().is_some());
    let violations = check_package(&made.asset(), keys.then_some(&made.keys));
    for violation in &violations {
        println!("{violation}");
    }
    violations.iter().map(|violation| violation.rule).collect()
}

/// Broken rules that are no habit of ffmpeg's.
fn strange(made: &Made) -> Vec<&'static str> {
    rules(made).difference(&BTreeSet::from(FFMPEG_HABITS)).copied().collect()
}

fn only_habits(made: &Made) {
    let strange = strange(made);
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn ffmpeg_ts_breaks_only_its_habits() {
    only_habits(&made("mpegts", false));
}

#[test]
fn ffmpeg_encrypted_ts_breaks_only_its_habits() {
    let made = made("mpegts", true);
    only_habits(&made);
    assert!(rules(&made).contains("iv"), "one IV for all segments must be found");
}

#[test]
fn ffmpeg_fmp4_breaks_only_its_habits() {
    only_habits(&made("fmp4", false));
}

#[test]
fn damage_is_found() {
    let made = made("mpegts", false);
    let segment = made.asset().join("g1/hls/v0/index1.ts");
    let whole = fs::read(&segment).expect("a segment");
    let other = fs::read(made.asset().join("g1/hls/v0/index2.ts")).expect("another segment");
    let half = whole[..whole.len() / 2].to_vec();
    let hole = [&whole[..188 * 20], &whole[188 * 25..]].concat();
    for (damage, bytes) in [("half", half), ("hole", hole), ("another", other)] {
        fs::write(&segment, bytes).expect("damage");
        assert!(!strange(&made).is_empty(), "{damage} is not found");
    }
}

#[test]
fn clear_media_beside_encrypted_is_found() {
    let made = made("mpegts", true);
    let hls = made.asset().join("g1/hls");
    fs::write(hls.join("forgotten.ts"), [0x47; 188]).expect("a file that no playlist names");
    assert!(rules(&made).contains("clear media"));
}

#[test]
fn counts_agree_with_ffprobe() {
    for container in ["mpegts", "fmp4"] {
        let made = made(container, false);
        let package =
            Package::load(&made.asset(), None, &mut Report::default()).expect("a package");
        for rendition in package.of(Kind::Variant) {
            let video = rendition.video().expect("pictures");
            let decoded = decode(rendition.clear.path()).expect("ffprobe decodes it");
            assert_eq!(decoded[0].frames, video.pictures.len() as u64);
            let sound: u64 = rendition
                .pieces
                .iter()
                .map(|piece| piece.contents.audio.as_ref().map_or(0, |audio| audio.frames))
                .sum();
            assert!(sound.abs_diff(decoded[1].frames) <= 1, "{sound} frames of AAC");
        }
    }
}

#[test]
fn a_movie_is_read() {
    let read = |name: &str| Movie::read(&fs::read(case(name)).expect("a case")).expect("an MP4");
    let (plain, fast) = (read("good.mp4"), read("faststart.mp4"));
    assert_eq!(plain.order, ["ftyp", "free", "mdat", "moov"]);
    assert_eq!(fast.order, ["ftyp", "moov", "free", "mdat"]);
    let video = fast.video().expect("pictures");
    assert_eq!(video.samples.len(), 100);
    assert!(video.samples[0].sync && video.start().abs() < 1e-6);
    let sound = fast.audio().next().expect("sound");
    assert!((-0.03..0.0).contains(&sound.start()), "{}", sound.start());
    assert!(fast.interleaving() < 1.5, "{}", fast.interleaving());
}

/// Every input can be made; also warms the cache for the tests of the product.
#[test]
fn every_case_is_made() {
    for name in vodmill_tests::cases::all() {
        assert!(case(name).exists(), "{name}");
    }
}
