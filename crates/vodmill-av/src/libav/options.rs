//! Options of encoders, by name.

use std::collections::BTreeMap;
use std::ffi::CString;

use ffmpeg_next::codec::Context;
use ffmpeg_next::{Dictionary, Error, ffi};

/// Sets every option; gives back the names of those that the encoder does not know.
pub(crate) fn set_options(
    context: &mut Context,
    options: &BTreeMap<String, String>,
) -> Result<Vec<String>, Error> {
    let mut dictionary = Dictionary::new();
    for (name, value) in options {
        if CString::new(name.as_str()).and(CString::new(value.as_str())).is_err() {
            return Err(Error::InvalidData);
        }
        dictionary.set(name, value);
    }
    // SAFETY: the context is valid; the dictionary is handed over and taken back, less what was
    // set.
    unsafe {
        let mut left = dictionary.disown();
        let code = ffi::av_opt_set_dict2(
            context.as_mut_ptr().cast(),
            &mut left,
            ffi::AV_OPT_SEARCH_CHILDREN,
        );
        let left = Dictionary::own(left);
        if code < 0 {
            return Err(Error::from(code));
        }
        Ok(left.iter().map(|(name, value)| format!("{name}={value}")).collect())
    }
}
