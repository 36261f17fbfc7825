//! WebVTT.
