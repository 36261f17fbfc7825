//! CODECS strings.
