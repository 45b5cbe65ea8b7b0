//! Who asks, and what they may do where.
//!
//! Invariant: somebody who may not know that an organization exists gets `None`, which becomes the answer for a name that is not there.

use std::sync::Arc;

use trailbook_ledger::OrganizationKey;

use crate::{
    DEFAULT_PROJECT, Policy,
    act::Actor,
    directory::Directory,
    records::{ApiKey, Export, OwnerKind, Scope, Session, User, UserState, ViewOwner, ViewerToken},
    rights::{Rights, SYSTEM},
};

/// Who asks.
#[derive(Clone)]
pub enum Principal {
    /// The operator's own key.
    Root,
    /// A program.
    Key(Arc<ApiKey>),
    /// A person who is signed in.
    User(Arc<User>, Arc<Session>),
    /// Somebody who looks at an embedded viewer.
    Viewer(Arc<ViewerToken>),
}

/// Who asks, and for which project.
#[derive(Clone)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// The project that all names of the request belong to.
    pub project: Arc<str>,
    /// SHA-256 of the credential: idempotency keys belong to it.
    pub credential: [u8; 32],
    /// Where the request came from.
    pub origin: Origin,
}

/// Where a request came from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Address of the client.
    pub ip: Option<std::net::IpAddr>,
    /// What it calls itself.
    pub user_agent: Option<Arc<str>>,
}

/// Why somebody gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// As if it were not there.
    Unknown,
    /// The key is bound to another organization.
    BoundElsewhere,
}

impl Caller {
    /// Whether the caller is root.
    pub fn is_root(&self) -> bool {
        matches!(self.principal, Principal::Root)
    }

    /// Whether the caller is a person: somebody of the console, or who looks at an embedded viewer.
    pub fn is_person(&self) -> bool {
        matches!(self.principal, Principal::User(..) | Principal::Viewer(_))
    }

    /// Whether the credential still stands, as it is: neither revoked nor expired, and the person neither changed nor gone.
    pub fn stands(&self, directory: &Directory) -> bool {
        let now = directory.now().millis();
        match &self.principal {
            Principal::Root => true,
            Principal::Key(key) => {
                directory.get::<ApiKey>(&key.id).is_some() && key.expires_at.is_none_or(|at| now < at)
            }
            Principal::User(user, session) => {
                directory
                    .get::<User>(&user.id)
                    .is_some_and(|known| Arc::ptr_eq(&known, user))
                    && directory
                        .get::<Session>(&session.id)
                        .is_some_and(|session| directory.is_alive(&session))
            }
            Principal::Viewer(token) => directory.get::<ViewerToken>(&token.id).is_some() && now < token.expires_at,
        }
    }

    /// What the caller may do in an organization of the request's project.
    ///
    /// # Errors
    /// [`Denied`] when the caller has nothing to do with it.
    pub fn rights(&self, organization: &OrganizationKey, directory: &Directory) -> Result<Rights, Denied> {
        match &self.principal {
            Principal::Root => Ok(Rights::ALL),
            Principal::Key(key) => key_rights(key, organization),
            Principal::User(user, _) => user_rights(user, organization, directory),
            Principal::Viewer(token) => viewer_rights(token, organization, directory),
        }
    }

    /// What the caller may do with the project as a whole, and the organizations in it that do not exist yet.
    pub fn project_rights(&self, directory: &Directory) -> Rights {
        match &self.principal {
            Principal::Root => Rights::ALL,
            Principal::Key(key) if key.organization.is_none() => scopes(key),
            Principal::User(user, _) => operator_rights(user, directory).unwrap_or_default(),
            Principal::Key(_) | Principal::Viewer(_) => Rights::default(),
        }
    }

    /// Whether the caller may send events at all, and for which organization only.
    pub fn may_write(&self) -> Option<Option<&str>> {
        match &self.principal {
            Principal::Root => Some(None),
            Principal::Key(key) if key.scopes.contains(&Scope::Write) => Some(key.organization.as_deref()),
            Principal::Key(_) | Principal::User(..) | Principal::Viewer(_) => None,
        }
    }

    /// Whether the caller works for the whole deployment.
    pub fn is_operator(&self, directory: &Directory) -> bool {
        match &self.principal {
            Principal::Root => true,
            Principal::User(user, _) => operator_rights(user, directory).is_some(),
            Principal::Key(_) | Principal::Viewer(_) => false,
        }
    }

    /// What narrows everything that the caller sees, in the query language.
    pub fn filter(&self) -> Option<&str> {
        match &self.principal {
            Principal::Viewer(token) => token.filter.as_deref(),
            Principal::Root | Principal::Key(_) | Principal::User(..) => None,
        }
    }

    /// The caller as the actor of what they do.
    pub fn actor(&self) -> Actor {
        match &self.principal {
            Principal::Root => Actor::system("Root key"),
            Principal::Key(key) => Actor {
                kind: "api_key".into(),
                id: Some(key.id.clone()),
                name: Some(key.name.clone()),
                email: None,
            },
            Principal::User(user, _) => Actor::user(user),
            Principal::Viewer(token) => Actor {
                kind: "user".into(),
                id: Some(token.actor.id.clone()),
                name: token.actor.name.clone(),
                email: token.actor.email.clone(),
            },
        }
    }

    /// The caller as the owner of views: the same person with the next token too.
    pub fn view_owner(&self) -> ViewOwner {
        let (kind, id) = match &self.principal {
            Principal::Root => (OwnerKind::Root, "root"),
            Principal::Key(key) => (OwnerKind::Key, &*key.id),
            Principal::User(user, _) => (OwnerKind::User, &*user.id),
            Principal::Viewer(token) => (OwnerKind::Viewer, &*token.actor.id),
        };
        let id = id.to_owned();
        ViewOwner { kind, id }
    }

    /// Names the caller for what is counted by caller: throttles and limits.
    pub fn id(&self) -> &str {
        match &self.principal {
            Principal::Root => "root",
            Principal::Key(key) => &key.id,
            Principal::User(user, _) => &user.id,
            Principal::Viewer(token) => &token.id,
        }
    }
}

fn scopes(key: &ApiKey) -> Rights {
    let has = |scope| key.scopes.contains(&scope);
    Rights {
        view: has(Scope::Read),
        export: has(Scope::Exports),
        administer: has(Scope::Administer),
        // A stream is a way of looking.
        deliver: has(Scope::Read) && has(Scope::Streams),
    }
}

fn key_rights(key: &ApiKey, organization: &OrganizationKey) -> Result<Rights, Denied> {
    let bound = key.organization.as_deref();
    if *key.project != *organization.project() {
        return Err(Denied::Unknown);
    }
    if bound.is_some_and(|bound| bound != organization.organization()) {
        return Err(Denied::BoundElsewhere);
    }
    // What all of a project do in Trailbook itself is no single organization's business.
    if organization.organization() == SYSTEM {
        return Err(Denied::Unknown);
    }
    Ok(scopes(key))
}

fn user_rights(user: &User, organization: &OrganizationKey, directory: &Directory) -> Result<Rights, Denied> {
    match operator_rights(user, directory) {
        Some(rights) => Ok(rights),
        None if user.key() == *organization => {
            let policy = directory.policy(organization);
            Ok(Rights::of(&policy, Some(&user.role), &user.permissions))
        }
        None => Err(Denied::Unknown),
    }
}

fn viewer_rights(token: &ViewerToken, organization: &OrganizationKey, directory: &Directory) -> Result<Rights, Denied> {
    if *token.project != *organization.project() || token.organization != organization.organization() {
        return Err(Denied::Unknown);
    }
    Ok(token_rights(token, &directory.policy(organization)))
}

impl Export {
    /// What whoever asked for the export may do in its organization now; nothing when their credential stands no more.
    pub fn rights_of_owner(&self, directory: &Directory) -> Rights {
        let organization = OrganizationKey::new(self.project.as_str(), self.organization.as_str());
        let now = directory.now().millis();
        let rights = match self.owner.kind {
            OwnerKind::Root => Some(Ok(Rights::ALL)),
            OwnerKind::Key => directory
                .get::<ApiKey>(&self.credential)
                .filter(|key| key.expires_at.is_none_or(|at| now < at))
                .map(|key| key_rights(&key, &organization)),
            OwnerKind::User => directory
                .get::<User>(&self.credential)
                .filter(|user| user.state == UserState::Active)
                .map(|user| user_rights(&user, &organization, directory)),
            OwnerKind::Viewer => directory
                .get::<ViewerToken>(&self.credential)
                .filter(|token| now < token.expires_at && token.filter == self.own_filter)
                .map(|token| viewer_rights(&token, &organization, directory)),
        };
        rights.and_then(Result::ok).unwrap_or_default()
    }
}

/// The rights of the people of the operators' organization, who work for the whole deployment.
fn operator_rights(user: &User, directory: &Directory) -> Option<Rights> {
    if user.project != DEFAULT_PROJECT || user.organization != SYSTEM {
        return None;
    }
    let policy = directory.policy(&user.key());
    Some(Rights::of(&policy, Some(&user.role), &user.permissions))
}

fn token_rights(token: &ViewerToken, policy: &Policy) -> Rights {
    let rights = Rights::of(policy, token.actor.role.as_deref(), &token.actor.permissions);
    Rights {
        view: rights.view,
        export: rights.export && token.may_export,
        administer: false,
        deliver: false,
    }
}
