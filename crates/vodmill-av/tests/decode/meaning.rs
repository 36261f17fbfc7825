//! What an original means: which of its tracks is the film, and how it is to be shown.

use std::path::Path;

use vodmill_av::Libav;
use vodmill_model::media::{FieldOrder, MediaInfo, VideoTrack};
use vodmill_model::outcome::MediaError;
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::planner::main_video;
use vodmill_model::transcode::{Progress, Transcode};

use super::clips::Clips;
use super::orders::probe;

fn film(info: &MediaInfo) -> &VideoTrack {
    main_video(info).unwrap()
}

/// Probes as a pipeline with these limits would.
fn probe_within(path: &Path, policy: &InputPolicy) -> Result<MediaInfo, MediaError> {
    Libav.probe(path, policy, &|_: Progress| {})
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
