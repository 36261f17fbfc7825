//! What ffmpeg-next does not offer of audio frames.

use std::ffi::{CStr, CString, c_char};

use ffmpeg_next::format::{Sample, sample};
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{encoder, ffi};

/// The format of samples, as filters name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub rate: u32,
    pub sample: &'static str,
    pub layout: String,
}

impl Format {
    pub(super) fn of(frame: &Audio) -> Format {
        let mut name = [0; 128];
        // SAFETY: the layout is the frame's own; the text is cut to fit and ends in a zero byte.
        let layout = unsafe {
            let layout = &raw const (*frame.as_ptr()).ch_layout;
            ffi::av_channel_layout_describe(layout, name.as_mut_ptr(), name.len());
            CStr::from_ptr(name.as_ptr().cast::<c_char>())
        };
        let layout = layout.to_string_lossy().into_owned();
        Format { rate: frame.rate(), sample: frame.format().name(), layout }
    }
}

/// How many channels a frame has.
pub(super) fn channels(frame: &Audio) -> u32 {
    // SAFETY: reads a number of the frame's own.
    unsafe { (*frame.as_ptr()).ch_layout.nb_channels as u32 }
}

/// So that its samples can be changed without another reference to them seeing it.
pub(super) fn make_writable(frame: &mut Audio) -> Result<(), ffmpeg_next::Error> {
    // SAFETY: the frame is valid and ours.
    let code = unsafe { ffi::av_frame_make_writable(frame.as_mut_ptr()) };
    if code < 0 { Err(ffmpeg_next::Error::from(code)) } else { Ok(()) }
}

/// The first `count` values of a plane of samples in floating point, as many as there are.
pub(super) fn floats(frame: &Audio, plane: usize, count: usize) -> &[f32] {
    // SAFETY: the caller names a plane that the frame's format has; planes of audio are as long as the
    // first one says, and are aligned for vectors.
    unsafe {
        let frame = frame.as_ptr();
        let values = (*frame).linesize[0].max(0) as usize / size_of::<f32>();
        let data = (*(*frame).extended_data.add(plane)).cast::<f32>();
        std::slice::from_raw_parts(data, count.min(values))
    }
}

/// The same, to be changed; the frame must be writable.
pub(super) fn floats_mut(frame: &mut Audio, plane: usize, count: usize) -> &mut [f32] {
    // SAFETY: as above, and nothing else refers to a frame that is writable.
    unsafe {
        let frame = frame.as_mut_ptr();
        let values = (*frame).linesize[0].max(0) as usize / size_of::<f32>();
        let data = (*(*frame).extended_data.add(plane)).cast::<f32>();
        std::slice::from_raw_parts_mut(data, count.min(values))
    }
}

/// Sets the position of a decoded frame, and a layout where the file only gives a number of
/// channels.
pub(super) fn prepare(frame: &mut Audio, pts: i64) {
    frame.set_pts(Some(pts));
    // SAFETY: the frame is ours; its layout is replaced by one of as many channels.
    unsafe {
        let layout = &raw mut (*frame.as_mut_ptr()).ch_layout;
        if (*layout).order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
            let channels = (*layout).nb_channels;
            ffi::av_channel_layout_default(layout, channels);
        }
    }
}

/// A frame of one sample of planar float in the layout that libav calls `layout`.
pub(super) fn planar(layout: &str, rate: u32) -> Result<Audio, ffmpeg_next::Error> {
    let name = CString::new(layout).map_err(|_| ffmpeg_next::Error::InvalidData)?;
    let mut like = Audio::empty();
    like.set_format(Sample::F32(sample::Type::Planar));
    like.set_rate(rate);
    // SAFETY: the empty frame has no layout that could leak; the name ends in a zero byte.
    let code = unsafe {
        let layout = &raw mut (*like.as_mut_ptr()).ch_layout;
        ffi::av_channel_layout_from_string(layout, name.as_ptr())
    };
    if code < 0 { Err(ffmpeg_next::Error::from(code)) } else { silence(&like, 1, 0) }
}

/// Whether a sample of `channel` is louder than 1/4096 of the full scale (-72 dBFS): what is below
/// is the noise of converters and the dither of 16 bits.
pub(crate) fn is_heard(frame: &Audio, channel: usize) -> bool {
    match frame.format() {
        Sample::U8(form) => any(frame, form, channel, |sample: u8| sample.abs_diff(128) > 1),
        Sample::I16(form) => any(frame, form, channel, |sample: i16| sample.unsigned_abs() > 8),
        Sample::I32(form) => any(frame, form, channel, |it: i32| it.unsigned_abs() > 1 << 19),
        Sample::I64(form) => any(frame, form, channel, |it: i64| it.unsigned_abs() > 1 << 51),
        Sample::F32(form) => any(frame, form, channel, |it: f32| it.abs() > 1.0 / 4096.0),
        Sample::F64(form) => any(frame, form, channel, |it: f64| it.abs() > 1.0 / 4096.0),
        Sample::None => true,
    }
}

fn any<T: Copy>(
    frame: &Audio,
    form: sample::Type,
    channel: usize,
    is_heard: fn(T) -> bool,
) -> bool {
    let (samples, channels) = (frame.samples(), channels(frame) as usize);
    if channel >= channels {
        return false;
    }
    // SAFETY: a decoded frame has a plane for each channel or one for all, as its format says, in
    // `extended_data`, with as many samples of the type that belongs to the format.
    let data = unsafe {
        let planes = (*frame.as_ptr()).extended_data;
        match form {
            sample::Type::Planar => {
                std::slice::from_raw_parts((*planes.add(channel)).cast::<T>(), samples)
            }
            sample::Type::Packed => {
                std::slice::from_raw_parts((*planes).cast::<T>(), samples * channels)
            }
        }
    };
    match form {
        sample::Type::Planar => data.iter().any(|sample| is_heard(*sample)),
        sample::Type::Packed => data.iter().skip(channel).step_by(channels).any(|it| is_heard(*it)),
    }
}

/// A silent frame in the format that `encoder` takes.
pub(super) fn silent_for(encoder: &encoder::Audio) -> Result<Audio, ffmpeg_next::Error> {
    let mut like = Audio::empty();
    like.set_format(encoder.format());
    like.set_rate(encoder.rate());
    // SAFETY: an open encoder has a layout; the empty frame has none that could leak.
    let code = unsafe {
        let layout = &raw mut (*like.as_mut_ptr()).ch_layout;
        ffi::av_channel_layout_copy(layout, &(*encoder.as_ptr()).ch_layout)
    };
    if code < 0 { Err(ffmpeg_next::Error::from(code)) } else { silence(&like, 1, 0) }
}

/// A silent frame in the format of `like`.
pub(super) fn silence(like: &Audio, samples: usize, pts: i64) -> Result<Audio, ffmpeg_next::Error> {
    let mut frame = Audio::empty();
    frame.set_format(like.format());
    frame.set_rate(like.rate());
    frame.set_samples(samples);
    // SAFETY: `like` is a whole frame; the new one gets its layout, then buffers that fit.
    let code = unsafe {
        let (new, like) = (frame.as_mut_ptr(), like.as_ptr());
        let copied = ffi::av_channel_layout_copy(&mut (*new).ch_layout, &(*like).ch_layout);
        if copied < 0 { copied } else { allocate_silence(new) }
    };
    frame.set_pts(Some(pts));
    if code < 0 { Err(ffmpeg_next::Error::from(code)) } else { Ok(frame) }
}

/// # Safety
/// `frame` is valid, without buffers, and has a format, a layout and a number of samples.
unsafe fn allocate_silence(frame: *mut ffi::AVFrame) -> i32 {
    // SAFETY: as the caller promises; silence fills what was allocated.
    unsafe {
        let code = ffi::av_frame_get_buffer(frame, 0);
        if code < 0 {
            return code;
        }
        ffi::av_samples_set_silence(
            (*frame).extended_data,
            0,
            (*frame).nb_samples,
            (*frame).ch_layout.nb_channels,
            std::mem::transmute::<i32, ffi::AVSampleFormat>((*frame).format),
        )
    }
}

/// `frame` with silence after it up to `samples`.
pub(super) fn lengthen(frame: &Audio, samples: usize) -> Result<Audio, ffmpeg_next::Error> {
    let mut longer = silence(frame, samples, 0)?;
    // SAFETY: both frames have the same format and layout; `longer` is at least as long.
    unsafe {
        let (to, from) = (longer.as_mut_ptr(), frame.as_ptr());
        ffi::av_samples_copy(
            (*to).extended_data,
            (*from).extended_data,
            0,
            0,
            (*from).nb_samples.min((*to).nb_samples),
            (*from).ch_layout.nb_channels,
            std::mem::transmute::<i32, ffi::AVSampleFormat>((*from).format),
        );
    }
    Ok(longer)
}
