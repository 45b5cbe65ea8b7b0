//! Records of one kind in memory, found by id, by owner and by credential.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::Kind;

/// Records of one kind.
pub struct Table<K> {
    held: HashMap<String, Held<K>>,
    by_owner: HashMap<String, BTreeSet<String>>,
    by_credential: HashMap<[u8; 32], String>,
}

struct Held<K> {
    version: u64,
    value: Arc<K>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            held: HashMap::new(),
            by_owner: HashMap::new(),
            by_credential: HashMap::new(),
        }
    }
}

impl<K: Kind> Table<K> {
    /// The record of an id.
    pub fn get(&self, id: &str) -> Option<&Arc<K>> {
        self.held.get(id).map(|held| &held.value)
    }

    /// The commit that wrote the record of an id.
    pub(super) fn version(&self, id: &str) -> Option<u64> {
        self.held.get(id).map(|held| held.version)
    }

    /// All records, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<K>> {
        self.held.values().map(|held| &held.value)
    }

    /// The records of an owner (see [`Kind::owner`]), by id.
    pub fn of(&self, owner: &str) -> impl Iterator<Item = &Arc<K>> {
        let ids = self.by_owner.get(owner).into_iter().flatten();
        ids.filter_map(|id| self.get(id))
    }

    /// The record that a credential with this hash stands for.
    pub fn by_credential(&self, hash: &[u8; 32]) -> Option<&Arc<K>> {
        self.get(self.by_credential.get(hash)?)
    }

    pub(super) fn put(&mut self, version: u64, value: Arc<K>) {
        let id = value.id();
        self.remove(&id);
        if let Some(credential) = value.credential() {
            self.by_credential.insert(credential, id.clone());
        }
        self.by_owner.entry(value.owner()).or_default().insert(id.clone());
        self.held.insert(id, Held { version, value });
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some(Held { value, .. }) = self.held.remove(id) else {
            return;
        };
        if let Some(credential) = value.credential() {
            self.by_credential.remove(&credential);
        }
        let owner = value.owner();
        if let Some(ids) = self.by_owner.get_mut(&owner) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
    }
}
