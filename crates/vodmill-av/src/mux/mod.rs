//! Muxing renditions.
use vodmill_model::outcome::{Failed, MediaError};
use vodmill_model::transcode::{Mp4Order, Segment, SegmentOrder};

pub(crate) fn segment(
    _order: &SegmentOrder,
    _sink: &mut dyn FnMut(Segment) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    Err(Failed::new("segment", "not built yet").into())
}

pub(crate) fn write_mp4(_order: &Mp4Order) -> Result<(), MediaError> {
    Err(Failed::new("write MP4", "not built yet").into())
}
