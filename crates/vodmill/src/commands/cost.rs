//! `vodmill cost`: what an asset or a pipeline costs to make, keep and serve.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use vodmill_delivery::cost::{
    Assumptions, Bytes, CostError, Money, PriceFile, Region, Report, Row, Saving, Summary, report,
    summary,
};

use super::monthly;
use super::published::{Named, assets, description, owner, store};
use crate::cli::Cost;
use crate::config::Config;
use crate::config::delivery::prices;
use crate::exit::Usage;
use crate::output::{bytes, print, table};

/// The report as JSON, with what it assumes.
#[derive(Serialize)]
struct Output<'a, T> {
    version: u32,
    currency: &'a str,
    prices_dated: &'a str,
    prices_source: &'a str,
    region: &'a str,
    storage_class: &'a str,
    assumptions: &'a Assumptions,
    #[serde(flatten)]
    costs: T,
}

/// `vodmill cost`.
pub fn run(config: &Config, arguments: &Cost) -> anyhow::Result<ExitCode> {
    let (what, region) = match (&arguments.what, &arguments.region) {
        _ if arguments.by_month => return monthly::run(config, arguments),
        (Some(what), Some(region)) => (what.as_str(), region.as_str()),
        // The command line asks for both.
        _ => return Err(Usage::error("an asset or a pipeline, and a region, are needed")),
    };
    let file = arguments.prices.as_deref().or(config.settings.delivery.prices.as_deref());
    let prices = prices(&config.home, file)?;
    let known = || prices.region.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = prices.region(region);
    let region = found.ok_or_else(|| {
        Usage::error(format!("the price file has no region {region}; there are {}", known()))
    })?;
    let costs =
        CostReporter { prices: &prices, region, assumptions: assumptions(arguments, &prices) };
    let text = match config.catalogue.pipelines.get_key_value(what) {
        Some((name, pipeline)) => costs.of_pipeline(config, (name, pipeline), arguments.json)?,
        None => costs.of_asset(config, what, arguments)?,
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn assumptions(arguments: &Cost, prices: &PriceFile) -> Assumptions {
    let shares = arguments.share.iter().map(|share| (share.rung.clone(), share.per_mille));
    Assumptions {
        views: arguments.views.unwrap_or_default(),
        months: arguments.months,
        watched_percent: arguments.watched,
        shares_per_mille: shares.collect(),
        origin_fetches: prices.origin_fetches,
        other_transfer: Bytes(arguments.other_transfer.0),
    }
}

/// Makes reports with one region's prices.
struct CostReporter<'a> {
    prices: &'a PriceFile,
    region: &'a Region,
    assumptions: Assumptions,
}

impl CostReporter<'_> {
    fn of_asset(&self, config: &Config, what: &str, arguments: &Cost) -> anyhow::Result<String> {
        let named = owner(config, arguments.pipeline.as_deref(), what)?;
        let asset = description(&*store(config, named)?, what)?;
        let none = || Usage::error(format!("pipeline {} has not published it", named.0));
        let asset = asset.ok_or_else(none)?;
        let class = class_of(named);
        let report = report(&asset, self.region, class, &self.assumptions).map_err(usage)?;
        match arguments.json {
            true => self.json(class, &report),
            false => Ok(self.head() + &self.describe(&report)),
        }
    }

    fn of_pipeline(&self, config: &Config, named: Named<'_>, json: bool) -> anyhow::Result<String> {
        let class = class_of(named);
        let assets = assets(config, named)?;
        let summary = summary(&assets, self.region, class, &self.assumptions).map_err(usage)?;
        match json {
            true => self.json(class, &summary),
            false => Ok(self.head() + &self.describe_all(&summary)),
        }
    }

    fn json(&self, class: &str, costs: impl Serialize) -> anyhow::Result<String> {
        let class = self.region.storage(class).map_or(class, |storage| &storage.class);
        Ok(serde_json::to_string_pretty(&Output {
            version: 1,
            currency: &self.prices.currency,
            prices_dated: &self.prices.dated,
            prices_source: &self.prices.source,
            region: &self.region.name,
            storage_class: class,
            assumptions: &self.assumptions,
            costs,
        })?)
    }

    fn head(&self) -> String {
        let PriceFile { dated, currency, source, .. } = self.prices;
        let Assumptions { views, months, watched_percent, .. } = &self.assumptions;
        format!(
            "Prices in {currency} of {dated}, {}: {source}\n{views} views over {months} months, \
             {watched_percent} % of the programme each\n\n",
            self.region.name
        )
    }

    fn describe(&self, report: &Report) -> String {
        let Report { asset, generation, transferred, .. } = report;
        let cpu = match report.cpu_ms {
            Some(ms) => format!("{} s of processor time", ms.div_ceil(1000)),
            None => "processor time is not known: published by an older vodmill".to_owned(),
        };
        let rows = [
            cells(["make", &money(report.make), &cpu]),
            cells(["keep", &money(report.keep), &bytes(report.bytes.0)]),
            cells(["serve", &money(report.serve), &bytes(transferred.0)]),
            cells(["total", &money(report.total), ""]),
        ];
        let mut text = format!("{asset} {generation}\n{}\n", table(&rows));
        let (per, requests) = (money(report.serve_1000), report.requests_view_hour);
        // Writing into a String cannot fail.
        let _ =
            writeln!(text, "{per} for 1,000 views; {requests} requests in an hour of viewing\n");
        text.push_str(&table(&rendition_rows(&report.renditions)));
        let savings =
            report.renditions.iter().filter_map(|row| row.saving.as_ref().map(|s| (row, s)));
        let savings: Vec<String> = savings.map(|(row, saving)| verdict(row, saving)).collect();
        if !savings.is_empty() {
            let _ = write!(text, "\nDoes an extra rung pay?\n{}", savings.concat());
        }
        text
    }

    fn describe_all(&self, summary: &Summary) -> String {
        let count = summary.assets.len();
        let rows = [
            cells(["make", &money(summary.make), ""]),
            cells(["keep", &money(summary.keep), &bytes(summary.bytes.0)]),
            cells(["serve", &money(summary.serve), &bytes(summary.transferred.0)]),
            cells(["total", &money(summary.total), ""]),
        ];
        let mut months = vec![cells(["published", "assets", "size", "cpu s", "make"])];
        months.extend(summary.months.iter().map(|(name, month)| {
            let (assets, cpu) = (month.assets.to_string(), month.cpu_ms.div_ceil(1000).to_string());
            cells([name, &assets, &bytes(month.bytes.0), &cpu, &money(month.make)])
        }));
        let mut assets = vec![cells(["asset", "size", "make", "keep", "serve"])];
        assets.extend(summary.assets.iter().map(|one| {
            let [make, keep, serve] = [one.make, one.keep, one.serve].map(money);
            cells([&one.asset, &bytes(one.bytes.0), &make, &keep, &serve])
        }));
        let [sums, months, assets] = [&rows[..], &months, &assets].map(table);
        format!("{count} assets\n{sums}\n{months}\n{assets}")
    }
}

/// The storage class of what a pipeline publishes; empty for the bucket's.
fn class_of<'a>((_, pipeline): Named<'a>) -> &'a str {
    &pipeline.objects.storage_class
}

/// All that these say is about what the caller asked for.
fn usage(error: CostError) -> anyhow::Error {
    Usage::because(error.into())
}

fn money(sum: Money) -> String {
    format!("{sum:.4}")
}

fn cells<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn rendition_rows(renditions: &[Row]) -> Vec<Vec<String>> {
    let mut rows = vec![cells(["rendition", "kind", "size", "views", "make", "keep", "serve"])];
    rows.extend(renditions.iter().map(|row| {
        let [make, keep, serve] = [row.make, row.keep, row.serve].map(money);
        let views = match row.kind.as_str() {
            "variant" => format!("{}.{} %", row.share_per_mille / 10, row.share_per_mille % 10),
            _ => String::new(),
        };
        cells([&row.name, &row.kind, &bytes(row.bytes.0), &views, &make, &keep, &serve])
    }));
    rows
}

fn verdict(row: &Row, saving: &Saving) -> String {
    let Saving { instead, bytes_view, saved, costs, pays, pays_from_views } = saving;
    let verdict = if *pays { "pays" } else { "does not pay" };
    let from = match pays_from_views {
        Some(views) => format!("from {views} views on"),
        None => "never".to_owned(),
    };
    format!(
        "  {} {verdict}: saves {} against {instead} at {} a view, costs {}; {from}\n",
        row.name,
        money(*saved),
        bytes(bytes_view.0),
        money(*costs)
    )
}
