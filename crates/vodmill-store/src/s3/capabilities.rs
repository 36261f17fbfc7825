//! What the server of a bucket can do, tried out on the bucket itself: many answer 200 to what they
//! do not do.

use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use rand::Rng as _;

use super::bucket::Bucket;
use super::client::block;
use super::digest::{bare, content_md5, crc64, etag_of_whole, write_crc64};
use super::failure::{FailureKind, RequestFailure};
use super::put::{Body, Condition, PutOptions};
use super::read::ObjectVersion;
use super::settings::Checksums;
use super::upload::{Joined, Part};
use crate::error::{Result, StoreError};

/// Least size of the first part of a multipart upload, in bytes.
const SMALLEST_PART: usize = 5 * 1024 * 1024;

/// Trials that are older have ended: each of their requests has a time-out.
const LONGEST_PROBE: Duration = Duration::from_secs(3600);

/// How long a server may take to say anything at all.
const ANSWER: Duration = Duration::from_secs(5);

/// Writers that try to be the first.
const RACERS: usize = 4;

/// What the server of a bucket does and does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// It knows CRC-64/NVME: answers it, and refuses a body that has another.
    pub checksums: bool,
    /// It refuses a body with a wrong checksum, CRC-64 or MD5.
    pub refuses_wrong: bool,
    /// Its ETags are MD5, of parts and of the whole.
    pub etag_is_md5: bool,
    /// Of many puts with `If-None-Match: *` one is stored.
    pub if_none_match: bool,
    /// A put with an old ETag in `If-Match` is refused.
    pub if_match: bool,
    /// A read with an old ETag in `If-Match` is refused.
    pub conditional_read: bool,
}

impl Bucket {
    /// What its server can be trusted with: tried out in some twenty requests under `prefix`, which
    /// ends with `/` or is empty, once for the process.
    ///
    /// # Errors
    /// [`StoreError::BadServer`] where it does not keep what it is given; [`StoreError::Remote`].
    pub fn capabilities(&self, prefix: &str) -> Result<Capabilities> {
        let _one = self.inner.probing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.inner.capabilities.get() {
            return Ok(*known);
        }
        let trials = format!("{prefix}.vodmill/probe/");
        self.remove_old_probes(&trials);
        let folder = format!("{trials}{:032x}/", rand::random::<u128>());
        let probed = block(self.probe(&folder));
        self.remove_probes(&folder);
        let known = probed.map_err(|stopped| match stopped {
            Bad::Server(why) => StoreError::BadServer { bucket: self.name().to_owned(), why },
            Bad::RequestFailure(failure) => self.error("try out", &folder, failure),
        })?;
        tracing::info!(bucket = self.name(), ?known, "what the bucket can do");
        Ok(*self.inner.capabilities.get_or_init(|| known))
    }

    /// Whether its server answers at all, whatever it says. Else it is found out in seconds: everything
    /// that is asked of a server waits for minutes until it is given up.
    ///
    /// # Errors
    /// [`StoreError::Remote`] where there is no answer.
    pub(crate) fn reach(&self) -> Result<()> {
        let ask = || async {
            let asked = self.inner.client.head_bucket().bucket(self.name()).send();
            let asked = tokio::time::timeout(ANSWER, asked).await;
            asked
                .map_or_else(|_| Err(RequestFailure::late(ANSWER.as_secs())), |it| Ok(it?))
                .map(drop)
        };
        let failure = match block(async { ask().await.or(ask().await) }) {
            Err(failure) if failure.is_silence() => failure,
            _ => return Ok(()),
        };
        Err(self.error("reach", "", failure))
    }

    /// What processes left that were killed while they tried the bucket out. It does no harm.
    fn remove_old_probes(&self, trials: &str) {
        let old = |since: Option<SystemTime>| {
            since.is_some_and(|since| since.elapsed().is_ok_and(|age| age > LONGEST_PROBE))
        };
        let removed = self.list(trials).and_then(|mut objects| {
            objects.retain(|object| old(object.modified));
            let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
            self.delete_many(&keys)?;
            for upload in self.unfinished(trials)?.into_iter().filter(|upload| old(upload.begun)) {
                self.abort_uploads(&upload.key)?;
            }
            Ok(())
        });
        if let Err(error) = removed {
            tracing::debug!(bucket = self.name(), trials, %error, "old trials not looked for");
        }
    }

    fn remove_probes(&self, folder: &str) {
        let removed = self.list(folder).and_then(|objects| {
            let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
            self.delete_many(&keys)?;
            self.abort_uploads(folder)
        });
        if let Err(error) = removed {
            tracing::warn!(bucket = self.name(), folder, %error, "objects of the trial are left");
        }
    }

    async fn probe(&self, folder: &str) -> Result<Capabilities, Bad> {
        let mut known = Capabilities {
            checksums: self.inner.settings.checksums == Checksums::Default,
            refuses_wrong: false,
            etag_is_md5: false,
            if_none_match: false,
            if_match: false,
            conditional_read: false,
        };
        let small = self.probe_put(folder, &mut known).await?;
        known.refuses_wrong = self.probe_wrong(folder, &known).await?;
        self.probe_conditions(&small, &mut known).await?;
        known.if_none_match = self.probe_race(folder).await?;
        self.probe_parts(folder, &mut known).await?;
        Ok(known)
    }

    /// An object that is put and read back, its key returned.
    async fn probe_put(&self, folder: &str, known: &mut Capabilities) -> Result<String, Bad> {
        let key = format!("{folder}small");
        let body = Body::new(noise(100_000).into(), true);
        let put = |with_crc| self.put_raw(&key, &body, with_crc, body.crc64);
        let mut answer = self.try_hard(0, || put(known.checksums)).await;
        if known.checksums && answer.as_ref().is_err_and(RequestFailure::is_unsupported) {
            known.checksums = false;
            answer = self.try_hard(0, || put(false)).await;
        }
        let (etag, answered) = answer?;
        known.checksums &= answered == Some(write_crc64(body.crc64));
        known.etag_is_md5 = body.md5.is_some_and(|md5| bare(&etag) == etag_of_whole(&md5));
        self.read_back(&key, &body.bytes).await?;
        Ok(key)
    }

    async fn read_back(&self, key: &str, bytes: &[u8]) -> Result<(), Bad> {
        let there = self.read_now(key, &ObjectVersion::default(), 0..bytes.len() as u64).await?;
        let middle = self.read_now(key, &ObjectVersion::default(), 10..20).await?;
        match (there == bytes, middle == bytes[10..20]) {
            (true, true) => Ok(()),
            (false, _) => Err(bad("what is read is not what was put")),
            _ => Err(bad("a range that is read is not the range that was asked for")),
        }
    }

    async fn probe_wrong(&self, folder: &str, known: &Capabilities) -> Result<bool, Bad> {
        let mut body = Body::new(noise(1000).into(), true);
        body.md5 = Some([0; 16]);
        let put = self.put_raw(&format!("{folder}wrong"), &body, known.checksums, 1).await;
        Ok(put.is_err_and(|failure| failure.error.status == Some(400)))
    }

    async fn probe_conditions(&self, key: &str, known: &mut Capabilities) -> Result<(), Bad> {
        let stale = "00000000000000000000000000000000".to_owned();
        let which = ObjectVersion { etag: Some(stale.clone()), version: None };
        let request = self.inner.client.get_object().bucket(self.name()).key(key);
        let read = request.if_match(format!("\"{stale}\"")).range("bytes=0-9").send().await;
        known.conditional_read = read
            .map_err(RequestFailure::from)
            .is_err_and(|failure| failure.kind == FailureKind::Condition);
        let body = Body::new(noise(1000).into(), true);
        let condition = Condition::Same(which.etag.unwrap_or_default());
        let put = self.put_body(key, &body, &PutOptions::default(), &condition).await;
        known.if_match = put.is_err_and(|failure| failure.kind == FailureKind::Condition);
        Ok(())
    }

    /// Several writers at once, then one that is late.
    async fn probe_race(&self, folder: &str) -> Result<bool, Bad> {
        let key = format!("{folder}race");
        let mut racers = tokio::task::JoinSet::new();
        for _ in 0..RACERS {
            let (bucket, key) = (self.clone(), key.clone());
            racers.spawn(async move { bucket.put_first(&key).await });
        }
        let mut winners = 0;
        while let Some(done) = racers.join_next().await {
            winners += usize::from(done.is_ok_and(|won| won));
        }
        Ok(winners == 1 && !self.put_first(&key).await)
    }

    async fn put_first(&self, key: &str) -> bool {
        let body = Body::new(noise(1000).into(), true);
        self.put_body(key, &body, &PutOptions::default(), &Condition::New).await.is_ok()
    }

    async fn probe_parts(&self, folder: &str, known: &mut Capabilities) -> Result<(), Bad> {
        let key = format!("{folder}parts");
        let bodies = [noise(SMALLEST_PART), noise(1000)];
        let mut begun = self.begin(&key, &PutOptions::default(), known.checksums).await;
        if known.checksums && begun.as_ref().is_err_and(RequestFailure::is_unsupported) {
            known.checksums = false;
            begun = self.begin(&key, &PutOptions::default(), false).await;
        }
        let upload = begun.map_err(|failure| match failure.error.status {
            // What it says can be no name of an upload.
            Some(200) => {
                bad(&format!("it does not speak of uploads as S3 does: {}", failure.error))
            }
            _ => Bad::RequestFailure(failure),
        })?;
        let mut parts = Vec::new();
        for (number, bytes) in (1..).zip(&bodies) {
            let mut body = Body::new(bytes.clone().into(), true);
            let md5 = body.md5;
            body.md5 = md5.filter(|_| !known.checksums);
            let etag = self.put_part(&key, &upload, number, &body).await?;
            let (bytes, crc64) = (body.length(), body.crc64);
            parts.push(Part { number, bytes, etag, crc64, md5 });
        }
        self.probe_joined(&key, &upload, &parts, known).await?;
        self.compare_joined(&key, &bodies.concat()).await
    }

    async fn probe_joined(
        &self,
        key: &str,
        upload: &str,
        parts: &[Part],
        known: &mut Capabilities,
    ) -> Result<(), Bad> {
        let whole = Joined::of(parts);
        let answer = self.complete(key, upload, parts, &whole, known.checksums).await?;
        known.checksums &= answer.checksum_crc64_nvme() == Some(write_crc64(whole.crc64).as_str());
        known.etag_is_md5 &= whole.etag.as_deref() == answer.e_tag().map(bare);
        Ok(())
    }

    async fn compare_joined(&self, key: &str, bytes: &[u8]) -> Result<(), Bad> {
        match self.verify_by_reading(key, bytes.len() as u64, crc64(bytes)).await {
            Err(failure) if failure.is_corrupt() => {
                Err(bad("parts that it joined are not what was put"))
            }
            read => Ok(read?),
        }
    }

    /// A put that is tried once, and of which nothing is verified; the ETag and checksum that were answered.
    async fn put_raw(
        &self,
        key: &str,
        body: &Body,
        with_crc: bool,
        crc64: u64,
    ) -> Result<(String, Option<String>), RequestFailure> {
        let request = self.inner.client.put_object().bucket(self.name()).key(key);
        let request = match &body.md5 {
            Some(md5) if !with_crc => request.content_md5(content_md5(md5)),
            _ => request.checksum_crc64_nvme(write_crc64(crc64)),
        };
        let request = request.body(body.bytes.clone().into());
        let answer = request.customize().disable_payload_signing().send().await?;
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        Ok((etag, answer.checksum_crc64_nvme().map(str::to_owned)))
    }
}

/// Why a trial ended.
enum Bad {
    Server(String),
    RequestFailure(RequestFailure),
}

impl From<RequestFailure> for Bad {
    fn from(failure: RequestFailure) -> Bad {
        Bad::RequestFailure(failure)
    }
}

fn bad(why: &str) -> Bad {
    Bad::Server(why.to_owned())
}

/// Bytes that no earlier object can have had.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
