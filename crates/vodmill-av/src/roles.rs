//! What tracks are for, as libav calls it.

use ffmpeg_next::Stream;
use ffmpeg_next::format::stream::Disposition;
use vodmill_model::role::Role;

/// Not among those that ffmpeg-next names (libavformat's `AV_DISPOSITION_DEPENDENT`).
const DEPENDENT: Disposition = Disposition::from_bits_retain(1 << 19);

/// Whichever is first is written.
const TABLE: [(Role, Disposition); 11] = [
    (Role::Description, Disposition::VISUAL_IMPAIRED),
    (Role::Description, Disposition::DESCRIPTIONS),
    (Role::HearingImpaired, Disposition::HEARING_IMPAIRED),
    (Role::HearingImpaired, Disposition::CAPTIONS),
    (Role::Commentary, Disposition::COMMENT),
    (Role::Dub, Disposition::DUB),
    (Role::Original, Disposition::ORIGINAL),
    (Role::Effects, Disposition::CLEAN_EFFECTS),
    (Role::Lyrics, Disposition::LYRICS),
    (Role::Karaoke, Disposition::KARAOKE),
    (Role::Dependent, DEPENDENT),
];

/// What a container marks a track as.
pub(crate) fn of(stream: &Stream<'_>) -> Vec<Role> {
    // SAFETY: the stream is valid. Its own method leaves out what has no name there.
    read(Disposition::from_bits_retain(unsafe { (*stream.as_ptr()).disposition }))
}

fn read(disposition: Disposition) -> Vec<Role> {
    let marked = TABLE.iter().filter(|(_, mark)| disposition.contains(*mark));
    let mut roles: Vec<_> = marked.map(|(role, _)| *role).collect();
    roles.dedup();
    roles
}

/// How a container is told.
pub(crate) fn disposition(roles: &[Role]) -> Disposition {
    let mark = |role: &Role| TABLE.iter().find(|(known, _)| known == role).map(|(_, mark)| *mark);
    roles.iter().filter_map(mark).fold(Disposition::empty(), |all, mark| all | mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_survives_its_mark() {
        for (role, mark) in TABLE {
            assert_eq!(read(mark), [role]);
            assert_eq!(read(disposition(&[role])), [role]);
        }
        assert_eq!(read(Disposition::DEFAULT | Disposition::FORCED), []);
    }
}
