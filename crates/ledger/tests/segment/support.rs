//! Rows made by hand, and segments of them in a scratch directory.

use std::{
    borrow::Cow,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use proptest::prelude::*;
use tempfile::TempDir;
use trailbook_event::{Actor, Change, Context, Event, Part, Parts, Target, Timestamp, json::Value};
use trailbook_ledger::{
    Error, EventId, OrganizationKey, PartSecret, Row, Secrets,
    database::LedgerId,
    segment::{Compression, Contents, Indexer, Parsed, Run, Segment, TextColumn, Writer},
};
use trailbook_merkle::Hash;

/// The rows of a ledger, newest first.
pub(crate) struct Ledger {
    pub(crate) id: LedgerId,
    pub(crate) key: OrganizationKey,
    pub(crate) rows: Vec<Arc<Row>>,
}

/// "Indexes" the sequences.
pub(crate) struct Sequences;

impl Indexer for Sequences {
    fn index(&self, rows: &[Parsed<'_>]) -> Vec<u8> {
        rows.iter()
            .flat_map(|parsed| parsed.row.sequence.to_le_bytes())
            .collect()
    }
}

/// A segment's files.
pub(crate) struct Files {
    directory: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("segment.parquet")
    }

    pub(crate) fn bundle(&self) -> PathBuf {
        self.directory.path().join("segment.bundle")
    }

    pub(crate) fn open(&self) -> Result<Segment, Error> {
        Segment::open(&self.data(), &self.bundle())
    }

    pub(crate) fn writer(&self) -> Writer<'static> {
        let create = |path: &Path| File::create(path).unwrap();
        Writer::create(create(&self.data()), create(&self.bundle()), &Sequences, Compression(3)).unwrap()
    }
}

/// Writes ledgers into a new segment.
pub(crate) fn write(ledgers: &[Ledger]) -> (Files, Contents) {
    let files = Files::new();
    let mut writer = files.writer();
    for ledger in ledgers {
        writer.begin_run(ledger.id, &ledger.key).unwrap();
        for row in &ledger.rows {
            writer.push(Arc::clone(row)).unwrap();
        }
    }
    let contents = writer.finish().unwrap();
    (files, contents)
}

/// What is said about an event beside the event.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) sequence: u64,
    pub(crate) country: Option<[u8; 2]>,
    pub(crate) nonce: [u8; 16],
    /// The parts that were redacted.
    pub(crate) redacted: Vec<Part>,
}

/// The row of an event, as it would be stored: redacted after its leaf was made.
pub(crate) fn row(event: &Event<'_>, envelope: &Envelope) -> Arc<Row> {
    let sequence = envelope.sequence;
    let received_at = Timestamp::from_millis(1_790_000_000_000 + sequence as i64 * 10);
    let parts = event.to_parts();
    let ends = parts.ends();
    let mut row = Row {
        sequence,
        commit: 7 + sequence / 3,
        id: EventId::first(received_at.millis() as u64, [3; 10]),
        epoch: 1 + u32::from(sequence > 5),
        received_at,
        occurred_at: event.occurred_at,
        country: envelope.country,
        secrets: Secrets::Nonce(envelope.nonce),
        leaf_hash: Hash([0; 32]),
        parts: Parts::new(Bytes::from(parts.into_bytes()), ends).unwrap(),
    };
    row.leaf_hash = row.leaf_record().leaf_hash();
    if !envelope.redacted.is_empty() {
        redact(&mut row, event, &envelope.redacted);
    }
    Arc::new(row)
}

fn redact(row: &mut Row, event: &Event<'_>, removed: &[Part]) {
    let commitments = row.commitments();
    let secrets = Part::ALL.map(|part| match removed.contains(&part) {
        true => PartSecret::Commitment(commitments[usize::from(part.number()) - 1]),
        false => row.secret(part),
    });
    let empty = plain_event(&event.organization, "trailbook.redacted", event.occurred_at).to_parts();
    let kept = row.parts.clone();
    let (mut bytes, mut ends) = (Vec::new(), [0; 5]);
    for (part, end) in Part::ALL.into_iter().zip(&mut ends) {
        bytes.extend_from_slice(if removed.contains(&part) {
            empty.part(part)
        } else {
            kept.part(part)
        });
        *end = bytes.len() as u32;
    }
    row.parts = Parts::new(Bytes::from(bytes), ends).unwrap();
    row.secrets = Secrets::Redacted(Box::new(secrets));
}

/// An event that says next to nothing.
pub(crate) fn plain_event(organization: &str, action: &str, occurred_at: Timestamp) -> Event<'static> {
    Event {
        organization: Cow::Owned(organization.to_owned()),
        client_id: None,
        occurred_at,
        action: Cow::Owned(action.to_owned()),
        action_type: "other".into(),
        area: None,
        product: None,
        description: None,
        security: false,
        result: "success".into(),
        trace_id: None,
        actor: Actor {
            kind: "unknown".into(),
            id: None,
            name: None,
            email: None,
            team: None,
        },
        targets: Vec::new(),
        context: Context::default(),
        changes: Vec::new(),
        metadata: None,
        message: None,
    }
}

/// A ledger of events, their sequences in the order given; sorted as segments want them.
pub(crate) fn ledger(id: LedgerId, first_sequence: u64, events: Vec<(Event<'_>, Envelope)>) -> Ledger {
    let name = format!("organization-{id}");
    let mut rows: Vec<_> = (first_sequence..)
        .zip(events)
        .map(|(sequence, (mut event, envelope))| {
            event.organization = Cow::Owned(name.clone());
            row(&event, &Envelope { sequence, ..envelope })
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.occurred_at, row.sequence)));
    Ledger {
        id,
        key: OrganizationKey::new("project", name),
        rows,
    }
}

/// A ledger of `count` events that differ, none of them interesting. Without randomness.
pub(crate) fn plain_ledger(id: LedgerId, first_sequence: u64, count: u64) -> Ledger {
    let events = (0..count).map(|place| {
        let scrambled = place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let occurred_at = Timestamp::from_millis(1_789_999_000_000 + (place * 10 + scrambled % 700) as i64);
        let mut event = plain_event("", &format!("thing.{}", scrambled % 7), occurred_at);
        event.client_id = Some(format!("client-{place}").into());
        event.trace_id = (place % 3 == 0).then(|| format!("trace-{}", place / 9).into());
        event.security = place % 10 == 0;
        event.message = Some(format!("{scrambled:x}").into());
        let nonce = std::array::from_fn(|byte| (scrambled as u8).wrapping_add(byte as u8));
        (
            event,
            Envelope {
                sequence: 0,
                country: None,
                nonce,
                redacted: Vec::new(),
            },
        )
    });
    ledger(id, first_sequence, events.collect())
}

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    let character = prop_oneof![
        4 => prop::char::range('a', 'e'),
        1 => any::<char>().prop_filter("refused by admission", |character| *character != '\0'),
        1 => prop::sample::select(vec!['"', '\\', '\n', '\u{1f}', 'é', '😀']),
    ];
    prop::collection::vec(character, 0..8).prop_map(|characters| Cow::Owned(characters.into_iter().collect()))
}

fn optional() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    prop::option::of(text())
}

fn target() -> impl Strategy<Value = Target<'static>> {
    (text(), optional(), optional(), optional()).prop_map(|(kind, id, name, email)| Target { kind, id, name, email })
}

fn change() -> impl Strategy<Value = Change<'static>> {
    let value = prop_oneof![
        Just(Value::Null),
        text().prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool)
    ];
    (text(), prop::option::of(value.clone()), prop::option::of(value)).prop_map(|(field, before, after)| Change {
        field,
        before,
        after,
    })
}

/// Any event, without its organization.
fn event() -> impl Strategy<Value = Event<'static>> {
    let words = (text(), text(), text(), any::<bool>(), -2_000_i64..2_000);
    let core = (optional(), optional(), optional(), optional(), optional());
    let actor = (text(), optional(), optional(), optional(), optional());
    let context = (optional(), optional(), optional(), optional());
    let rest = (
        prop::collection::vec(target(), 0..4),
        prop::collection::vec(change(), 0..3),
        optional(),
    );
    (words, core, actor, context, rest).prop_map(|(words, core, actor, context, rest)| Event {
        action: words.0,
        action_type: words.1,
        result: words.2,
        security: words.3,
        client_id: core.0,
        area: core.1,
        product: core.2,
        description: core.3,
        trace_id: core.4,
        actor: Actor {
            kind: actor.0,
            id: actor.1,
            name: actor.2,
            email: actor.3,
            team: actor.4,
        },
        context: Context {
            ip: context.0,
            user_agent: context.1,
            url: context.2,
            referrer: context.3,
        },
        targets: rest.0,
        changes: rest.1,
        message: rest.2,
        ..plain_event("", "", Timestamp::from_millis(words.4))
    })
}

fn envelope() -> impl Strategy<Value = Envelope> {
    let redacted = prop_oneof![4 => Just(Vec::new()), 1 => prop::sample::subsequence(Part::ALL.to_vec(), 1..=5)];
    let country = prop::option::of(Just(*b"FR"));
    (country, any::<[u8; 16]>(), redacted).prop_map(|(country, nonce, redacted)| Envelope {
        sequence: 0,
        country,
        nonce,
        redacted,
    })
}

/// One to four ledgers of any events.
pub(crate) fn ledgers() -> impl Strategy<Value = Vec<Ledger>> {
    let events = prop::collection::vec((event(), envelope()), 1..30);
    prop::collection::vec((1..1_000_u64, 0..1_000_u64, events), 1..5).prop_map(|runs| {
        let mut next_id = 0;
        let ledgers = runs.into_iter().map(|(step, first, events)| {
            next_id += step;
            ledger(next_id, first, events)
        });
        ledgers.collect()
    })
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {:?}", self.id, self.rows)
    }
}

/// Everything that can be asked of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Everything {
    runs: Vec<Run>,
    rows: Vec<String>,
    values: Vec<String>,
}

/// Asks a segment everything.
pub(crate) fn everything(segment: &Segment) -> Result<Everything, Error> {
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    let runs = segment.runs()?;
    for run in &runs {
        assert_eq!(segment.run(run.ledger)?.as_ref(), Some(run));
        let numbers: Vec<u64> = (0..run.rows).collect();
        rows.extend(segment.rows(run, &numbers)?.iter().map(|row| format!("{row:?}")));
        values.push(format!("{:?}", segment.times(run, 0..run.rows)?));
        values.push(format!("{:?}", segment.sequences(run, 0..run.rows)?));
        values.push(format!("{:?}", segment.numbers(run, run.sequences())?));
        values.push(format!("{:?}", segment.leaf_hashes(run, run.sequences())?));
        values.push(format!("{:?}", segment.texts(run, TextColumn::TraceId, &numbers)?));
        values.push(format!("{:?}", segment.texts(run, TextColumn::ClientId, &numbers)?));
        values.push(format!("{:?} {}", segment.received_at(run, 0)?, segment.id(run, 0)?));
        for block in 0..segment.blocks(run) {
            let length = segment.index_length(run, block)?;
            values.push(format!(
                "{length} {}",
                segment.index_bytes(run, block, 0..length)?.len()
            ));
        }
    }
    Ok(Everything { runs, rows, values })
}
