use sha2::{Digest as _, Sha256};
use vodmill_regress::Clip;

fn digest(clip: Clip) -> String {
    hex::encode(Sha256::digest(clip.make()))
}

/// Every baseline of everybody holds these clips: when they change, none can be compared any more.
#[test]
fn clips_are_what_they_were() {
    assert_eq!(
        digest(Clip::Long),
        "2db6b9b2bc7401e4d9a4b8a0849cf1a0efcaa0da60cf7a00da8895bb8736315f"
    );
    assert_eq!(
        digest(Clip::Text),
        "229fe652ff45a265d36be3b67d6bfe063072d14eb9d22af36867fcd7a3142c42"
    );
    assert_eq!(
        digest(Clip::Hdr),
        "ca220b7b90704dfe39211cf638bcced6c8dec463e0c5287ec91dd498056e77b5"
    );
}

#[test]
fn clips_have_names_of_their_own() {
    for clip in Clip::ALL {
        assert_eq!(Clip::named(clip.name()), Some(clip));
    }
    assert!(Clip::ALL.is_sorted_by_key(|clip| clip.name()));
    assert_eq!(Clip::named("none"), None);
}
