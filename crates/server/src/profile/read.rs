//! Reading a profile: TOML into a policy, a catalog and examples, every fault at once with its place and line.

use jiff::{Span, SpanRelativeTo};
use serde_json::{Map, Value};
use trailbook_access::{Policy, PolicySettings};
use trailbook_event::{
    Admission, Admitted, Fault, Form, Limits, Origin, Pointer, Refusal, Timestamp,
    catalog::{CatalogFault, Document, Place, UnknownActions, member_path},
    json::{self, write_canonical},
    translate_body,
};
use trailbook_import::{Call, Output, Vocabulary};

use crate::http::aggregate;

/// Whose events examples are while they are checked.
const NOBODY: &str = "example";

/// A profile.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Its own name, in lower case.
    pub(crate) name: String,
    /// The product's name.
    pub(crate) product: String,
    /// One sentence.
    pub(crate) about: String,
    /// The fields of the policy as they are sent.
    pub(crate) policy: Map<String, Value>,
    /// The policy that they make, alone.
    pub(crate) effective: Policy,
    /// The catalog as it is sent.
    pub(crate) catalog: Value,
    /// What it says.
    pub(crate) vocabulary: Vocabulary,
    /// Events in our form.
    pub(crate) examples: Vec<Example>,
    /// Payloads in a form of the product.
    pub(crate) payloads: Vec<Payload>,
}

/// An event as sent, without its organization and its time.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// How long ago it occurred, in milliseconds.
    pub(crate) ago_ms: i64,
    /// The rest.
    pub(crate) event: Map<String, Value>,
}

/// A payload in a foreign form.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    /// How long ago it occurred, in milliseconds.
    pub(crate) ago_ms: i64,
    /// The catalog's input mapping.
    pub(crate) mapping: String,
    /// Where its time stands: a JSON pointer.
    pub(crate) time: String,
    /// As the product writes it.
    pub(crate) payload: Value,
    /// What the mapping calls it.
    pub(crate) action: String,
    /// The trace that it belongs to.
    pub(crate) trace_id: Option<String>,
}

impl Payload {
    /// The payload as if it were written at a time.
    pub(crate) fn at(&self, time: Timestamp) -> Value {
        let mut payload = self.payload.clone();
        if let Some(place) = payload.pointer_mut(&self.time) {
            *place = match place {
                Value::Number(_) => time.millis().into(),
                _ => time.to_string().into(),
            };
        }
        payload
    }
}

impl Profile {
    /// Reads a profile; `now` is what its examples are ago of.
    ///
    /// # Errors
    /// Every fault with its place.
    pub(crate) fn read(text: &str, now: Timestamp) -> Result<Self, Vec<CatalogFault>> {
        let document = Document::from_toml(text)?;
        let mut reader = Reader {
            document: &document,
            now,
            faults: Vec::new(),
        };
        let profile = reader.profile(&document.root());
        reader.faults.sort_by_key(|fault| fault.line);
        match profile {
            Some(profile) if reader.faults.is_empty() => Ok(profile),
            _ => Err(reader.faults),
        }
    }
}

struct Reader<'d> {
    document: &'d Document<'d>,
    now: Timestamp,
    faults: Vec<CatalogFault>,
}

impl<'d> Reader<'d> {
    fn fault(&mut self, path: &str, detail: impl Into<String>) {
        self.faults.push(self.document.fault(path, detail));
    }

    fn profile(&mut self, root: &Place<'d>) -> Option<Profile> {
        self.only(root, &["profile", "policy", "catalog", "examples", "foreign_examples"]);
        let [name, product, about] = self.about(root);
        let (policy, settings) = self.policy(root);
        let catalog = self.table(root, "catalog");
        let read = Vocabulary::read(self.document, &catalog);
        let vocabulary = read.map_err(|faults| self.faults.extend(faults)).ok()?;
        let examples = self.list(root, "examples", |reader, place| reader.example(place, &vocabulary));
        let payloads = self.list(root, "foreign_examples", |reader, place| {
            reader.payload(place, &vocabulary)
        });
        Some(Profile {
            name,
            product,
            about,
            policy,
            effective: Policy::effective(&settings, None, None),
            catalog: plain(catalog.value),
            vocabulary,
            examples,
            payloads,
        })
    }

    fn about(&mut self, root: &Place<'d>) -> [String; 3] {
        let about = self.table(root, "profile");
        self.only(&about, &["name", "product", "about"]);
        let texts = ["name", "product", "about"].map(|key| self.text(&about, key));
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !texts[0].bytes().all(is_plain) {
            self.fault("profile.name", "a name has a to z, 0 to 9 and -");
        }
        texts
    }

    fn policy(&mut self, root: &Place<'d>) -> (Map<String, Value>, PolicySettings) {
        let place = self.table(root, "policy");
        let Value::Object(policy) = plain(place.value) else {
            return Default::default();
        };
        let settings = PolicySettings::read(&Value::Object(policy.clone()));
        let settings = settings
            .map_err(|faults| self.below("policy", &faults))
            .unwrap_or_default();
        for (index, query) in settings.queries.iter().flatten().enumerate() {
            if let Err(detail) = aggregate::check(&query.aggregate) {
                self.fault(&format!("policy.queries[{index}].aggregate"), detail);
            }
        }
        // As a server writes it, so that both can be compared.
        let written = serde_json::to_value(&settings).ok();
        let policy = written
            .and_then(|written| written.as_object().cloned())
            .unwrap_or(policy);
        (policy, settings)
    }

    fn example(&mut self, place: &Place<'d>, vocabulary: &Vocabulary) -> Option<Example> {
        let Value::Object(mut event) = plain(place.value) else {
            self.fault(&place.path, "this must be a table");
            return None;
        };
        event.remove("ago");
        for key in ["occurred_at", "organization"] {
            if event.contains_key(key) {
                self.fault(
                    &member_path(&place.path, key),
                    "examples have `ago` and no organization; leave this out",
                );
            }
        }
        let ago_ms = self.ago(place)?;
        let mut sent = event.clone();
        sent.insert("organization".into(), NOBODY.into());
        let text = Value::Object(sent).to_string();
        let admitted = self.admission(vocabulary, |admission| {
            trailbook_event::admit_body(text.as_bytes(), Form::Json, admission)
        });
        admitted.map_err(|faults| self.below(&place.path, &faults)).ok()?;
        Some(Example { ago_ms, event })
    }

    fn payload(&mut self, place: &Place<'d>, vocabulary: &Vocabulary) -> Option<Payload> {
        self.only(place, &["about", "mapping", "ago", "time", "payload"]);
        let ago_ms = self.ago(place)?;
        let (mapping, time, text) = (
            self.text(place, "mapping"),
            self.text(place, "time"),
            self.text(place, "payload"),
        );
        let at = member_path(&place.path, "payload");
        let payload: Value = serde_json::from_str(&text)
            .map_err(|error| self.fault(&at, error.to_string()))
            .ok()?;
        if payload.pointer(&time).is_none() {
            self.fault(
                &member_path(&place.path, "time"),
                format!("the payload has nothing at `{time}`"),
            );
            return None;
        }
        let Some(input) = vocabulary.input(&mapping) else {
            self.fault(
                &member_path(&place.path, "mapping"),
                "the catalog has no such input mapping",
            );
            return None;
        };
        let mut payload = Payload {
            ago_ms,
            mapping,
            time,
            payload,
            action: String::new(),
            trace_id: None,
        };
        let sent = payload.at(Timestamp::from_millis(self.now.millis() - ago_ms));
        let call = Call {
            mapping: input,
            organization: Some(NOBODY),
        };
        let text = sent.to_string();
        let admitted = self.admission(vocabulary, |admission| {
            translate_body(text.as_bytes(), Form::Json, admission, &call)
        });
        let admitted = admitted.map_err(|faults| self.below(&at, &faults)).ok()?;
        let event = returned(admitted.first()?);
        payload.action = event["action"].as_str().unwrap_or_default().to_owned();
        payload.trace_id = event["trace_id"].as_str().map(str::to_owned);
        if let Some(output) = vocabulary.output(&payload.mapping)
            && written(output, &event) != sent
        {
            self.fault(&at, "the output mapping makes something else of it than was sent");
        }
        Some(payload)
    }

    /// Admits with the catalog's rules; actions that it does not know are faults.
    fn admission(
        &self,
        vocabulary: &Vocabulary,
        admit: impl FnOnce(&Admission<'_>) -> Result<Vec<Admitted>, Refusal>,
    ) -> Result<Vec<Admitted>, Vec<Fault>> {
        let admission = Admission {
            limits: &Limits::default(),
            now: self.now,
            defaults: &vocabulary.catalog.rules(UnknownActions::Refuse),
            origin: Origin::Sender,
        };
        admit(&admission).map_err(|refusal| match refusal {
            Refusal::Invalid { faults, .. } => faults,
            Refusal::Malformed { detail, .. } => vec![Fault::new(Pointer::root(), detail)],
            Refusal::TooMany { .. } => vec![Fault::new(Pointer::root(), "there are too many")],
        })
    }

    /// `ago` in milliseconds.
    fn ago(&mut self, place: &Place<'d>) -> Option<i64> {
        let text = self.text(place, "ago");
        let span: Option<Span> = text.parse().ok();
        let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
        let millis = duration.and_then(|duration| i64::try_from(duration.as_millis()).ok());
        let ago = millis.filter(|millis| *millis >= 0);
        if ago.is_none() {
            self.fault(
                &member_path(&place.path, "ago"),
                "write how long ago it was, such as \"P3DT6H\"",
            );
        }
        ago
    }

    fn table(&mut self, root: &Place<'d>, key: &str) -> Place<'d> {
        let place = root
            .member(key)
            .filter(|place| matches!(place.value, json::Value::Object(_)));
        place.unwrap_or_else(|| {
            self.fault(&member_path(&root.path, key), format!("a table [{key}] is needed"));
            Place {
                value: &json::Value::Null,
                path: member_path(&root.path, key),
            }
        })
    }

    fn list<T>(
        &mut self,
        root: &Place<'d>,
        key: &str,
        mut read: impl FnMut(&mut Self, &Place<'d>) -> Option<T>,
    ) -> Vec<T> {
        let Some(list) = root.member(key) else {
            return Vec::new();
        };
        let Some(elements) = list.elements() else {
            self.fault(&list.path, format!("tables [[{key}]] belong here"));
            return Vec::new();
        };
        elements.iter().filter_map(|place| read(self, place)).collect()
    }

    fn text(&mut self, table: &Place<'d>, key: &str) -> String {
        match table.member(key).map(|place| place.value) {
            Some(json::Value::String(text)) if !text.trim().is_empty() => return text.to_string(),
            _ => self.fault(&member_path(&table.path, key), "a text belongs here"),
        }
        String::new()
    }

    fn only(&mut self, table: &Place<'d>, known: &[&str]) {
        let json::Value::Object(members) = table.value else {
            return;
        };
        for (key, _) in members.iter().filter(|(key, _)| !known.contains(&key.as_ref())) {
            let detail = format!("there is no such key; known are {}", known.join(", "));
            self.fault(&member_path(&table.path, key), detail);
        }
    }

    /// Faults at pointers below a place of the document.
    fn below(&mut self, path: &str, faults: &[Fault]) {
        for fault in faults {
            let steps = fault.pointer.as_str().split('/').skip(1);
            let path = steps.fold(path.to_owned(), |path, step| match step.parse::<usize>() {
                Ok(index) => format!("{path}[{index}]"),
                Err(_) => member_path(&path, &step.replace("~1", "/").replace("~0", "~")),
            });
            self.fault(&path, fault.detail.clone());
        }
    }
}

/// An event as it is returned, as far as it does not depend on where it is stored.
fn returned(event: &Admitted) -> Value {
    let mut text = b"{".to_vec();
    event.parts.write_members(&mut text);
    text.push(b'}');
    serde_json::from_slice(&text).unwrap_or_default()
}

/// What an output mapping makes of an event.
fn written(output: &Output, event: &Value) -> Value {
    let text = event.to_string();
    let limits = json::Limits {
        depth_max: json::DEPTH_CEILING,
    };
    json::parse(&text, &limits).map_or(Value::Null, |event| plain(&output.payload(&event)))
}

/// A value as the libraries know it.
pub(crate) fn plain(value: &json::Value<'_>) -> Value {
    let mut bytes = Vec::new();
    write_canonical(value, &mut bytes);
    serde_json::from_slice(&bytes).unwrap_or_default()
}
