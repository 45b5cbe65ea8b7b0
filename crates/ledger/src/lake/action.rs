//! The actions of Delta Lake's protocol that the table's log is made of, as JSON.
//!
//! Invariants
//! - What is said of a segment follows from the segment alone, so that the log and its checkpoints say the same.
//! - Names of objects need no escaping in an URL.

use std::sync::LazyLock;

use parquet::{
    basic::{LogicalType, Type},
    schema::types::ColumnDescriptor,
};
use serde::Serialize;
use trailbook_event::Timestamp;

use crate::{database::StoredSegment, segment};

/// The lowest version of the protocol suffices to read.
pub(super) const READER_VERSION: i32 = 1;
/// From this version on writers must know the features by name …
pub(super) const WRITER_VERSION: i32 = 7;
/// … and nobody but us knows this one: others can neither write, nor delete what they take for left over.
pub(super) const WRITER_FEATURE: &str = "trailbook";
/// The table's name.
pub(super) const TABLE_NAME: &str = "events";
/// What the table's files are.
pub(super) const PROVIDER: &str = "parquet";

/// The setting that says of which columns the log knows bounds …
pub(super) const BOUNDED: &str = "delta.dataSkippingStatsColumns";
/// … which are these. Without it deltalake 1.6 takes what is not known of others for null, and finds nothing by them.
pub(super) const BOUNDED_COLUMNS: &str = "received_at,occurred_at";

/// The table's columns: those of segments.
pub(super) static SCHEMA: LazyLock<String> = LazyLock::new(|| {
    let columns = segment::schema();
    let fields = columns.columns().iter().map(|column| Field {
        name: column.name(),
        kind: kind(column),
        // What a file never lacks is not promised for the files to come.
        nullable: true,
        metadata: Empty {},
    });
    json(&Fields {
        kind: "struct",
        fields: fields.collect(),
    })
});

/// What a column of the Parquet file is in the table.
fn kind(column: &ColumnDescriptor) -> &'static str {
    match (column.physical_type(), column.logical_type_ref()) {
        (Type::INT64, Some(LogicalType::Timestamp { .. })) => "timestamp",
        (Type::INT64, _) => "long",
        (Type::BOOLEAN, _) => "boolean",
        (Type::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Json)) => "string",
        _ => "binary",
    }
}

#[derive(Serialize)]
struct Fields<'c> {
    #[serde(rename = "type")]
    kind: &'static str,
    fields: Vec<Field<'c>>,
}

#[derive(Serialize)]
struct Field<'c> {
    name: &'c str,
    #[serde(rename = "type")]
    kind: &'static str,
    nullable: bool,
    metadata: Empty,
}

/// `{}`: no partitions, no options.
#[derive(Debug, Serialize)]
pub(super) struct Empty {}

/// One line of a version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Action<'s> {
    /// Who made the version and why.
    CommitInfo {
        timestamp: i64,
        operation: &'static str,
        operation_parameters: Parameters,
        engine_info: &'static str,
    },
    /// Who may read and write.
    Protocol {
        min_reader_version: i32,
        min_writer_version: i32,
        writer_features: [&'static str; 1],
    },
    /// What the table is.
    MetaData {
        id: &'s str,
        name: &'static str,
        format: Format,
        schema_string: &'static str,
        partition_columns: [&'static str; 0],
        configuration: Configuration,
    },
    /// A file is part of the table.
    Add {
        path: &'s str,
        partition_values: Empty,
        size: u64,
        modification_time: i64,
        data_change: bool,
        stats: String,
    },
    /// A file is not part of it any more.
    Remove {
        path: &'s str,
        deletion_timestamp: i64,
        data_change: bool,
        extended_file_metadata: bool,
        partition_values: Empty,
        size: u64,
    },
}

/// What a version says of itself. Values are text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    /// The table has the events of the commits up to this one.
    sealed_through: String,
}

/// The table's settings, under the names that the protocol gives them.
#[derive(Debug, Serialize)]
pub(super) struct Configuration {
    #[serde(rename = "delta.dataSkippingStatsColumns")]
    bounded: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Format {
    provider: &'static str,
    options: Empty,
}

/// What is known of a file without reading it: these columns are never null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    num_records: u64,
    min_values: Times<String>,
    max_values: Times<String>,
    null_count: Times<u64>,
}

#[derive(Serialize)]
struct Times<T> {
    received_at: T,
    occurred_at: T,
}

impl<'s> Action<'s> {
    pub(super) fn info(operation: &'static str, sealed_through: u64, now: i64) -> Self {
        Self::CommitInfo {
            timestamp: now,
            operation,
            operation_parameters: Parameters {
                sealed_through: sealed_through.to_string(),
            },
            engine_info: concat!("Trailbook/", env!("CARGO_PKG_VERSION")),
        }
    }

    pub(super) fn protocol() -> Self {
        Self::Protocol {
            min_reader_version: READER_VERSION,
            min_writer_version: WRITER_VERSION,
            writer_features: [WRITER_FEATURE],
        }
    }

    pub(super) fn table(id: &'s str) -> Self {
        Self::MetaData {
            id,
            name: TABLE_NAME,
            format: Format {
                provider: PROVIDER,
                options: Empty {},
            },
            schema_string: &SCHEMA,
            partition_columns: [],
            configuration: Configuration {
                bounded: BOUNDED_COLUMNS,
            },
        }
    }

    pub(super) fn add(segment: &'s StoredSegment, data_change: bool) -> Self {
        Self::Add {
            path: &segment.data.name,
            partition_values: Empty {},
            size: segment.data.bytes,
            modification_time: modification_time(segment),
            data_change,
            stats: stats(segment),
        }
    }

    pub(super) fn remove(segment: &'s StoredSegment, now: i64, data_change: bool) -> Self {
        Self::Remove {
            path: &segment.data.name,
            deletion_timestamp: now,
            data_change,
            extended_file_metadata: true,
            partition_values: Empty {},
            size: segment.data.bytes,
        }
    }

    pub(super) fn to_json(&self) -> String {
        json(self)
    }
}

/// When the file was made, about: it is not kept, but it cannot have been before the newest of its events.
pub(super) fn modification_time(segment: &StoredSegment) -> i64 {
    segment.received.1
}

/// What engines may use to pass over a file.
pub(super) fn stats(segment: &StoredSegment) -> String {
    let times = |received, occurred| Times {
        received_at: Timestamp::from_millis(received).to_string(),
        occurred_at: Timestamp::from_millis(occurred).to_string(),
    };
    json(&Stats {
        num_records: segment.events,
        min_values: times(segment.received.0, segment.occurred.0),
        max_values: times(segment.received.1, segment.occurred.1),
        null_count: Times {
            received_at: 0,
            occurred_at: 0,
        },
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and flags under fixed names")
}
