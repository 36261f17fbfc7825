//! What probing says of ordinary and less ordinary files.

use vodmill_model::media::FieldOrder;
use vodmill_model::units::{Ratio, Size, Ticks};

use super::clips::Clips;
use super::orders::probe;

const SOURCE: &str = "testsrc2=s=160x90:r=25:d=1";
const WITH_SOUND: &str = "testsrc2=s=160x90:r=25:d=1 -f lavfi -i sine=d=1";

#[test]
fn a_plain_file() {
    let clips = Clips::new();
    let path = clips.h264(WITH_SOUND, "-c:a aac", "sound.mp4");
    let info = probe(&path).unwrap();
    assert_eq!(info.bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(info.sha256.len(), 64);
    let video = &info.video[0];
    assert_eq!(video.coded, Size { width: 160, height: 90 });
    assert_eq!((video.packets, video.first), (25, 0));
    assert_eq!((video.gaps.min, video.gaps.max), (video.last_duration, video.last_duration));
    assert_eq!(Ticks::from_units(video.last, video.time_base), Ticks(86_400));
    assert_eq!(video.seek_points.iter().map(|p| p.packet).collect::<Vec<_>>(), [0, 20]);
    assert_eq!((video.pixel_format.as_str(), video.bit_depth), ("yuv420p", 8));
    let audio = &info.audio[0];
    assert_eq!((audio.sample_rate, audio.channels, audio.layout.as_str()), (44_100, 1, "mono"));
    assert_eq!((audio.first, audio.end), (Ticks(0), Ticks(90_000)), "without encoder delay");
    assert!(!info.truncated && info.clock_jumps.is_empty());
}

#[test]
fn turned_by_the_display_matrix() {
    let clips = Clips::new();
    clips.plain();
    clips.ffmpeg("-i plain.mp4 -c copy -metadata:s:v:0 rotate=270 turned.mp4");
    let video = &probe(&clips.path("turned.mp4")).unwrap().video[0];
    // As FFmpeg's own player turns it: counter-clockwise for `rotate=90`.
    assert_eq!((video.rotation, video.mirrored), (90, false));
}

#[test]
fn colours_depth_and_shape_of_pixels() {
    let clips = Clips::new();
    let more = "-vf setsar=64/45 -pix_fmt yuv422p10le -colorspace bt2020nc \
                -color_primaries bt2020 -color_trc smpte2084";
    let path = clips.make(SOURCE, &format!("{more} -c:v libx264 -preset ultrafast"), "hdr.mp4");
    let video = &probe(&path).unwrap().video[0];
    assert_eq!((video.pixel_format.as_str(), video.bit_depth), ("yuv422p10le", 10));
    assert_eq!(video.pixel_aspect, Ratio::new(64, 45));
    assert_eq!(video.colour.matrix, "bt2020nc");
    assert_eq!(video.colour.primaries, "bt2020");
    assert_eq!(video.colour.transfer, "smpte2084");
    let path = clips.make(SOURCE, "-c:v libx264rgb -preset ultrafast", "rgb.mkv");
    let colour = &probe(&path).unwrap().video[0].colour;
    assert_eq!((colour.matrix.as_str(), colour.full_range), ("gbr", true));
}

#[test]
fn fields_that_only_the_frames_tell_of() {
    let clips = Clips::new();
    let more = "-vf tinterlace=interleave_bottom,setfield=bff -c:v mpeg2video -flags +ilme+ildct";
    let path = clips.make("testsrc2=s=160x96:r=50:d=1", more, "fields.mpg");
    let video = &probe(&path).unwrap().video[0];
    assert_eq!(video.field_order, FieldOrder::BottomFirst);
    let path = clips.make(SOURCE, "-c:v mpeg2video", "frames.mpg");
    assert_eq!(probe(&path).unwrap().video[0].field_order, FieldOrder::Progressive);
}

#[test]
fn variable_frame_rate_shows_in_the_gaps() {
    let clips = Clips::new();
    let path = clips.h264(SOURCE, "-vf select='not(eq(mod(n\\,5)\\,3))' -vsync vfr", "vfr.mkv");
    let gaps = probe(&path).unwrap().video[0].gaps;
    assert_eq!((gaps.min, gaps.median, gaps.max), (40, 40, 80));
}

#[test]
fn languages_subtitles_and_attachments() {
    let clips = Clips::new();
    clips.write("s.srt", b"1\n00:00:00,000 --> 00:00:01,000\nhej\n");
    let source = format!("{WITH_SOUND} -i s.srt");
    let more = "-map 0 -map 1 -map 2 -c:a aac -c:s srt \
                -metadata:s:a:0 language=swe -attach s.srt -metadata:s:t mimetype=text/plain";
    let info = probe(&clips.h264(&source, more, "multi.mkv")).unwrap();
    assert_eq!(info.audio[0].language.as_deref(), Some("swe"));
    assert_eq!((info.subtitles[0].codec.as_str(), info.subtitles[0].text), ("subrip", true));
    assert_eq!(info.other[0].kind, "attachment");
}

#[test]
fn captions_in_the_pictures() {
    let clips = Clips::new();
    let bare = std::fs::read(clips.h264(SOURCE, "-f h264", "bare.h264")).unwrap();
    // ITU-T H.264, D.1.6: user data of ATSC in front of each key picture.
    let with = |name: &str, pair: &[u8; 2]| {
        let sei = [b"\0\0\x01\x06\x04\x0e\xb5\0\x31GA94\x03\x41\xff\xfc", &pair[..], b"\xff\x80"];
        let mut bytes = Vec::new();
        for (at, &byte) in bare.iter().enumerate() {
            if bare[at..].starts_with(b"\0\0\x01\x65") {
                bytes.extend(sei.concat());
            }
            bytes.push(byte);
        }
        clips.write("with.h264", &bytes);
        clips.ffmpeg("-r 25 -i with.h264 -c copy with.mp4");
        clips.ffmpeg(&format!("-i with.mp4 -c copy {name}"));
        probe(&clips.path(name)).unwrap().video[0].captions
    };
    for name in ["c.mp4", "c.ts"] {
        assert!(with(name, b"\x94\x2c"), "{name}");
        assert!(!with(name, b"\x80\x80"), "{name}: padding");
    }
}

#[test]
fn old_and_odd_containers_are_opened() {
    let clips = Clips::new();
    for (name, options) in [("a.au", "-c:a pcm_mulaw"), ("a.caf", "-c:a pcm_s24be")] {
        let path = clips.make("sine=d=1", options, name);
        assert_eq!(probe(&path).unwrap().audio[0].end, Ticks(90_000), "{name}");
    }
    let path = clips.make(SOURCE, "-f apng", "a.png");
    assert_eq!(probe(&path).unwrap().video[0].packets, 25);
}

#[test]
fn where_nothing_says_how_long_the_last_picture_lasts_it_is_a_second_at_most() {
    let clips = Clips::new();
    clips.make("testsrc2=s=160x90:r=1:d=13", "-vf select='not(mod(n,6))' -vsync vfr", "slow.flv");
    let video = &probe(&clips.path("slow.flv")).unwrap().video[0];
    let seconds = |units| Ticks::from_units(units, video.time_base);
    assert_eq!((video.packets, seconds(video.gaps.max)), (3, Ticks::from_seconds(6)));
    assert_eq!(seconds(video.last_duration), Ticks::from_seconds(1));
}

#[test]
fn cover_art_is_not_a_track_in_time() {
    let clips = Clips::new();
    clips.ffmpeg("-f lavfi -i color=red:s=64x64:d=1 -frames:v 1 c.jpg");
    let more = "-i c.jpg -map 0 -map 1 -c:a libmp3lame -c:v mjpeg -disposition:v attached_pic";
    let info = probe(&clips.make("sine=d=1", more, "cover.mp3")).unwrap();
    assert!(info.video[0].attached_picture);
    assert!(info.audio[0].decodable);
}

#[test]
fn a_container_without_a_duration_says_none() {
    let clips = Clips::new();
    let path = clips.path("live.webm");
    let more =
        format!("-c:v libvpx -deadline realtime -cpu-used 8 -f webm -live 1 {}", path.display());
    clips.ffmpeg(&format!("-f lavfi -i {SOURCE} {more}"));
    let info = probe(&path).unwrap();
    assert_eq!(info.declared_duration, None);
    assert_eq!(info.video[0].packets, 25);
}
