//! Which x264 this is: its bytes depend on it, and libav does not tell.

use std::sync::OnceLock;

use ffmpeg_next::codec::{Context, encoder};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Packet, Rational};

/// As `core 164 r3095 baee400`, from what x264 writes into its first packet; none without x264.
pub(crate) fn x264_version() -> Option<&'static str> {
    static VERSION: OnceLock<Option<String>> = OnceLock::new();
    VERSION.get_or_init(|| first_packet().and_then(|packet| find(&packet))).as_deref()
}

fn first_packet() -> Option<Vec<u8>> {
    let codec = encoder::find_by_name("libx264")?;
    let mut context = Context::new_with_codec(codec).encoder().video().ok()?;
    context.set_width(16);
    context.set_height(16);
    context.set_format(Pixel::YUV420P);
    context.set_time_base(Rational(1, 25));
    context.set_threading(ffmpeg_next::threading::Config::count(1));
    let mut encoder = context.open().ok()?;
    let mut frame = Video::new(Pixel::YUV420P, 16, 16);
    for plane in 0..3 {
        frame.data_mut(plane).fill(128);
    }
    frame.set_pts(Some(0));
    encoder.send_frame(&frame).ok()?;
    encoder.send_eof().ok()?;
    let mut packet = Packet::empty();
    encoder.receive_packet(&mut packet).ok()?;
    packet.data().map(<[u8]>::to_vec)
}

fn find(packet: &[u8]) -> Option<String> {
    let mark = b"x264 - ";
    let begin = packet.windows(mark.len()).position(|window| window == mark)? + mark.len();
    let text: Vec<u8> = packet[begin..]
        .iter()
        .copied()
        .take(40)
        .take_while(|byte| byte.is_ascii_graphic() || *byte == b' ')
        .collect();
    let text = String::from_utf8(text).ok()?;
    Some(text.split(" - ").next()?.trim_end_matches(" -").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_x264_is_known() {
        let version = x264_version().unwrap_or_default();
        assert!(version.starts_with("core "), "{version:?}");
    }
}
