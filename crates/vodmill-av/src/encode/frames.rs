//! Reference-counted frames, and what libav's safe interface does not tell of them.

use std::ptr::addr_of;

use ffmpeg_next::ffi;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, Frame};

/// What a filter graph is built for; a frame of another shape needs another graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Pixels across.
    pub width: i32,
    /// Pixels down.
    pub height: i32,
    /// `AVPixelFormat`.
    pub format: i32,
    /// Pixel aspect; 0/1 where unknown.
    pub aspect: (i32, i32),
    /// `AVColorSpace`.
    pub space: i32,
    /// `AVColorRange`.
    pub range: i32,
}

impl Shape {
    /// The shape of `frame`.
    pub(crate) fn of(frame: &Video) -> Shape {
        // SAFETY: the frame is valid. Enums are read as the C integers that they are, so that a
        // value unknown to the bindings does no harm.
        unsafe {
            let frame = frame.as_ptr();
            let aspect = (*frame).sample_aspect_ratio;
            Shape {
                width: (*frame).width,
                height: (*frame).height,
                format: (*frame).format,
                aspect: (aspect.num.max(0), aspect.den.max(1)),
                space: addr_of!((*frame).colorspace).cast::<i32>().read(),
                range: addr_of!((*frame).color_range).cast::<i32>().read(),
            }
        }
    }
}

/// Another reference to the same picture; no pixel is copied.
pub(crate) fn share(frame: &Video) -> Result<Video, Error> {
    let mut shared = Video::empty();
    // SAFETY: both frames are valid, the new one is blank.
    let code = unsafe { ffi::av_frame_ref(shared.as_mut_ptr(), frame.as_ptr()) };
    if code < 0 { Err(Error::from(code)) } else { Ok(shared) }
}

/// Drops captions, matrices and the like, so that a picture's bytes depend on its pixels alone.
pub(crate) fn strip_side_data(frame: &mut Frame) {
    // SAFETY: the frame is valid and ours; each turn removes the first entry and all of its type.
    unsafe {
        let frame = frame.as_mut_ptr();
        for _ in 0..(*frame).nb_side_data {
            if (*frame).nb_side_data == 0 {
                break;
            }
            ffi::av_frame_remove_side_data(frame, (**(*frame).side_data).type_);
        }
    }
}

/// Whether the decoder marks the picture as damaged.
pub(crate) fn is_damaged(frame: &Video) -> bool {
    // SAFETY: the frame is valid.
    unsafe {
        let frame = frame.as_ptr();
        (*frame).decode_error_flags != 0 || (*frame).flags & ffi::AV_FRAME_FLAG_CORRUPT != 0
    }
}
