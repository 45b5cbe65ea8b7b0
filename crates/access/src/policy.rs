//! What applies to an organization: each field from the nearest of organization, project and deployment that sets it, else
//! built in.
//!
//! Invariants
//! - Settings that were read are valid: a [`Policy`] made of them needs no further check.
//! - A field is inherited as a whole: a list or a table replaces the one above, it is not merged with it.
//! - Absent is inherited. Null, where a field may be null, is said: nothing, for ever, no limit.
//!
//! Not here: who holds which role, where settings are kept, how long events are in fact kept (`trailbook_ledger`).
//! See docs/policies.md.

mod check;
mod parts;
mod range;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use trailbook_event::{Fault, Pointer, Timestamp, catalog::UnknownActions};
use trailbook_ledger::Retention;
use utoipa::ToSchema;

pub use check::{DAYS_MAX, LIST_MAX, RETENTION_DAYS_MAX, TEXT_CHARS_MAX};
pub use parts::{Backfill, ColumnSetting, FilterSetting, LabelSettings, NamedQuery, Preset, ShownAs};
pub use range::{Range, day_start, zone};

/// The list of fields is written once: [`Policy`] has them all, [`PolicySettings`] those that are set.
macro_rules! policy_fields {
    ($($(#[$about:meta])* $field:ident: $kind:ty,)*) => {
        /// What applies to an organization.
        #[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
        pub struct Policy {
            $($(#[$about])* pub $field: $kind,)*
        }

        /// The fields of a policy that are set at one place: for the deployment, a project or an organization.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct PolicySettings {
            $(
                $(#[$about])*
                #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
                pub $field: Option<$kind>,
            )*
        }

        impl Policy {
            /// Takes what is set in place of what was there.
            fn apply(&mut self, settings: &PolicySettings) {
                $(if let Some(value) = &settings.$field {
                    self.$field.clone_from(value);
                })*
            }
        }

        impl PolicySettings {
            /// Takes what the other sets in place of what was there.
            fn take(&mut self, other: Self) {
                $(if other.$field.is_some() {
                    self.$field = other.$field;
                })*
            }
        }
    };
}

policy_fields! {
    /// Days that events are kept; null means for ever.
    retention_days: Option<u32>,
    /// Whether nothing may expire.
    legal_hold: bool,
    /// Days before now that a read without `from` covers, as far as `max_range_days` allows; null means all.
    default_range_days: Option<u32>,
    /// The widest range of a read, in calendar days; null means any.
    max_range_days: Option<u32>,
    /// IANA name of the zone of calendar days.
    time_zone: String,
    /// Roles that may look.
    view_roles: Vec<String>,
    /// Permissions that suffice to look.
    view_permissions: Vec<String>,
    /// Roles that may export.
    export_roles: Vec<String>,
    /// Permissions that suffice to export.
    export_permissions: Vec<String>,
    /// Roles that may administer users, keys, tokens and the organization's policy.
    administer_roles: Vec<String>,
    /// Permissions that suffice to administer.
    administer_permissions: Vec<String>,
    /// What happens to actions that the catalog does not know: `accept`, `mark` or `refuse`.
    #[schema(value_type = String)]
    unknown_actions: UnknownActions,
    /// What happens to events from before recording began: `accept` or `refuse`.
    backfill: Backfill,
    /// When recording began, for readers and for `backfill`; null when that is not stated.
    recorded_since: Option<String>,
    /// Whether events of type `read` are left out of listings unless asked for.
    hide_reads: bool,
    /// Whether root may redact.
    redaction: bool,
    /// Columns of the screen and of files; empty means the built-in ones.
    columns: Vec<ColumnSetting>,
    /// Lines of the screen's panel of one event; empty means the built-in ones.
    details: Vec<ColumnSetting>,
    /// Filters that the screen offers, in their order; empty means the built-in ones.
    filters: Vec<FilterSetting>,
    /// Labels of fields, of values and of the screen; what has none has the built-in one.
    labels: LabelSettings,
    /// Questions that readers ask again and again.
    queries: Vec<NamedQuery>,
    /// Ranges that the screen offers; empty means the built-in ones.
    presets: Vec<Preset>,
    /// Origins that may embed the viewer.
    embed_origins: Vec<String>,
    /// The screen's title; null means the built-in one.
    title: Option<String>,
    /// The screen's breadcrumb, outermost first.
    breadcrumb: Vec<String>,
    /// What the log covers, in the product's words.
    coverage_note: Option<String>,
    /// Where readers send feedback.
    feedback_url: Option<String>,
}

/// A value that is there: null is the value null, and not one that is absent.
fn given<'d, T: Deserialize<'d>, D: Deserializer<'d>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Default for Policy {
    /// The built-in default: everything kept for ever, no range limits, UTC.
    fn default() -> Self {
        let roles = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Self {
            retention_days: None,
            legal_hold: false,
            default_range_days: None,
            max_range_days: None,
            time_zone: "UTC".into(),
            view_roles: roles(&["owner", "administrator", "auditor"]),
            view_permissions: Vec::new(),
            export_roles: roles(&["owner", "administrator", "auditor"]),
            export_permissions: Vec::new(),
            administer_roles: roles(&["owner", "administrator"]),
            administer_permissions: Vec::new(),
            unknown_actions: UnknownActions::Accept,
            backfill: Backfill::Accept,
            recorded_since: None,
            hide_reads: false,
            redaction: true,
            columns: Vec::new(),
            details: Vec::new(),
            filters: Vec::new(),
            labels: LabelSettings::default(),
            queries: Vec::new(),
            presets: Vec::new(),
            embed_origins: Vec::new(),
            title: None,
            breadcrumb: Vec::new(),
            coverage_note: None,
            feedback_url: None,
        }
    }
}

impl Policy {
    /// What applies where these are set: the organization's before the project's before the deployment's before the built-in.
    pub fn effective(
        deployment: &PolicySettings,
        project: Option<&PolicySettings>,
        organization: Option<&PolicySettings>,
    ) -> Self {
        let mut policy = Self::default();
        [Some(deployment), project, organization]
            .into_iter()
            .flatten()
            .for_each(|settings| policy.apply(settings));
        policy
    }

    /// The policy of an organization whose events are kept so long, as it is at `now`.
    #[must_use]
    pub fn with_retention(&self, retention: Retention, now: Timestamp) -> Self {
        Self {
            retention_days: retention.days_at(now.millis()),
            legal_hold: retention.legal_hold,
            ..self.clone()
        }
    }

    /// The time before which events are refused; `None` when none are.
    pub fn refused_before(&self) -> Option<Timestamp> {
        match self.backfill {
            Backfill::Accept => None,
            Backfill::Refuse => self.recorded_since.as_deref().and_then(Timestamp::parse),
        }
    }
}

impl PolicySettings {
    /// Reads settings: a JSON object of policy fields.
    ///
    /// # Errors
    /// Every fault, with its place below the object.
    pub fn read(settings: &Value) -> Result<Self, Vec<Fault>> {
        let Some(members) = settings.as_object() else {
            return Err(vec![Fault::new(
                Pointer::root(),
                "this must be an object of policy fields",
            )]);
        };
        let mut faults = Vec::new();
        let mut read = Self::default();
        // One member after the other: a fault in one does not hide those of the next.
        for (name, value) in members {
            let alone = serde_json::Map::from_iter([(name.clone(), value.clone())]);
            match serde_path_to_error::deserialize::<_, Self>(Value::Object(alone)) {
                Ok(one) => read.take(one),
                Err(error) => faults.push(check::of_shape(name, &error)),
            }
        }
        faults.extend(check::faults(&read));
        if faults.is_empty() { Ok(read) } else { Err(faults) }
    }
}

#[cfg(test)]
mod tests;
