//! What was delivered and what came out: every picture that a decoder should give comes, or is
//! missed.

use std::path::Path;

use vodmill_model::units::Ratio;

use super::clips::Clips;
use super::orders::{Job, encode, probe};

/// Pictures that were delivered, those before the first key picture, and those that come out of
/// chunks of 20 frames.
fn balance(original: &Path, rate: u32, frames: u64) -> (u64, u64, u64) {
    let job = Job::new(original, Ratio::new(rate, 1));
    let firsts = (0..frames).step_by(20);
    let came = firsts.map(|first| {
        let mut order = job.order("r", first, 20.min(frames - first));
        order.last = first + 20 >= frames;
        encode(&order).unwrap().decoded_frames.unwrap()
    });
    let came = came.sum();
    (job.track().pictures.unwrap(), job.track().before_first_key, came)
}

#[test]
fn every_picture_of_a_whole_file_comes_out_in_one_chunk() {
    let clips = Clips::new();
    let plain = clips.plain();
    assert_eq!(balance(&plain, 25, 50), (50, 0, 50));
    assert_eq!(balance(&plain, 10, 20), (50, 0, 50), "more than the grid shows");
    assert_eq!(balance(&plain, 60, 120), (50, 0, 50), "fewer");
    let fields = "-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ilme+ildct \
                  -bf 2 -g 10";
    let path = clips.make("testsrc2=s=160x96:r=50:d=2", fields, "fields.ts");
    assert_eq!(balance(&path, 25, 50), (50, 0, 50));
    for (name, codec) in [
        (
            "a.webm",
            "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -deadline good -cpu-used 5 -g 20",
        ),
        ("b.webm", "-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 16 -cpu-used 8 -g 20"),
        ("c.ts", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=10:open-gop=1"),
        ("d.ts", "-c:v libx264 -preset ultrafast -bf 3 -g 10 -x264-params interlaced=1:open-gop=1"),
        (
            "e.mkv",
            "-c:v libx264 -preset ultrafast -vf select=not(mod(n\\,7))+gt(mod(n\\,3)\\,0) -fps_mode vfr",
        ),
    ] {
        let path = clips.make("testsrc2=s=160x96:r=25:d=2", codec, name);
        let (delivered, before, came) = balance(&path, 25, 50);
        assert_eq!((delivered, before), (came, 0), "{name}");
    }
}

#[test]
fn what_stands_before_the_first_key_picture_is_counted() {
    let clips = Clips::new();
    let path = clips.h264("testsrc2=s=160x90:r=25:d=4", "-g 50 -bf 0", "whole.ts");
    let whole = std::fs::read(path).unwrap();
    for share in [10, 25, 40] {
        let cut = whole.len() * share / 100 / 188 * 188;
        let path = clips.write("cut.ts", &whole[cut..]);
        let info = probe(&path).unwrap();
        let frames = info.video[0].pictures.unwrap();
        let (delivered, before, came) = balance(&path, 25, frames);
        assert!(before > 0 && before < 50, "{share}: {before} of {delivered}");
        assert_eq!(delivered - before, came, "{share}");
    }
}

#[test]
fn pictures_whose_references_are_gone_are_missed() {
    let clips = Clips::new();
    let open = "-c:v mpeg2video -bf 2 -g 10 -sc_threshold 0";
    let whole = std::fs::read(clips.make("testsrc2=s=160x96:r=25:d=2", open, "open.ts")).unwrap();
    let packets = whole.chunks(188).enumerate();
    let tables = packets.filter(|(_, packet)| packet[1] & 0x1f == 0 && packet[2] == 0);
    let mut before = tables.map(|(number, _)| number * 188).filter(|&at| {
        // The packets of tables, and the first of a sequence behind them.
        let next = &whole[at..whole.len().min(at + 3 * 188)];
        next.windows(4).any(|code| code == b"\0\0\x01\xb3")
    });
    let second = before.nth(1).unwrap();
    let path = clips.write("cut.ts", &whole[second..]);
    let frames = probe(&path).unwrap().video[0].pictures.unwrap();
    let (delivered, before, came) = balance(&path, 25, frames);
    assert_eq!(before, 0);
    assert_eq!(delivered - came, 2, "two pictures show before the first key picture");
}
