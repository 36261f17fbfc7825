use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::pipeline::Container;
use vodmill_model::transcode::{Cut, Inspection, Media, Part, SegmentOrder, StreamKind};
use vodmill_model::units::{Ratio, Size, Ticks};

use super::audio;
use super::make::{Film, media};
use super::segments::{BASE, order, segments};

fn look(bytes: &[u8]) -> Inspection {
    Libav.inspect(Media::Bytes(bytes)).unwrap()
}

#[test]
fn segments_of_both_containers_are_read_to_the_packet() {
    let dir = tempfile::tempdir().unwrap();
    let film = Film { rate: Ratio::new(30000, 1001), gop: 30, ..Film::default() };
    let video = film.chunks(dir.path(), &[120]);
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=5"]);
    let audio = audio::rendition(&sound, dir.path(), 0, 192_192);
    for container in [Container::Ts, Container::Fmp4] {
        let mut order = order(container, video.clone(), &[60, 120]);
        order.audio = Some(audio.clone());
        let all = segments(&order).unwrap();
        let init = all.iter().find(|segment| segment.init).map_or(&[][..], |init| &init.bytes);
        for segment in all.iter().filter(|segment| !segment.init) {
            let found = look(&[init, &segment.bytes].concat());
            let [pictures, sound] = &found.streams[..] else { panic!("{found:?}") };
            assert_eq!((pictures.kind, sound.kind), (StreamKind::Video, StreamKind::Audio));
            assert_eq!((pictures.packets, pictures.key_packets), (60, 2), "{container:?}");
            assert!(pictures.starts_with_key && pictures.monotonic && sound.monotonic);
            assert_eq!(pictures.form.longest_gop, 30, "{container:?}");
            assert!((1..60).contains(&pictures.form.reordered), "{:?}", pictures.form);
            assert_eq!(pictures.form.pixel_format.as_deref(), Some("yuv420p"));
            assert!(pictures.form.colour.as_ref().is_some_and(|colour| !colour.full_range));
            assert!(
                pictures.form.bytes < segment.bytes.len() as u64 && sound.form.colour.is_none()
            );
            assert_eq!(pictures.start, BASE + segment.start);
            let end = BASE + segment.start + segment.duration;
            assert!((pictures.end - end).0.abs() <= 1, "{:?} {end:?}", pictures.end);
            assert_eq!(pictures.size, Some(Size { width: 320, height: 180 }));
            assert_eq!((sound.sample_rate, sound.channels), (48000, 2));
            assert!((93..=96).contains(&sound.packets), "{}", sound.packets);
            assert!((sound.end - end).0.abs() < 2 * 1920, "{:?} {end:?}", sound.end);
            let expected: &[u8] = if container == Container::Ts { &[0, 0] } else { &[1, 100] };
            assert!(pictures.config.starts_with(expected), "{:?}", pictures.config);
            assert!(sound.config.starts_with(&[0x11, 0x90]), "{:?}", sound.config);
        }
    }
}

/// A few packets of a transport stream are too few to tell it by.
#[test]
fn the_shortest_segments_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "anullsrc=d=1:r=48000"]);
    let audio = Some(audio::rendition(&sound, dir.path(), 0, 48_000));
    for container in [Container::Ts, Container::Fmp4] {
        let cut = Cut::At(vec![Ticks(88_000), Ticks(90_000)]);
        let (video, audio) = (None, audio.clone());
        let order = SegmentOrder { container, video, audio, base: BASE, cut, part: Part::WHOLE };
        let all = segments(&order).unwrap();
        let init = all.iter().find(|segment| segment.init).map_or(&[][..], |init| &init.bytes);
        let last = [init, &all.last().unwrap().bytes].concat();
        assert!(container == Container::Fmp4 || last.len() <= 9 * 188, "{}", last.len());
        let found = look(&last);
        let [sound] = &found.streams[..] else { panic!("{found:?}") };
        assert_eq!((sound.kind, sound.sample_rate), (StreamKind::Audio, 48000));
        assert!((1..=3).contains(&sound.packets), "{container:?}: {}", sound.packets);
    }
}

#[test]
fn what_is_not_media_is_an_error() {
    assert!(Libav.inspect(Media::Bytes(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n")).is_err());
    assert!(Libav.inspect(Media::Bytes(b"")).is_err());
}

#[test]
fn a_whole_file_is_read_like_its_parts() {
    let dir = tempfile::tempdir().unwrap();
    let path = media(
        dir.path(),
        "m.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc=s=64x48:r=10:d=2",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let found = Libav.inspect(Media::File(&path)).unwrap();
    assert_eq!(found.streams.len(), 1);
    assert_eq!((found.streams[0].packets, found.streams[0].codec.as_str()), (20, "h264"));
    assert_eq!((found.streams[0].start, found.streams[0].end), (Ticks(0), Ticks(180_000)));
}
