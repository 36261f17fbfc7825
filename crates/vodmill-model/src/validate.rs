//! Checks of pipelines and presets.
