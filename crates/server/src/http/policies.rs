//! Setting a policy, for a project or an organization: what may be set by whom, and the acts that record it.
//!
//! Invariants
//! - How long events are kept is the ledger's to say; the other fields are kept as they were set.
//! - Only root shortens a retention or lifts a legal hold. Nobody gives or takes a right that they do not hold.
//!
//! Not here: what the fields mean (`trailbook_access::policy`), the waiting of a shortening (`trailbook_ledger`).

use serde::Serialize;
use serde_json::{Map, Value, json};
use trailbook_access::{Act, Caller, Change, PolicySettings, Right, Rights};
use trailbook_event::{Fault, Pointer, Timestamp};
use trailbook_ledger::{Retention, RetentionChange, RetentionScope};
use utoipa::ToSchema;

use super::{
    App, aggregate,
    answers::Time,
    ask::lacking,
    problem::{Code, Problem},
};

/// Bytes of a policy as JSON.
const POLICY_BYTES_MAX: usize = 256 << 10;
/// Fields that the ledger keeps.
const KEPT_BY_LEDGER: [&str; 2] = ["retention_days", "legal_hold"];
/// Fields that decide which events are taken in: one that is refused refuses the whole request that it comes with.
const TAKING_IN: [&str; 3] = ["unknown_actions", "backfill", "recorded_since"];
/// Fields that give a right, and the right.
const GIVING: [(&str, Right); 6] = [
    ("view_roles", Right::View),
    ("view_permissions", Right::View),
    ("export_roles", Right::Export),
    ("export_permissions", Right::Export),
    ("administer_roles", Right::Administer),
    ("administer_permissions", Right::Administer),
];

/// A shortening that waits seven days and can be taken back until then.
#[derive(Serialize, ToSchema)]
pub(crate) struct PendingRetention {
    /// Days; null is for ever.
    #[schema(required)]
    retention_days: Option<u32>,
    /// From when on.
    #[schema(value_type = String)]
    takes_effect_at: Time,
}

/// Reads the policy of a request; absent is one that sets nothing.
pub(crate) fn read(policy: Option<&Value>) -> Result<PolicySettings, Problem> {
    let Some(policy) = policy else {
        return Ok(PolicySettings::default());
    };
    let at = Pointer::root().child("policy");
    if policy.to_string().len() > POLICY_BYTES_MAX {
        let detail = format!("It has at most {POLICY_BYTES_MAX} bytes.");
        return Err(Problem::fault(Code::Invalid, at, detail));
    }
    let settings = PolicySettings::read(policy).map_err(|faults| {
        let below = |fault: Fault| Fault::new(at.clone().join(&fault.pointer), fault.detail);
        Problem::faults(Code::Invalid, faults.into_iter().map(below).collect())
    })?;
    let faults = unanswerable(&settings, &at.child("queries"));
    match faults.is_empty() {
        true => Ok(settings),
        false => Err(Problem::faults(Code::Invalid, faults)),
    }
}

/// What is wrong with questions that have a name: they are to be answered whenever a reader asks them.
fn unanswerable(settings: &PolicySettings, at: &Pointer) -> Vec<Fault> {
    let queries = settings.queries.iter().flatten().enumerate();
    let faults = queries.filter_map(|(index, query)| {
        let detail = aggregate::check(&query.aggregate).err()?;
        Some(Fault::new(at.index(index).child("aggregate"), detail))
    });
    faults.collect()
}

/// What was set for a scope: the stored fields, and those that the ledger keeps.
pub(crate) fn as_set(app: &App, scope: &RetentionScope, stored: Option<&PolicySettings>) -> PolicySettings {
    let mut settings = stored.cloned().unwrap_or_default();
    let own = app.ledger.own_retention(scope.clone());
    settings.retention_days = own.as_ref().and_then(|own| match own.pending {
        Some(pending) => pending.days,
        None => own.days,
    });
    settings.legal_hold = own.and_then(|own| own.legal_hold);
    settings
}

/// As [`as_set`], with the retention that is in force as long as a shorter one waits.
pub(crate) fn in_force(app: &App, scope: &RetentionScope, stored: Option<&PolicySettings>) -> PolicySettings {
    let mut settings = as_set(app, scope, stored);
    if pending(app, scope).is_some() {
        let retention = app.ledger.retention(scope.clone());
        settings.retention_days = Some(retention.days_at(app.clock.now().millis()));
    }
    settings
}

/// A shortening of a scope's retention that is not in force yet.
pub(crate) fn pending(app: &App, scope: &RetentionScope) -> Option<PendingRetention> {
    let now = app.clock.now().millis();
    let waits = app.ledger.retention(scope.clone()).pending;
    waits.filter(|(_, at)| *at > now).map(|(days, at)| PendingRetention {
        retention_days: days,
        takes_effect_at: Time(Timestamp::from_millis(at)),
    })
}

/// A policy that takes the place of another one.
pub(crate) struct Setting<'s> {
    pub(crate) app: &'s App,
    pub(crate) caller: &'s Caller,
    /// What the caller may do there.
    pub(crate) rights: Rights,
    pub(crate) scope: RetentionScope,
    pub(crate) before: PolicySettings,
    pub(crate) after: PolicySettings,
}

impl Setting<'_> {
    /// Whether nothing changes.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.before == self.after
    }

    /// The fields as they are stored.
    pub(crate) fn stored(&self) -> PolicySettings {
        PolicySettings {
            retention_days: None,
            legal_hold: None,
            ..self.after.clone()
        }
    }

    /// Refuses what the caller may not set.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let (before, after) = (fields(&self.before), fields(&self.after));
        for (field, right) in GIVING {
            if before.get(field) != after.get(field) && !self.rights.has(right) {
                return Err(lacking(right));
            }
        }
        let of_project = self.caller.project_rights(&self.app.directory).administer;
        if !of_project && TAKING_IN.iter().any(|field| before.get(*field) != after.get(*field)) {
            let detail =
                "What is taken in is for who administers the project: unknown_actions, backfill, recorded_since.";
            return Err(Problem::forbidden(detail));
        }
        if self.caller.is_root() {
            return Ok(());
        }
        if self.after.legal_hold == Some(false) && self.before.legal_hold != Some(false) {
            return Err(Problem::forbidden(
                "Only the root key says that there is no legal hold, whatever the project says.",
            ));
        }
        let (days, hold) = self.inherited();
        let now = self.app.ledger.retention(self.scope.clone());
        let wanted = self.after.retention_days.unwrap_or(days);
        let length = |days: Option<u32>| days.unwrap_or(u32::MAX);
        // A shortening that waits was root's: it may be made longer again, up to where it began.
        let waiting = now.pending.map_or(u32::MAX, |(days, _)| length(days));
        let shortest = waiting.min(length(now.days_at(self.app.clock.now().millis())));
        if self.before.retention_days != self.after.retention_days && length(wanted) < shortest {
            return Err(Problem::forbidden(
                "Only the root key shortens how long events are kept.",
            ));
        }
        if now.legal_hold && !self.after.legal_hold.unwrap_or(hold) {
            return Err(Problem::forbidden("Only the root key lifts a legal hold."));
        }
        Ok(())
    }

    /// Days, what waits included, and hold of the scope above.
    fn inherited(&self) -> (Option<u32>, bool) {
        let above = self.scope.above().map(|above| self.app.ledger.retention(above));
        let deployment = self.app.directory.deployment().retention_days.flatten();
        let shorter = |above: &Retention| match above.pending {
            Some((Some(waits), _)) => Some(above.days.map_or(waits, |days| days.min(waits))),
            Some((None, _)) | None => above.days,
        };
        above.map_or((deployment, false), |above| (shorter(&above), above.legal_hold))
    }

    /// Adds what changes to a change, with the acts that record it. `act` begins one.
    pub(crate) fn make(&self, change: &mut Change, act: &dyn Fn(&'static str) -> Act) {
        if let Some(act) = self.fields_changed(act("trailbook.policy.changed")) {
            change.act(act);
        }
        let value = |days: Option<Option<u32>>| days.map(|days| json!(days));
        let kept = act("trailbook.retention.changed");
        let kept = kept.changed(
            "retention_days",
            value(self.before.retention_days),
            value(self.after.retention_days),
        );
        let (before, after) = (self.before.legal_hold, self.after.legal_hold);
        let (_, above) = self.inherited();
        let held = act(match (before.unwrap_or(above), after.unwrap_or(above)) {
            (false, true) => "trailbook.legal_hold.set",
            (true, false) => "trailbook.legal_hold.lifted",
            // Said, and the same as before.
            _ => "trailbook.policy.changed",
        });
        let held = held.changed("legal_hold", before.map(Value::from), after.map(Value::from));
        let acts = [kept, held];
        if acts.iter().any(|act| !act.is_unchanged()) {
            change.retention(RetentionChange {
                scope: self.scope.clone(),
                days: self.after.retention_days,
                legal_hold: after,
            });
        }
        acts.into_iter()
            .filter(|act| !act.is_unchanged())
            .for_each(|act| change.act(act));
    }

    /// The act with every field that changes, but for those that have acts of their own.
    pub(crate) fn fields_changed(&self, act: Act) -> Option<Act> {
        let (before, after) = (fields(&self.before), fields(&self.after));
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let names = names
            .into_iter()
            .filter(|name| !KEPT_BY_LEDGER.contains(&name.as_str()));
        let act = names.fold(act, |act, name| {
            act.changed(name, before.get(name).cloned(), after.get(name).cloned())
        });
        (!act.is_unchanged()).then_some(act)
    }
}

/// The fields that are set.
fn fields(settings: &PolicySettings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
