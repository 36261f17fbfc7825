//! The runtime that this crate's requests run on, and a client for each way to reach S3.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use tokio::runtime::Runtime;

use super::settings::S3Settings;

/// Connections that were idle for longer are not used again: servers close theirs after about as
/// long, and a request on such a connection is lost.
const POOL_IDLE: Duration = Duration::from_secs(15);

const CONNECT: Duration = Duration::from_secs(5);

/// A body that moves no byte for so long ends its request.
const STALLED: Duration = Duration::from_secs(30);

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

/// What every AWS client of this crate begins from: credentials, region, endpoint, transport. There
/// are no retries in it; this crate's own count them and know what became of the try before.
pub(crate) async fn sdk_config(settings: &S3Settings) -> SdkConfig {
    let transport = Builder::new()
        .pool_idle_timeout(POOL_IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(transport.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).build())
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(STALLED).build(),
        );
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if settings.profile.is_some() || settings.credentials_file.is_some() {
        loader = loader.credentials_provider(named_credentials(settings, &transport));
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = region_of(settings) {
        loader = loader.region(Region::new(region));
    }
    loader.load().await
}

/// The region that is known without asking the profile and the machine, which no server but AWS's
/// needs: to be asked in vain takes seconds.
fn region_of(settings: &S3Settings) -> Option<String> {
    let from = |name| std::env::var(name).ok();
    let named = settings.region.clone().or_else(|| from("AWS_REGION"));
    let named = named.or_else(|| from("AWS_DEFAULT_REGION"));
    named.or_else(|| settings.endpoint.as_ref().map(|_| "us-east-1".to_owned()))
}

/// Credentials of a profile or a file, whatever the environment holds.
fn named_credentials(
    settings: &S3Settings,
    transport: &SharedHttpClient,
) -> ProfileFileCredentialsProvider {
    let mut files = EnvConfigFiles::builder().include_default_config_file(true);
    files = match &settings.credentials_file {
        Some(file) => files.with_file(EnvConfigFileKind::Credentials, file),
        None => files.include_default_credentials_file(true),
    };
    // A profile may name a role, whose credentials are fetched.
    let reach = ProviderConfig::without_region().with_http_client(transport.clone());
    let provider = ProfileFileCredentialsProvider::builder().configure(&reach);
    let provider = provider.profile_files(files.build());
    match &settings.profile {
        Some(profile) => provider.profile_name(profile).build(),
        None => provider.build(),
    }
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
