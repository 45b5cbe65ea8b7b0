//! The object stores' clients, with the secrets of a stream and nothing else.

use std::sync::Arc;

use object_store::{
    ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, Checksum},
    azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder,
};
use serde::Deserialize;
use trailbook_event::{Fault, Pointer};
use url::form_urlencoded;

use super::{
    super::{
        client::{self, Client},
        secrets::{Secrets, secret_fault},
    },
    connector::Connector,
};

/// Where Google keeps objects.
const GOOGLE: &str = "https://storage.googleapis.com";
/// Longest name of a bucket, container, account or region.
const NAME_BYTES_MAX: usize = 222;

/// What is needed of a service account's key file.
#[derive(Deserialize)]
struct ServiceAccount {
    r#type: String,
}

/// S3, or what speaks its protocol.
pub(in super::super) fn s3(
    (bucket, region): (&str, &str),
    endpoint: Option<&str>,
    secrets: &Secrets<'_>,
    client: &Arc<Client>,
) -> Result<Box<dyn ObjectStore>, Fault> {
    let builder = AmazonS3Builder::new()
        .with_http_connector(Connector(client.clone()))
        .with_retry(once())
        // Buckets that lock their objects ask for a checksum.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_bucket_name(name(bucket, "bucket")?)
        .with_region(label(region, "region")?)
        .with_access_key_id(secrets.required("access_key_id")?)
        .with_secret_access_key(secrets.required("secret_access_key")?);
    let builder = match secrets.optional("session_token") {
        Some(token) => builder.with_token(token),
        None => builder,
    };
    let builder = match endpoint {
        Some(url) => builder.with_endpoint(base(url, client)?),
        None => builder,
    };
    let store = builder.build().map_err(|_| unusable("bucket"))?;
    Ok(Box::new(store))
}

/// Google Cloud Storage.
pub(in super::super) fn gcs(
    bucket: &str,
    endpoint: Option<&str>,
    secrets: &Secrets<'_>,
    client: &Arc<Client>,
) -> Result<Box<dyn ObjectStore>, Fault> {
    let key = secrets.required("service_account_key")?;
    let wrong = || {
        let detail = "It is not the key file of a service account; paste the JSON that Google made for it.";
        secret_fault("service_account_key", detail)
    };
    let account: ServiceAccount = serde_json::from_str(key).map_err(|_| wrong())?;
    if account.r#type != "service_account" {
        return Err(wrong());
    }
    let url = match endpoint {
        Some(url) => base(url, client)?,
        None => GOOGLE.to_owned(),
    };
    let store = GoogleCloudStorageBuilder::new()
        .with_http_connector(Connector(client.clone()))
        .with_retry(once())
        .with_bucket_name(name(bucket, "bucket")?)
        // Always: otherwise the key file could name another server.
        .with_base_url(&url)
        .with_service_account_key(key)
        .build()
        .map_err(|_| wrong())?;
    Ok(Box::new(store))
}

/// Azure Blob Storage.
pub(in super::super) fn azure(
    (account, container): (&str, &str),
    endpoint: Option<&str>,
    secrets: &Secrets<'_>,
    client: &Arc<Client>,
) -> Result<Box<dyn ObjectStore>, Fault> {
    let builder = MicrosoftAzureBuilder::new()
        .with_http_connector(Connector(client.clone()))
        .with_retry(once())
        .with_account(label(account, "account")?)
        .with_container_name(name(container, "container")?);
    let builder = match endpoint {
        Some(url) => builder.with_endpoint(base(url, client)?),
        None => builder,
    };
    let (builder, secret) = match (secrets.optional("access_key"), secrets.optional("sas_token")) {
        (Some(key), None) => (builder.with_access_key(key), "access_key"),
        (None, Some(token)) => {
            let pairs = form_urlencoded::parse(token.trim_start_matches('?').as_bytes());
            let pairs: Vec<(String, String)> = pairs.into_owned().collect();
            if !pairs.iter().any(|(name, _)| name == "sig") {
                let detail = "It is not a shared access signature; copy what follows `?` in the URL that Azure made.";
                return Err(secret_fault("sas_token", detail));
            }
            (builder.with_sas_authorization(pairs), "sas_token")
        }
        (Some(_), Some(_)) => return Err(secret_fault("sas_token", "Give either it or `access_key`.")),
        (None, None) => {
            return Err(secret_fault(
                "access_key",
                "It is missing; give either it or `sas_token`.",
            ));
        }
    };
    let wrong = |_| secret_fault(secret, "It cannot be used; copy it again.");
    Ok(Box::new(builder.build().map_err(wrong)?))
}

/// Whoever asked for the delivery repeats it.
fn once() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

/// A name that becomes part of a URL's path.
fn name<'n>(text: &'n str, field: &str) -> Result<&'n str, Fault> {
    of_letters_and(b"._-", text, field)
}

/// A name that becomes part of a host's.
fn label<'n>(text: &'n str, field: &str) -> Result<&'n str, Fault> {
    of_letters_and(b"-", text, field)
}

fn of_letters_and<'n>(others: &[u8], text: &'n str, field: &str) -> Result<&'n str, Fault> {
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    match begins && text.len() <= NAME_BYTES_MAX && text.bytes().all(is_good) {
        true => Ok(text),
        false => Err(unusable(field)),
    }
}

fn unusable(field: &str) -> Fault {
    let detail = format!("It is not the name of a {field}; give it as its owner does, without a URL around it.");
    Fault::new(Pointer::root().child("destination").child(field), detail)
}

fn base(url: &str, client: &Client) -> Result<String, Fault> {
    let at = Pointer::root().child("destination").child("endpoint");
    let url = client::base(url, at, client.outbound())?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
