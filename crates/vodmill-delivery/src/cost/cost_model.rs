//! How the sums of a report are calculated.

use std::collections::BTreeMap;

use vodmill_model::AssetDocument;
use vodmill_model::asset::{Asset, HlsVariant};
use vodmill_model::pipeline::Container;

use super::money::{Bytes, Money};
use super::prices::{Region, Storage};
use super::report::{Assumptions, CostError, Report};

const HOUR_MS: u128 = 3_600_000;

/// Calculates what an asset costs with these prices; `class` is the storage class of its objects.
///
/// # Errors
/// [`CostError`].
pub fn report(
    document: &AssetDocument,
    region: &Region,
    class: &str,
    given: &Assumptions,
) -> Result<Report, CostError> {
    let storage = region.storage(class).ok_or_else(|| CostError::NoClass {
        region: region.name.clone(),
        class: class.to_owned(),
    })?;
    let asset = document.asset();
    let shares = shares(asset, &given.shares_per_mille)?;
    let cpu_ms = CpuMs {
        encode: document.publication.encode_cpu_ms,
        package: document.publication.package_cpu_ms,
    };
    Ok(CostModel { asset, cpu_ms, region, storage, given, shares }.report())
}

/// The share of each rung, in their order.
fn shares(asset: &Asset, named: &BTreeMap<String, u32>) -> Result<Vec<u32>, CostError> {
    let names: Vec<&str> =
        asset.hls().iter().flat_map(|hls| &hls.variants).map(|v| v.name.as_str()).collect();
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

/// Milliseconds of processor time, where they are known.
pub(super) struct CpuMs {
    pub(super) encode: Option<u64>,
    pub(super) package: Option<u64>,
}

/// One asset with the prices and assumptions that its costs follow from.
pub(super) struct CostModel<'a> {
    pub(super) asset: &'a Asset,
    pub(super) cpu_ms: CpuMs,
    pub(super) region: &'a Region,
    pub(super) storage: &'a Storage,
    pub(super) given: &'a Assumptions,
    pub(super) shares: Vec<u32>,
}

impl CostModel<'_> {
    pub(super) fn report(&self) -> Report {
        let asset = self.asset;
        let transferred: Bytes = self.watched().into_iter().sum();
        let cpu_ms = self.cpu_ms.encode.map(|ms| ms + self.cpu_ms.package.unwrap_or(0));
        // The two objects of the pointer are written as well.
        let make = self.cpu(cpu_ms.unwrap_or(0)) + self.puts(asset.objects + 2);
        let (keep, serve) = (self.keep(Bytes(asset.bytes)), self.serve(transferred));
        Report {
            asset: asset.name.clone(),
            generation: asset.generation.to_string(),
            bytes: Bytes(asset.bytes),
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

    pub(super) fn cpu(&self, ms: u64) -> Money {
        self.region.core_hour.of(ms.into(), HOUR_MS)
    }

    pub(super) fn puts(&self, count: u64) -> Money {
        self.storage.puts_1000.of(count.into(), 1000)
    }

    pub(super) fn keep(&self, bytes: Bytes) -> Money {
        self.storage.gb_month.of(u128::from(bytes.0) * u128::from(self.given.months), Bytes::GB)
    }

    /// Bytes to viewers of each rung, with sound where that is apart.
    pub(super) fn watched(&self) -> Vec<Bytes> {
        let Some(hls) = self.asset.hls() else { return Vec::new() };
        let sound = self.sound();
        let of_rung = |(variant, share): (&HlsVariant, &u32)| {
            let view = u128::from(variant.bytes + sound.0);
            self.for_views(view * u128::from(*share), 1000)
        };
        hls.variants.iter().zip(&self.shares).map(of_rung).collect()
    }

    /// A view plays one track of sound: the first.
    fn sound(&self) -> Bytes {
        let first = self.asset.hls().and_then(|hls| hls.audio.first());
        Bytes(first.map_or(0, |audio| audio.bytes))
    }

    /// What all views take, of which one takes `view` / `per` bytes when it is watched whole.
    pub(super) fn for_views(&self, view: u128, per: u128) -> Bytes {
        let Assumptions { views, watched_percent, .. } = self.given;
        let all = view * u128::from(*views) * u128::from(*watched_percent) / (100 * per);
        Bytes(u64::try_from(all).unwrap_or(u64::MAX))
    }

    pub(super) fn transfer(&self, bytes: Bytes) -> Money {
        transfer(self.region, self.given, bytes)
    }

    fn serve(&self, bytes: Bytes) -> Money {
        let Assumptions { views, watched_percent, origin_fetches, .. } = self.given;
        let view = self.requests_view() * u128::from(*watched_percent) / 100;
        let requests = self.region.cdn.requests_10000.of(view * u128::from(*views), 10_000);
        // Without views nothing is fetched.
        let fetches = u128::from(*origin_fetches).min((*views).into());
        let objects = u128::from(self.asset.objects);
        let gets = self.storage.gets_1000.of(objects * fetches, 1000);
        let read = u128::from(self.asset.bytes) * fetches;
        let retrieved = self.storage.retrieved_gb.of(read, Bytes::GB);
        self.transfer(bytes) + requests + gets + retrieved
    }

    /// Requests of a whole view: the playlists, initialization sections, and every segment of
    /// pictures and of sound.
    fn requests_view(&self) -> u128 {
        let Some(hls) = self.asset.hls() else { return 1 };
        let streams = 1 + u128::from(!hls.audio.is_empty());
        let init = u128::from(hls.container == Container::Fmp4);
        1 + streams * (1 + init + u128::from(hls.segments))
    }

    fn requests_view_hour(&self) -> u64 {
        let whole = self.requests_view() * HOUR_MS;
        let hours = whole.div_ceil(u128::from(self.asset.duration_ms.max(1)));
        u64::try_from(hours).unwrap_or(u64::MAX)
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
