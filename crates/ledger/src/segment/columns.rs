//! The columns of the Parquet file: names, types, order, encodings.
//!
//! Invariant: the order of [`Column`] is the order of the leaves of [`schema`].

use std::sync::{Arc, LazyLock};

use parquet::{
    basic::{Compression as Codec, Encoding, ZstdLevel},
    errors::ParquetError,
    file::properties::{EnabledStatistics, WriterProperties, WriterVersion},
    schema::{
        parser::parse_message_type,
        types::{ColumnDescPtr, ColumnPath, SchemaDescPtr, SchemaDescriptor},
    },
};

use super::Compression;

/// Rows of a page, unless they are so long that it reaches [`PAGE_BYTES`]. What one row costs to read.
pub(super) const PAGE_ROWS: usize = 512;
/// Rows of a page of `details`, which are half of an event's bytes.
const DETAILS_PAGE_ROWS: usize = PAGE_ROWS / 2;
/// Bytes of a page before compression, about; a single value may be longer.
const PAGE_BYTES: usize = 1 << 20;
/// A dictionary ends here: whoever reads one row reads the dictionaries of its row group.
const DICTIONARY_BYTES: usize = 1 << 16;

/// A page that compresses to more than this share of its bytes stays as it is: reading it is then cheaper.
const WORTH_COMPRESSING: f64 = 0.9;

/// Declares [`Column`] and its list from one list of names.
macro_rules! columns {
    ($($name:ident),* $(,)?) => {
        /// A column, by its place in the file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(usize)]
        pub(super) enum Column {
            $($name),*
        }

        impl Column {
            /// All columns in their order.
            pub(super) const ALL: [Self; COLUMNS] = [$(Self::$name),*];
        }
    };
}

columns! {
    Project,
    Organization,
    Sequence,
    Commit,
    Id,
    Epoch,
    ReceivedAt,
    OccurredAt,
    Action,
    ActionType,
    Area,
    Product,
    Description,
    Security,
    Result,
    TraceId,
    ClientId,
    ActorType,
    ActorId,
    ActorName,
    ActorEmail,
    ActorTeam,
    TargetType,
    TargetId,
    TargetName,
    TargetEmail,
    Ip,
    UserAgent,
    Url,
    Referrer,
    Country,
    Targets,
    Details,
    Nonce,
    Redaction,
}

/// How many columns there are.
pub(super) const COLUMNS: usize = 35;

/// What the values of a column are in Parquet's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// INT64.
    Number,
    /// BOOLEAN.
    Flag,
    /// BYTE_ARRAY.
    Bytes,
    /// FIXED_LEN_BYTE_ARRAY.
    Fixed,
}

const SCHEMA: &str = "
message event {
  REQUIRED BYTE_ARRAY project (STRING);
  REQUIRED BYTE_ARRAY organization (STRING);
  REQUIRED INT64 sequence;
  REQUIRED INT64 commit;
  REQUIRED FIXED_LEN_BYTE_ARRAY(16) id (UUID);
  REQUIRED INT64 epoch;
  REQUIRED INT64 received_at (TIMESTAMP(MILLIS,true));
  REQUIRED INT64 occurred_at (TIMESTAMP(MILLIS,true));
  REQUIRED BYTE_ARRAY action (STRING);
  REQUIRED BYTE_ARRAY action_type (STRING);
  OPTIONAL BYTE_ARRAY area (STRING);
  OPTIONAL BYTE_ARRAY product (STRING);
  OPTIONAL BYTE_ARRAY description (STRING);
  REQUIRED BOOLEAN security;
  REQUIRED BYTE_ARRAY result (STRING);
  OPTIONAL BYTE_ARRAY trace_id (STRING);
  OPTIONAL BYTE_ARRAY client_id (STRING);
  REQUIRED BYTE_ARRAY actor_type (STRING);
  OPTIONAL BYTE_ARRAY actor_id (STRING);
  OPTIONAL BYTE_ARRAY actor_name (STRING);
  OPTIONAL BYTE_ARRAY actor_email (STRING);
  OPTIONAL BYTE_ARRAY actor_team (STRING);
  OPTIONAL BYTE_ARRAY target_type (STRING);
  OPTIONAL BYTE_ARRAY target_id (STRING);
  OPTIONAL BYTE_ARRAY target_name (STRING);
  OPTIONAL BYTE_ARRAY target_email (STRING);
  OPTIONAL BYTE_ARRAY ip (STRING);
  OPTIONAL BYTE_ARRAY user_agent (STRING);
  OPTIONAL BYTE_ARRAY url (STRING);
  OPTIONAL BYTE_ARRAY referrer (STRING);
  OPTIONAL BYTE_ARRAY country (STRING);
  OPTIONAL BYTE_ARRAY targets (JSON);
  REQUIRED BYTE_ARRAY details (JSON);
  OPTIONAL FIXED_LEN_BYTE_ARRAY(16) nonce;
  OPTIONAL FIXED_LEN_BYTE_ARRAY(165) redaction;
}";

static DESCRIPTOR: LazyLock<SchemaDescPtr> = LazyLock::new(|| {
    let root = parse_message_type(SCHEMA).expect("the schema is a constant");
    Arc::new(SchemaDescriptor::new(Arc::new(root)))
});

/// The schema of the Parquet file.
pub(crate) fn schema() -> SchemaDescPtr {
    Arc::clone(&DESCRIPTOR)
}

impl Column {
    pub(super) fn descriptor(self) -> ColumnDescPtr {
        DESCRIPTOR.column(self as usize)
    }

    pub(super) fn name(self) -> &'static str {
        DESCRIPTOR.columns()[self as usize].name()
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Sequence | Self::Commit | Self::Epoch | Self::ReceivedAt | Self::OccurredAt => Kind::Number,
            Self::Security => Kind::Flag,
            Self::Id | Self::Nonce | Self::Redaction => Kind::Fixed,
            _ => Kind::Bytes,
        }
    }

    /// Whether a row may be without a value.
    pub(super) fn is_optional(self) -> bool {
        DESCRIPTOR.columns()[self as usize].max_def_level() > 0
    }

    /// Whether few values repeat, so that a dictionary pays.
    fn repeats(self) -> bool {
        self.kind() == Kind::Bytes
            && !matches!(
                self,
                Self::TraceId | Self::ClientId | Self::Description | Self::Targets | Self::Details
            )
    }

    /// Whether other engines may use the least and the greatest value of a row group.
    fn is_bounded(self) -> bool {
        matches!(
            self,
            Self::Project
                | Self::Organization
                | Self::Sequence
                | Self::Commit
                | Self::ReceivedAt
                | Self::OccurredAt
                | Self::Action
                | Self::Security
        )
    }
}

/// How the file is written. Nothing in it depends on the version of this program.
pub(super) fn properties(compression: Compression) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by("trailbook segment 1".to_owned())
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_data_page_v2_compression_ratio_threshold(WORTH_COMPRESSING)
        .set_compression(Codec::ZSTD(ZstdLevel::try_new(compression.0)?))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(DETAILS_PAGE_ROWS)
        .set_column_data_page_row_count_limit(ColumnPath::from(Column::Details.name()), DETAILS_PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_max_row_group_row_count(None)
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::None);
    for column in Column::ALL {
        let path = ColumnPath::from(column.name());
        properties = properties.set_column_dictionary_enabled(path.clone(), column.repeats());
        let encoding = match column.kind() {
            Kind::Number => Encoding::DELTA_BINARY_PACKED,
            Kind::Flag => Encoding::RLE,
            Kind::Bytes => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Kind::Fixed => Encoding::PLAIN,
        };
        properties = properties.set_column_encoding(path.clone(), encoding);
        if column.is_bounded() {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        }
    }
    Ok(properties.build())
}
