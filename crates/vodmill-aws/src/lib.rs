//! How AWS is reached: credentials, region, endpoint and transport, for whatever service. Secrets have
//! no place in settings: they come from the environment, a profile, or the machine's role.
//!
//! It does not retry: callers do, who know the outcome of the attempt before.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

pub use aws_config::SdkConfig;

/// Connections that were idle for longer are not used again: servers close theirs after about as
/// long, and a request on such a connection is lost.
const POOL_IDLE: Duration = Duration::from_secs(15);

const CONNECT: Duration = Duration::from_secs(5);

/// A body that moves no byte for so long ends its request.
const STALLED: Duration = Duration::from_secs(30);

/// How a service is reached; the default is AWS, as the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// URL of another server that speaks the service's protocol.
    pub endpoint: Option<String>,
    /// The region; as the environment says, then `us-east-1` with an `endpoint`, then as the profile
    /// or the machine says.
    pub region: Option<String>,
    /// Profile of the AWS configuration files to take credentials from; the usual chain without one.
    pub profile: Option<String>,
    /// File to take credentials from, in the form of `~/.aws/credentials`.
    pub credentials_file: Option<PathBuf>,
}

/// What every client of a service begins from.
pub async fn sdk_config(access: &Access) -> SdkConfig {
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
    if let Some(profile) = &access.profile {
        loader = loader.profile_name(profile);
    }
    if access.profile.is_some() || access.credentials_file.is_some() {
        loader = loader.credentials_provider(named_credentials(access, &transport));
    }
    if let Some(endpoint) = &access.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = region_of(access) {
        loader = loader.region(Region::new(region));
    }
    loader.load().await
}

/// The region that is known without asking the profile and the machine, which no server but AWS's
/// needs: to be asked in vain takes seconds.
fn region_of(access: &Access) -> Option<String> {
    let from = |name| std::env::var(name).ok();
    let named = access.region.clone().or_else(|| from("AWS_REGION"));
    let named = named.or_else(|| from("AWS_DEFAULT_REGION"));
    named.or_else(|| access.endpoint.as_ref().map(|_| "us-east-1".to_owned()))
}

/// Credentials of a profile or a file, whatever the environment holds.
fn named_credentials(
    access: &Access,
    transport: &SharedHttpClient,
) -> ProfileFileCredentialsProvider {
    let mut files = EnvConfigFiles::builder().include_default_config_file(true);
    files = match &access.credentials_file {
        Some(file) => files.with_file(EnvConfigFileKind::Credentials, file),
        None => files.include_default_credentials_file(true),
    };
    // A profile may name a role, whose credentials are fetched.
    let reach = ProviderConfig::without_region().with_http_client(transport.clone());
    let provider = ProfileFileCredentialsProvider::builder().configure(&reach);
    let provider = provider.profile_files(files.build());
    match &access.profile {
        Some(profile) => provider.profile_name(profile).build(),
        None => provider.build(),
    }
}
