//! What applies to an organization and to the caller: the policy, what the caller may do, and the words of the catalog.
//!
//! Not here: how a policy is set (`policies`), the catalog as its authors need it (`projects`).

use axum::response::Response;
use serde::Serialize;
use trailbook_access::Policy;
use trailbook_deliver::labels::Labels;
use trailbook_event::catalog::{ACTION_TYPES, Action, Catalog};
use utoipa::ToSchema;

use super::{
    ask::{Ask, Knowing, json},
    problem::Problem,
    proof::NOTHING,
};

/// What applies to this organization and this caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct Applies {
    #[serde(flatten)]
    policy: Policy,
    /// What the caller may do here.
    rights: RightsHere,
    /// The areas of the catalog, in its order.
    areas: Vec<AreaWords>,
    /// The action types, built-in and the catalog's own.
    action_types: Vec<Word>,
    /// The actions of the catalog, in its order.
    actions: Vec<ActionWords>,
}

/// What the caller may do here.
#[derive(Serialize, ToSchema)]
pub(crate) struct RightsHere {
    /// Look at events.
    view: bool,
    /// Take files.
    export: bool,
    /// Administer users, keys, tokens and the policy.
    administer: bool,
}

/// A value that events carry and what people see for it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Word {
    /// What events carry.
    id: String,
    /// What people see.
    label: String,
}

/// An area.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaWords {
    /// What events carry.
    id: String,
    /// What people see.
    label: String,
    /// Why what happens there matters.
    why: Option<String>,
}

/// What readers may know of an action.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActionWords {
    /// What events carry.
    id: String,
    /// Its name; two actions may share one.
    name: String,
    /// What people see: the name, and the area where the name is shared.
    label: String,
    /// Its area.
    area: Option<String>,
    /// Its action type.
    action_type: Option<String>,
    /// Its product.
    product: Option<String>,
    /// Whether it matters for security, unless an event says otherwise.
    security: bool,
    /// Why it matters; what its area says where it has no own word.
    why: Option<String>,
    /// Units of numbers in the metadata, by path.
    units: std::collections::BTreeMap<String, String>,
}

/// What applies to this organization and this caller.
#[utoipa::path(get, path = "/v1/organizations/{organization}/policy", tag = "Read",
    responses((status = 200, description = "The policy, the caller's rights and the words of the catalog", body = Applies)))]
pub(crate) async fn policy(Knowing(ask): Knowing) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let (catalog, labels) = (ask.catalog().unwrap_or_default(), ask.labels());
    let retention = ask.app.ledger.retention(&ask.organization);
    Ok(json(&Applies {
        policy: ask.policy.with_retention(retention, ask.app.clock.now()),
        rights: rights(&ask),
        areas: areas(&catalog, &labels),
        action_types: action_types(&catalog, &labels),
        actions: catalog.actions().iter().map(|action| words(action, &labels)).collect(),
    }))
}

fn rights(ask: &Ask) -> RightsHere {
    RightsHere {
        view: ask.rights.view,
        export: ask.rights.export,
        administer: ask.rights.administer,
    }
}

fn areas(catalog: &Catalog, labels: &Labels) -> Vec<AreaWords> {
    let area = |area: &trailbook_event::catalog::Area| AreaWords {
        label: labels.value("area", &area.id).into_owned(),
        id: area.id.clone(),
        why: area.why.clone(),
    };
    catalog.areas().iter().map(area).collect()
}

fn action_types(catalog: &Catalog, labels: &Labels) -> Vec<Word> {
    let own = catalog.action_types().iter().map(|named| named.id.as_str());
    let word = |id: &str| Word {
        label: labels.value("action_type", id).into_owned(),
        id: id.to_owned(),
    };
    ACTION_TYPES.into_iter().chain(own).map(word).collect()
}

fn words(action: &Action, labels: &Labels) -> ActionWords {
    let units = action.units.iter();
    ActionWords {
        id: action.id.clone(),
        name: action.name.clone(),
        label: labels.value("action", &action.id).into_owned(),
        area: action.area.clone(),
        action_type: action.action_type.clone(),
        product: action.product.clone(),
        security: action.security.unwrap_or_default(),
        why: action.why.clone(),
        units: units.map(|(path, unit)| (path.to_string(), unit.clone())).collect(),
    }
}
