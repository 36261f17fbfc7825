//! Errors of libav with the operation and the object.
