//! What a role and permissions allow under a policy.

use crate::Policy;

/// The organization of Trailbook's own acts in each project; in the project `default` it is also the operators'.
pub const SYSTEM: &str = "_system";

/// One thing that somebody may do in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Look at events.
    View,
    /// Take files of events.
    Export,
    /// Administer people, keys, tokens and the policy.
    Administer,
    /// Set up streams and alerts.
    Deliver,
}

/// What somebody may do in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// Look at events.
    pub view: bool,
    /// Take files of events.
    pub export: bool,
    /// Administer people, keys, tokens and the policy.
    pub administer: bool,
    /// Set up streams and alerts: of people those who administer and may take files, of keys those that are made for it.
    pub deliver: bool,
}

impl Rights {
    /// Everything.
    pub const ALL: Self = Self {
        view: true,
        export: true,
        administer: true,
        deliver: true,
    };

    /// What a policy gives to a role and permissions.
    pub fn of(policy: &Policy, role: Option<&str>, permissions: &[String]) -> Self {
        let either = |roles: &[String], named: &[String]| {
            role.is_some_and(|role| roles.iter().any(|known| known == role))
                || permissions.iter().any(|permission| named.contains(permission))
        };
        let view = either(&policy.view_roles, &policy.view_permissions);
        // A file is a way of looking.
        let export = view && either(&policy.export_roles, &policy.export_permissions);
        let administer = either(&policy.administer_roles, &policy.administer_permissions);
        Self {
            view,
            export,
            administer,
            deliver: export && administer,
        }
    }

    /// Whether a right is among them.
    pub fn has(self, right: Right) -> bool {
        match right {
            Right::View => self.view,
            Right::Export => self.export,
            Right::Administer => self.administer,
            Right::Deliver => self.deliver,
        }
    }

    /// Whether all of the others are among them.
    pub fn contain(self, other: Self) -> bool {
        [Right::View, Right::Export, Right::Administer, Right::Deliver]
            .into_iter()
            .all(|right| self.has(right) || !other.has(right))
    }
}

impl Policy {
    /// The rights that the policy gives to anybody at all.
    pub fn rights_of_somebody(&self) -> Rights {
        let some = |roles: &[String], permissions: &[String]| !roles.is_empty() || !permissions.is_empty();
        let export = some(&self.export_roles, &self.export_permissions);
        let administer = some(&self.administer_roles, &self.administer_permissions);
        Rights {
            view: some(&self.view_roles, &self.view_permissions),
            export,
            administer,
            deliver: export && administer,
        }
    }
}
