//! The page of a measurement: all in one file, nothing fetched.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vodmill_model::Measurement;
use vodmill_model::measurement::DistortedScores;
use vodmill_model::printable;
use vodmill_pipeline::{Compared, WorstFrame};

use super::chart::{chart, class, clock, seconds};
use crate::output::bytes;

const PAGE: &str = include_str!("page.html");

/// The page.
pub fn page(compared: &Compared) -> String {
    let measurement = &compared.measurement;
    let title = escaped(&format!("Quality against {}", measurement.reference.name));
    let mut body = format!("<h1>{title}</h1>\n{}", introduction(measurement));
    body.push_str(&format!("<div class=\"wide\">\n{}</div>\n", table(measurement)));
    body.push_str(&notes(measurement));
    body.push_str(&format!(
        "<h2>VMAF over time</h2>\n<div class=\"wide\">\n{}</div>\n",
        chart(measurement)
    ));
    for (one, worst) in measurement.distorted.iter().zip(&compared.worst) {
        if !worst.is_empty() {
            body.push_str(&worst_frames(one, worst));
        }
    }
    let (before, after) = PAGE.split_once("{body}").unwrap_or((PAGE, ""));
    format!("{}{body}{after}", before.replace("{title}", &title))
}

fn introduction(measurement: &Measurement) -> String {
    format!(
        "<p>Compared at {}, every {}th frame scored, models {}. p5: one frame in twenty is no \
         better.</p>\n",
        measurement.reference.size,
        measurement.subsample.step(),
        escaped(&measurement.models.join(", "))
    )
    .replace("every 3th", "every 3rd")
}

fn table(measurement: &Measurement) -> String {
    let neg = measurement.models.len() > 1;
    let mut head = vec!["", "VMAF", "p5", "worst", "SSIM"];
    if neg {
        head.push("NEG");
    }
    head.extend(["kbit/s", "size", "pictures"]);
    let cells: String = head.iter().map(|cell| format!("<th>{cell}</th>")).collect();
    let mut text = format!("<table>\n<tr>{cells}</tr>\n");
    for (number, one) in measurement.distorted.iter().enumerate() {
        text.push_str(&row(number, one));
    }
    text.push_str("</table>\n");
    text
}

fn row(number: usize, one: &DistortedScores) -> String {
    let quality = &one.quality;
    let key = format!(
        "<svg class=\"key\" viewBox=\"0 0 32 12\" aria-hidden=\"true\">\
         <polyline class=\"{}\" points=\"0,6 32,6\"/></svg>",
        class(number)
    );
    let mut cells = vec![
        format!("{key}{}", escaped(&one.name)),
        quality.mean.to_string(),
        quality.p5.to_string(),
        quality.worst.to_string(),
        quality.ssim.to_string(),
    ];
    cells.extend(quality.neg.map(|neg| neg.to_string()));
    cells.push((one.bit_rate / 1000).to_string());
    cells.extend([bytes(one.bytes), one.size.to_string()]);
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{cells}</tr>\n")
}

fn notes(measurement: &Measurement) -> String {
    let general = measurement.reference.notes.iter().cloned();
    let own = measurement
        .distorted
        .iter()
        .flat_map(|one| one.notes.iter().map(|note| format!("{}: {note}", one.name)));
    let items: String =
        general.chain(own).map(|note| format!("<li>{}</li>\n", escaped(&note))).collect();
    if items.is_empty() { items } else { format!("<ul>\n{items}</ul>\n") }
}

fn worst_frames(one: &DistortedScores, worst: &[WorstFrame]) -> String {
    let mut text = format!("<h2>Worst frames of {}</h2>\n", escaped(&one.name));
    for frame in worst {
        let score = &frame.score;
        let at = clock(seconds(one, score.frame));
        let said = format!("frame {} at {at}", score.frame);
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "<div class=\"pair\">\n{}{}</div>",
            figure(&frame.distorted, &format!("{said}: VMAF {}, SSIM {}", score.vmaf, score.ssim)),
            figure(&frame.reference, &format!("{said}, the original"))
        );
    }
    text
}

fn figure(jpeg: &[u8], caption: &str) -> String {
    let caption = escaped(caption);
    format!(
        "<figure><img alt=\"{caption}\" src=\"data:image/jpeg;base64,{}\">\
         <figcaption>{caption}</figcaption></figure>\n",
        STANDARD.encode(jpeg)
    )
}

/// Text that is nothing but text in HTML.
fn escaped(text: &str) -> String {
    let text = printable(text);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
