//! Which versions of encoders these are: their bytes depend on it, and libav does not tell.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

use ffmpeg_next::codec::{Context, encoder};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Dictionary, Packet, Rational};

/// Side of the picture that is encoded to find out.
const SIDE: u32 = 64;

/// As `core 164 r3095 baee400`, from what x264 writes into its first packet; none without x264.
pub(super) fn x264_version() -> Option<&'static str> {
    static VERSION: OnceLock<Option<String>> = OnceLock::new();
    let found = || first_packet("libx264", ("x264-params", "threads=1"));
    VERSION.get_or_init(|| find(&found()?, b"x264 - ", " - ")).as_deref()
}

/// As `build 199 3.5+1-f0c1022b6:[Linux][GCC 12.2.0][64 bit] 8bit+10bit+12bit`, likewise.
pub(super) fn x265_version() -> Option<&'static str> {
    static VERSION: OnceLock<Option<String>> = OnceLock::new();
    let quiet = "info=1:pools=none:frame-threads=1:log-level=none";
    let found = || first_packet("libx265", ("x265-params", quiet));
    let text = || Some(find(&found()?, b"x265 (", " - H.265")?.replacen(") - ", " ", 1));
    VERSION.get_or_init(text).as_deref()
}

/// Functions that tell a version, by libav's name of the encoder.
const TELLING: [(&str, &CStr); 4] = [
    ("libmp3lame", c"get_lame_version"),
    ("libopus", c"opus_get_version_string"),
    ("libsvtav1", c"svt_av1_get_version"),
    ("libvpx-vp9", c"vpx_codec_version_str"),
];

/// Versions of encoders whose libraries tell them, as `v1.12.0` of libvpx.
pub(super) fn versions() -> BTreeMap<String, String> {
    let told = |(name, function): (&str, &CStr)| Some((name.to_owned(), call(function)?));
    TELLING.into_iter().filter_map(told).collect()
}

/// What a function without arguments says, of a library that libav has brought into this process.
fn call(function: &CStr) -> Option<String> {
    // SAFETY: looks a name up among the libraries that are loaded; null stands for none.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, function.as_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: the functions of the table take nothing and return a constant string, in every version
    // of their libraries.
    let text = unsafe {
        let tell: extern "C" fn() -> *const c_char = std::mem::transmute(found);
        let text = tell();
        if text.is_null() { return None } else { CStr::from_ptr(text) }
    };
    Some(text.to_string_lossy().into_owned())
}

fn first_packet(name: &str, option: (&str, &str)) -> Option<Vec<u8>> {
    let codec = encoder::find_by_name(name)?;
    let mut context = Context::new_with_codec(codec).encoder().video().ok()?;
    context.set_width(SIDE);
    context.set_height(SIDE);
    context.set_format(Pixel::YUV420P);
    context.set_time_base(Rational(1, 25));
    context.set_threading(ffmpeg_next::threading::Config::count(1));
    let mut options = Dictionary::new();
    options.set(option.0, option.1);
    let mut encoder = context.open_with(options).ok()?;
    let mut frame = Video::new(Pixel::YUV420P, SIDE, SIDE);
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

/// The text after `mark`, up to `end`.
fn find(packet: &[u8], mark: &[u8], end: &str) -> Option<String> {
    let begin = packet.windows(mark.len()).position(|window| window == mark)? + mark.len();
    let text: Vec<u8> = packet[begin..]
        .iter()
        .copied()
        .take(120)
        .take_while(|byte| byte.is_ascii_graphic() || *byte == b' ')
        .collect();
    let text = String::from_utf8(text).ok()?;
    Some(text.split(end).next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_x264_is_known() {
        let version = x264_version().unwrap_or_default();
        assert!(version.starts_with("core ") && version.len() < 40, "{version:?}");
    }

    #[test]
    fn the_version_of_x265_is_known() {
        let version = x265_version().unwrap_or_default();
        assert!(version.starts_with("build ") && version.len() < 100, "{version:?}");
    }

    #[test]
    fn the_versions_of_other_encoders_are_known() {
        let versions = versions();
        assert!(versions["libvpx-vp9"].starts_with('v'), "{versions:?}");
        assert!(versions["libsvtav1"].starts_with('v'), "{versions:?}");
        assert!(versions["libopus"].starts_with("libopus "), "{versions:?}");
        assert!(versions["libmp3lame"].starts_with("3."), "{versions:?}");
    }
}
