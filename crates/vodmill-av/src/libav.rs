//! libav in this process: how it starts, and which versions it is made of.

mod encoders;
mod options;
mod threads;

use std::ffi::CStr;
use std::sync::Once;

use ffmpeg_next::ffi;
use vodmill_model::plan::Build;

pub(crate) use options::set_options;

/// Makes libav speak of errors only, and its errors speak for themselves.
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It can only fail where devices are built in.
        let _ = ffmpeg_next::init();
        // SAFETY: sets a number in libav.
        unsafe { ffi::av_log_set_level(ffi::AV_LOG_ERROR) };
        threads::limit_stacks();
    });
}

/// Versions of everything that bytes depend on.
pub(crate) fn build() -> Build {
    prepare();
    Build {
        vodmill: env!("CARGO_PKG_VERSION").to_owned(),
        libav: libraries(),
        encoders: encoders::versions(),
    }
}

/// Versions of libav's libraries, of x264 and of x265.
fn libraries() -> String {
    // SAFETY: these functions only return constants.
    let versions = unsafe {
        [
            ("libavcodec", ffi::avcodec_version()),
            ("libavformat", ffi::avformat_version()),
            ("libavfilter", ffi::avfilter_version()),
            ("libswscale", ffi::swscale_version()),
            ("libswresample", ffi::swresample_version()),
        ]
    };
    let mut text = String::from("FFmpeg ");
    // SAFETY: a constant string that ends in a zero byte.
    text.push_str(&unsafe { CStr::from_ptr(ffi::av_version_info()) }.to_string_lossy());
    for (name, version) in versions {
        let (major, minor, micro) = (version >> 16, version >> 8 & 0xff, version & 0xff);
        text.push_str(&format!("; {name} {major}.{minor}.{micro}"));
    }
    if let Some(version) = encoders::x264_version() {
        text.push_str(&format!("; x264 {version}"));
    }
    if let Some(version) = encoders::x265_version() {
        text.push_str(&format!("; x265 {version}"));
    }
    text
}
