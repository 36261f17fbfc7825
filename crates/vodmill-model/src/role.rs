//! What a track of sound or text is for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A purpose beside that of the programme itself. A track without one is the programme.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// What is seen, told for those who cannot see it.
    Description,
    /// For those who hear badly: speech that stands out, or captions that tell of sounds too.
    HearingImpaired,
    /// Somebody speaks about the programme.
    Commentary,
    /// Spoken in another language than it was made in.
    Dub,
    /// In the language that it was made in.
    Original,
    /// Music and effects without speech.
    Effects,
    /// The words of songs.
    Lyrics,
    /// Music to sing to.
    Karaoke,
    /// Only a part of the sound, which a receiver is to mix with the main one.
    Dependent,
}

impl Role {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Description => "audio description",
            Role::HearingImpaired => "hard of hearing",
            Role::Commentary => "commentary",
            Role::Dub => "dubbed",
            Role::Original => "original",
            Role::Effects => "music and effects",
            Role::Lyrics => "lyrics",
            Role::Karaoke => "karaoke",
            Role::Dependent => "to be mixed in",
        }
    }

    /// Whether a track of it stands for the programme, so that it may play unasked.
    pub const fn is_programme(self) -> bool {
        matches!(self, Role::Dub | Role::Original)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
