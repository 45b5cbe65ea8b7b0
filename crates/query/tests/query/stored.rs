//! A whole ledger on disk, all of it sealed, and everything that is asked of it.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::tz::TimeZone;
use object_store::local::LocalFileSystem;
use trailbook_event::{
    Admission, Event, Filter, Form, Limits as EventLimits, NoCatalog, Origin, Part, Timestamp, admit_body,
    filter::{Field, Folded, Pattern, Words},
};
use trailbook_ledger::{
    Clock, Fsck, Ledger, Limits, Measures, OrganizationKey, Parts, Random, Row, Sqlite, fsck, segment::Segment,
};
use trailbook_query::{
    BlockIndexer, CacheSizes, Engine, Error, FacetRequest, Interval, Order, PageRequest, Question, Scope, View,
};
use trailbook_testkit::{Generator, Random as Seeded, Shape};

const START: i64 = 1_790_000_000_000;
const DAY_MS: i64 = 86_400_000;
/// Small, as it is set up for each question anew.
const CACHE: CacheSizes = CacheSizes {
    index_bytes: 1 << 20,
    row_bytes: 1 << 20,
};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = Seeded::new(self.0.fetch_add(1, Ordering::Relaxed)).next_u64();
            chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A data directory with one segment of three ledgers, one row of which is redacted.
pub(crate) struct Stored {
    directory: tempfile::TempDir,
    database: Arc<Sqlite>,
    pub(crate) organizations: Vec<OrganizationKey>,
}

impl Stored {
    /// Generated events, stored and sealed.
    pub(crate) async fn new(seed: u64, events: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("objects")).unwrap();
        let database = Sqlite::open(directory.path(), Arc::default()).unwrap();
        let mut stored = Self {
            directory,
            database: Arc::new(database),
            organizations: Vec::new(),
        };
        let shape = Shape {
            organizations: 3,
            client_ids: true,
            start: Timestamp::from_millis(START - 2 * DAY_MS),
            days: 2,
        };
        let lines: Vec<String> = Generator::new(seed, shape)
            .filling(events as u64)
            .take(events)
            .map(|event| event.json)
            .collect();
        let ledger = stored.open().await;
        for lines in lines.chunks(100) {
            let submission = ledger.prepare("default", admitted(&lines.join("\n")), None, &|_| Some(*b"GB"));
            ledger.append(submission).await.unwrap();
        }
        stored.organizations = ledger.heads().into_iter().map(|(key, _)| key).collect();
        let record = format!(
            r#"{{"organization":"{}","action":"event.redacted","actor":{{"type":"system"}}}}"#,
            stored.organizations[0].organization()
        );
        let record = admitted(&record).remove(0);
        let parts = [Part::Actor, Part::Context];
        ledger
            .redact(&stored.organizations[0], 7, &parts, record)
            .await
            .unwrap();
        ledger.seal().await.unwrap().unwrap();
        ledger.close().await.unwrap();
        assert_eq!(stored.fsck().await.findings, []);
        stored
    }

    pub(crate) fn parts(&self) -> Parts {
        let objects = self.directory.path().join("objects");
        Parts {
            database: Arc::clone(&self.database) as Arc<_>,
            objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap()),
            object_files: trailbook_ledger::ObjectFiles::Local(objects),
            indexer: Arc::new(BlockIndexer),
            clock: Arc::new(Still),
            random: Arc::new(Counted(AtomicU64::new(0))),
            measures: Arc::new(Measures::default()),
            signing_key: [7; 32],
            limits: Limits::default(),
        }
    }

    pub(crate) async fn open(&self) -> Ledger {
        Ledger::open(self.parts()).await.unwrap()
    }

    pub(crate) async fn fsck(&self) -> Fsck {
        fsck(&self.parts(), true).await.unwrap()
    }

    /// The files of the segment whose name ends so.
    pub(crate) fn file(&self, extension: &str) -> PathBuf {
        let files = fs::read_dir(self.directory.path().join("objects/segments")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        files
            .find(|file| file.extension().is_some_and(|found| found == extension))
            .unwrap()
    }

    pub(crate) fn segment(&self) -> Segment {
        Segment::open(&self.file("parquet"), &self.file("bundle")).unwrap()
    }
}

pub(crate) fn admitted(lines: &str) -> Vec<trailbook_event::Admitted> {
    let limits = EventLimits::default();
    let admission = Admission {
        limits: &limits,
        now: Timestamp::from_millis(START),
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    admit_body(lines.as_bytes(), Form::Ndjson, &admission).unwrap()
}

/// Questions and the answers that they had when nothing was damaged.
pub(crate) struct Answers {
    samples: Vec<Arc<Row>>,
    answers: Asked,
}

/// The answers by organization and question.
type Asked = BTreeMap<(String, String), Result<String, String>>;
type Answer = (String, Result<String, String>);

impl Answers {
    /// Asks everything of an intact ledger.
    pub(crate) async fn of(stored: &Stored) -> Self {
        let ledger = stored.open().await;
        let mut samples = Vec::new();
        for organization in &stored.organizations {
            let rows = ledger.rows(organization, 0, usize::MAX).unwrap();
            samples.push(Arc::clone(&rows[rows.len() / 3]));
        }
        let answers = ask(stored, &ledger, &samples).await;
        ledger.close().await.unwrap();
        answers
            .iter()
            .for_each(|(_, answer)| assert!(answer.is_ok(), "{answer:?}"));
        Self { samples, answers }
    }

    /// Asks everything again, of files that are opened anew: each answer is the same, or says what is damaged. Answers how many
    /// were refused.
    pub(crate) async fn hold(&self, stored: &Stored, damage: &str, names: &[&str]) -> usize {
        let ledger = stored.open().await;
        let answers = ask(stored, &ledger, &self.samples).await;
        ledger.close().await.unwrap();
        let mut refused = 0;
        for (question, answer) in &answers {
            match answer {
                Ok(_) => assert_eq!(Some(answer), self.answers.get(question), "{damage}: {question:?}"),
                Err(detail) => {
                    let is_named = names.iter().any(|name| detail.contains(name));
                    assert!(is_named, "{damage}: {question:?}: {detail}");
                    refused += 1;
                }
            }
        }
        refused
    }
}

/// The answer, or what is damaged; nothing else may come.
fn answer<T: std::fmt::Debug>(answer: Result<T, Error>) -> Result<String, String> {
    match answer {
        Ok(answer) => Ok(format!("{answer:?}")),
        Err(Error::Corrupt { detail } | Error::Storage { detail }) => Err(detail),
        Err(other) => panic!("{other}"),
    }
}

async fn ask(stored: &Stored, ledger: &Ledger, samples: &[Arc<Row>]) -> Asked {
    let engine = Engine::new(ledger.clone(), [7; 32], CACHE);
    let mut asked = Asked::new();
    for (organization, sample) in stored.organizations.iter().zip(samples) {
        let size = ledger.head(organization).unwrap().size;
        let mut answers = Vec::new();
        for index in [0, sample.sequence, size - 1] {
            let proof = ledger.prove_inclusion(organization, index, size).await;
            answers.push((format!("proof of {index}"), answer(proof.map_err(Error::from))));
        }
        let scope = Scope {
            organization: organization.clone(),
            own: None,
        };
        match engine.view(&scope) {
            Ok(view) => answers.extend(ask_view(&view, sample)),
            Err(error) => answers.push(("view".to_owned(), answer::<()>(Err(error)))),
        }
        let keyed = answers
            .into_iter()
            .map(|(question, answer)| ((organization.to_string(), question), answer));
        asked.extend(keyed);
    }
    asked
}

fn ask_view(view: &View, sample: &Row) -> Vec<Answer> {
    let mut answers = vec![
        ("event".to_owned(), answer(view.event(&sample.id))),
        ("first page".to_owned(), answer(page(view, Question::all()))),
    ];
    for filter in filters(sample) {
        let question = Question {
            filter: filter.clone(),
            ..Question::all()
        };
        answers.push((format!("count of {filter:?}"), answer(view.count(&question))));
        if matches!(filter, Filter::Word(_)) {
            answers.push(("page of a word".to_owned(), answer(page(view, question))));
        }
    }
    let facets = FacetRequest {
        question: Question::all(),
        fields: ["action", "actor", "target", "ip", "country", "trace_id"]
            .map(|field| Field::from_name(field).unwrap().unwrap())
            .into(),
        limit: 10,
        prefix: None,
    };
    answers.push(("facets".to_owned(), answer(view.facets(&facets))));
    let histogram = view.histogram(&Question::all(), Interval::Day, &TimeZone::UTC);
    answers.push(("histogram".to_owned(), answer(histogram)));
    answers
}

/// Filters that use each kind of index, and those that need the rows.
fn filters(sample: &Row) -> Vec<Filter> {
    let event = Event::parse(&sample.parts).unwrap();
    let whole = |field: &str, value: Option<&str>| Filter::Field {
        field: Field::from_name(field).unwrap().unwrap(),
        patterns: vec![Pattern::Whole(Folded::new(value.unwrap_or("none")))],
    };
    vec![
        whole("action", Some(&event.action)),
        whole("actor", event.actor.id.as_deref()),
        whole("client_id", event.client_id.as_deref()),
        whole("trace_id", event.trace_id.as_deref()),
        whole("ip", event.context.ip.as_deref()),
        whole("security", Some("true")),
        Filter::Not(Box::new(whole("result", Some("success")))),
        Filter::Word(Words::new("updated").unwrap()),
    ]
}

fn page(view: &View, question: Question) -> Result<impl std::fmt::Debug, Error> {
    let page = view.page(&PageRequest {
        question,
        order: Order::Descending,
        limit: 20,
        cursor: None,
    })?;
    Ok((page.rows, page.next.is_some(), page.size))
}
