//! The columns of a file: what each takes from an event, and its values until the row group ends.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType},
    data_type::{BoolType, ByteArray, ByteArrayType, Int64Type},
    errors::ParquetError,
    file::writer::SerializedColumnWriter,
    schema::types::{PrimitiveTypeBuilder, Type, TypePtr},
};
use trailbook_event::{Target, Timestamp};

use crate::csv::{Column, OfTime, Source};

/// A column, and its values of the row group at hand.
pub(super) struct Field {
    name: String,
    what: What,
    /// For each value and each place without one the definition level: 0 for nothing, and most for a value.
    definitions: Vec<i16>,
    /// In lists the repetition level with each of these: 0 begins a row.
    repetitions: Vec<i16>,
}

/// What a column takes from an event, and what it has taken, without places for what is null.
enum What {
    Numbers(fn(&Source<'_>) -> u64, Vec<i64>),
    Flags(fn(&Source<'_>) -> bool, Vec<bool>),
    Times(OfTime, Vec<i64>),
    Texts(Column, Texts),
    Lists(OfList, Texts),
}

/// Hands out the places of a list, one after the other.
type OfList = fn(&Source<'_>, &mut dyn FnMut(Option<&str>));

/// Texts in one piece.
#[derive(Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
}

/// Definition levels: of null and of an empty list, and of a value.
const NOTHING: i16 = 0;
const THERE: i16 = 1;
/// Definition levels of a list's places: of one that is null, and of one with a value.
const NULL_PLACE: i16 = 1;
const FULL_PLACE: i16 = 2;

impl Field {
    /// The columns of a file without a choice of columns. docs/formats/export.md lists them.
    pub(super) fn all() -> Vec<Self> {
        let of = |path| What::of(Column::parse(path).expect("a path of every event"));
        let fields = [
            ("id", of("id")),
            ("project", of("project")),
            ("organization", of("organization")),
            ("sequence", What::Numbers(|source| source.row.sequence, Vec::new())),
            ("epoch", What::Numbers(|source| source.row.epoch.into(), Vec::new())),
            ("received_at", of("received_at")),
            ("occurred_at", of("occurred_at")),
            ("expires_at", of("expires_at")),
            ("action", of("action")),
            ("action_type", of("action_type")),
            ("area", of("area")),
            ("product", of("product")),
            ("description", of("description")),
            ("security", What::Flags(|source| source.event.security, Vec::new())),
            ("result", of("result")),
            ("actor_type", of("actor.type")),
            ("actor_id", of("actor.id")),
            ("actor_name", of("actor.name")),
            ("actor_email", of("actor.email")),
            ("actor_team", of("actor.team")),
            (
                "target_types",
                What::list(|source, place| targets(source, |target| Some(&target.kind), place)),
            ),
            (
                "target_ids",
                What::list(|source, place| targets(source, |target| target.id.as_deref(), place)),
            ),
            (
                "target_names",
                What::list(|source, place| targets(source, |target| target.name.as_deref(), place)),
            ),
            (
                "target_emails",
                What::list(|source, place| targets(source, |target| target.email.as_deref(), place)),
            ),
            ("ip", of("context.ip")),
            ("country", of("country")),
            ("user_agent", of("context.user_agent")),
            ("url", of("context.url")),
            ("referrer", of("context.referrer")),
            ("trace_id", of("trace_id")),
            ("client_id", of("client_id")),
            ("changes", of("changes")),
            ("metadata", of("metadata")),
            ("message", of("message")),
            ("redacted", What::list(redacted)),
        ];
        fields
            .into_iter()
            .map(|(name, what)| Self::new(name.to_owned(), what))
            .collect()
    }

    /// These columns, the first of each name.
    pub(super) fn chosen(columns: Vec<Column>) -> Vec<Self> {
        let mut names = HashSet::new();
        let fields = columns
            .into_iter()
            .map(|column| Self::new(column.id().to_owned(), What::of(column)));
        fields.filter(|field| names.insert(field.name.clone())).collect()
    }

    fn new(name: String, what: What) -> Self {
        Self {
            name,
            what,
            definitions: Vec::new(),
            repetitions: Vec::new(),
        }
    }

    /// The column in the file's schema.
    pub(super) fn column(&self) -> Result<TypePtr, ParquetError> {
        let name = &self.name;
        let column = match &self.what {
            What::Numbers(..) => optional(name, PhysicalType::INT64).build(),
            What::Flags(..) => optional(name, PhysicalType::BOOLEAN).build(),
            What::Times(..) => optional(name, PhysicalType::INT64)
                .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
                .build(),
            What::Texts(..) => text(name),
            What::Lists(..) => list(name),
        };
        column.map(Arc::new)
    }

    /// Takes what an event says.
    pub(super) fn push(&mut self, source: &Source<'_>) {
        let is_there = match &mut self.what {
            What::Numbers(of, numbers) => {
                numbers.push(of(source) as i64);
                true
            }
            What::Flags(of, flags) => {
                flags.push(of(source));
                true
            }
            What::Times(of, millis) => {
                let time = of(source);
                millis.extend(time.map(Timestamp::millis));
                time.is_some()
            }
            What::Texts(column, texts) => {
                let is_there = column.write(source, &mut texts.text);
                texts.end_if(is_there)
            }
            What::Lists(of, texts) => {
                let start = self.definitions.len();
                of(source, &mut |place| {
                    texts.text.push_str(place.unwrap_or_default());
                    let is_full = texts.end_if(place.is_some());
                    self.repetitions.push(i16::from(self.definitions.len() > start));
                    self.definitions.push(if is_full { FULL_PLACE } else { NULL_PLACE });
                });
                if self.definitions.len() > start {
                    return;
                }
                self.repetitions.push(0);
                false
            }
        };
        self.definitions.push(if is_there { THERE } else { NOTHING });
    }

    /// Bytes of the values that are held.
    pub(super) fn bytes(&self) -> usize {
        match &self.what {
            What::Numbers(_, numbers) | What::Times(_, numbers) => size_of_val(&numbers[..]),
            What::Flags(_, flags) => flags.len(),
            What::Texts(_, texts) | What::Lists(_, texts) => texts.text.len() + size_of_val(&texts.ends[..]),
        }
    }

    /// Hands over what was pushed, and keeps nothing of it.
    pub(super) fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let is_list = matches!(self.what, What::Lists(..));
        let definitions = Some(&self.definitions[..]);
        let repetitions = is_list.then_some(&self.repetitions[..]);
        match &mut self.what {
            What::Numbers(_, numbers) | What::Times(_, numbers) => {
                column
                    .typed::<Int64Type>()
                    .write_batch(numbers, definitions, repetitions)?;
                numbers.clear();
            }
            What::Flags(_, flags) => {
                column
                    .typed::<BoolType>()
                    .write_batch(flags, definitions, repetitions)?;
                flags.clear();
            }
            What::Texts(_, texts) | What::Lists(_, texts) => {
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&texts.take(), definitions, repetitions)?;
            }
        }
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }
}

impl What {
    fn of(column: Column) -> Self {
        match column.of_time() {
            Some(time) => Self::Times(time, Vec::new()),
            None => Self::Texts(column, Texts::default()),
        }
    }

    fn list(of: OfList) -> Self {
        Self::Lists(of, Texts::default())
    }
}

impl Texts {
    /// Ends a text, if there is one.
    fn end_if(&mut self, is_there: bool) -> bool {
        if is_there {
            self.ends.push(self.text.len());
        }
        is_there
    }

    /// What is there, and nothing stays.
    fn take(&mut self) -> Vec<ByteArray> {
        let text = Bytes::from(std::mem::take(&mut self.text));
        let mut start = 0;
        let slice = |end| ByteArray::from(text.slice(std::mem::replace(&mut start, end)..end));
        self.ends.drain(..).map(slice).collect()
    }
}

fn targets(
    source: &Source<'_>,
    of: for<'t> fn(&'t Target<'_>) -> Option<&'t str>,
    place: &mut dyn FnMut(Option<&str>),
) {
    source.event.targets.iter().for_each(|target| place(of(target)));
}

fn redacted(source: &Source<'_>, place: &mut dyn FnMut(Option<&str>)) {
    source.row.redacted().iter().for_each(|part| place(Some(part.name())));
}

fn optional(name: &str, kind: PhysicalType) -> PrimitiveTypeBuilder<'_> {
    Type::primitive_type_builder(name, kind).with_repetition(Repetition::OPTIONAL)
}

fn text(name: &str) -> Result<Type, ParquetError> {
    optional(name, PhysicalType::BYTE_ARRAY)
        .with_logical_type(Some(LogicalType::String))
        .build()
}

/// A list of texts in the three levels of the format's document.
fn list(name: &str) -> Result<Type, ParquetError> {
    let places = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(text("element")?)])
        .build()?;
    Type::group_type_builder(name)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(places)])
        .build()
}
