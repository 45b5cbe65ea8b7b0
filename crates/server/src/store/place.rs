//! Where objects are kept, as the operator says it: the settings `objects` and `objects_…`, and the store they make.
//!
//! Invariants
//! - What was read can be opened, as far as that can be said without asking the store.
//! - Plain HTTP is spoken only with an `objects_endpoint` that begins with `http://`.
//! - Without keys, who we are is what the cloud says of this machine; with keys, nothing is taken from the environment.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use object_store::{
    BackoffConfig, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, Checksum},
    azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder,
    local::LocalFileSystem,
    path::Path as Prefix,
    prefix::PrefixStore,
};
use url::Url;

use super::http::Connector;
use crate::config::Secret;

/// The region that S3-compatible servers usually call theirs.
const REGION: &str = "us-east-1";
/// How often one request is repeated.
const REPETITIONS_MAX: usize = 5;
/// How long one request is repeated.
const REPEATED_FOR: Duration = Duration::from_secs(30);

/// The settings as they were given, before anybody looked at them.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// `objects`.
    pub(crate) url: String,
    /// `objects_endpoint`.
    pub(crate) endpoint: Option<String>,
    /// `objects_region`.
    pub(crate) region: Option<String>,
    /// `objects_access_key`.
    pub(crate) access_key: Option<String>,
    /// `objects_secret_key`.
    pub(crate) secret_key: Option<Secret>,
    /// `objects_credentials`.
    pub(crate) credentials: Option<Secret>,
}

/// Where objects are kept.
#[derive(Debug)]
pub(crate) struct Place {
    kind: Kind,
    prefix: Prefix,
    given: Given,
}

#[derive(Debug)]
enum Kind {
    S3(String),
    Google(String),
    Azure(String),
    Directory(PathBuf),
}

impl Place {
    /// The place of some settings; else what is wrong with them, as a sentence without secrets.
    pub(crate) fn of(given: Given) -> Result<Self, String> {
        const EXPECTED: &str =
            "objects must be s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///directory.";
        let url = Url::parse(&given.url).map_err(|_| EXPECTED.to_owned())?;
        let has_more = url.query().is_some() || url.fragment().is_some() || url.port().is_some();
        if has_more || !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "{EXPECTED} Keys are settings of their own: objects_access_key, objects_secret_key."
            ));
        }
        let bucket = url.host_str().unwrap_or_default().to_owned();
        let kind = match url.scheme() {
            "file" if bucket.is_empty() => Kind::Directory(url.to_file_path().map_err(|()| EXPECTED.to_owned())?),
            _ if bucket.is_empty() => return Err(EXPECTED.to_owned()),
            "s3" => Kind::S3(bucket),
            "gs" => Kind::Google(bucket),
            "az" => Kind::Azure(bucket),
            _ => return Err(EXPECTED.to_owned()),
        };
        let prefix = match kind {
            Kind::Directory(_) => Prefix::default(),
            _ => Prefix::from_url_path(url.path()).map_err(|_| EXPECTED.to_owned())?,
        };
        let place = Self { kind, prefix, given };
        place.check()?;
        Ok(place)
    }

    fn check(&self) -> Result<(), String> {
        let given = &self.given;
        if let Some(endpoint) = &given.endpoint {
            let url = Url::parse(endpoint).ok().filter(|url| {
                let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
                matches!(url.scheme(), "http" | "https") && url.has_host() && plain
            });
            url.ok_or("objects_endpoint must be a URL such as https://s3.example.com or http://127.0.0.1:9000.")?;
        }
        let (account, key) = (given.access_key.is_some(), given.secret_key.is_some());
        match &self.kind {
            Kind::S3(_) if account != key => {
                Err("objects_access_key and objects_secret_key belong together: set both, or neither.".to_owned())
            }
            Kind::Azure(_) if !account => {
                Err("az:// needs objects_access_key, the name of the storage account.".to_owned())
            }
            Kind::S3(_) | Kind::Azure(_) if given.credentials.is_some() => {
                Err("objects_credentials are for gs://; set objects_access_key and objects_secret_key.".to_owned())
            }
            Kind::Google(_) if account || key => {
                Err("gs:// has no access key: set objects_credentials, the JSON of a service account.".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The directory, when objects are files of this machine.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    /// The store. Nothing is asked of it yet.
    pub(crate) fn open(&self) -> anyhow::Result<Arc<dyn ObjectStore>> {
        let store = match &self.kind {
            Kind::Directory(directory) => return local(directory),
            Kind::S3(bucket) => self.s3(bucket),
            Kind::Google(bucket) => self.google(bucket),
            Kind::Azure(container) => self.azure(container),
        };
        // What the library says of keys could show them.
        let store = store
            .ok()
            .context("the object store's settings make no client: check objects and the keys")?;
        Ok(match self.prefix.as_ref() {
            "" => store,
            _ => Arc::new(PrefixStore::new(store, self.prefix.clone())),
        })
    }

    fn s3(&self, bucket: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
        let given = &self.given;
        let builder = match (&given.access_key, &given.secret_key) {
            (Some(id), Some(secret)) => AmazonS3Builder::new()
                .with_access_key_id(id)
                .with_secret_access_key(secret.expose())
                .with_region(REGION),
            _ => AmazonS3Builder::from_env(),
        };
        let builder = match &given.region {
            Some(region) => builder.with_region(region),
            None => builder,
        };
        let builder = match &given.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint),
            None => builder,
        };
        let store = builder
            .with_http_connector(Connector::new()?)
            .with_retry(retry())
            // The store refuses what did not arrive as it was sent.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_allow_http(self.is_plain())
            .with_bucket_name(bucket)
            .build()?;
        Ok(Arc::new(store))
    }

    fn google(&self, bucket: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
        let builder = match &self.given.credentials {
            Some(key) => GoogleCloudStorageBuilder::new().with_service_account_key(key.expose()),
            None => GoogleCloudStorageBuilder::from_env(),
        };
        let builder = match &self.given.endpoint {
            Some(endpoint) => builder.with_base_url(endpoint),
            None => builder,
        };
        let options = object_store::ClientOptions::new().with_allow_http(self.is_plain());
        let store = builder
            .with_http_connector(Connector::new()?)
            .with_client_options(options)
            .with_retry(retry())
            .with_bucket_name(bucket)
            .build()?;
        Ok(Arc::new(store))
    }

    fn azure(&self, container: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
        let builder = match &self.given.secret_key {
            Some(key) => MicrosoftAzureBuilder::new().with_access_key(key.expose()),
            None => MicrosoftAzureBuilder::from_env(),
        };
        let builder = match &self.given.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint.clone()),
            None => builder,
        };
        let account = self.given.access_key.as_deref().unwrap_or_default();
        let store = builder
            .with_http_connector(Connector::new()?)
            .with_retry(retry())
            .with_allow_http(self.is_plain())
            .with_account(account)
            .with_container_name(container)
            .build()?;
        Ok(Arc::new(store))
    }

    fn is_plain(&self) -> bool {
        let endpoint = self.given.endpoint.as_deref().unwrap_or_default();
        endpoint.starts_with("http://")
    }
}

/// A directory as a store, made when it is not there.
pub(crate) fn local(directory: &Path) -> anyhow::Result<Arc<dyn ObjectStore>> {
    fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    Ok(Arc::new(LocalFileSystem::new_with_prefix(directory)?.with_fsync(true)))
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: REPETITIONS_MAX,
        retry_timeout: REPEATED_FOR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(url: &str) -> Given {
        Given {
            url: url.to_owned(),
            ..Given::default()
        }
    }

    fn with_keys(url: &str) -> Given {
        Given {
            access_key: Some("AK".to_owned()),
            secret_key: Some(Secret::new("aHVudGVyMg==".to_owned())),
            ..given(url)
        }
    }

    #[test]
    fn places_are_read_and_opened() {
        for (url, shown) in [
            ("s3://log", "AmazonS3(log)"),
            ("s3://log/audit/eu", "PrefixObjectStore(audit/eu)"),
            ("az://log/audit", "PrefixObjectStore(audit)"),
        ] {
            let place = Place::of(with_keys(url)).expect(url);
            let opened = place.open().expect(url).to_string();
            assert_eq!(opened, shown, "{url}");
            assert!(!format!("{place:?}").contains("aHVudGVyMg"));
        }
        let directory = Place::of(given("file:///var/objects")).expect("a directory");
        assert_eq!(directory.directory(), Some(Path::new("/var/objects")));
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_its_secrets() {
        let endpoint = |endpoint: &str| Given {
            endpoint: Some(endpoint.to_owned()),
            ..with_keys("s3://log")
        };
        for wrong in [
            given("log"),
            given("s3://"),
            given("https://log.example"),
            given("s3://log?x=1"),
            given("s3://AK:hunter2@log"),
            given("file://host/directory"),
            given("az://log"),
            with_keys("gs://log"),
            endpoint("127.0.0.1:9000"),
            endpoint("ftp://s3.example"),
            endpoint("http://AK:hunter2@s3.example"),
            Given {
                secret_key: None,
                ..with_keys("s3://log")
            },
        ] {
            let said = format!("{wrong:?}");
            let fault = Place::of(wrong).expect_err(&said);
            let shows = fault.contains("hunter2") || fault.contains("aHVudGVyMg");
            assert!(fault.ends_with('.') && !shows, "{fault}");
        }
    }
}
