//! The runtime that this crate's requests run on, and a client for each way to reach S3.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use tokio::runtime::Runtime;
use vodmill_aws::{Access, SdkConfig};

use super::settings::S3Settings;

/// The one runtime of this crate. Its threads only move bytes and compute checksums.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(16)
            .thread_name("s3")
            .enable_all()
            .build()
            // Only where the machine has no thread left to give.
            .unwrap_or_else(|error| panic!("start the threads for S3: {error}"))
    })
}

/// Waits for `work`. Not to be called from async code.
pub(crate) fn block<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}

/// What every AWS client of this crate begins from. There are no retries in it; this crate's own
/// count them and know what became of the try before.
pub(crate) async fn sdk_config(settings: &S3Settings) -> SdkConfig {
    let S3Settings { endpoint, region, profile, credentials_file, .. } = settings.clone();
    vodmill_aws::sdk_config(&Access { endpoint, region, profile, credentials_file }).await
}

/// The client for `settings`: one for the process, with its connections and credentials.
pub(crate) fn client(settings: &S3Settings) -> Arc<Client> {
    static CLIENTS: Mutex<BTreeMap<S3Settings, Arc<Client>>> = Mutex::new(BTreeMap::new());
    // A map is whole whenever a panic can happen.
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(settings) {
        return client.clone();
    }
    let client = Arc::new(block(connect(settings)));
    clients.insert(settings.clone(), client.clone());
    client
}

async fn connect(settings: &S3Settings) -> Client {
    // Checksums are this crate's own: it knows them before it sends, and compares the answer.
    let config = aws_sdk_s3::config::Builder::from(&sdk_config(settings).await)
        .force_path_style(settings.path_style.unwrap_or(settings.endpoint.is_some()))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Client::from_conf(config)
}
