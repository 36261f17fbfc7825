//! VMAF over time as SVG.

use std::fmt::Write as _;

use vodmill_model::Measurement;
use vodmill_model::measurement::DistortedScores;
use vodmill_model::quality::{FrameScore, Score};

/// Size of the drawing in its own units; a page scales it.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 360.0;
/// Room for numbers.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 30.0;
/// Points of a line: more are not seen.
const POINTS: usize = 480;
/// Colours there are; further lines are dashed.
pub const COLOURS: usize = 7;

/// What the axes span.
struct Axes {
    seconds: f64,
    lowest: f64,
}

impl Axes {
    fn of(measurement: &Measurement) -> Axes {
        let ends = measurement.distorted.iter().map(|one| seconds(one, one.frames));
        let worst = measurement.distorted.iter().map(|one| one.quality.worst).min();
        let worst = worst.unwrap_or(Score::MAX).points();
        let lowest = ((worst / 10.0).floor() * 10.0).min(80.0);
        Axes { seconds: ends.fold(0.001, f64::max), lowest }
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.seconds * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, points: f64) -> f64 {
        TOP + (100.0 - points) / (100.0 - self.lowest) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The time of a frame.
pub fn seconds(one: &DistortedScores, frame: u64) -> f64 {
    one.frame_rate.frame_start(frame).seconds_for_display()
}

/// A line for each of those that were compared.
pub fn chart(measurement: &Measurement) -> String {
    let axes = Axes::of(measurement);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"VMAF over time\">\n"
    );
    draw_scores(&mut svg, &axes);
    draw_times(&mut svg, &axes);
    for (number, one) in measurement.distorted.iter().enumerate() {
        draw_line(&mut svg, &axes, number, one);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_scores(svg: &mut String, axes: &Axes) {
    let step = if axes.lowest < 50.0 { 20 } else { 5 };
    for points in (0..=100).step_by(step).filter(|&points| f64::from(points) >= axes.lowest) {
        let y = axes.y(f64::from(points));
        // Writing into a String cannot fail.
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"y\" x=\"{}\" y=\"{:.1}\">{points}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        );
    }
}

fn draw_times(svg: &mut String, axes: &Axes) {
    let steps = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    let step = steps.into_iter().find(|step| axes.seconds / step <= 8.0).unwrap_or(7200.0);
    let mut time = 0.0;
    while time <= axes.seconds {
        let (x, y) = (axes.x(time), HEIGHT - 10.0);
        let _ = writeln!(svg, "<text class=\"x\" x=\"{x:.1}\" y=\"{y}\">{}</text>", clock(time));
        time += step;
    }
}

/// `7.5`, `42`, `2:30`, `1:02:30`.
pub fn clock(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.2}").trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let whole = seconds.round() as u64;
    match whole / 3600 {
        0 => format!("{}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

fn draw_line(svg: &mut String, axes: &Axes, number: usize, one: &DistortedScores) {
    let points: Vec<String> = thinned(&one.scores)
        .map(|score| {
            let (x, y) = (axes.x(seconds(one, score.frame)), axes.y(score.vmaf.points()));
            format!("{x:.1},{y:.1}")
        })
        .collect();
    let class = class(number);
    let _ = writeln!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
}

/// Of each run of frames the worst: a scene must not vanish between two points.
fn thinned(scores: &[FrameScore]) -> impl Iterator<Item = &FrameScore> {
    let run = scores.len().div_ceil(POINTS).max(1);
    scores.chunks(run).filter_map(|run| run.iter().min_by_key(|score| score.vmaf))
}

/// How a line looks.
pub fn class(number: usize) -> String {
    let dashed = if (number / COLOURS).is_multiple_of(2) { "" } else { " dashed" };
    format!("line c{}{dashed}", number % COLOURS)
}

#[cfg(test)]
mod tests {
    use vodmill_model::quality::Ssim;

    use super::*;

    #[test]
    fn a_bad_frame_among_many_is_still_drawn() {
        let mut scores: Vec<FrameScore> = (0..100_000)
            .map(|frame| FrameScore { frame, vmaf: Score::MAX, neg: None, ssim: Ssim::MAX })
            .collect();
        scores[77_777].vmaf = Score::from_thousandths(12_000);
        let drawn: Vec<&FrameScore> = thinned(&scores).collect();
        assert!(drawn.len() <= POINTS, "{}", drawn.len());
        assert!(drawn.iter().any(|score| score.frame == 77_777));
    }

    #[test]
    fn times_are_short() {
        let times = [0.0, 0.5, 59.96, 150.0, 3750.0].map(clock);
        assert_eq!(times, ["0", "0.5", "59.96", "2:30", "1:02:30"]);
    }
}
