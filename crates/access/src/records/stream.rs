//! Streams: continuous delivery of an organization's events, or of all of a project's, to somewhere else.
//!
//! Invariant: a secret of a destination is nowhere but in [`Stream::secrets`], encrypted.
//!
//! Not here: how events get there (`trailbook-deliver`), the encryption (`trailbook`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stream.
#[derive(Clone, Serialize, Deserialize)]
pub struct Stream {
    /// `str_…`.
    pub id: String,
    /// Whose events: those of this project.
    pub project: String,
    /// And of it those of this organization; `None` is all of them.
    pub organization: Option<String>,
    /// What people call it.
    pub name: String,
    /// Where events go.
    pub destination: Destination,
    /// The destination's secrets by name, as JSON, encrypted with the deployment's key for this stream.
    pub secrets: String,
    /// The names of the secrets that are set.
    pub secret_names: Vec<String>,
    /// What an event becomes on the way.
    pub mapping: Mapping,
    /// Which events, in the query language; empty is all.
    pub filter: String,
    /// Most events of one delivery.
    pub batch_events: u32,
    /// How long events wait for others, seconds.
    pub interval_seconds: u32,
    /// Whether deliveries wait until somebody lets them go on.
    pub paused: bool,
    /// Milliseconds.
    pub created_at: i64,
    /// Milliseconds.
    pub updated_at: i64,
}

/// Where events go, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    /// Objects of an S3 bucket, or of anything that speaks its protocol. Secrets: `access_key_id`, `secret_access_key`, perhaps
    /// `session_token`.
    S3 {
        /// The bucket.
        bucket: String,
        /// Its region.
        region: String,
        /// Another server than Amazon's, such as `https://storage.example.com`.
        #[serde(default)]
        endpoint: Option<String>,
        /// How objects are named and written.
        #[serde(default)]
        objects: Objects,
    },
    /// Objects of a Google Cloud Storage bucket. Secret: `service_account_key` (the JSON file).
    Gcs {
        /// The bucket.
        bucket: String,
        /// Another server than Google's.
        #[serde(default)]
        endpoint: Option<String>,
        /// How objects are named and written.
        #[serde(default)]
        objects: Objects,
    },
    /// Blobs of an Azure container. Secret: `access_key` or `sas_token`.
    AzureBlob {
        /// The storage account.
        account: String,
        /// The container.
        container: String,
        /// Another server than Microsoft's.
        #[serde(default)]
        endpoint: Option<String>,
        /// How objects are named and written.
        #[serde(default)]
        objects: Objects,
    },
    /// Requests signed as Standard Webhooks says. Secret: `secret` (`whsec_…`, made when none is given); `previous_secret` signs too
    /// while receivers change over. Headers that are credentials are secrets as well: `header.NAME`.
    Webhook {
        /// Where to.
        url: String,
        /// Further headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// Splunk's HTTP Event Collector. Secret: `token`.
    SplunkHec {
        /// The collector, such as `https://http-inputs-acme.splunkcloud.com`; `/services/collector/event` is added.
        url: String,
        /// The index; Splunk's default without.
        #[serde(default)]
        index: Option<String>,
        /// The source type; `trailbook` without.
        #[serde(default)]
        source_type: Option<String>,
    },
    /// Datadog's log intake. Secret: `api_key`.
    Datadog {
        /// Datadog's site, such as `datadoghq.eu`.
        site: String,
        /// Another intake than the site's; `/api/v2/logs` is added.
        #[serde(default)]
        url: Option<String>,
        /// The service that the logs are of; `trailbook` without.
        #[serde(default)]
        service: Option<String>,
        /// Tags, such as `env:production`.
        #[serde(default)]
        tags: Vec<String>,
    },
    /// The bulk interface of Elasticsearch or OpenSearch. Secrets: `api_key`, or `username` and `password`.
    Elasticsearch {
        /// The cluster; `/_bulk` is added.
        url: String,
        /// The index or data stream.
        index: String,
    },
    /// Syslog by RFC 5424 with octet counting, over TLS (RFC 5425) or plain TCP (RFC 6587).
    Syslog {
        /// The receiver.
        host: String,
        /// Its port, usually 6514 for TLS.
        port: u16,
        /// Plain TCP goes only where the operator allows it.
        tls: bool,
        /// The certificate authority of the receiver, PEM; those of the machine without.
        #[serde(default)]
        ca: Option<String>,
        /// What a message holds.
        #[serde(default)]
        format: SyslogFormat,
    },
    /// OpenTelemetry logs over HTTP. Headers that are credentials are secrets: `header.NAME`.
    Otlp {
        /// The endpoint with its path, such as `https://otel.example.com/v1/logs`.
        url: String,
        /// Further headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
}

/// How a delivery becomes an object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    /// What all keys begin with, such as `audit/`: letters, digits and `/`, `.`, `_`, `-`, `=`.
    #[serde(default)]
    pub prefix: String,
    /// What an object holds.
    #[serde(default)]
    pub format: ObjectFormat,
    /// How JSON lines are compressed.
    #[serde(default)]
    pub compression: Compression,
}

/// What an object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectFormat {
    /// A JSON text a line.
    #[default]
    Jsonl,
    /// A Parquet file of the event's fields, the same as an export's.
    Parquet,
}

/// How JSON lines are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// RFC 1952.
    #[default]
    Gzip,
    /// RFC 8878.
    Zstd,
    /// Not at all.
    None,
}

/// What a syslog message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyslogFormat {
    /// The JSON of the mapping.
    #[default]
    Json,
    /// ArcSight's Common Event Format.
    Cef,
}

/// What an event becomes on the way. In JSON a string: `native`, `ocsf`, `ecs`, or `catalog:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mapping {
    /// The event as reads return it.
    Native,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// What the catalog's output mapping of this name makes of it.
    Catalog(String),
}

impl TryFrom<String> for Mapping {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "native" => Ok(Self::Native),
            "ocsf" => Ok(Self::Ocsf),
            "ecs" => Ok(Self::Ecs),
            other => match other.strip_prefix("catalog:") {
                Some(name) if !name.is_empty() => Ok(Self::Catalog(name.to_owned())),
                _ => Err("it must be native, ocsf, ecs or catalog:NAME"),
            },
        }
    }
}

impl From<Mapping> for String {
    fn from(mapping: Mapping) -> Self {
        match mapping {
            Mapping::Native => "native".into(),
            Mapping::Ocsf => "ocsf".into(),
            Mapping::Ecs => "ecs".into(),
            Mapping::Catalog(name) => format!("catalog:{name}"),
        }
    }
}

/// How a stream is getting on. One for each stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamHealth {
    /// The stream.
    pub stream: String,
    /// When a delivery succeeded last, milliseconds.
    pub last_success_at: Option<i64>,
    /// Events delivered since the stream was made, repeated ones included.
    pub delivered: u64,
    /// Why the last delivery failed; `None` when it succeeded.
    pub last_error: Option<String>,
    /// Since when deliveries fail, milliseconds.
    pub failing_since: Option<i64>,
    /// Deliveries that failed one after the other.
    pub failures: u32,
    /// When it is tried again, milliseconds.
    pub retry_at: Option<i64>,
    /// Events that expired before they could be delivered.
    pub expired: u64,
    /// Whether its lag was told.
    pub alarmed: bool,
}

/// How far a stream has come in one organization's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPosition {
    /// The stream.
    pub stream: String,
    /// Project of the organization.
    pub project: String,
    /// The organization.
    pub organization: String,
    /// The ledger's epoch that the sequences are of.
    pub epoch: u32,
    /// The first sequence that is not delivered.
    pub next: u64,
    /// The end of the delivery that may have begun: a repetition is of exactly `next..end`.
    pub end: Option<u64>,
}

/// An event that a destination did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedEvent {
    /// The stream.
    pub stream: String,
    /// Project of the organization.
    pub project: String,
    /// The organization.
    pub organization: String,
    /// The event's sequence.
    pub sequence: u64,
    /// Its Log ID.
    pub event: String,
    /// What the destination said.
    pub reason: String,
    /// Milliseconds.
    pub parked_at: i64,
}

impl Destination {
    /// The server that secrets are for: a destination of another one has to be given its own.
    pub fn server(&self) -> String {
        let origin = |url: &str| url.split('/').take(3).collect::<Vec<_>>().join("/");
        let at = |endpoint: &Option<String>| endpoint.as_deref().map(origin).unwrap_or_default();
        match self {
            Self::S3 { endpoint, .. } => format!("s3 {}", at(endpoint)),
            Self::Gcs { endpoint, .. } => format!("gcs {}", at(endpoint)),
            Self::AzureBlob { account, endpoint, .. } => format!("azure_blob {account} {}", at(endpoint)),
            Self::Webhook { url, .. } => format!("webhook {}", origin(url)),
            Self::SplunkHec { url, .. } => format!("splunk_hec {}", origin(url)),
            Self::Datadog { site, url, .. } => format!("datadog {site} {}", at(url)),
            Self::Elasticsearch { url, .. } => format!("elasticsearch {}", origin(url)),
            Self::Syslog { host, port, .. } => format!("syslog {host}:{port}"),
            Self::Otlp { url, .. } => format!("otlp {}", origin(url)),
        }
    }
}
