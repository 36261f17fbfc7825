//! A page that needs nothing else.

use super::{escaped, headline, numbers, sentence, subject, summary};
use crate::compare::{ClipChange, RungChange, Verdict, Verdicts};

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0 1rem}
th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8884}
td{white-space:nowrap}td.n{text-align:right;font-variant-numeric:tabular-nums}
section{border-left:.4rem solid;padding-left:1rem;margin:1rem 0;overflow-x:auto}
p,li{overflow-wrap:anywhere}
section.green{border-color:#2a2}section.warning{border-color:#da0}section.red{border-color:#c22}
svg{vertical-align:middle}";

/// A page with every verdict, its findings, and the change of each rung in each clip.
pub fn html(verdicts: &Verdicts) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>vodmill regress: {level}</title><style>{STYLE}</style></head><body>\n\
         <h1>Regression of presets: {level}</h1>\n<p>{}. Clips: {}.</p>\n",
        summary(verdicts),
        escaped(&verdicts.clips.join(", ")),
        level = verdicts.level.word(),
    );
    for change in &verdicts.build {
        page.push_str(&format!("<p>Build: {}</p>\n", escaped(change)));
    }
    for verdict in &verdicts.verdicts {
        page.push_str(&section(verdict, verdicts));
    }
    page.push_str("</body></html>\n");
    page
}

fn section(verdict: &Verdict, verdicts: &Verdicts) -> String {
    let mut text = format!(
        "<section class=\"{}\"><h2>{}: {}</h2>\n<p>{}</p>\n",
        verdict.level.word(),
        escaped(&verdict.pipeline),
        escaped(subject(verdict)),
        escaped(&headline(verdict, verdicts)),
    );
    let findings = verdict.findings.iter().map(|finding| sentence(finding, verdicts.clips.len()));
    let lines: Vec<String> = findings.chain(verdict.causes.iter().cloned()).collect();
    if !lines.is_empty() {
        let items = lines.iter().map(|line| format!("<li>{}</li>", escaped(line)));
        text.push_str(&format!("<ul>{}</ul>\n", items.collect::<String>()));
    }
    if !verdict.rungs.is_empty() {
        text.push_str("<table><tr><th>rung</th><th>bytes</th><th>at equal VMAF</th><th>VMAF</th><th>5th percentile</th><th>SSIM</th><th>bytes at equal VMAF, clip by clip</th></tr>\n");
        text.extend(verdict.rungs.iter().map(rung));
        text.push_str("</table>\n");
    }
    text.push_str("</section>\n");
    text
}

fn rung(rung: &RungChange) -> String {
    let cells = numbers(rung).map(|number| format!("<td class=\"n\">{}</td>", escaped(&number)));
    let bars = rung.clips.iter().map(bar).collect::<String>();
    format!("<tr><td>{}</td>{}<td>{bars}</td></tr>\n", escaped(&rung.stream), cells.concat())
}

/// Per cent of bytes at which a bar is full.
const FULL: f64 = 10.0;

/// A bar from the middle: to the right and red for more bytes, to the left and green for fewer.
fn bar(clip: &ClipChange) -> String {
    let percent = clip.equal.unwrap_or(clip.bytes);
    let length = (percent.abs() / FULL).min(1.0) * 20.0;
    let (from, colour) = if percent > 0.0 { (20.0, "#c22") } else { (20.0 - length, "#2a2") };
    let vmaf = clip.vmaf.map(|(by, to)| format!(", VMAF {by:+.2} to {to:.2}")).unwrap_or_default();
    let told = escaped(&format!("{}: {percent:+.1} %{vmaf}", clip.clip));
    format!(
        "<svg width=\"44\" height=\"16\" role=\"img\" aria-label=\"{told}\"><title>{told}</title><rect x=\"20\" \
         width=\"1\" height=\"16\" fill=\"currentColor\"/><rect x=\"{from:.1}\" y=\"4\" width=\"{length:.1}\" \
         height=\"8\" fill=\"{colour}\"/></svg>"
    )
}
