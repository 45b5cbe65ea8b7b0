//! What a catalog adds to admission: defaults for what the sender left out, descriptions, and complaints.
//!
//! Admission knows the catalog only through [`Defaults`]. Not here: the catalog itself.

use crate::{Event, Fault};

/// What the catalog says of one action, for the members that the sender left out or sent as null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActionDefaults<'c> {
    /// The product area.
    pub area: Option<&'c str>,
    /// The action type; `other` when the catalog does not say either.
    pub action_type: Option<&'c str>,
    /// The product.
    pub product: Option<&'c str>,
    /// Whether the action matters for security; `false` when the catalog does not say either.
    pub security: Option<bool>,
}

/// A source of defaults and rules per action: the catalog, or [`NoCatalog`].
///
/// The order of calls for each event: `of`, then `describe` (only when the sender gave no description), then `complaints`.
/// The last two see the event with all defaults filled in. All are pure: same event, same answer.
pub trait Defaults: Sync {
    /// The defaults of an action, or `None` when the catalog does not know it.
    fn of(&self, action: &str) -> Option<ActionDefaults<'_>>;

    /// The action types that are allowed beside the built-in ones, for checks and for the sentence that lists them.
    fn action_types(&self) -> &[String];

    /// The description of an event whose sender gave none: the rendered template, or `None` when there is none.
    fn describe(&self, event: &Event<'_>) -> Option<String>;

    /// What the catalog has against the event (metadata against its schema, unknown actions where those are refused);
    /// pointers begin at the event. Empty when the event is fine.
    fn complaints(&self, event: &Event<'_>) -> Vec<Fault>;
}

/// No catalog: every action is accepted, nothing is added.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCatalog;

impl Defaults for NoCatalog {
    fn of(&self, _action: &str) -> Option<ActionDefaults<'_>> {
        None
    }

    fn action_types(&self) -> &[String] {
        &[]
    }

    fn describe(&self, _event: &Event<'_>) -> Option<String> {
        None
    }

    fn complaints(&self, _event: &Event<'_>) -> Vec<Fault> {
        Vec::new()
    }
}
