//! Real and invented events as payloads: `cargo run -p trailbook-deliver --example payloads -- ocsf` (or `ecs`).
//!
//! Prints one payload a line: of the records in `testdata/real` that the mappings know, of the examples of every profile,
//! of generated events, and of some whose parts are redacted. `scripts/check_payloads.py` holds them against the published
//! schemas. How many of each there are goes to the standard error.
#![allow(clippy::disallowed_methods, reason = "an example reads its arguments and files")]

use std::{
    collections::BTreeMap,
    error::Error,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use trailbook_deliver::{json::Envelope, payload::Payload};
use trailbook_event::{
    Admission, Admitted, Defaults, Form, Limits, NoCatalog, Origin, Part, Parts, Pointer, Timestamp, Translation,
    admit, admit_body,
    catalog::{Document, UnknownActions},
    json::{self, Value},
};
use trailbook_import::{Call, Mapping, Vocabulary};
use trailbook_ledger::{EventId, PartSecret, Row, Secrets};
use trailbook_merkle::Hash;
use trailbook_testkit::{Generator, Shape};

type Failure = Box<dyn Error>;

const NOW: Timestamp = Timestamp::from_millis(1_795_166_047_482);
const GENERATED: usize = 2000;

fn main() -> Result<(), Failure> {
    let payload = match std::env::args().nth(1).as_deref() {
        Some("ocsf") => Payload::Ocsf,
        Some("ecs") => Payload::Ecs,
        _ => return Err("say which: ocsf or ecs".into()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut admitted = real(&root)?;
    admitted.extend(of_profiles(&root)?);
    admitted.extend(of_rare_kinds()?);
    admitted.extend(generated()?);
    let envelope = Envelope {
        project: "default",
        kept_ms: Some(31_536_000_000),
    };
    let mut out = std::io::stdout().lock();
    for (sequence, admitted) in (0..).zip(&admitted) {
        for row in rows(sequence, admitted) {
            let mut line = Vec::new();
            payload.write(&row, &envelope, &mut line)?;
            line.push(b'\n');
            out.write_all(&line)?;
        }
    }
    Ok(())
}

fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    Ok(files)
}

/// What the mappings make of vendors' records, each taken as one event. Those that become none that way (Google Workspace
/// writes several into one record) are left out and counted.
fn real(root: &Path) -> Result<Vec<Admitted>, Failure> {
    let (mut admitted, mut refused) = (Vec::new(), BTreeMap::<_, usize>::new());
    for path in files(&root.join("testdata/real"), "gz")? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.trim_end_matches(".jsonl.gz");
        let mapping = match Mapping::built_in(name) {
            Some(mapping) => mapping,
            None => Mapping::parse(&fs::read_to_string(
                root.join(format!("testdata/mappings/{name}.toml")),
            )?),
        };
        let mapping = mapping.map_err(|faults| format!("{name}: {}", faults[0]))?;
        for line in BufReader::new(MultiGzDecoder::new(File::open(&path)?)).lines() {
            match mapped(&mapping, &line?) {
                Some(event) => admitted.push(event),
                None => *refused.entry(name.to_owned()).or_default() += 1,
            }
        }
    }
    eprintln!("{} real events, left out: {refused:?}", admitted.len());
    Ok(admitted)
}

fn mapped(mapping: &Mapping, line: &str) -> Option<Admitted> {
    let mut record: serde_json::Value = serde_json::from_str(line).ok()?;
    without_large_integers(&mut record);
    let text = record.to_string();
    let record = json::parse(&text, &json::Limits::default()).ok()?;
    let call = Call {
        mapping,
        organization: Some("real"),
    };
    let event = call.translate(&record, Limits::default().event_bytes_max).ok()?.event;
    admission(&NoCatalog, |admission| admit(&event, &Pointer::root(), admission)).ok()
}

/// Integers that strict reading refuses, as texts, which is how import keeps them.
fn without_large_integers(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) if number.as_f64().is_some_and(|number| number.abs() > json::INTEGER_MAX) => {
            *value = number.to_string().into();
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_large_integers),
        serde_json::Value::Object(members) => members.values_mut().for_each(without_large_integers),
        _ => {}
    }
}

/// The examples of all profiles, with their catalogs.
fn of_profiles(root: &Path) -> Result<Vec<Admitted>, Failure> {
    let mut admitted = Vec::new();
    for path in files(&root.join("profiles"), "toml")? {
        let text = fs::read_to_string(&path)?;
        let document = Document::from_toml(&text).map_err(|faults| faults[0].to_string())?;
        let place = document.root();
        let catalog = place.member("catalog").ok_or("a profile has a catalog")?;
        let vocabulary = Vocabulary::read(&document, &catalog).map_err(|faults| faults[0].to_string())?;
        let rules = vocabulary.catalog.rules(UnknownActions::Accept);
        for example in place
            .member("examples")
            .and_then(|place| place.elements())
            .unwrap_or_default()
        {
            let event = as_sent(example.value);
            let event = admission(&rules, |admission| admit(&event, &Pointer::root(), admission));
            admitted.push(event.map_err(|faults| format!("{}: {}", path.display(), faults[0]))?);
        }
    }
    eprintln!("{} events of profiles", admitted.len());
    Ok(admitted)
}

/// An example without `ago` and with an organization.
fn as_sent<'e>(example: &'e Value<'_>) -> Value<'e> {
    let Value::Object(members) = example.borrowed() else {
        return Value::Null;
    };
    let organization = ("organization".into(), Value::String("demo".into()));
    let rest = members.into_iter().filter(|(name, _)| name != "ago");
    Value::Object(rest.chain([organization]).collect())
}

/// What neither products nor vendors sent here, and texts that break forms.
fn of_rare_kinds() -> Result<Vec<Admitted>, Failure> {
    let (user, team, role) = (
        r#"{"type":"user","id":"u_2","email":"no address"}"#,
        r#"{"type":"team","name":"Ops","email":"ops@a.example"}"#,
        r#"{"type":"role","id":"r_1","name":"Owner"}"#,
    );
    let mut admitted = Vec::new();
    for (action, action_type, targets) in [
        ("AssumeRole", "other", role.to_owned()),
        ("session.elevated", "other", String::new()),
        ("user.impersonated", "other", user.to_owned()),
        ("user.mfa.enabled", "update", user.to_owned()),
        ("user.locked", "update", user.to_owned()),
        ("AttachUserPolicy", "update", format!("{user},{role}")),
        ("role.revoked", "other", format!("{role},{user},{team}")),
        ("team.user_removed", "other", format!("{team},{user}")),
        ("team.role_granted", "other", format!("{team},{role}")),
        (
            "device.suspended",
            "update",
            r#"{"type":"device","name":"=1|2]\"\n"}"#.to_owned(),
        ),
        (
            "=|\\\\\\\"]\u{85}",
            "approve",
            r#"{"type":"=|\\","id":"\u0001\u2028"}"#.to_owned(),
        ),
    ] {
        for result in ["success", "failure", "denied"] {
            let event = rare(action, action_type, result, &targets);
            let event = json::parse(&event, &json::Limits::default())?;
            let event = admission(&NoCatalog, |admission| admit(&event, &Pointer::root(), admission));
            admitted.push(event.map_err(|faults| faults[0].to_string())?);
        }
    }
    eprintln!("{} events of rare kinds", admitted.len());
    Ok(admitted)
}

fn rare(action: &str, action_type: &str, result: &str, targets: &str) -> String {
    format!(
        r#"{{"organization":"rare","action":"{action}","action_type":"{action_type}","result":"{result}","security":true,
            "actor":{{"type":"service","id":"s_1","email":"nobody"}},"targets":[{targets}],"product":"",
            "context":{{"ip":"0000:0000:0000:0000:0000:ffff:192.168.100.228","url":"a b"}},
            "changes":[{{"field":"roles","before":["a",1],"after":null}},{{"field":"email","after":"x"}}]}}"#
    )
}

fn generated() -> Result<Vec<Admitted>, Failure> {
    let shape = Shape {
        organizations: 50,
        client_ids: true,
        start: Timestamp::from_millis(NOW.millis() - 86_400_000 * 30),
        days: 30,
    };
    let mut admitted = Vec::new();
    for event in Generator::new(7, shape).take(GENERATED) {
        let body = event.json.as_bytes();
        let events = admission(&NoCatalog, |admission| admit_body(body, Form::Json, admission));
        admitted.extend(events.map_err(|refusal| format!("{refusal:?}"))?);
    }
    eprintln!("{} generated events", admitted.len());
    Ok(admitted)
}

fn admission<T>(defaults: &dyn Defaults, admit: impl FnOnce(&Admission<'_>) -> T) -> T {
    admit(&Admission {
        limits: &Limits::default(),
        now: NOW,
        defaults,
        origin: Origin::Sender,
    })
}

/// The event as a row, and every hundredth also without its actor, context and details.
fn rows(sequence: u64, admitted: &Admitted) -> Vec<Row> {
    let parts = Parts::new(Bytes::from(admitted.parts.bytes().clone()), admitted.parts.ends());
    let mut row = Row {
        sequence,
        commit: sequence,
        id: EventId::first(NOW.millis() as u64, [7; 10]).plus(sequence),
        epoch: 1,
        received_at: NOW,
        occurred_at: admitted.occurred_at,
        country: admitted.ip.map(|_| *b"DE"),
        secrets: Secrets::Nonce([1; 16]),
        leaf_hash: Hash([0; 32]),
        parts: parts.expect("the parts of an admitted event"),
    };
    row.leaf_hash = row.leaf_record().leaf_hash();
    let mut rows = vec![row.clone()];
    if sequence.is_multiple_of(100) {
        rows.push(redacted(row));
    }
    rows
}

/// The empty forms are those of docs/formats/ledger.md.
fn redacted(mut row: Row) -> Row {
    let empty = |part| match part {
        Part::Actor => Some("{\"email\":null,\"id\":null,\"name\":null,\"team\":null,\"type\":\"unknown\"}"),
        Part::Context => Some("{\"ip\":null,\"referrer\":null,\"url\":null,\"user_agent\":null}"),
        Part::Details => Some("{\"changes\":[],\"message\":null,\"metadata\":null}"),
        Part::Core | Part::Targets => None,
    };
    let (mut bytes, mut ends) = (Vec::new(), [0; 5]);
    for (part, end) in Part::ALL.into_iter().zip(&mut ends) {
        bytes.extend_from_slice(empty(part).map_or(row.parts.part(part), str::as_bytes));
        *end = u32::try_from(bytes.len()).expect("an event is smaller than 4 GiB");
    }
    row.parts = Parts::new(Bytes::from(bytes), ends).expect("the ends of these bytes");
    row.country = None;
    row.secrets = Secrets::Redacted(Box::new(Part::ALL.map(|part| match empty(part) {
        Some(_) => PartSecret::Commitment(Hash([1; 32])),
        None => PartSecret::Salt([2; 32]),
    })));
    row
}
