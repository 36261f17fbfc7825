//! Files that the configuration names: secrets, most of them.

use std::path::{Path, PathBuf};

use vodmill_model::Pipeline;

use super::keys::KekSource;
use super::settings::Settings;

/// A field and its file.
type Named = (String, PathBuf);

/// Those of `vodmill.toml`; a relative path counts from the home.
pub fn of_settings(settings: &Settings) -> Vec<Named> {
    let Settings { keys, key_server, delivery, aws, s3, .. } = settings;
    let from_home = [
        ("keys.credential", &keys.credential),
        ("keys.authorities", &keys.authorities),
        ("key_server.tokens", &key_server.tokens),
        ("key_server.jwks", &key_server.jwks),
        ("key_server.credentials", &key_server.credentials),
        ("delivery.private_key_file", &delivery.private_key_file),
        ("delivery.prices", &delivery.prices),
    ];
    // As the AWS tools take it.
    let from_here = [
        ("aws.credentials_file", &aws.credentials_file),
        ("s3.credentials_file", &s3.credentials_file),
    ];
    let from_home = from_home.into_iter().filter_map(|(field, file)| named(field, file.as_ref()?));
    let from_here = from_here
        .into_iter()
        .filter_map(|(field, file)| named(field, std::path::absolute(file.as_ref()?).ok()?));
    from_home.chain(from_here).chain(keks(settings)).collect()
}

fn named(field: &str, file: impl AsRef<Path>) -> Option<Named> {
    Some((field.to_owned(), file.as_ref().to_owned()))
}

/// Those with key-encryption keys.
fn keks(settings: &Settings) -> Vec<Named> {
    let others = settings.keys.other_keks.iter().enumerate();
    let others = others.map(|(number, kek)| (format!("keys.other_keks[{number}]"), kek));
    let current = settings.keys.kek.iter().map(|kek| ("keys.kek".to_owned(), kek));
    let file = |(field, kek): (String, &KekSource)| match kek {
        KekSource::File(path) => Some((field, PathBuf::from(path))),
        KekSource::Environment(_) | KekSource::Kms(_) => None,
    };
    current.chain(others).filter_map(file).collect()
}

/// Those of a pipeline; a relative path counts from the home.
pub fn of_pipeline(pipeline: &Pipeline) -> Vec<Named> {
    let targets = pipeline.notify.iter().enumerate();
    let targets = targets.filter(|(_, target)| !target.secret_file.is_empty());
    let named = targets.map(|(number, target)| {
        (format!("notify[{number}].secret_file"), PathBuf::from(&target.secret_file))
    });
    named.collect()
}
