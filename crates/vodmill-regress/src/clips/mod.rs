//! Clips that the program makes itself: the same bytes everywhere, since they are made of integers
//! alone, and stored without loss.

mod matroska;
mod noise;
mod picture;
mod scenes;
mod sound;

use vodmill_model::units::Size;

/// A clip that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clip {
    /// Scenes that follow one another: cuts, a fade, a flash.
    Cuts,
    /// A still camera on fine texture that moves slowly.
    Detail,
    /// Dark, smooth gradients in which banding shows.
    Gradients,
    /// Film grain over a soft picture.
    Grain,
    /// High dynamic range: PQ in 10 bits and BT.2020.
    Hdr,
    /// A minute of small, nearly still pictures with two languages and subtitles: several chunks,
    /// segments and key periods for little work.
    Long,
    /// Fast motion before a fast pan.
    Motion,
    /// Lines of text that scroll.
    Text,
}

impl Clip {
    /// All of them, in the order of their names.
    pub const ALL: [Clip; 8] = [
        Clip::Cuts,
        Clip::Detail,
        Clip::Gradients,
        Clip::Grain,
        Clip::Hdr,
        Clip::Long,
        Clip::Motion,
        Clip::Text,
    ];

    /// As it is called on the command line and in a baseline.
    pub fn name(self) -> &'static str {
        match self {
            Clip::Cuts => "cuts",
            Clip::Detail => "detail",
            Clip::Gradients => "gradients",
            Clip::Grain => "grain",
            Clip::Hdr => "hdr",
            Clip::Long => "long",
            Clip::Motion => "motion",
            Clip::Text => "text",
        }
    }

    /// The clip of that name.
    pub fn named(name: &str) -> Option<Clip> {
        Clip::ALL.into_iter().find(|clip| clip.name() == name)
    }

    /// Size of its pictures.
    pub fn size(self) -> Size {
        match self {
            Clip::Long => Size { width: 160, height: 90 },
            _ => Size { width: 1280, height: 720 },
        }
    }

    /// Pictures in all.
    pub fn frames(self) -> u32 {
        match self {
            Clip::Long => 660,
            _ => 50,
        }
    }

    /// Milliseconds of a picture.
    pub fn frame_ms(self) -> u32 {
        match self {
            Clip::Long => 100,
            _ => 40,
        }
    }

    /// Bits of a sample.
    fn depth(self) -> picture::Depth {
        match self {
            Clip::Hdr => picture::Depth::Ten,
            _ => picture::Depth::Eight,
        }
    }

    /// The languages of its sounds.
    fn languages(self) -> &'static [&'static str] {
        match self {
            Clip::Long => &["eng", "swe"],
            _ => &["eng"],
        }
    }

    /// The clip as a Matroska file: pictures and sound without compression.
    pub fn make(self) -> Vec<u8> {
        let mut file = matroska::Writer::new(self);
        let scenes = scenes::Scenes::new(self);
        for number in 0..self.frames() {
            let picture = scenes.picture(number);
            let sounds = (0..).zip(self.languages());
            let sounds = sounds.map(|(track, _)| sound::samples(track, number, self.frame_ms()));
            file.add(number, &picture.bytes(self.depth()), &sounds.collect::<Vec<_>>());
        }
        file.finish()
    }
}
