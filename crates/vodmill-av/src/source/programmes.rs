//! The programmes of a multiplex, as libav has read them so far.

use std::ffi::CStr;

use ffmpeg_next::ffi;
use vodmill_model::media::Programme;

use super::Source;

/// Programmes that are asked for; a satellite's transponder has some thirty.
const MOST: usize = 256;

impl Source {
    /// The programmes that have streams. Where their clocks jump is not known here.
    pub(crate) fn programmes(&self) -> Vec<Programme> {
        let mut programmes = Vec::new();
        // SAFETY: the context is open, and has as many programmes, each with as many numbers of
        // streams, as it says; all of it is copied.
        unsafe {
            let context = &*self.input().as_ptr();
            for number in 0..(context.nb_programs as usize).min(MOST) {
                let program = &**context.programs.add(number);
                let streams = program.nb_stream_indexes as usize;
                if streams == 0 || program.stream_index.is_null() {
                    continue;
                }
                programmes.push(Programme {
                    number: u32::try_from(program.id).unwrap_or(0),
                    name: tag(program.metadata, c"service_name"),
                    tracks: std::slice::from_raw_parts(program.stream_index, streams).to_vec(),
                    clock_jumps: Vec::new(),
                    clocks_disagree: false,
                });
            }
        }
        programmes
    }

    /// Which programme a stream belongs to, the first of several; 0 where the file holds but one.
    pub(crate) fn programme_of(&self, stream: usize) -> u32 {
        let programmes = self.programmes();
        if programmes.len() < 2 {
            return 0;
        }
        let stream = u32::try_from(stream).unwrap_or(u32::MAX);
        let found = programmes.iter().find(|programme| programme.tracks.contains(&stream));
        found.map_or(0, |programme| programme.number)
    }
}

/// # Safety
/// `tags` is null or a dictionary of libav's.
unsafe fn tag(tags: *const ffi::AVDictionary, name: &CStr) -> Option<String> {
    // SAFETY: the caller's promise; a dictionary may be null, and its values end in a zero byte.
    unsafe {
        let entry = ffi::av_dict_get(tags, name.as_ptr(), std::ptr::null(), 0);
        let value = entry.as_ref()?.value;
        (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
    }
}
