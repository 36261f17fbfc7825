//! Which CRF and which peak each rung of a title gets, and which rungs it does not need.

use super::exact::{exp, ln};
use super::model::{Prediction, TitleModel};
use super::numbers::{
    BELOW_STEEPER, BEST_CRF, CLOSE, CRF_STEP, ENOUGH_TO_DROP, FLOOR_BELOW, FLOOR_SLACK, GROWTH,
    LEAST_OF_CAP, LEAST_RATE, LOW_CRF, MEAN_SLACK, NO_DETAIL, PEAK_OVER_HARDEST, PEAK_OVER_MEAN,
    WORST_CRF,
};
use super::rungs::{QualityRungs, cap, fixed_crf, pixels};
use crate::plan::VideoEncode;
use crate::units::Crf;

/// What a title needs.
pub(super) struct Choice<'a> {
    /// The rungs, lowest first.
    pub rungs: Vec<RungChoice<'a>>,
    /// Rungs that fall away, highest first, and why.
    pub dropped: Vec<(&'a str, String)>,
}

/// What one rung gets.
pub(super) struct RungChoice<'a> {
    pub name: &'a str,
    pub encode: &'a VideoEncode,
    pub crf: Crf,
    /// Bits a second at its peak.
    pub peak: u64,
    /// Bits a second on average, and in the hardest sample.
    pub rate: f64,
    pub hardest: f64,
    /// What it scores at the largest size, and would score at the CRF of its preset; none for a size
    /// that was not tried.
    pub scores: Option<Scores>,
}

/// What a rung is expected to score.
#[derive(Clone, Copy)]
pub(super) struct Scores {
    pub chosen: Prediction,
    pub fixed: Prediction,
}

/// One rung as the model of the title sees it.
#[derive(Clone, Copy)]
struct RungModel<'a> {
    title: &'a TitleModel,
    name: &'a str,
    encode: &'a VideoEncode,
    /// Its bytes for a byte of the largest size.
    bytes: f64,
    /// How its score is to be told from that of the largest; none for a size that was not tried.
    score: Option<ScoreOfSize>,
}

/// How the score of a size follows that of the largest.
#[derive(Clone, Copy)]
struct ScoreOfSize {
    /// Points more at the lower CRF of the trials.
    points: f64,
    /// How many times as fast it falls.
    steeper: f64,
}

impl<'a> Choice<'a> {
    pub fn of(title: &'a TitleModel, rungs: &QualityRungs<'a>) -> Choice<'a> {
        let mut left = RungModel::all(title, rungs);
        let mut dropped = Vec::new();
        let aim = f64::from(rungs.target);
        if let Some(reason) = lacks_detail(title, &left, aim) {
            dropped.extend(left.pop().map(|top| (top.name, reason)));
        }
        let Some(leading) = left.last() else { return Choice { rungs: Vec::new(), dropped } };
        let crf = leading.crf_for(aim);
        let moved = crf.0 - leading.fixed_crf().0;
        let mut kept: Vec<RungChoice<'a>> = Vec::new();
        for rung in left.iter().rev() {
            let choice = rung.choose(moved);
            let above = kept.last().filter(|_| title.scored() >= ENOUGH_TO_DROP);
            match above.and_then(|above| adds_nothing(&choice, above)) {
                Some(reason) => dropped.push((rung.name, reason)),
                None => kept.push(choice),
            }
        }
        // Away from the CRF at which it was tried, a size below is anybody's guess.
        kept.iter_mut().skip(1).for_each(|below| below.scores = None);
        kept.reverse();
        Choice { rungs: kept, dropped }
    }
}

impl<'a> RungModel<'a> {
    fn all(title: &'a TitleModel, rungs: &QualityRungs<'a>) -> Vec<RungModel<'a>> {
        let (top, below) = (rungs.top(), rungs.below_top());
        let growth = growth(title, rungs);
        let model = |&(name, encode): &(&'a str, &'a VideoEncode)| {
            let bytes = exp(growth * ln(pixels(encode) / pixels(top)));
            let tried = title.below.filter(|_| Some(&encode.id) == below.map(|below| &below.id));
            let score = match encode.id == top.id {
                true => Some(ScoreOfSize { points: 0.0, steeper: 1.0 }),
                false => {
                    tried.map(|tried| ScoreOfSize { points: tried.points, steeper: BELOW_STEEPER })
                }
            };
            RungModel { title, name, encode, bytes, score }
        };
        rungs.list.iter().map(model).collect()
    }

    fn fixed_crf(&self) -> Crf {
        fixed_crf(self.encode).unwrap_or(LOW_CRF)
    }

    /// What is expected of it at a CRF, within its own cap.
    fn at(&self, crf: Crf) -> Prediction {
        let largest = self.title.at(crf.value(), cap(self.encode) / self.bytes);
        let low = self.title.at(LOW_CRF.value(), f64::MAX);
        let score = |at_low: f64, there: f64| match self.score {
            Some(ScoreOfSize { points, steeper }) => {
                (at_low + points + steeper * (there - at_low)).clamp(0.0, 100.0)
            }
            None => there,
        };
        Prediction {
            mean: score(low.mean, largest.mean),
            p5: score(low.p5, largest.p5),
            rate: largest.rate * self.bytes,
            hardest: largest.hardest * self.bytes,
        }
    }

    /// The largest CRF at which it scores `aim`, and its hardest frames not much less; where that is
    /// out of reach, one that loses little against the best.
    fn crf_for(&self, aim: f64) -> Crf {
        let best = self.at(BEST_CRF);
        let mean = aim.min(best.mean - MEAN_SLACK);
        let floor = (aim - FLOOR_BELOW).min(best.p5 - FLOOR_SLACK);
        let mut crf = WORST_CRF;
        while crf > BEST_CRF {
            let there = self.at(crf);
            if there.mean >= mean && there.p5 >= floor {
                break;
            }
            crf.0 -= CRF_STEP.0;
        }
        crf
    }

    /// What it gets where the CRF of the leading rung has moved by so much.
    fn choose(&self, moved: i32) -> RungChoice<'a> {
        let fixed = self.fixed_crf();
        let bounds = fixed.min(BEST_CRF)..=fixed.max(WORST_CRF);
        let crf = Crf(fixed.0 + moved).clamp(*bounds.start(), *bounds.end());
        let chosen = self.at(crf);
        let scores = Scores { chosen, fixed: self.at(fixed) };
        RungChoice {
            name: self.name,
            encode: self.encode,
            crf,
            peak: self.peak(&chosen),
            rate: chosen.rate,
            hardest: chosen.hardest,
            scores: self.score.map(|_| scores),
        }
    }

    /// Room for scenes that no sample has shown, and never more than the preset allows.
    fn peak(&self, expected: &Prediction) -> u64 {
        let cap = cap(self.encode);
        let wanted = (expected.rate * PEAK_OVER_MEAN)
            .max(expected.hardest * PEAK_OVER_HARDEST)
            .max(cap * LEAST_OF_CAP);
        // Whole kilobits: a plan is read by people.
        (wanted.min(cap) / 1000.0).ceil().min(cap / 1000.0) as u64 * 1000
    }
}

/// How bytes grow with pixels, as a power of them.
fn growth(title: &TitleModel, rungs: &QualityRungs<'_>) -> f64 {
    let ratio = rungs.below_top().map(|below| ln(pixels(below) / pixels(rungs.top())));
    match (title.below, ratio) {
        (Some(below), Some(ratio)) if ratio < 0.0 => (ln(below.bytes) / ratio).clamp(0.0, 2.0),
        _ => GROWTH,
    }
}

/// Why the largest size is left out, where the size below shows as much with the same bytes.
fn lacks_detail(title: &TitleModel, rungs: &[RungModel<'_>], aim: f64) -> Option<String> {
    let [.., below, _] = rungs else { return None };
    let points = below.score?.points;
    let at_low = title.at(LOW_CRF.value(), f64::MAX);
    let score = at_low.mean + points;
    let same_bytes = title.crf_of_rate(at_low.rate * below.bytes);
    let largest = title.at(same_bytes, f64::MAX).mean;
    let reaches = score >= aim - NO_DETAIL && score >= largest - NO_DETAIL;
    reaches.then(|| {
        format!("no detail there: {} scores {score:.1} with bytes for {largest:.1}", below.name)
    })
}

/// Why a rung is left out below another.
fn adds_nothing(rung: &RungChoice<'_>, above: &RungChoice<'_>) -> Option<String> {
    let kilobits = |rate: f64| rate / 1000.0;
    let (rate, rate_above) = (kilobits(rung.rate), kilobits(above.rate));
    match () {
        () if rung.rate > above.rate * CLOSE => {
            Some(format!("too close: {rate:.0}k, and {rate_above:.0}k for {}", above.name))
        }
        () if above.hardest < LEAST_RATE => {
            Some(format!("{} takes {rate_above:.0}k, which every line carries", above.name))
        }
        () => None,
    }
}
