//! Presets and pipelines that ask for a score need a program that can tell one.

use vodmill_model::{Preset, QualityTarget};

use super::Config;
use super::files::Source;
use super::problem::Problem;

const FIELD: &str = "quality";

/// Refuses scores where this program is without VMAF: what would be made instead, nobody has asked for.
pub(super) fn check(config: &Config, presets: &[Source], problems: &mut Vec<Problem>) {
    if !vodmill_av::quality::available() {
        problems.extend(refusals(config, presets));
    }
}

fn refusals(config: &Config, presets: &[Source]) -> Vec<Problem> {
    let mut refusals = Vec::new();
    for (name, preset) in &config.catalogue.presets {
        let Preset::Ladder(ladder) = preset else { continue };
        refusals.extend(refusal(ladder.quality, presets.iter().find(|it| it.name == *name)));
    }
    for (name, pipeline) in &config.catalogue.pipelines {
        let source = config.sources[1..].iter().find(|it| it.name == *name);
        refusals.extend(refusal(pipeline.quality.unwrap_or_default(), source));
    }
    refusals
}

fn refusal(target: QualityTarget, source: Option<&Source>) -> Option<Problem> {
    let QualityTarget::Vmaf(score) = target else { return None };
    let message = format!(
        "`quality`: {score} is a VMAF score, and this program was built without VMAF: set it to \
         \"fixed\", or use a program with it (the cargo feature `vmaf`)"
    );
    Some(source?.problem(FIELD, message))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_without_vmaf_names_the_line() {
        let home = tempfile::tempdir().expect("a home");
        let text = "kind = \"ladder\"\nquality = 93\n[[rung]]\nname = \"low\"\nwidth = 64\n\
                    height = 64\ncrf = 23\nmax_bitrate = \"90k\"\n";
        fs::create_dir_all(home.path().join("presets")).expect("a folder");
        fs::create_dir_all(home.path().join("pipelines")).expect("a folder");
        fs::write(home.path().join("presets/small.toml"), text).expect("a preset");
        let pipeline = "ladder = \"small\"\nquality = \"fixed\"\n";
        fs::write(home.path().join("pipelines/tv.toml"), pipeline).expect("a pipeline");
        let mut problems = Vec::new();
        let presets = super::super::sources(home.path(), "presets", &[], &mut problems);
        let pipelines = super::super::sources(home.path(), "pipelines", &[], &mut problems);
        let catalogue = super::super::catalogue(&presets, &pipelines, &mut problems);
        let config = Config {
            home: home.path().to_owned(),
            settings: Default::default(),
            catalogue,
            own_keys: Vec::new(),
            sources: [vec![Source::default()], pipelines].concat(),
        };
        let refusals = refusals(&config, &presets);
        assert!(problems.is_empty() && refusals.len() == 1, "{problems:?} {refusals:?}");
        assert_eq!(refusals[0].line, Some(2));
        assert!(refusals[0].message.contains("without VMAF"), "{}", refusals[0].message);
    }
}
