//! What an original means: which of its tracks is the film, and how it is to be shown.

use vodmill_model::media::{Crop, FieldOrder, MediaInfo, VideoTrack};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::planner::main_video;

use super::boxes::{append, boxed, full};
use super::clips::Clips;
use super::orders::{probe, probe_within, reason};

fn film(info: &MediaInfo) -> &VideoTrack {
    main_video(info).unwrap()
}

#[test]
fn a_still_in_front_of_the_film_is_not_the_film() {
    let clips = Clips::new();
    clips.ffmpeg("-f lavfi -i color=red:s=640x360:r=25:d=0.04 -c:v mjpeg -frames:v 1 still.mov");
    clips.h264("testsrc2=s=160x90:r=25:d=2", "", "film.mp4");
    for name in ["two.mkv", "two.mov", "two.mp4", "two.avi"] {
        clips.ffmpeg(&format!("-i still.mov -i film.mp4 -map 0 -map 1 -c copy {name}"));
        let info = probe(&clips.path(name)).unwrap();
        assert_eq!((film(&info).index, film(&info).packets), (1, 50), "{name}");
    }
}

#[test]
fn a_track_of_thumbnails_with_a_hole_refuses_nothing() {
    let clips = Clips::new();
    let source = "testsrc2=s=640x360:r=1:d=9 -f lavfi -i testsrc2=s=160x90:r=25:d=9";
    let more = "-map 0:v -map 1:v -c:v:0 mjpeg -c:v:1 libx264 -preset ultrafast \
                -filter:v:0 setpts='if(gt(N\\,6)\\,PTS+100/TB\\,PTS)' -fps_mode passthrough";
    let path = clips.make(source, more, "holes.mkv");
    let policy = InputPolicy { max_gap_seconds: 5, max_duration_seconds: 20, ..Default::default() };
    let info = probe_within(&path, &policy).unwrap();
    assert_eq!(film(&info).index, 1);
}

#[test]
fn fields_are_those_of_the_frames_of_the_film_and_the_frames_win() {
    let clips = Clips::new();
    let fields = "-vf tinterlace=interleave_top,setfield=tff -flags +ilme+ildct -c:v mpeg2video";
    clips.make("testsrc2=s=160x96:r=50:d=1", fields, "top.mkv");
    clips.ffmpeg("-f lavfi -i color=red:s=64x64:r=25:d=0.04 -c:v mjpeg -frames:v 1 still.mov");
    clips.ffmpeg("-i still.mov -i top.mkv -map 0 -map 1 -c copy behind.mkv");
    let info = probe(&clips.path("behind.mkv")).unwrap();
    assert_eq!(film(&info).field_order, FieldOrder::TopFirst, "behind a still");
    for said in ["tt", "bb", "tb", "bt", "progressive"] {
        clips.ffmpeg(&format!("-i top.mkv -c copy -field_order {said} said.mkv"));
        let info = probe(&clips.path("said.mkv")).unwrap();
        assert_eq!(film(&info).field_order, FieldOrder::TopFirst, "{said}");
    }
    clips.h264("testsrc2=s=160x90:r=25:d=1", "-field_order tt", "frames.mkv");
    let info = probe(&clips.path("frames.mkv")).unwrap();
    assert_eq!(film(&info).field_order, FieldOrder::Progressive);
}

#[test]
fn where_frames_only_hand_on_what_the_container_says_it_is_believed() {
    let clips = Clips::new();
    for (order, expected) in [
        ("setfield=tff", FieldOrder::TopFirst),
        ("setfield=bff", FieldOrder::BottomFirst),
        ("setfield=prog", FieldOrder::Progressive),
    ] {
        let more = format!("-vf {order} -c:v v210 -frames:v 3");
        let path = clips.make("testsrc2=s=160x96:r=25:d=1", &more, "v210.mov");
        assert_eq!(film(&probe(&path).unwrap()).field_order, expected, "{order}");
    }
}

/// A film whose first sample entry has these boxes too.
fn with_boxes(clips: &Clips, added: &[u8]) -> Result<MediaInfo, MediaError> {
    let mut bytes = std::fs::read(clips.plain()).unwrap();
    append(&mut bytes, &["moov", "trak", "mdia", "minf", "stbl", "stsd", "avc1"], added);
    probe(&clips.write("boxes.mp4", &bytes))
}

#[test]
fn dolby_vision_is_refused_where_no_other_screen_shows_it() {
    let clips = Clips::new();
    let record = |profile: u8, compatibility: u8, layers: u8| {
        let mut record = [0; 24];
        (record[0], record[2]) = (1, profile << 1);
        (record[3], record[4]) = (4 << 3 | layers, compatibility << 4);
        boxed(if profile > 7 { "dvvC" } else { "dvcC" }, &record)
    };
    let (metadata, enhancement, base) = (4, 2, 1);
    for (profile, compatibility) in [(5, 0), (10, 0), (20, 0), (3, 0)] {
        let refused = with_boxes(&clips, &record(profile, compatibility, metadata | base));
        assert_eq!(reason(refused), Reason::DolbyVisionOnly, "{profile}.{compatibility}");
    }
    let layer = with_boxes(&clips, &record(7, 6, metadata | enhancement));
    assert_eq!(reason(layer), Reason::DolbyVisionOnly, "a layer without what it is on");
    for (profile, compatibility) in
        [(8, 1), (8, 2), (8, 4), (9, 2), (10, 1), (10, 4), (7, 6), (4, 2)]
    {
        let info = with_boxes(&clips, &record(profile, compatibility, metadata | base)).unwrap();
        let vision = film(&info).dolby_vision.unwrap();
        assert_eq!((vision.profile, vision.compatibility), (profile, compatibility));
    }
}

#[test]
fn the_part_that_is_to_be_shown() {
    let clips = Clips::new();
    let clap = |numbers: [i32; 8]| boxed("clap", &numbers.map(i32::to_be_bytes).concat());
    let crop = |added: &[u8]| film(&with_boxes(&clips, added).unwrap()).crop;
    let sides = |left, top, right, bottom| Some(Crop { left, top, right, bottom });
    assert_eq!(crop(&clap([144, 1, 80, 1, 0, 1, 0, 1])), sides(8, 5, 8, 5));
    assert_eq!(crop(&clap([144, 1, 90, 1, -8, 1, 0, 1])), sides(0, 0, 16, 0));
    assert_eq!(crop(&clap([160, 1, 90, 1, 0, 1, 0, 1])), None, "all of it");
    assert_eq!(crop(&clap([200, 1, 90, 1, 0, 1, 0, 1])), None, "more than there is");
    assert_eq!(crop(&clap([144, 0, 90, 0, 0, 0, 0, 0])), None, "no numbers");
    let info = with_boxes(&clips, &clap([144, 1, 80, 1, 0, 1, 0, 1])[..20]);
    assert!(info.is_ok_and(|info| film(&info).crop.is_none()), "cut");

    // FFmpeg writes the shape that a picture is to be shown in, and not what is cut off.
    let path = clips.h264("testsrc2=s=320x180:r=25:d=1", "-vf setsar=4/3", "crop.mkv");
    let mut bytes = std::fs::read(path).unwrap();
    for (id, other, side) in [(0xb0, 0xdd, 20), (0xba, 0xbb, 10), (0xb2, 0xcc, 6)] {
        let at = bytes.windows(3).position(|window| window == [0x54, id, 0x81]).unwrap();
        bytes[at + 1..at + 4].copy_from_slice(&[other, 0x81, side]);
    }
    let info = probe(&clips.write("crop.mkv", &bytes)).unwrap();
    assert_eq!(film(&info).crop, sides(6, 10, 20, 0));
}

#[test]
fn spheres_and_two_eyes() {
    let clips = Clips::new();
    let sphere = [
        full("svhd", b"somebody\0"),
        boxed("proj", &[full("prhd", &[0; 12]), full("equi", &[0; 16])].concat()),
    ];
    let added = [full("st3d", &[1]), boxed("sv3d", &sphere.concat())].concat();
    let info = with_boxes(&clips, &added).unwrap();
    assert_eq!(film(&info).projection.as_deref(), Some("equirectangular"));
    assert_eq!(film(&info).stereo.as_deref(), Some("top and bottom"));
    let eyes = "-metadata:s:v:0 stereo_mode=left_right";
    let info = probe(&clips.h264("testsrc2=s=160x90:r=25:d=1", eyes, "eyes.mkv")).unwrap();
    assert_eq!(film(&info).stereo.as_deref(), Some("side by side"));
    let packed = "-x264-params threads=1:frame-packing=3";
    let info = probe(&clips.h264("testsrc2=s=160x90:r=25:d=1", packed, "packed.ts")).unwrap();
    assert_eq!(film(&info).stereo.as_deref(), Some("side by side"), "in the frames alone");
}

#[test]
fn a_multiplex_holds_several_programmes() {
    let clips = Clips::new();
    let source = "testsrc2=s=160x90:r=25:d=2 -f lavfi -i sine=d=2 \
                  -f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=d=2:f=600";
    let more = "-map 0 -map 1 -map 2 -map 3 -c:a mp2 -program program_num=7:title=Small:st=0:st=1 \
                -program program_num=9:title=Large:st=2:st=3";
    let info = probe(&clips.h264(source, more, "two.ts")).unwrap();
    let numbers: Vec<_> = info.programmes.iter().map(|programme| programme.number).collect();
    assert_eq!(numbers, [7, 9]);
    assert_eq!(info.programmes[1].name.as_deref(), Some("Large"));
    let film = film(&info);
    assert_eq!(film.coded.width, 320);
    assert!(info.programmes[1].tracks.contains(&film.index));
    assert_eq!(info.programmes[1].tracks.len(), 2);
    let one = probe(&clips.h264("testsrc2=s=160x90:r=25:d=1", "", "one.ts")).unwrap();
    assert!(one.programmes.is_empty(), "a file of one programme is as it always was");
}
