//! The members of a policy that are more than a text, a number or a truth.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What happens to events that occurred before `recorded_since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backfill {
    /// They are stored like others.
    Accept,
    /// They are refused.
    Refuse,
}

/// A column of the screen and of files, or a line of the panel of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSetting {
    /// Its name in `columns=`: letters, digits, `_`, `-` and `.`; unique in its list.
    pub id: String,
    /// What stands above it.
    pub label: String,
    /// A template over the event as it is returned, with values as they are labelled: `{actor.name} · {actor.email}`.
    pub value: String,
}

/// A filter that the screen offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterSetting {
    /// The name of a field that reads filter by.
    pub field: String,
    /// What stands above it; null means the field's own label.
    #[serde(default)]
    pub label: Option<String>,
    /// Values that are offered even where no event has them.
    #[serde(default)]
    pub values: Vec<String>,
}

/// The product's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LabelSettings {
    /// Labels by event path: `actor.email`.
    pub fields: BTreeMap<String, String>,
    /// Labels of values by event path and value; the values of a changed field by the field's name. An empty label hides.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// The words of the screen's buttons and sentences, by their id.
    pub screen: BTreeMap<String, String>,
}

/// A question with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedQuery {
    /// Its name; unique.
    pub id: String,
    /// What people see.
    pub label: String,
    /// What it tells, in a sentence.
    #[serde(default)]
    pub about: Option<String>,
    /// The metric that is the answer; null shows all.
    #[serde(default)]
    pub show: Option<String>,
    /// How the answer is written.
    #[serde(default, rename = "as")]
    pub shown_as: ShownAs,
    /// The body of `POST …/events/aggregate`, without `from` and `to`, which are the reader's.
    #[schema(value_type = Object)]
    pub aggregate: Map<String, Value>,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownAs {
    /// As it is.
    #[default]
    Number,
    /// A hundred times as much, with `%`.
    Percent,
}

/// A range that the screen offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Preset {
    /// The day that it is.
    #[serde(rename = "today")]
    Today,
    /// The day before.
    #[serde(rename = "yesterday")]
    Yesterday,
    /// The last week, today included.
    #[serde(rename = "last_7_days")]
    Last7Days,
    /// Four weeks, today included.
    #[serde(rename = "last_28_days")]
    Last28Days,
    /// Thirty days, today included.
    #[serde(rename = "last_30_days")]
    Last30Days,
    /// Ninety days, today included.
    #[serde(rename = "last_90_days")]
    Last90Days,
    /// A calendar with a beginning and an end.
    #[serde(rename = "custom")]
    Custom,
}
