//! What requests say of alerts, held against the rules.
//!
//! Invariant: an alert that was accepted can look and tell: its filter, its webhook and its addresses were tried.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use trailbook_access::{
    Act,
    people::normal_email,
    records::{Alert, AlertWebhook, Condition, Destination, Recipient},
    secret::new_id,
};
use trailbook_event::{Field, Pointer};
use utoipa::ToSchema;

use super::{Ask, fault};
use crate::http::{
    parameters,
    problem::{Code, Problem},
};

/// Characters of a name.
const NAME_MAX: usize = 200;
/// Characters of a filter.
const FILTER_MAX: usize = 10_000;
/// Addresses of an alert.
const EMAILS_MAX: usize = 20;
/// Characters of a secret.
const SECRET_MAX: usize = 16_384;
/// Secrets of an alert.
const SECRETS_MAX: usize = 40;
/// Seconds in a day: the longest window and the longest quiet time.
const DAY_SECONDS: u32 = 86_400;
/// Seconds of the shortest window.
const WINDOW_MIN: u32 = 60;
/// Events that a threshold may ask for.
const COUNT_MAX: u32 = 1_000;
/// Fields whose values are never new, or always.
const NEVER_NEW: [Field; 3] = [Field::Actor, Field::TraceId, Field::ClientId];

/// An alert to be set up, or as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertRequest {
    name: String,
    /// Which events, in the query language; all by default. What alerts do themselves is never among them.
    #[serde(default)]
    filter: String,
    condition: Condition,
    /// How long it is quiet after it fired, 0 to 86,400 seconds, by default an hour: for each actor, address or target that is
    /// counted separately. Digests are not affected.
    #[serde(default = "quiet_seconds")]
    quiet_seconds: u32,
    /// Who gets a letter: at most 20. A person names addresses of active users who may look; root and API keys name any.
    #[serde(default)]
    emails: Vec<String>,
    /// Where a request is sent, signed as Standard Webhooks says.
    #[serde(default)]
    webhook: Option<AlertWebhook>,
    /// The webhook's secrets by name: `secret` (`whsec_…`, made when none is given), `previous_secret`, `header.NAME`. Those that are
    /// left out stay as they are, as long as the webhook's server is the same.
    #[serde(default)]
    secrets: BTreeMap<String, Option<String>>,
    #[serde(default = "enabled")]
    enabled: bool,
}

fn quiet_seconds() -> u32 {
    3_600
}

fn enabled() -> bool {
    true
}

impl AlertRequest {
    /// The alert that the request asks for, and the secret that was made for it.
    pub(super) fn new_alert(self, ask: &Ask) -> Result<(Alert, Option<String>), Problem> {
        let id = new_id("alr_", ask.app.directory.random());
        self.alert(ask, id, None)
    }

    /// The alert as the request wants it, and the secret that was made for it.
    pub(super) fn changed_alert(self, ask: &Ask, before: &Alert) -> Result<(Alert, Option<String>), Problem> {
        self.alert(ask, before.id.clone(), Some(before))
    }

    fn alert(self, ask: &Ask, id: String, before: Option<&Alert>) -> Result<(Alert, Option<String>), Problem> {
        self.check(ask)?;
        let recipients = recipients(ask, &self.emails, before)?;
        if recipients.is_empty() && self.webhook.is_none() {
            let detail = "Nobody would be told: name an address, or a webhook.";
            return Err(fault(at("emails"), detail));
        }
        let kept = before.map_or_else(|| Ok(BTreeMap::new()), |before| kept(ask, before))?;
        let (secrets, made) = self.secrets(ask, before, &kept)?;
        if let Some(webhook) = &self.webhook {
            let checked = ask.app.deliveries.workshop.webhook(webhook, &secrets);
            checked.map_err(|fault| Problem::faults(Code::Invalid, vec![fault]))?;
        }
        let sealed = match before.filter(|_| kept == secrets) {
            Some(before) => before.secrets.clone(),
            None if secrets.is_empty() => String::new(),
            None => ask.app.deliveries.seal_of_alert(&id, &secrets),
        };
        let now = ask.app.clock.now().millis();
        let alert = Alert {
            id,
            project: ask.organization.project().to_owned(),
            organization: ask.organization.organization().to_owned(),
            name: self.name.trim().to_owned(),
            filter: self.filter,
            condition: self.condition,
            quiet_seconds: self.quiet_seconds,
            recipients,
            webhook: self.webhook,
            secrets: sealed,
            secret_names: secrets.into_keys().collect(),
            enabled: self.enabled,
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
        };
        Ok((alert, made))
    }

    fn check(&self, ask: &Ask) -> Result<(), Problem> {
        let name = self.name.trim();
        if !(1..=NAME_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            let rule = format!("It must have 1 to {NAME_MAX} characters, without control characters.");
            return Err(fault(at("name"), rule));
        }
        if self.filter.chars().count() > FILTER_MAX || self.filter.chars().any(char::is_control) {
            let rule = format!("It may have at most {FILTER_MAX} characters, without control characters.");
            return Err(fault(at("filter"), rule));
        }
        parameters::query(&self.filter, &ask.policy).map_err(|problem| problem.in_body(at("filter")))?;
        if self.quiet_seconds > DAY_SECONDS {
            return Err(fault(at("quiet_seconds"), format!("It must be 0 to {DAY_SECONDS}.")));
        }
        let is_long = |value: &Option<String>| value.as_ref().is_some_and(|value| value.chars().count() > SECRET_MAX);
        if self.secrets.len() > SECRETS_MAX || self.secrets.values().any(is_long) {
            let rule = format!("There may be {SECRETS_MAX} secrets of at most {SECRET_MAX} characters.");
            return Err(fault(at("secrets"), rule));
        }
        check_condition(&self.condition)
    }

    /// The webhook's secrets as they shall be, and the one that was made.
    fn secrets(
        &self,
        ask: &Ask,
        before: Option<&Alert>,
        kept: &BTreeMap<String, String>,
    ) -> Result<(BTreeMap<String, String>, Option<String>), Problem> {
        let given = self.secrets.iter();
        let mut secrets: BTreeMap<String, String> = given
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect();
        let Some(webhook) = &self.webhook else {
            return match secrets.is_empty() {
                true => Ok((secrets, None)),
                false => Err(fault(at("secrets"), "An alert without a webhook has no secrets.")),
            };
        };
        // A secret goes to the server that it was given for, and to no other.
        let known = before.and_then(|before| before.webhook.as_ref());
        if known.is_some_and(|known| server(known) == server(webhook)) {
            let stay = kept.iter().filter(|(name, _)| !self.secrets.contains_key(*name));
            secrets.extend(stay.map(|(name, value)| (name.clone(), value.clone())));
        }
        let made = (!secrets.contains_key("secret")).then(|| ask.app.deliveries.new_secret());
        secrets.extend(made.clone().map(|secret| ("secret".to_owned(), secret)));
        Ok((secrets, made))
    }
}

fn check_condition(condition: &Condition) -> Result<(), Problem> {
    let at = |member: &str| at("condition").child(member);
    match condition {
        Condition::Any {} | Condition::Digest { .. } => Ok(()),
        Condition::Threshold {
            count, window_seconds, ..
        } => {
            if !(2..=COUNT_MAX).contains(count) {
                return Err(fault(at("count"), format!("It must be 2 to {COUNT_MAX}.")));
            }
            if !(WINDOW_MIN..=DAY_SECONDS).contains(window_seconds) {
                let rule = format!("It must be {WINDOW_MIN} to {DAY_SECONDS}.");
                return Err(fault(at("window_seconds"), rule));
            }
            Ok(())
        }
        Condition::FirstSeen { field } => match Field::from_name(field) {
            Ok(Some(known)) if !NEVER_NEW.contains(&known) => Ok(()),
            Ok(Some(_)) => Err(fault(at("field"), "Its values are never new for an actor, or always.")),
            Ok(None) => {
                let names: Vec<&str> = Field::names().collect();
                let detail = format!(
                    "There is no such field; there are {} and metadata.PATH.",
                    names.join(", ")
                );
                Err(fault(at("field"), detail))
            }
            Err(detail) => Err(fault(at("field"), format!("{detail}."))),
        },
    }
}

/// The addresses that a request names, each once. Who may name any vouches for them; so did somebody for those that stay.
fn recipients(ask: &Ask, emails: &[String], before: Option<&Alert>) -> Result<Vec<Recipient>, Problem> {
    if emails.len() > EMAILS_MAX {
        return Err(fault(
            at("emails"),
            format!("There may be at most {EMAILS_MAX} addresses."),
        ));
    }
    if !emails.is_empty() && !ask.app.post.has_server() {
        let detail = "No mail server is set up (smtp_url): leave the addresses out, and name a webhook.";
        return Err(fault(at("emails"), detail));
    }
    let known = before.map_or(&[][..], |before| &before.recipients);
    let mut recipients: Vec<Recipient> = Vec::new();
    for (index, email) in emails.iter().enumerate() {
        let (address, at) = (normal_email(email), at("emails").index(index));
        if address.parse::<lettre::Address>().is_err() {
            return Err(fault(at, "It is not an e-mail address."));
        }
        let was_vouched = known.iter().any(|known| known.address == address && known.vouched);
        let vouched = was_vouched || !ask.caller.is_person();
        if !vouched && !ask.app.directory.may_be_told(&ask.organization, &address) {
            let detail = "It is no address of an active user who may view this log. Root and API keys may name others.";
            return Err(fault(at, detail));
        }
        if !recipients.iter().any(|other| other.address == address) {
            recipients.push(Recipient { address, vouched });
        }
    }
    Ok(recipients)
}

/// The secrets of an alert as it is.
fn kept(ask: &Ask, alert: &Alert) -> Result<BTreeMap<String, String>, Problem> {
    if alert.secrets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let opened = ask.app.deliveries.secrets_of_alert(alert);
    opened.map_err(|reason| fault(at("secrets"), reason))
}

/// The server that a webhook's secrets are for.
fn server(webhook: &AlertWebhook) -> String {
    let destination = Destination::Webhook {
        url: webhook.url.clone(),
        headers: BTreeMap::new(),
    };
    destination.server()
}

/// The addresses that get letters.
pub(super) fn addresses(alert: &Alert) -> Vec<String> {
    alert
        .recipients
        .iter()
        .map(|recipient| recipient.address.clone())
        .collect()
}

/// An act with what a change makes different. Of secrets only the names are said, and of the webhook the server: its path may be one.
pub(super) fn differences(act: Act, before: &Alert, after: &Alert) -> Act {
    let fields = |alert: &Alert| {
        [
            ("name", json!(alert.name)),
            ("filter", json!(alert.filter)),
            ("condition", json!(alert.condition)),
            ("quiet_seconds", json!(alert.quiet_seconds)),
            ("emails", json!(addresses(alert))),
            ("webhook", json!(alert.webhook.as_ref().map(server))),
            ("secrets", json!(alert.secret_names)),
            ("enabled", json!(alert.enabled)),
        ]
    };
    let pairs = fields(before).into_iter().zip(fields(after));
    let act = pairs.fold(act, |act, ((name, from), (_, to))| {
        act.changed(name, Some(from), Some(to))
    });
    let replaced = |act: Act, what: &str| act.changed(what, Some(json!("before")), Some(json!("replaced")));
    let act = match before.webhook == after.webhook {
        true => act,
        false => replaced(act, "webhook.values"),
    };
    match before.secrets == after.secrets {
        true => act,
        false => replaced(act, "secrets.values"),
    }
}

fn at(member: &str) -> Pointer {
    Pointer::root().child(member)
}
