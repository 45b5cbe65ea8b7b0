//! A ledger, its records, alerts, and a messenger that remembers what it was given.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use object_store::local::LocalFileSystem;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trailbook_access::{
    Directory, PolicySettings,
    records::{
        Alert, AlertHealth, AlertMessage, AlertState, AlertWebhook, Condition, Organization, Recipient, User, UserState,
    },
};
use trailbook_deliver::{
    alert::{Alerts, Messenger, Notice, Teller, Watcher},
    sink::Failure,
    stream::Next,
};
use trailbook_event::{Admission, Event, Form, Limits as EventLimits, NoCatalog, Origin, Timestamp, admit_body};
use trailbook_ledger::{Clock, Ledger, Limits, Measures, OrganizationKey, Parts, Random, Sqlite};
use trailbook_query::{BlockIndexer, CacheSizes, Engine};

pub(crate) const ALERT: &str = "alr_1";
/// 2027-01-15T08:00:00Z, a Friday.
pub(crate) const START_MS: i64 = 1_800_000_000_000;
pub(crate) const ANN: &str = "ann@acme.example";

pub(crate) struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis((self.0.load(Ordering::SeqCst) - START_MS) as u64)
    }
}

struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// What the messenger does with letters and requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Does {
    #[default]
    Take,
    Fail,
    Refuse,
    /// Takes it and never comes back.
    TakeAndHang,
}

/// Something that was told.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    /// An address, or `webhook`.
    pub(crate) to: String,
    pub(crate) id: String,
    pub(crate) body: Value,
}

/// A messenger that remembers.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) mail: Mutex<Does>,
    pub(crate) webhook: Mutex<Does>,
    pub(crate) came: Mutex<Vec<Came>>,
    /// Tries, whatever became of them.
    pub(crate) tries: AtomicU64,
}

impl Memory {
    async fn take(&self, does: Does, came: Came) -> Result<(), Failure> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        match does {
            Does::Fail => return Err(Failure::later("no connection")),
            Does::Refuse => {
                return Err(Failure::Refused {
                    reason: "there is nobody of this name".into(),
                });
            }
            Does::Take | Does::TakeAndHang => self.came.lock().unwrap().push(came),
        }
        match does {
            Does::TakeAndHang => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

/// The messenger of a world.
struct Told(Arc<Memory>);

#[async_trait]
impl Messenger for Told {
    async fn mail(&self, to: &str, notice: &Notice) -> Result<(), Failure> {
        let does = *self.0.mail.lock().unwrap();
        let came = Came {
            to: to.to_owned(),
            id: notice.id.clone(),
            body: serde_json::from_slice(&notice.json()).unwrap(),
        };
        self.0.take(does, came).await
    }

    async fn webhook(&self, _: &Alert, id: &str, body: Vec<u8>) -> Result<(), Failure> {
        let does = *self.0.webhook.lock().unwrap();
        let came = Came {
            to: "webhook".into(),
            id: id.to_owned(),
            body: serde_json::from_slice(&body).unwrap(),
        };
        self.0.take(does, came).await
    }
}

/// A ledger with its records, a clock, a messenger.
pub(crate) struct World {
    pub(crate) directory: Arc<Directory>,
    pub(crate) ledger: Ledger,
    engine: Engine,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) told: Arc<Memory>,
    _scratch: tempfile::TempDir,
}

pub(crate) fn acme() -> OrganizationKey {
    OrganizationKey::new("default", "acme")
}

/// An alert at every event of a filter that tells Ann and a webhook, and is never quiet.
pub(crate) fn alert(filter: &str, condition: Condition) -> Alert {
    Alert {
        id: ALERT.into(),
        project: "default".into(),
        organization: "acme".into(),
        name: "Look here".into(),
        filter: filter.into(),
        condition,
        quiet_seconds: 0,
        recipients: vec![Recipient {
            address: ANN.into(),
            vouched: true,
        }],
        webhook: Some(AlertWebhook {
            url: "https://receiver.example/".into(),
            headers: Default::default(),
        }),
        secrets: String::new(),
        secret_names: Vec::new(),
        enabled: true,
        created_at: START_MS,
        updated_at: START_MS,
    }
}

pub(crate) fn threshold(count: u32, window_seconds: u32, by: Option<trailbook_access::records::Grouping>) -> Condition {
    Condition::Threshold {
        count,
        window_seconds,
        by,
    }
}

/// A sign-in by somebody, from an address.
pub(crate) fn sign_in(actor: &str, ip: &str) -> Value {
    json!({"organization": "acme", "action": "user.login", "action_type": "login", "area": "access",
        "actor": {"id": actor, "name": format!("Name of {actor}")}, "context": {"ip": ip}})
}

/// The country of an address is in its first number.
fn country(ip: IpAddr) -> Option<[u8; 2]> {
    match ip {
        IpAddr::V4(address) => [None, Some(*b"DE"), Some(*b"FR"), Some(*b"BR")]
            .get(usize::from(address.octets()[0]))
            .copied()?,
        IpAddr::V6(_) => None,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let objects = scratch.path().join("objects");
        std::fs::create_dir(&objects).unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(START_MS)));
        let random = Arc::new(Counted(AtomicU64::new(0)));
        let measures = Arc::new(Measures::default());
        let ledger = Ledger::open(Parts {
            database: Arc::new(Sqlite::open(scratch.path(), measures.clone()).unwrap()),
            objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap().with_fsync(true)),
            object_files: trailbook_ledger::ObjectFiles::Local(objects),
            indexer: Arc::new(BlockIndexer),
            clock: clock.clone(),
            random: random.clone(),
            measures,
            signing_key: [7; 32],
            limits: Limits::default(),
        });
        let ledger = ledger.await.unwrap();
        let inputs: (Arc<dyn Clock>, Arc<dyn Random>) = (clock.clone(), random);
        let directory = Directory::open(ledger.clone(), inputs, Box::new(|_| None), PolicySettings::default());
        let world = Self {
            directory: Arc::new(directory.await.unwrap()),
            engine: Engine::new(ledger.clone(), [7; 32], CacheSizes::default()),
            ledger,
            clock,
            told: Arc::default(),
            _scratch: scratch,
        };
        let mut change = world.directory.change().await;
        change.open(acme());
        change.commit().await.unwrap();
        world
    }

    /// A process that works for alerts.
    pub(crate) fn process(&self) -> Arc<Alerts> {
        Arc::new(Alerts::new(
            self.directory.clone(),
            self.engine.clone(),
            self.clock.clone(),
            Arc::new(Told(self.told.clone())),
            "https://log.example",
        ))
    }

    /// A process that looks.
    pub(crate) fn watcher(&self) -> Watcher {
        self.worker().0
    }

    /// A process that tells.
    pub(crate) fn teller(&self) -> Teller {
        self.worker().1
    }

    /// A process that looks and tells.
    pub(crate) fn worker(&self) -> (Watcher, Teller) {
        let process = self.process();
        (Watcher::new(process.clone(), acme()), Teller::new(process, acme()))
    }

    /// Sets an alert up, which looks at what comes from now on.
    pub(crate) async fn set_up(&self, alert: Alert) {
        let head = self.ledger.head(&acme()).unwrap();
        let state = AlertState::begin(&alert.id, (head.epoch, head.size), self.now());
        let mut change = self.directory.change().await;
        change.put(state).unwrap();
        change.put(alert).unwrap();
        change.commit().await.unwrap();
    }

    /// Stores events in one commit.
    pub(crate) async fn store(&self, events: &[Value]) {
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        let limits = EventLimits::default();
        let admission = Admission {
            limits: &limits,
            now: self.clock.now(),
            defaults: &NoCatalog,
            origin: Origin::Sender,
        };
        let admitted = admit_body(lines.join("\n").as_bytes(), Form::Ndjson, &admission).unwrap();
        let submission = self.ledger.prepare("default", admitted, None, &country);
        self.ledger.append(submission).await.unwrap();
    }

    /// Stores an act of Trailbook itself.
    pub(crate) async fn act(&self, action: &'static str) {
        let actor = trailbook_access::act::Actor::system("Test");
        let act = trailbook_access::Act::by(actor, Default::default(), acme(), action);
        self.directory.record(&act).await.unwrap();
    }

    /// Lets events look at once, and alerts tell, until there is nothing left to do now.
    pub(crate) async fn work(&self, watcher: &mut Watcher, teller: &mut Teller) {
        for _ in 0..1_000 {
            let looked = watcher.step().await.unwrap();
            let told = teller.step().await.unwrap();
            if looked != Next::Now && told != Next::Now {
                return;
            }
        }
        panic!("it never comes to an end");
    }

    /// The same with a process of its own.
    pub(crate) async fn run(&self) {
        self.pass(31);
        let (mut watcher, mut teller) = self.worker();
        self.work(&mut watcher, &mut teller).await;
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.pass_ms(seconds * 1_000);
    }

    pub(crate) fn pass_ms(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().millis()
    }

    /// Lets the time pass until then.
    pub(crate) fn until(&self, time: &str) {
        let time = Timestamp::parse(time).unwrap().millis();
        assert!(time >= self.now(), "time goes forward");
        self.clock.0.store(time, Ordering::SeqCst);
    }

    /// What came to the webhook, in the order of what was found: messages are on their way side by side.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        let came = self.told.came.lock().unwrap();
        let requests = came.iter().filter(|came| came.to == "webhook");
        let mut bodies: Vec<Value> = requests.map(|came| came.body.clone()).collect();
        let place = |body: &Value| (body["fired_at"].to_string(), body["last"]["sequence"].as_u64());
        bodies.sort_by_key(place);
        bodies
    }

    /// Who was told, in order.
    pub(crate) fn told(&self) -> Vec<String> {
        let came = self.told.came.lock().unwrap();
        came.iter().map(|came| came.to.clone()).collect()
    }

    /// The acts of alerts that fired.
    pub(crate) fn fired(&self) -> Vec<Value> {
        let rows = self.ledger.rows(&acme(), 0, 100_000).unwrap_or_default();
        let mut fired = Vec::new();
        for row in rows {
            let event = Event::parse(&row.parts).unwrap();
            if event.action == "trailbook.alert.fired" {
                let mut text = Vec::new();
                trailbook_event::json::write_canonical(event.metadata.as_ref().unwrap(), &mut text);
                fired.push(serde_json::from_slice(&text).unwrap());
            }
        }
        fired
    }

    pub(crate) fn state(&self) -> AlertState {
        AlertState::clone(&self.directory.get(ALERT).unwrap())
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.directory.get::<AlertHealth>(ALERT)?.last_error.clone()
    }

    /// Messages that wait to be told.
    pub(crate) fn waiting(&self) -> Vec<Arc<AlertMessage>> {
        self.directory.of(ALERT)
    }

    /// Makes somebody a user of the organization.
    pub(crate) async fn user(&self, email: &str, role: &str, state: UserState) {
        let mut change = self.directory.change().await;
        let user = User {
            id: format!("usr_{email}"),
            project: "default".into(),
            organization: "acme".into(),
            email: email.into(),
            name: None,
            role: role.into(),
            permissions: Vec::new(),
            state,
            email_verified: true,
            password: None,
            identity: None,
            created_at: START_MS,
        };
        change.put(user).unwrap();
        change.commit().await.unwrap();
    }

    /// Sets the zone of the organization's days.
    pub(crate) async fn zone(&self, name: &str) {
        let mut change = self.directory.change().await;
        let policy = PolicySettings::read(&json!({ "time_zone": name })).unwrap();
        let organization = Organization {
            project: "default".into(),
            name: "acme".into(),
            policy,
        };
        change.put(organization).unwrap();
        change.commit().await.unwrap();
    }
}
