//! The words of an organization, from its catalog and its policy: labels of values, the columns of files, and the values that
//! filters offer although no event has them.
//!
//! Not here: what a label or a column is (`trailbook_deliver`), what a policy may say (`trailbook_access`).

use std::sync::Arc;

use trailbook_access::{Policy, act, policy::ColumnSetting};
use trailbook_deliver::{
    csv::{Column, DEFAULT_COLUMNS},
    labels::Labels,
};
use trailbook_event::{Field, catalog::Catalog, text};
use trailbook_ledger::OrganizationKey;

use super::{App, answers::FacetValue, ask::Ask, problem::Problem};

/// Where an organization's words come from.
pub(crate) struct Words<'a> {
    pub(crate) app: &'a App,
    pub(crate) organization: &'a OrganizationKey,
    pub(crate) policy: &'a Policy,
}

impl Words<'_> {
    /// The catalog of the organization's project, if it has one.
    fn catalog(&self) -> Option<Arc<Catalog>> {
        let vocabulary = self.app.vocabulary(self.organization.project())?;
        Some(vocabulary.catalog.clone())
    }

    /// What people see for the values of the organization's events.
    fn labels(&self) -> Labels {
        let words = self.policy.labels.clone();
        let catalogs = self.catalog().into_iter().chain([act::catalog()]);
        Labels::new(catalogs.collect(), words.fields, words.values)
    }

    /// The columns of a file and its header. `named` are the ids asked for. With `labels`, the policy's columns come before event
    /// paths, and are what a file has that names none; without, event paths come first.
    ///
    /// # Errors
    /// There is no such column.
    pub(crate) fn columns(
        &self,
        named: Option<&[&str]>,
        labels: bool,
    ) -> Result<(Vec<Column>, Vec<String>), trailbook_deliver::Error> {
        let words = Arc::new(self.labels());
        let policy = &self.policy.columns;
        let ids: Vec<&str> = match named {
            Some(ids) => ids.to_vec(),
            None if labels && !policy.is_empty() => policy.iter().map(|column| &*column.id).collect(),
            None => DEFAULT_COLUMNS.to_vec(),
        };
        let columns = ids.into_iter().map(|id| {
            let of_policy = policy.iter().find(|column| column.id == id);
            let of_event = Column::parse(id);
            let (column, label) = match (of_policy, of_event) {
                (Some(found), of_event) if labels || of_event.is_err() => {
                    (rendered(found, &words), found.label.clone())
                }
                (_, of_event) => (of_event, words.field(id).into_owned()),
            };
            Ok((column?, if labels { label } else { id.to_owned() }))
        });
        columns.collect()
    }
}

impl Ask {
    fn words(&self) -> Words<'_> {
        Words {
            app: &self.app,
            organization: &self.organization,
            policy: &self.policy,
        }
    }

    /// The catalog of the organization's project, if it has one.
    pub(crate) fn catalog(&self) -> Option<Arc<Catalog>> {
        self.words().catalog()
    }

    /// What people see for the values of the organization's events.
    pub(crate) fn labels(&self) -> Labels {
        self.words().labels()
    }

    /// The columns of a file and its header; `named` are the ids asked for, separated by commas.
    pub(crate) fn columns(&self, named: Option<&str>, labels: bool) -> Result<(Vec<Column>, Vec<String>), Problem> {
        let named: Option<Vec<&str>> = named.map(|list| list.split(',').map(str::trim).collect());
        let columns = self.words().columns(named.as_deref(), labels);
        columns.map_err(|error| Problem::parameter("columns", &error.to_string()))
    }

    /// The values of a field that have no event, in the order in which the policy's filter, then the catalog names them.
    /// `known` are those with events, `prefix` begins the value or its label.
    pub(crate) fn offered(
        &self,
        field: &Field,
        known: &[trailbook_query::FacetValue],
        prefix: Option<&str>,
        labels: &Labels,
    ) -> Vec<FacetValue> {
        let name = field.to_string();
        let filter = self.policy.filters.iter().find(|filter| filter.field == name);
        let of_policy = filter.iter().flat_map(|filter| &filter.values).map(String::as_str);
        let catalog = self.catalog();
        let of_catalog = catalog.iter().flat_map(|catalog| values(catalog, field));
        let folded = prefix.map(text::fold_case);
        let mut offered: Vec<FacetValue> = Vec::new();
        for value in of_policy.chain(of_catalog) {
            let label = labels.of_field(field, value);
            let begins = |text: &str| folded.as_deref().is_none_or(|prefix| text::begins_folded(text, prefix));
            let is_known =
                known.iter().any(|known| known.value == value) || offered.iter().any(|other| other.value == value);
            if !is_known && (begins(value) || label.as_deref().is_some_and(begins)) {
                offered.push(FacetValue {
                    value: value.to_owned(),
                    label,
                    count: 0,
                });
            }
        }
        offered
    }
}

fn rendered(column: &ColumnSetting, words: &Arc<Labels>) -> Result<Column, trailbook_deliver::Error> {
    Column::rendered(&column.id, &column.value, words.clone())
}

/// The values that a catalog knows of a field.
fn values<'c>(catalog: &'c Catalog, field: &Field) -> Vec<&'c str> {
    let actions = catalog.actions().iter();
    match field {
        Field::Action => actions.map(|action| &*action.id).collect(),
        Field::Area => catalog.areas().iter().map(|area| &*area.id).collect(),
        Field::ActionType => actions.filter_map(|action| action.action_type.as_deref()).collect(),
        _ => Vec::new(),
    }
}
