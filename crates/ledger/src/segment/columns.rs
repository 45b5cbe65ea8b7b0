//! The columns of the Parquet file: which there are, how an event falls into them and how it comes back.
//!
//! Invariant: what [`Columns::push`] took apart, [`Record::into_row`] puts together again, byte for byte; the first checks it.

use std::borrow::Cow;

use bytes::Bytes;
use parquet::{
    basic::{Encoding, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{ByteArray, FixedLenByteArray},
    schema::types::{Type, TypePtr},
};
use trailbook_event::{Actor, Context, Event, Part, Parts, Target, Timestamp};
use trailbook_merkle::Hash;

use super::Parsed;
use crate::{Error, EventId, OrganizationKey, PartSecret, Row, Secrets};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// UTF-8.
    Text,
    /// Bytes: canonical JSON, or the secrets of a redacted event.
    Bytes,
    /// 16 bytes.
    Fixed,
    Integer,
    Small,
    Time,
    Boolean,
}

/// A column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) optional: bool,
    /// How values are encoded; `None` is a dictionary with large pages, for columns of few distinct values.
    pub(super) encoding: Option<Encoding>,
}

const fn column(name: &'static str, kind: Kind, optional: bool, encoding: Option<Encoding>) -> Column {
    Column {
        name,
        kind,
        optional,
        encoding,
    }
}

macro_rules! columns {
    ($($id:ident $name:literal $kind:ident $optional:literal $encoding:expr;)*) => {
        /// A column's place in the file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Id { $($id),* }

        impl Id {
            /// All columns.
            pub(super) const ALL: &[Self] = &[$(Self::$id),*];
        }

        /// All columns, in the order of the file.
        pub(super) const COLUMNS: &[Column] = &[$(column($name, Kind::$kind, $optional, $encoding)),*];
    };
}

const FEW: Option<Encoding> = None;
const PLAIN: Option<Encoding> = Some(Encoding::PLAIN);
const DELTA: Option<Encoding> = Some(Encoding::DELTA_BINARY_PACKED);

columns! {
    Project "project" Text false FEW;
    Organization "organization" Text false FEW;
    Sequence "sequence" Integer false DELTA;
    Commit "commit" Integer false DELTA;
    Id "id" Fixed false PLAIN;
    Epoch "epoch" Small false FEW;
    ReceivedAt "received_at" Time false DELTA;
    OccurredAt "occurred_at" Time false DELTA;
    Action "action" Text false FEW;
    ActionType "action_type" Text false FEW;
    Area "area" Text true FEW;
    Product "product" Text true FEW;
    Description "description" Text true PLAIN;
    Security "security" Boolean false PLAIN;
    Result "result" Text false FEW;
    TraceId "trace_id" Text true PLAIN;
    ClientId "client_id" Text true PLAIN;
    ActorType "actor_type" Text false FEW;
    ActorId "actor_id" Text true PLAIN;
    ActorName "actor_name" Text true PLAIN;
    ActorEmail "actor_email" Text true PLAIN;
    ActorTeam "actor_team" Text true FEW;
    TargetType "target_type" Text true FEW;
    TargetId "target_id" Text true PLAIN;
    TargetName "target_name" Text true PLAIN;
    TargetEmail "target_email" Text true PLAIN;
    Ip "ip" Text true PLAIN;
    UserAgent "user_agent" Text true PLAIN;
    Url "url" Text true PLAIN;
    Referrer "referrer" Text true PLAIN;
    Country "country" Text true FEW;
    Targets "targets" Bytes true PLAIN;
    Details "details" Bytes false PLAIN;
    Nonce "nonce" Fixed true PLAIN;
    Redaction "redaction" Bytes true PLAIN;
}

/// The file's schema.
pub(super) fn schema() -> TypePtr {
    let fields = COLUMNS.iter().map(|column| {
        let (physical, logical) = match column.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Bytes => (Physical::BYTE_ARRAY, None),
            Kind::Fixed => (Physical::FIXED_LEN_BYTE_ARRAY, None),
            Kind::Integer => (Physical::INT64, None),
            Kind::Small => (Physical::INT32, None),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
            Kind::Boolean => (Physical::BOOLEAN, None),
        };
        let logical = if column.name == "id" {
            Some(LogicalType::Uuid)
        } else {
            logical
        };
        let repetition = if column.optional {
            Repetition::OPTIONAL
        } else {
            Repetition::REQUIRED
        };
        let field = Type::primitive_type_builder(column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .with_length(if column.kind == Kind::Fixed { 16 } else { -1 })
            .build();
        field.map(std::sync::Arc::new)
    });
    let fields = fields
        .collect::<Result<Vec<_>, _>>()
        .expect("the columns are well-formed");
    let schema = Type::group_type_builder("events").with_fields(fields).build();
    std::sync::Arc::new(schema.expect("the columns are well-formed"))
}

/// The values of one column of a row group.
#[derive(Debug)]
pub(super) enum Values {
    /// Texts and bytes: where each ends in the row group's bytes of this column; and 1 where there is a value.
    Bytes(Vec<u8>, Vec<usize>, Vec<i16>),
    Fixed(Vec<[u8; 16]>, Vec<i16>),
    Long(Vec<i64>),
    Int(Vec<i32>),
    Boolean(Vec<bool>),
}

impl Values {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text | Kind::Bytes => Self::Bytes(Vec::new(), Vec::new(), Vec::new()),
            Kind::Fixed => Self::Fixed(Vec::new(), Vec::new()),
            Kind::Integer | Kind::Time => Self::Long(Vec::new()),
            Kind::Small => Self::Int(Vec::new()),
            Kind::Boolean => Self::Boolean(Vec::new()),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Bytes(bytes, ends, present) => {
                bytes.clear();
                ends.clear();
                present.clear();
            }
            Self::Fixed(values, present) => {
                values.clear();
                present.clear();
            }
            Self::Long(values) => values.clear(),
            Self::Int(values) => values.clear(),
            Self::Boolean(values) => values.clear(),
        }
    }
}

/// Rows taken apart into columns.
pub(super) struct Columns {
    values: Vec<Values>,
    rows: usize,
}

impl Columns {
    pub(super) fn new() -> Self {
        Self {
            values: COLUMNS.iter().map(|column| Values::new(column.kind)).collect(),
            rows: 0,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn values(&self, column: usize) -> &Values {
        &self.values[column]
    }

    pub(super) fn clear(&mut self) {
        self.values.iter_mut().for_each(Values::clear);
        self.rows = 0;
    }

    fn bytes(&mut self, id: Id, value: Option<&[u8]>) {
        if let Values::Bytes(bytes, ends, present) = &mut self.values[id as usize] {
            present.push(i16::from(value.is_some()));
            if let Some(value) = value {
                bytes.extend_from_slice(value);
                ends.push(bytes.len());
            }
        }
    }

    fn text(&mut self, id: Id, text: &str) {
        self.bytes(id, Some(text.as_bytes()));
    }

    fn optional(&mut self, id: Id, text: &Option<Cow<'_, str>>) {
        self.bytes(id, text.as_ref().map(|text| text.as_bytes()));
    }

    fn fixed(&mut self, id: Id, value: Option<&[u8; 16]>) {
        if let Values::Fixed(values, present) = &mut self.values[id as usize] {
            present.push(i16::from(value.is_some()));
            values.extend(value);
        }
    }

    fn long(&mut self, id: Id, value: i64) {
        if let Values::Long(values) = &mut self.values[id as usize] {
            values.push(value);
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a row whose parts are not what its event says.
    pub(super) fn push(&mut self, key: &OrganizationKey, parsed: &Parsed<'_>) -> Result<(), Error> {
        let Parsed { row, event } = parsed;
        let targets = (event.targets.len() > 1).then(|| row.parts.part(Part::Targets));
        let details = row.parts.part(Part::Details);
        let again = event.to_parts_with(targets, details);
        if again.bytes() != row.parts.bytes()
            || again.ends() != row.parts.ends()
            || event.occurred_at != row.occurred_at
        {
            return Err(Error::corrupt(format!(
                "event {} (sequence {} of {key}) is not in its canonical form; run `trailbook fsck`",
                row.id, row.sequence
            )));
        }
        self.rows += 1;
        self.text(Id::Project, key.project());
        self.long(Id::Sequence, row.sequence as i64);
        self.long(Id::Commit, row.commit as i64);
        self.fixed(Id::Id, Some(row.id.bytes()));
        if let Values::Int(values) = &mut self.values[Id::Epoch as usize] {
            values.push(row.epoch as i32);
        }
        self.long(Id::ReceivedAt, row.received_at.millis());
        self.push_event(event);
        self.bytes(Id::Country, row.country.as_ref().map(|code| &code[..]));
        self.bytes(Id::Targets, targets);
        self.bytes(Id::Details, Some(details));
        let (nonce, redaction) = match &row.secrets {
            Secrets::Nonce(nonce) => (Some(nonce), None),
            Secrets::Redacted(secrets) => (None, Some(PartSecret::encode(secrets))),
        };
        self.fixed(Id::Nonce, nonce);
        self.bytes(Id::Redaction, redaction.as_deref());
        Ok(())
    }

    fn push_event(&mut self, event: &Event<'_>) {
        self.text(Id::Organization, &event.organization);
        self.long(Id::OccurredAt, event.occurred_at.millis());
        self.text(Id::Action, &event.action);
        self.text(Id::ActionType, &event.action_type);
        self.optional(Id::Area, &event.area);
        self.optional(Id::Product, &event.product);
        self.optional(Id::Description, &event.description);
        if let Values::Boolean(values) = &mut self.values[Id::Security as usize] {
            values.push(event.security);
        }
        self.text(Id::Result, &event.result);
        self.optional(Id::TraceId, &event.trace_id);
        self.optional(Id::ClientId, &event.client_id);
        self.text(Id::ActorType, &event.actor.kind);
        self.optional(Id::ActorId, &event.actor.id);
        self.optional(Id::ActorName, &event.actor.name);
        self.optional(Id::ActorEmail, &event.actor.email);
        self.optional(Id::ActorTeam, &event.actor.team);
        let target = event.targets.first();
        self.bytes(Id::TargetType, target.map(|target| target.kind.as_bytes()));
        let field = |text: Option<&Option<Cow<'_, str>>>| {
            text.and_then(|text| text.as_ref().map(|text| text.as_bytes().to_vec()))
        };
        self.bytes(Id::TargetId, field(target.map(|target| &target.id)).as_deref());
        self.bytes(Id::TargetName, field(target.map(|target| &target.name)).as_deref());
        self.bytes(Id::TargetEmail, field(target.map(|target| &target.email)).as_deref());
        self.optional(Id::Ip, &event.context.ip);
        self.optional(Id::UserAgent, &event.context.user_agent);
        self.optional(Id::Url, &event.context.url);
        self.optional(Id::Referrer, &event.context.referrer);
    }
}

/// The columns of a row, as read.
pub(super) struct Record {
    pub(super) sequence: i64,
    pub(super) commit: i64,
    pub(super) id: FixedLenByteArray,
    pub(super) epoch: i32,
    pub(super) received_at: i64,
    pub(super) occurred_at: i64,
    pub(super) security: bool,
    /// By column; only those of texts and bytes.
    pub(super) texts: Vec<Option<ByteArray>>,
    pub(super) nonce: Option<FixedLenByteArray>,
}

impl Record {
    fn bytes(&self, id: Id) -> Option<&[u8]> {
        self.texts[id as usize].as_ref().map(ByteArray::data)
    }

    /// A text; the error is for bytes that are no UTF-8.
    fn text(&self, id: Id) -> Result<Option<Cow<'_, str>>, &'static str> {
        self.bytes(id)
            .map(|bytes| std::str::from_utf8(bytes).map(Cow::Borrowed))
            .transpose()
            .map_err(|_| "a text is no UTF-8")
    }

    fn required(&self, id: Id) -> Result<Cow<'_, str>, &'static str> {
        self.text(id)?.ok_or("a value is missing")
    }

    /// The row, put together; what is wrong with it otherwise. `leaf_hash` is not compared here.
    pub(super) fn into_row(self, leaf_hash: Hash) -> Result<Row, &'static str> {
        let secrets = match (&self.nonce, self.bytes(Id::Redaction)) {
            (Some(nonce), None) => Secrets::Nonce(nonce.data().try_into().map_err(|_| "a nonce is malformed")?),
            (None, Some(secrets)) => Secrets::Redacted(PartSecret::decode(secrets).ok_or("a redaction is malformed")?),
            _ => return Err("a row has both a nonce and a redaction, or neither"),
        };
        let range = Timestamp::parse("0001-01-01T00:00:00Z")..=Timestamp::parse("9999-12-31T23:59:59.999Z");
        if !range.contains(&Some(Timestamp::from_millis(self.occurred_at))) {
            return Err("a time is out of range");
        }
        let id: [u8; 16] = self.id.data().try_into().map_err(|_| "a Log ID is malformed")?;
        let country = self.bytes(Id::Country).map(<[u8; 2]>::try_from).transpose();
        let event = self.event()?;
        let details = self.bytes(Id::Details).ok_or("a value is missing")?;
        let parts = event.to_parts_with(self.bytes(Id::Targets), details);
        let ends = parts.ends();
        let parts = Parts::new(Bytes::from(parts.bytes().clone()), ends).ok_or("its parts are malformed")?;
        Ok(Row {
            sequence: self.sequence as u64,
            commit: self.commit as u64,
            id: EventId::from_bytes(id),
            epoch: self.epoch as u32,
            received_at: Timestamp::from_millis(self.received_at),
            occurred_at: Timestamp::from_millis(self.occurred_at),
            country: country.map_err(|_| "a country is malformed")?,
            secrets,
            leaf_hash,
            parts,
        })
    }

    /// What the columns say of the event; details, and targets if there are several, are in columns of their own.
    fn event(&self) -> Result<Event<'_>, &'static str> {
        let target = self.text(Id::TargetType)?.map(|kind| -> Result<_, &'static str> {
            Ok(Target {
                kind,
                id: self.text(Id::TargetId)?,
                name: self.text(Id::TargetName)?,
                email: self.text(Id::TargetEmail)?,
            })
        });
        Ok(Event {
            organization: self.required(Id::Organization)?,
            client_id: self.text(Id::ClientId)?,
            occurred_at: Timestamp::from_millis(self.occurred_at),
            action: self.required(Id::Action)?,
            action_type: self.required(Id::ActionType)?,
            area: self.text(Id::Area)?,
            product: self.text(Id::Product)?,
            description: self.text(Id::Description)?,
            security: self.security,
            result: self.required(Id::Result)?,
            trace_id: self.text(Id::TraceId)?,
            actor: Actor {
                kind: self.required(Id::ActorType)?,
                id: self.text(Id::ActorId)?,
                name: self.text(Id::ActorName)?,
                email: self.text(Id::ActorEmail)?,
                team: self.text(Id::ActorTeam)?,
            },
            targets: target.transpose()?.into_iter().collect(),
            context: Context {
                ip: self.text(Id::Ip)?,
                user_agent: self.text(Id::UserAgent)?,
                url: self.text(Id::Url)?,
                referrer: self.text(Id::Referrer)?,
            },
            changes: Vec::new(),
            metadata: None,
            message: None,
        })
    }
}
