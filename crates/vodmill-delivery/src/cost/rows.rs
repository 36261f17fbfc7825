//! What each rendition costs by itself, and whether a rung pays.

use std::collections::BTreeMap;

use super::cost_model::CostModel;
use super::money::{Bytes, Money};
use super::report::{Row, Saving};

impl CostModel<'_> {
    pub(super) fn rows(&self) -> Vec<Row> {
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
        let hls = self.asset.hls();
        for audio in hls.iter().flat_map(|hls| &hls.audio) {
            rows.push(self.row(&audio.name, "audio", audio.bytes, self.segment_puts()));
        }
        for subtitles in hls.iter().flat_map(|hls| &hls.subtitles) {
            rows.push(self.row(&subtitles.name, "subtitles", subtitles.bytes, self.segment_puts()));
        }
        let mut stored = Vec::new();
        for file in self.asset.files() {
            let name = file.name.as_ref().unwrap_or(&file.container);
            // Names that lead to one object are told once what it costs.
            if stored.contains(&&file.path) {
                let row = self.row(name, &file.container, file.bytes, Money(0));
                rows.push(Row { keep: Money(0), ..row });
                continue;
            }
            stored.push(&file.path);
            let make = cpu(&file.encode) + self.puts(1);
            rows.push(self.row(name, &file.container, file.bytes, make));
        }
        rows
    }

    fn segment_puts(&self) -> Money {
        self.puts(self.asset.hls().map_or(0, |hls| hls.segments + 1))
    }

    fn row(&self, name: &str, kind: &str, bytes: u64, make: Money) -> Row {
        let bytes = Bytes(bytes);
        Row {
            name: name.to_owned(),
            kind: kind.to_owned(),
            bytes,
            make,
            keep: self.keep(bytes),
            serve: Money(0),
            share_per_mille: 0,
            saving: None,
        }
    }

    fn variant_rows(&self, cpu: &mut dyn FnMut(&Option<String>) -> Money) -> Vec<Row> {
        let Some(hls) = self.asset.hls() else { return Vec::new() };
        let watched = self.watched();
        let all: Bytes = watched.iter().copied().sum();
        let transfer = self.transfer(all);
        let mut rows: Vec<Row> = Vec::new();
        for ((variant, share), watched) in hls.variants.iter().zip(&self.shares).zip(watched) {
            let bytes = variant.bytes + variant.iframes_bytes.unwrap_or_default();
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
                let bytes = Bytes(next.bytes - variant.bytes);
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
            // Without views: the price of the first gigabyte.
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
        let variants = self.asset.hls().into_iter().flat_map(|hls| &hls.variants);
        let of_variants = variants.map(|one| (&one.encode, one.width, one.height));
        let of_files = self.asset.files().map(|one| (&one.encode, one.width, one.height));
        let mut pixels: BTreeMap<&str, u128> = BTreeMap::new();
        for (encode, width, height) in of_variants.chain(of_files) {
            let area = u128::from(width.unwrap_or(0)) * u128::from(height.unwrap_or(0));
            if let Some(id) = encode {
                pixels.insert(id, area);
            }
        }
        let all = pixels.values().sum::<u128>().max(1);
        let ms = u128::from(self.cpu_ms.encode.unwrap_or(0));
        let part = |area: u128| u64::try_from(ms * area / all).unwrap_or(u64::MAX);
        pixels.into_iter().map(|(id, area)| (id.to_owned(), part(area))).collect()
    }
}
