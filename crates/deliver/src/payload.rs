//! Stub until merged.
use crate::{
    Error,
    json::{Envelope, write_event},
};
use std::sync::Arc;
use trailbook_ledger::Row;
/// A payload of one's own.
pub type Custom = Arc<dyn Fn(&Row, &Envelope<'_>, &mut Vec<u8>) -> Result<(), Error> + Send + Sync>;
/// What an event becomes.
#[derive(Clone)]
pub enum Payload {
    /// As returned.
    Native,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// A function.
    Custom(Custom),
}
impl Payload {
    /// Appends.
    pub fn write(&self, row: &Row, envelope: &Envelope<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Custom(write) => write(row, envelope, out),
            _ => {
                write_event(row, envelope, out);
                Ok(())
            }
        }
    }
}
