//! Tests of the built product, and of the readers that judge it.

mod readers;
