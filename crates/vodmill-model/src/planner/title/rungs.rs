//! The encodes of the rungs of a ladder whose titles get a CRF of their own.

use crate::plan::VideoEncode;
use crate::preset::{Ladder, QualityTarget};
use crate::units::Crf;

/// The encodes of a ladder with a target, lowest rung first; at least one.
#[derive(Clone)]
pub(super) struct QualityRungs<'a> {
    /// The mean score that is aimed at.
    pub target: u8,
    /// Name of a rung and its encode.
    pub list: Vec<(&'a str, &'a VideoEncode)>,
}

impl<'a> QualityRungs<'a> {
    /// Of the one ladder that has a target; none where nothing of it is encoded, or not by a CRF.
    pub fn of(
        ladders: &[&Ladder],
        rungs: &'a [(String, String)],
        encodes: &'a [VideoEncode],
    ) -> Option<QualityRungs<'a>> {
        let ladder = ladders.iter().find(|ladder| !ladder.quality.is_fixed())?;
        let QualityTarget::Vmaf(target) = ladder.quality else { return None };
        let mut list = Vec::new();
        for (name, id) in rungs {
            let encode = encodes.iter().find(|encode| encode.id == *id)?;
            if ladder.rungs.iter().any(|rung| rung.name == *name) && fixed_crf(encode).is_some() {
                list.push((name.as_str(), encode));
            }
        }
        (!list.is_empty()).then_some(QualityRungs { target, list })
    }

    /// The encode of the largest rung.
    pub fn top(&self) -> &'a VideoEncode {
        self.list[self.list.len() - 1].1
    }

    /// The encode of the rung below.
    pub fn below_top(&self) -> Option<&'a VideoEncode> {
        self.list.len().checked_sub(2).map(|number| self.list[number].1)
    }
}

/// The CRF that the preset gives an encode.
pub(super) fn fixed_crf(encode: &VideoEncode) -> Option<Crf> {
    Crf::of_option(encode.options.get("crf")?)
}

/// The most bits a second that the preset gives an encode.
pub(super) fn cap(encode: &VideoEncode) -> f64 {
    number(encode, "maxrate").unwrap_or(f64::MAX)
}

/// A number among the options.
pub(super) fn number(encode: &VideoEncode, option: &str) -> Option<f64> {
    encode.options.get(option)?.parse().ok()
}

/// Pixels of a picture.
pub(super) fn pixels(encode: &VideoEncode) -> f64 {
    f64::from(encode.size.width) * f64::from(encode.size.height)
}
