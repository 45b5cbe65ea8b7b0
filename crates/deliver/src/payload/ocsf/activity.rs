//! Numbers and captions of OCSF's classes and of what is done in them.
//!
//! Not here: which class an event has (`meaning`).

use crate::payload::{
    meaning::{Class, Meaning},
    words::{Deed, Topic},
};

impl Class {
    pub(super) fn uid(self) -> i64 {
        match self {
            Self::AccountChange => 3001,
            Self::Authentication => 3002,
            Self::AuthorizeSession => 3003,
            Self::EntityManagement => 3004,
            Self::UserAccess => 3005,
            Self::GroupManagement => 3006,
            Self::ApiActivity => 6003,
        }
    }

    pub(super) fn caption(self) -> &'static str {
        match self {
            Self::AccountChange => "Account Change",
            Self::Authentication => "Authentication",
            Self::AuthorizeSession => "Authorize Session",
            Self::EntityManagement => "Entity Management",
            Self::UserAccess => "User Access Management",
            Self::GroupManagement => "Group Management",
            Self::ApiActivity => "API Activity",
        }
    }

    pub(super) fn category(self) -> i64 {
        self.uid() / 1000
    }

    pub(super) fn category_caption(self) -> &'static str {
        match self {
            Self::ApiActivity => "Application Activity",
            _ => "Identity & Access Management",
        }
    }

    /// Whether it is always about one user.
    pub(super) fn has_user(self) -> bool {
        match self {
            Self::AccountChange | Self::Authentication | Self::AuthorizeSession | Self::UserAccess => true,
            Self::EntityManagement | Self::GroupManagement | Self::ApiActivity => false,
        }
    }
}

/// What is done, as one of its class's activities.
pub(super) struct Activity {
    class: Class,
    pub(super) id: i64,
}

/// None of the class's activities.
const OTHER: i64 = 99;

impl Activity {
    pub(super) fn of(meaning: &Meaning) -> Self {
        let id = match meaning.class {
            Class::AccountChange => of_account(meaning),
            Class::Authentication => of_authentication(meaning.deed),
            Class::AuthorizeSession => 1,
            Class::EntityManagement => of_entity(meaning),
            Class::UserAccess => of_access(meaning.deed),
            Class::GroupManagement => of_group(meaning),
            Class::ApiActivity => of_basic_deed(meaning),
        };
        Self {
            class: meaning.class,
            id,
        }
    }

    /// As the schema has it; `None` of `Other`.
    pub(super) fn caption(&self) -> Option<&'static str> {
        let captions: &[&'static str] = match self.class {
            Class::AccountChange => &ACCOUNT,
            Class::Authentication => &AUTHENTICATION,
            Class::AuthorizeSession => &["Assign Privileges"],
            Class::EntityManagement => &ENTITY,
            Class::UserAccess => &ACCESS,
            Class::GroupManagement => &GROUP,
            Class::ApiActivity => &ENTITY[..4],
        };
        let position = usize::try_from(self.id).ok()?.checked_sub(1)?;
        captions.get(position).copied()
    }
}

const ACCOUNT: [&str; 12] = [
    "Create",
    "Enable",
    "Password Change",
    "Password Reset",
    "Disable",
    "Delete",
    "Attach Policy",
    "Detach Policy",
    "Lock",
    "MFA Factor Enable",
    "MFA Factor Disable",
    "Unlock",
];

fn of_account(meaning: &Meaning) -> i64 {
    let is_about = |topic| meaning.action.has(topic);
    match meaning.deed {
        Deed::Reset if is_about(Topic::Password) => 4,
        _ if is_about(Topic::Password) => 3,
        Deed::Create | Deed::Add | Deed::Enable | Deed::Activate | Deed::Enroll if is_about(Topic::Factor) => 10,
        Deed::Delete | Deed::Remove | Deed::Disable | Deed::Deactivate | Deed::Unenroll if is_about(Topic::Factor) => {
            11
        }
        Deed::Grant | Deed::Add if is_about(Topic::Policy) => 7,
        Deed::Revoke | Deed::Remove if is_about(Topic::Policy) => 8,
        Deed::Create => 1,
        Deed::Enable | Deed::Activate | Deed::Resume => 2,
        Deed::Disable | Deed::Deactivate | Deed::Suspend => 5,
        Deed::Delete => 6,
        Deed::Lock => 9,
        Deed::Unlock => 12,
        _ => OTHER,
    }
}

const AUTHENTICATION: [&str; 7] = [
    "Logon",
    "Logoff",
    "Authentication Ticket",
    "Service Ticket Request",
    "Service Ticket Renew",
    "Preauth",
    "Account Switch",
];

fn of_authentication(deed: Deed) -> i64 {
    match deed {
        Deed::SignIn => 1,
        Deed::SignOut => 2,
        Deed::Impersonate => 7,
        _ => OTHER,
    }
}

const ENTITY: [&str; 13] = [
    "Create",
    "Read",
    "Update",
    "Delete",
    "Move",
    "Enroll",
    "Unenroll",
    "Enable",
    "Disable",
    "Activate",
    "Deactivate",
    "Suspend",
    "Resume",
];

fn of_entity(meaning: &Meaning) -> i64 {
    match meaning.deed {
        Deed::Move => 5,
        Deed::Enroll => 6,
        Deed::Unenroll => 7,
        Deed::Enable => 8,
        Deed::Disable => 9,
        Deed::Activate => 10,
        Deed::Deactivate => 11,
        Deed::Suspend => 12,
        Deed::Resume => 13,
        _ => of_basic_deed(meaning),
    }
}

fn of_basic_deed(meaning: &Meaning) -> i64 {
    match meaning.basic_deed() {
        Some(Deed::Create) => 1,
        Some(Deed::Read) => 2,
        Some(Deed::Update) => 3,
        Some(Deed::Delete) => 4,
        _ => OTHER,
    }
}

const ACCESS: [&str; 2] = ["Assign Privileges", "Revoke Privileges"];

fn of_access(deed: Deed) -> i64 {
    match deed {
        Deed::Create | Deed::Add | Deed::Grant | Deed::Update | Deed::Enable => 1,
        Deed::Delete | Deed::Remove | Deed::Revoke | Deed::Disable => 2,
        _ => OTHER,
    }
}

const GROUP: [&str; 8] = [
    "Assign Privileges",
    "Revoke Privileges",
    "Add User",
    "Remove User",
    "Delete",
    "Create",
    "Add Subgroup",
    "Remove Subgroup",
];

fn of_group(meaning: &Meaning) -> i64 {
    let is_about_user = meaning.user.is_some() || meaning.action.has(Topic::User);
    match meaning.deed {
        Deed::Create => 6,
        Deed::Delete => 5,
        Deed::Grant if meaning.action.has_rights() => 1,
        Deed::Revoke if meaning.action.has_rights() => 2,
        Deed::Grant | Deed::Add if is_about_user => 3,
        Deed::Revoke | Deed::Remove if is_about_user => 4,
        _ => OTHER,
    }
}
