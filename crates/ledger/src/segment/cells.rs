//! A row as values of columns, and back: what the writer puts into the file and the reader makes rows of.
//!
//! Invariant: for cells of a row, [`Cells::parts`] are the row's parts, byte for byte; the writer checks it for each row.

use std::borrow::Cow;

use bytes::Bytes;
use trailbook_event::{Actor, Context, Event, Part, Parts, Target, Timestamp};

use super::columns::{COLUMNS, Column};
use crate::{EventId, OrganizationKey, PartSecret, Row, Secrets};

/// A row's values.
pub(super) struct Cells<'a> {
    /// By column; 0 where it has none.
    pub(super) numbers: [i64; COLUMNS],
    pub(super) security: bool,
    /// By column; `None` where it has none, or the row has no value.
    pub(super) bytes: [Option<&'a [u8]>; COLUMNS],
}

impl<'a> Cells<'a> {
    /// No values.
    pub(super) const EMPTY: Self = Self {
        numbers: [0; COLUMNS],
        security: false,
        bytes: [None; COLUMNS],
    };

    /// The values of a row. `redaction` is the row's, encoded.
    pub(super) fn of(
        row: &'a Row,
        event: &'a Event<'a>,
        key: &'a OrganizationKey,
        redaction: Option<&'a [u8]>,
    ) -> Self {
        let mut cells = Self {
            security: event.security,
            ..Self::EMPTY
        };
        for (column, number) in [
            (Column::Sequence, row.sequence as i64),
            (Column::Commit, row.commit as i64),
            (Column::Epoch, i64::from(row.epoch)),
            (Column::ReceivedAt, row.received_at.millis()),
            (Column::OccurredAt, row.occurred_at.millis()),
        ] {
            cells.numbers[column as usize] = number;
        }
        cells.set(Column::Project, key.project());
        cells.set(Column::Organization, &event.organization);
        cells.set_core(event);
        cells.set_people(event);
        cells.set_context(&event.context);
        cells.put(Column::Country, row.country.as_ref().map(|code| &code[..]));
        let targets = (event.targets.len() > 1).then(|| row.parts.part(Part::Targets));
        cells.put(Column::Targets, targets);
        cells.put(Column::Details, Some(row.parts.part(Part::Details)));
        cells.put(Column::Id, Some(row.id.bytes()));
        if let Secrets::Nonce(nonce) = &row.secrets {
            cells.put(Column::Nonce, Some(nonce));
        }
        cells.put(Column::Redaction, redaction);
        cells
    }

    fn set_core(&mut self, event: &'a Event<'a>) {
        self.set(Column::Action, &event.action);
        self.set(Column::ActionType, &event.action_type);
        self.set_optional(Column::Area, event.area.as_ref());
        self.set_optional(Column::Product, event.product.as_ref());
        self.set_optional(Column::Description, event.description.as_ref());
        self.set(Column::Result, &event.result);
        self.set_optional(Column::TraceId, event.trace_id.as_ref());
        self.set_optional(Column::ClientId, event.client_id.as_ref());
    }

    fn set_people(&mut self, event: &'a Event<'a>) {
        let actor = &event.actor;
        self.set(Column::ActorType, &actor.kind);
        self.set_optional(Column::ActorId, actor.id.as_ref());
        self.set_optional(Column::ActorName, actor.name.as_ref());
        self.set_optional(Column::ActorEmail, actor.email.as_ref());
        self.set_optional(Column::ActorTeam, actor.team.as_ref());
        if let Some(target) = event.targets.first() {
            self.set(Column::TargetType, &target.kind);
            self.set_optional(Column::TargetId, target.id.as_ref());
            self.set_optional(Column::TargetName, target.name.as_ref());
            self.set_optional(Column::TargetEmail, target.email.as_ref());
        }
    }

    fn set_context(&mut self, context: &'a Context<'a>) {
        self.set_optional(Column::Ip, context.ip.as_ref());
        self.set_optional(Column::UserAgent, context.user_agent.as_ref());
        self.set_optional(Column::Url, context.url.as_ref());
        self.set_optional(Column::Referrer, context.referrer.as_ref());
    }

    fn set(&mut self, column: Column, text: &'a str) {
        self.put(column, Some(text.as_bytes()));
    }

    fn set_optional(&mut self, column: Column, text: Option<&'a Cow<'a, str>>) {
        self.put(column, text.map(|text| text.as_bytes()));
    }

    fn put(&mut self, column: Column, bytes: Option<&'a [u8]>) {
        self.bytes[column as usize] = bytes;
    }

    pub(super) fn number(&self, column: Column) -> i64 {
        self.numbers[column as usize]
    }

    pub(super) fn get(&self, column: Column) -> Option<&'a [u8]> {
        self.bytes[column as usize]
    }

    /// The text in a column. Bytes that are no text count as none; the row then does not hash to its leaf.
    fn text(&self, column: Column) -> Option<Cow<'a, str>> {
        self.get(column)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .map(Cow::Borrowed)
    }

    /// The canonical bytes that the values say; `None` when one is missing that every event has. They are not checked:
    /// hold them against their leaf.
    pub(super) fn parts(&self) -> Option<Parts<Vec<u8>>> {
        let event = Event {
            organization: self.text(Column::Organization)?,
            client_id: self.text(Column::ClientId),
            occurred_at: Timestamp::from_millis(self.number(Column::OccurredAt)),
            action: self.text(Column::Action)?,
            action_type: self.text(Column::ActionType)?,
            area: self.text(Column::Area),
            product: self.text(Column::Product),
            description: self.text(Column::Description),
            security: self.security,
            result: self.text(Column::Result)?,
            trace_id: self.text(Column::TraceId),
            actor: Actor {
                kind: self.text(Column::ActorType)?,
                id: self.text(Column::ActorId),
                name: self.text(Column::ActorName),
                email: self.text(Column::ActorEmail),
                team: self.text(Column::ActorTeam),
            },
            targets: self.first_target().into_iter().collect(),
            context: Context {
                ip: self.text(Column::Ip),
                user_agent: self.text(Column::UserAgent),
                url: self.text(Column::Url),
                referrer: self.text(Column::Referrer),
            },
            changes: Vec::new(),
            metadata: None,
            message: None,
        };
        Some(event.to_parts_around(self.get(Column::Targets), self.get(Column::Details)?))
    }

    fn first_target(&self) -> Option<Target<'a>> {
        Some(Target {
            kind: self.text(Column::TargetType)?,
            id: self.text(Column::TargetId),
            name: self.text(Column::TargetName),
            email: self.text(Column::TargetEmail),
        })
    }

    /// Whose row it is, as other engines are told; `None` when that is not said.
    pub(super) fn key(&self) -> Option<OrganizationKey> {
        let (project, organization) = (self.text(Column::Project)?, self.text(Column::Organization)?);
        Some(OrganizationKey::new(project, organization))
    }

    /// The row that the values say; `None` when they are not those of a row. Its leaf hash is computed from it.
    pub(super) fn row(&self) -> Option<Row> {
        let parts = self.parts()?;
        let ends = parts.ends();
        let mut row = Row {
            sequence: u64::try_from(self.number(Column::Sequence)).ok()?,
            commit: u64::try_from(self.number(Column::Commit)).ok()?,
            id: EventId::from_bytes(self.get(Column::Id)?.try_into().ok()?),
            epoch: u32::try_from(self.number(Column::Epoch)).ok()?,
            received_at: Timestamp::from_millis(self.number(Column::ReceivedAt)),
            occurred_at: Timestamp::from_millis(self.number(Column::OccurredAt)),
            country: self.get(Column::Country).map(<[u8; 2]>::try_from).transpose().ok()?,
            secrets: self.secrets()?,
            leaf_hash: trailbook_merkle::Hash([0; 32]),
            parts: Parts::new(Bytes::from(parts.into_bytes()), ends)?,
        };
        row.leaf_hash = row.leaf_record().leaf_hash();
        Some(row)
    }

    fn secrets(&self) -> Option<Secrets> {
        match (self.get(Column::Nonce), self.get(Column::Redaction)) {
            (Some(nonce), None) => Some(Secrets::Nonce(nonce.try_into().ok()?)),
            (None, Some(redaction)) => Some(Secrets::Redacted(PartSecret::decode(redaction)?)),
            _ => None,
        }
    }
}
