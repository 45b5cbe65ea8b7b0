//! The catalog as admission asks it.

use serde::{Deserialize, Serialize};

use super::{Action, Catalog};
use crate::{ActionDefaults, Defaults, Event, Fault, Pointer, language::near};

/// What becomes of events whose action the catalog does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownActions {
    /// They are stored like others.
    #[default]
    Accept,
    /// They are stored like others; readers mark what the catalog does not know.
    Mark,
    /// They are refused.
    Refuse,
}

/// A catalog with a policy for actions that it does not know.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) unknown_actions: UnknownActions,
}

impl Rules<'_> {
    fn known(&self, event: &Event<'_>) -> Option<&Action> {
        self.catalog.action(&event.action)
    }

    fn unknown(&self, event: &Event<'_>) -> Vec<Fault> {
        if self.unknown_actions != UnknownActions::Refuse {
            return Vec::new();
        }
        let near = near(
            &event.action,
            self.catalog.actions().iter().map(|action| action.id.as_str()),
        );
        let advice = match near.as_slice() {
            [] => "add it to the catalog".to_owned(),
            near => format!("did you mean {}?", near.join(" or ")),
        };
        vec![Fault::new(
            Pointer::root().child("action"),
            format!("the catalog has no action `{}`; {advice}", event.action),
        )]
    }
}

impl Defaults for Rules<'_> {
    fn of(&self, action: &str) -> Option<ActionDefaults<'_>> {
        self.catalog.action(action).map(|action| ActionDefaults {
            area: action.area.as_deref(),
            action_type: action.action_type.as_deref(),
            product: action.product.as_deref(),
            security: action.security,
        })
    }

    fn action_types(&self) -> &[String] {
        &self.catalog.action_type_ids
    }

    fn describe(&self, event: &Event<'_>) -> Option<String> {
        self.known(event)?
            .description
            .as_ref()
            .map(|template| template.render(event))
    }

    fn complaints(&self, event: &Event<'_>) -> Vec<Fault> {
        match self.known(event) {
            None => self.unknown(event),
            Some(action) => action
                .metadata
                .as_ref()
                .map(|schema| schema.complaints(event.metadata.as_ref(), &Pointer::root().child("metadata")))
                .unwrap_or_default(),
        }
    }
}
