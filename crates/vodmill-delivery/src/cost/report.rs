//! The report on one asset.

use std::collections::BTreeMap;

use serde::Serialize;

use super::asset::{Asset, Hls};
use super::money::{Bytes, Money};
use super::prices::{Region, Storage};

const HOUR_MS: u128 = 3_600_000;

/// What is taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumptions {
    /// Views in all.
    pub views: u64,
    /// Months that it is kept, over which the views are spread evenly; at least 1.
    pub months: u32,
    /// How much of the programme a view takes, in per cent.
    pub watched_percent: u32,
    /// Views in a thousand by rung; rungs that are not named share what is left evenly.
    pub shares_per_mille: BTreeMap<String, u32>,
    /// How often the CDN fetches an object from the store.
    pub origin_fetches: u32,
    /// Bytes that the account transfers in a month besides: what these views cost comes on top.
    pub other_transfer: Bytes,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// The price file has no such class.
    #[error("the price file has no storage class {class:?} for {region}")]
    NoClass {
        /// The region.
        region: String,
        /// The class.
        class: String,
    },
    /// A share of a rung that is not there.
    #[error("there is no rung {name:?}; there are {known}")]
    NoRung {
        /// As it was named.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Shares of more than all views, or of fewer where every rung is named.
    #[error("the shares of the rungs add up to {0} in a thousand")]
    Shares(u32),
}

/// What one asset costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The asset.
    pub asset: String,
    /// Its generation.
    pub generation: String,
    /// Size of all objects.
    pub bytes: Bytes,
    /// Processor time, in all; None where the description does not say.
    pub cpu_ms: Option<u64>,
    /// Processor time, and writing every object: once.
    pub make: Money,
    /// Storage for all months.
    pub keep: Money,
    /// Transfer, requests to the CDN and its reads from the store, for all views.
    pub serve: Money,
    /// All of it.
    pub total: Money,
    /// What a thousand views cost to serve.
    pub serve_1000: Money,
    /// Of `serve`, the transfer to viewers.
    pub transfer: Money,
    /// Bytes to viewers, for all views.
    pub transferred: Bytes,
    /// Requests to the CDN in an hour of viewing.
    pub requests_view_hour: u64,
    /// Each rendition by itself; what belongs to none, as posters, is in the sums only.
    pub renditions: Vec<Row>,
}

/// What one rendition costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// `variant`, `audio`, `subtitles` or `mp4`.
    pub kind: &'static str,
    /// Its objects.
    pub bytes: Bytes,
    /// Its part of the encoding, by pixels, and its writes.
    pub make: Money,
    /// Its storage for all months.
    pub keep: Money,
    /// Its transfer, for all views.
    pub serve: Money,
    /// Views in a thousand that play it.
    pub share_per_mille: u32,
    /// Whether a rung pays, against the next larger one; None for the largest and for all that is
    /// no rung.
    pub saving: Option<Saving>,
}

/// What a rung saves if its viewers would else be sent the next larger one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Saving {
    /// The rung that they would be sent.
    pub instead: String,
    /// Bytes saved by each of its views.
    pub bytes_view: Bytes,
    /// Transfer that is saved in all.
    pub saved: Money,
    /// Making and keeping it, which is what it has to save.
    pub costs: Money,
    /// Whether it saves more than it costs.
    pub pays: bool,
    /// Views of the whole asset from which on it pays; None if it never does.
    pub pays_from_views: Option<u64>,
}

/// Reckons what an asset costs with these prices; `class` is the storage class of its objects.
///
/// # Errors
/// [`CostError`].
pub fn report(
    asset: &Asset,
    region: &Region,
    class: &str,
    given: &Assumptions,
) -> Result<Report, CostError> {
    let storage = region.storage(class).ok_or_else(|| CostError::NoClass {
        region: region.name.clone(),
        class: class.to_owned(),
    })?;
    let shares = shares(asset, &given.shares_per_mille)?;
    let desk = Desk { asset, region, storage, given, shares };
    Ok(desk.report())
}

/// What the rows are reckoned from.
struct Desk<'a> {
    asset: &'a Asset,
    region: &'a Region,
    storage: &'a Storage,
    given: &'a Assumptions,
    shares: Vec<u32>,
}

/// The share of each rung, in their order.
fn shares(asset: &Asset, named: &BTreeMap<String, u32>) -> Result<Vec<u32>, CostError> {
    let names: Vec<&str> =
        asset.hls.iter().flat_map(|hls| &hls.variants).map(|v| v.name.as_str()).collect();
    if let Some(name) = named.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(CostError::NoRung { name: name.clone(), known: names.join(", ") });
    }
    let sum: u32 = named.values().fold(0, |sum, share| sum.saturating_add(*share));
    let open = names.iter().filter(|name| !named.contains_key(**name)).count() as u32;
    if sum > 1000 || (open == 0 && sum != 1000 && !names.is_empty()) {
        return Err(CostError::Shares(sum));
    }
    let mut left = 1000 - sum;
    let mut others = open;
    let share = |name: &&str| {
        named.get(*name).copied().unwrap_or_else(|| {
            // What does not divide goes to the last.
            let share = left / others.max(1);
            (left, others) = (left - share, others.saturating_sub(1));
            share
        })
    };
    Ok(names.iter().map(share).collect())
}

impl Desk<'_> {
    fn report(&self) -> Report {
        let asset = self.asset;
        let transferred: Bytes = self.watched().into_iter().sum();
        let cpu_ms = asset.encode_cpu_ms.map(|ms| ms + asset.package_cpu_ms.unwrap_or(0));
        // The two objects of the pointer are written as well.
        let make = self.cpu(cpu_ms.unwrap_or(0)) + self.puts(self.objects() + 2);
        let (keep, serve) = (self.keep(asset.bytes), self.serve(transferred));
        Report {
            asset: asset.asset.clone(),
            generation: asset.generation.clone(),
            bytes: asset.bytes,
            cpu_ms,
            make,
            keep,
            serve,
            total: make + keep + serve,
            serve_1000: serve.of(1000, self.given.views.into()),
            transfer: self.transfer(transferred),
            transferred,
            requests_view_hour: self.requests_view_hour(),
            renditions: self.rows(),
        }
    }

    /// Older descriptions do not count objects: then segments and playlists do.
    fn objects(&self) -> u64 {
        let of_hls = |hls: &Hls| {
            let streams = hls.variants.len() + hls.audio.len() + hls.subtitles.len();
            (hls.segments + 1) * streams as u64
        };
        let counted = || self.asset.hls.as_ref().map_or(0, of_hls) + self.asset.mp4.len() as u64;
        self.asset.objects.unwrap_or_else(counted)
    }

    fn cpu(&self, ms: u64) -> Money {
        self.region.core_hour.of(ms.into(), HOUR_MS)
    }

    fn puts(&self, count: u64) -> Money {
        self.storage.puts_1000.of(count.into(), 1000)
    }

    fn keep(&self, bytes: Bytes) -> Money {
        self.storage.gb_month.of(u128::from(bytes.0) * u128::from(self.given.months), Bytes::GB)
    }

    /// Bytes to viewers of each rung, with sound where that is apart.
    fn watched(&self) -> Vec<Bytes> {
        let Some(hls) = &self.asset.hls else { return Vec::new() };
        let sound = self.sound();
        let of_rung = |(variant, share): (&super::Variant, &u32)| {
            let view = u128::from(variant.bytes.0 + sound.0);
            self.for_views(view * u128::from(*share), 1000)
        };
        hls.variants.iter().zip(&self.shares).map(of_rung).collect()
    }

    /// A view plays one track of sound: the first.
    fn sound(&self) -> Bytes {
        let hls = self.asset.hls.as_ref();
        hls.and_then(|hls| hls.audio.first()).map(|audio| audio.bytes).unwrap_or_default()
    }

    /// What all views take, of which one takes `view` / `per` bytes when it is watched whole.
    fn for_views(&self, view: u128, per: u128) -> Bytes {
        let Assumptions { views, watched_percent, .. } = self.given;
        let all = view * u128::from(*views) * u128::from(*watched_percent) / (100 * per);
        Bytes(u64::try_from(all).unwrap_or(u64::MAX))
    }

    fn transfer(&self, bytes: Bytes) -> Money {
        transfer(self.region, self.given, bytes)
    }

    fn serve(&self, bytes: Bytes) -> Money {
        let Assumptions { views, watched_percent, origin_fetches, .. } = self.given;
        let view = self.requests_view() * u128::from(*watched_percent) / 100;
        let requests = self.region.cdn.requests_10000.of(view * u128::from(*views), 10_000);
        // Nobody's view fetches nothing.
        let fetches = u128::from(*origin_fetches).min((*views).into());
        let objects = u128::from(self.objects());
        let gets = self.storage.gets_1000.of(objects * fetches, 1000);
        let read = u128::from(self.asset.bytes.0) * fetches;
        let retrieved = self.storage.retrieved_gb.of(read, Bytes::GB);
        self.transfer(bytes) + requests + gets + retrieved
    }

    /// Requests of a whole view: the playlists, initialization sections, and every segment of
    /// pictures and of sound.
    fn requests_view(&self) -> u128 {
        let Some(hls) = &self.asset.hls else { return 1 };
        let streams = 1 + u128::from(!hls.audio.is_empty());
        let init = u128::from(hls.container.as_deref() == Some("fmp4"));
        1 + streams * (1 + init + u128::from(hls.segments))
    }

    fn requests_view_hour(&self) -> u64 {
        let whole = self.requests_view() * HOUR_MS;
        let hours = whole.div_ceil(u128::from(self.asset.duration_ms.max(1)));
        u64::try_from(hours).unwrap_or(u64::MAX)
    }

    fn rows(&self) -> Vec<Row> {
        let encodes = self.encodes();
        let mut seen = Vec::new();
        let mut cpu = |encode: &Option<String>| match encode {
            // Streams that share an encode are told once what it costs.
            Some(id) if !seen.contains(id) => {
                seen.push(id.clone());
                self.cpu(encodes.get(id).copied().unwrap_or(0))
            }
            _ => Money(0),
        };
        let mut rows = self.variant_rows(&mut cpu);
        let hls = self.asset.hls.as_ref();
        for audio in hls.iter().flat_map(|hls| &hls.audio) {
            rows.push(self.row(&audio.name, "audio", audio.bytes, self.segment_puts()));
        }
        for subtitles in hls.iter().flat_map(|hls| &hls.subtitles) {
            rows.push(self.row(&subtitles.name, "subtitles", subtitles.bytes, self.segment_puts()));
        }
        for mp4 in &self.asset.mp4 {
            let name = mp4.name.as_deref().unwrap_or("mp4");
            rows.push(self.row(name, "mp4", mp4.bytes, cpu(&mp4.encode) + self.puts(1)));
        }
        rows
    }

    fn segment_puts(&self) -> Money {
        self.puts(self.asset.hls.as_ref().map_or(0, |hls| hls.segments + 1))
    }

    fn row(&self, name: &str, kind: &'static str, bytes: Bytes, make: Money) -> Row {
        Row {
            name: name.to_owned(),
            kind,
            bytes,
            make,
            keep: self.keep(bytes),
            serve: Money(0),
            share_per_mille: 0,
            saving: None,
        }
    }

    fn variant_rows(&self, cpu: &mut dyn FnMut(&Option<String>) -> Money) -> Vec<Row> {
        let Some(hls) = &self.asset.hls else { return Vec::new() };
        let watched = self.watched();
        let all: Bytes = watched.iter().copied().sum();
        let transfer = self.transfer(all);
        let mut rows: Vec<Row> = Vec::new();
        for ((variant, share), watched) in hls.variants.iter().zip(&self.shares).zip(watched) {
            let bytes = Bytes(variant.bytes.0 + variant.iframes_bytes.unwrap_or_default().0);
            let make = cpu(&variant.encode) + self.segment_puts();
            let mut row = self.row(&variant.name, "variant", bytes, make);
            // Tiers are for the whole: each rung has its part of it.
            row.serve = transfer.of(watched.0.into(), all.0.into());
            row.share_per_mille = *share;
            rows.push(row);
        }
        for (at, variant) in hls.variants.iter().enumerate() {
            let larger = hls.variants.iter().filter(|other| other.bytes > variant.bytes);
            let next = larger.min_by_key(|other| other.bytes);
            rows[at].saving = next.map(|next| {
                let bytes = Bytes(next.bytes.0 - variant.bytes.0);
                self.saving(&rows[at], next.name.clone(), bytes, (transfer, all))
            });
        }
        rows
    }

    /// Views × share × bytes saved × price of transfer, against encode + storage + writes.
    fn saving(
        &self,
        row: &Row,
        instead: String,
        bytes_view: Bytes,
        (transfer, all): (Money, Bytes),
    ) -> Saving {
        let first = &self.region.cdn.transfer[0].gb;
        let price = |bytes: u128| match all.0 {
            // Nobody watches: the first gigabyte's price.
            0 => first.of(bytes, Bytes::GB),
            _ => transfer.of(bytes, all.0.into()),
        };
        let share = u128::from(row.share_per_mille);
        let saved = self.for_views(u128::from(bytes_view.0) * share, 1000);
        let (saved, costs) = (price(saved.0.into()), row.make + row.keep);
        // A million views, so that the price of one is not lost in rounding.
        let watched = u128::from(self.given.watched_percent);
        let million = price(u128::from(bytes_view.0) * share * watched * 10);
        let from = (million > Money(0)).then(|| (costs.0 * 1_000_000 + million.0 - 1) / million.0);
        Saving {
            instead,
            bytes_view,
            saved,
            costs,
            pays: saved > costs,
            pays_from_views: from.and_then(|views| u64::try_from(views).ok()),
        }
    }

    /// Milliseconds of each encode: of what was measured for all, its part by pixels.
    fn encodes(&self) -> BTreeMap<String, u64> {
        let variants = self.asset.hls.iter().flat_map(|hls| &hls.variants);
        let of_variants = variants.map(|one| (&one.encode, one.width, one.height));
        let of_mp4 = self.asset.mp4.iter().map(|one| (&one.encode, one.width, one.height));
        let mut pixels: BTreeMap<&str, u128> = BTreeMap::new();
        for (encode, width, height) in of_variants.chain(of_mp4) {
            let area = u128::from(width.unwrap_or(0)) * u128::from(height.unwrap_or(0));
            if let Some(id) = encode {
                pixels.insert(id, area);
            }
        }
        let all = pixels.values().sum::<u128>().max(1);
        let ms = u128::from(self.asset.encode_cpu_ms.unwrap_or(0));
        let part = |area: u128| u64::try_from(ms * area / all).unwrap_or(u64::MAX);
        pixels.into_iter().map(|(id, area)| (id.to_owned(), part(area))).collect()
    }
}

/// What transfer costs on top of what is transferred besides, month by month.
pub(super) fn transfer(region: &Region, given: &Assumptions, bytes: Bytes) -> Money {
    let other = given.other_transfer;
    let month = bytes.0 / u64::from(given.months.max(1));
    let with = Bytes(other.0.saturating_add(month));
    let price = region.cdn.transfer(with) - region.cdn.transfer(other);
    // A month's bytes were rounded down; the whole is what one month costs, in proportion.
    price.of(bytes.0.into(), u128::from((with.0 - other.0).max(1)))
}
