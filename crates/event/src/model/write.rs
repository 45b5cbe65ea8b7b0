//! From an event to its five parts: fixed shapes, so the keys are written in their canonical order and nothing is sorted
//! but what is inside metadata and changes.

use std::borrow::Cow;

use super::{Actor, Change, Context, Event, Target};
use crate::{
    Parts,
    json::{Value, write_canonical, write_string},
};

impl Event<'_> {
    /// The event's canonical bytes.
    pub fn to_parts(&self) -> Parts<Vec<u8>> {
        self.write_parts(
            1024,
            |out| write_list(&self.targets, out, Target::write),
            |out| self.write_details(out),
        )
    }

    /// The event's canonical bytes when details, and targets if given, are at hand as canonical bytes: these are taken as
    /// they are, and what the event says of them does not count. For stores that keep the other parts as columns.
    pub fn to_parts_around(&self, targets: Option<&[u8]>, details: &[u8]) -> Parts<Vec<u8>> {
        let given = details.len() + targets.map_or(0, <[u8]>::len);
        self.write_parts(
            given + 896,
            |out| match targets {
                Some(targets) => out.extend_from_slice(targets),
                None => write_list(&self.targets, out, Target::write),
            },
            |out| out.extend_from_slice(details),
        )
    }

    fn write_parts(
        &self,
        capacity: usize,
        targets: impl Fn(&mut Vec<u8>),
        details: impl Fn(&mut Vec<u8>),
    ) -> Parts<Vec<u8>> {
        let mut out = Vec::with_capacity(capacity);
        let mut ends = [0; 5];
        self.write_core(&mut out);
        ends[0] = end(&out);
        self.actor.write(&mut out);
        ends[1] = end(&out);
        targets(&mut out);
        ends[2] = end(&out);
        self.context.write(&mut out);
        ends[3] = end(&out);
        details(&mut out);
        ends[4] = end(&out);
        Parts::new(out, ends).expect("the ends were taken in order from these very bytes")
    }

    fn write_core(&self, out: &mut Vec<u8>) {
        text(b"{\"action\":", &self.action, out);
        text(b",\"action_type\":", &self.action_type, out);
        optional(b",\"area\":", self.area.as_ref(), out);
        optional(b",\"client_id\":", self.client_id.as_ref(), out);
        optional(b",\"description\":", self.description.as_ref(), out);
        out.extend_from_slice(b",\"occurred_at\":\"");
        self.occurred_at.write(out);
        text(b"\",\"organization\":", &self.organization, out);
        optional(b",\"product\":", self.product.as_ref(), out);
        text(b",\"result\":", &self.result, out);
        out.extend_from_slice(if self.security {
            b",\"security\":true"
        } else {
            b",\"security\":false"
        });
        optional(b",\"trace_id\":", self.trace_id.as_ref(), out);
        out.push(b'}');
    }

    fn write_details(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"changes\":");
        write_list(&self.changes, out, Change::write);
        optional(b",\"message\":", self.message.as_ref(), out);
        value(b",\"metadata\":", self.metadata.as_ref().unwrap_or(&Value::Null), out);
        out.push(b'}');
    }
}

impl Actor<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        optional(b"{\"email\":", self.email.as_ref(), out);
        optional(b",\"id\":", self.id.as_ref(), out);
        optional(b",\"name\":", self.name.as_ref(), out);
        optional(b",\"team\":", self.team.as_ref(), out);
        text(b",\"type\":", &self.kind, out);
        out.push(b'}');
    }
}

impl Target<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        optional(b"{\"email\":", self.email.as_ref(), out);
        optional(b",\"id\":", self.id.as_ref(), out);
        optional(b",\"name\":", self.name.as_ref(), out);
        text(b",\"type\":", &self.kind, out);
        out.push(b'}');
    }
}

impl Context<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        optional(b"{\"ip\":", self.ip.as_ref(), out);
        optional(b",\"referrer\":", self.referrer.as_ref(), out);
        optional(b",\"url\":", self.url.as_ref(), out);
        optional(b",\"user_agent\":", self.user_agent.as_ref(), out);
        out.push(b'}');
    }
}

impl Change<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        if let Some(after) = &self.after {
            value(b"\"after\":", after, out);
            out.push(b',');
        }
        if let Some(before) = &self.before {
            value(b"\"before\":", before, out);
            out.push(b',');
        }
        text(b"\"field\":", &self.field, out);
        out.push(b'}');
    }
}

#[inline]
fn text(before: &[u8], text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    write_string(text, out);
}

#[inline]
fn optional(before: &[u8], text: Option<&Cow<'_, str>>, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    match text {
        Some(text) => write_string(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn value(before: &[u8], value: &Value<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    write_canonical(value, out);
}

fn write_list<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// The length so far. Admission's limits keep an event far below 4 GiB.
fn end(out: &[u8]) -> u32 {
    u32::try_from(out.len()).expect("an event is smaller than 4 GiB")
}
