//! Stills and sheets of stills as JPEG.
use vodmill_model::outcome::{Failed, MediaError};
use vodmill_model::transcode::JpegOrder;

pub(crate) fn write(_order: &JpegOrder) -> Result<(), MediaError> {
    Err(Failed::new("write JPEG", "not built yet").into())
}
