//! What keeps the records small and true without anybody asking: when credentials were used, and which are over.

use std::sync::{Arc, PoisonError};

use super::{Directory, State};
use crate::{
    Error,
    records::{ApiKey, Link, SESSION_IDLE_MS, SESSION_MS, Session, ViewerToken},
};

/// How much later a use has to be than the one that is written, to be written itself.
const WRITTEN_EVERY_MS: i64 = 60_000;
/// Records changed at a time.
const AT_A_TIME: usize = 1_000;

impl Directory {
    /// Remembers that a key or a session was used now.
    pub fn touch(&self, id: &str) {
        let now = self.now().millis();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(id) {
            Some(last) => *last = now,
            None => drop(used.insert(id.to_owned(), now)),
        }
    }

    /// When a key or a session was used last, milliseconds; `written` is what its record says.
    pub fn last_used(&self, id: &str, written: Option<i64>) -> Option<i64> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.get(id).copied().max(written)
    }

    /// Whether a session is neither too old nor unused for too long.
    pub fn is_alive(&self, session: &Session) -> bool {
        let now = self.now().millis();
        let used = self
            .last_used(&session.id, Some(session.last_used_at))
            .unwrap_or_default();
        now < session.created_at + SESSION_MS && now < used + SESSION_IDLE_MS
    }

    /// Writes when credentials were used, and removes those that are over. To be called every minute or so.
    ///
    /// # Errors
    /// As [`super::Change::commit`]; nothing is lost then.
    pub async fn keep(self: &Arc<Self>) -> Result<(), Error> {
        let mut change = self.change().await;
        let now = self.now().millis();
        let (keys, sessions) = self.used_since_written();
        let over = over(&self.state(), now, |session| self.is_alive(session));
        for key in keys.into_iter().take(AT_A_TIME) {
            change.put(key)?;
        }
        for session in sessions.into_iter().take(AT_A_TIME) {
            change.put(session)?;
        }
        over.sessions.iter().for_each(|id| change.remove::<Session>(id));
        over.tokens.iter().for_each(|id| change.remove::<ViewerToken>(id));
        over.links.iter().for_each(|id| change.remove::<Link>(id));
        if change.is_empty() {
            return Ok(());
        }
        change.commit().await
    }

    /// Keys and sessions as they have to be written. What is gone is forgotten.
    fn used_since_written(&self) -> (Vec<ApiKey>, Vec<Session>) {
        let state = self.state();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|id, _| state.keys.get(id).is_some() || state.sessions.get(id).is_some());
        let late = |written: i64, at: i64| at > written + WRITTEN_EVERY_MS;
        let keys = used.iter().filter_map(|(id, at)| {
            let key = state
                .keys
                .get(id)
                .filter(|key| late(key.last_used_at.unwrap_or(0), *at))?;
            let last_used_at = Some(*at);
            Some(ApiKey {
                last_used_at,
                ..ApiKey::clone(key)
            })
        });
        let sessions = used.iter().filter_map(|(id, at)| {
            let session = state
                .sessions
                .get(id)
                .filter(|session| late(session.last_used_at, *at))?;
            let last_used_at = *at;
            Some(Session {
                last_used_at,
                ..Session::clone(session)
            })
        });
        (keys.collect(), sessions.collect())
    }
}

/// Ids of what is over.
struct Over {
    sessions: Vec<String>,
    tokens: Vec<String>,
    links: Vec<String>,
}

fn over(state: &State, now: i64, is_alive: impl Fn(&Session) -> bool) -> Over {
    let sessions = state.sessions.all().filter(|session| !is_alive(session));
    let tokens = state.viewer_tokens.all().filter(|token| token.expires_at <= now);
    let links = state.links.all().filter(|link| link.expires_at <= now);
    Over {
        sessions: sessions.map(|session| session.id.clone()).take(AT_A_TIME).collect(),
        tokens: tokens.map(|token| token.id.clone()).take(AT_A_TIME).collect(),
        links: links.map(|link| link.id.clone()).take(AT_A_TIME).collect(),
    }
}
