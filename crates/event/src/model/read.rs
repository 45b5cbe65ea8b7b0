//! From the five parts back to the event. The shapes are fixed, so each key is expected where it must stand; only
//! metadata and changes are read as free values.

use std::borrow::Cow;

use super::{Actor, Change, Context, Event, PartsError, Target};
use crate::{
    Part, Parts, Timestamp,
    json::{DEPTH_CEILING, Limits, Path, Reader, Value},
};

/// Something was not as it should be; where the reader stands then tells the place.
struct NotCanonical;

impl<'a> Event<'a> {
    /// Reads an event from its canonical bytes, borrowing from them. The bytes are trusted to be those that
    /// [`Event::to_parts`] wrote (hold them against their commitments first); what cannot be is an error.
    ///
    /// # Errors
    /// The part and the byte that do not fit.
    pub fn parse<B: AsRef<[u8]>>(parts: &'a Parts<B>) -> Result<Self, PartsError> {
        let text = std::str::from_utf8(parts.bytes().as_ref())
            .map_err(|error| fault_at(&parts.ends(), error.valid_up_to()))?;
        let mut cursor = Cursor {
            reader: Reader::new(
                text,
                &Limits {
                    depth_max: DEPTH_CEILING,
                },
            ),
        };
        let event = cursor
            .event(&parts.ends())
            .map_err(|NotCanonical| fault_at(&parts.ends(), cursor.reader.at()))?;
        match cursor.reader.take_refusals().first {
            None => Ok(event),
            Some(refused) => Err(fault_at(&parts.ends(), refused.offset)),
        }
    }
}

fn fault_at(ends: &[u32; 5], offset: usize) -> PartsError {
    let part = Part::ALL.into_iter().zip(ends).find(|(_, end)| offset < **end as usize);
    PartsError {
        part: part.map_or(Part::Details, |(part, _)| part),
        offset,
    }
}

struct Cursor<'a> {
    reader: Reader<'a>,
}

impl<'a> Cursor<'a> {
    fn event(&mut self, ends: &[u32; 5]) -> Result<Event<'a>, NotCanonical> {
        let action = self.text(b"{\"action\":")?;
        let action_type = self.text(b",\"action_type\":")?;
        let area = self.optional(b",\"area\":")?;
        let client_id = self.optional(b",\"client_id\":")?;
        let description = self.optional(b",\"description\":")?;
        let occurred_at = Timestamp::parse(&self.text(b",\"occurred_at\":")?).ok_or(NotCanonical)?;
        let organization = self.text(b",\"organization\":")?;
        let product = self.optional(b",\"product\":")?;
        let result = self.text(b",\"result\":")?;
        let security = self.truth(b",\"security\":")?;
        let trace_id = self.optional(b",\"trace_id\":")?;
        self.expect(b"}")?;
        self.part_end(ends[0])?;
        let actor = self.actor()?;
        self.part_end(ends[1])?;
        self.expect(b"[")?;
        let targets = self.list(Self::target)?;
        self.part_end(ends[2])?;
        let context = self.context()?;
        self.part_end(ends[3])?;
        self.expect(b"{\"changes\":[")?;
        let changes = self.list(Self::change)?;
        let message = self.optional(b",\"message\":")?;
        self.expect(b",\"metadata\":")?;
        let metadata = Some(self.value()?).filter(|value| *value != Value::Null);
        self.expect(b"}")?;
        self.part_end(ends[4])?;
        Ok(Event {
            organization,
            client_id,
            occurred_at,
            action,
            action_type,
            area,
            product,
            description,
            security,
            result,
            trace_id,
            actor,
            targets,
            context,
            changes,
            metadata,
            message,
        })
    }

    fn actor(&mut self) -> Result<Actor<'a>, NotCanonical> {
        let email = self.optional(b"{\"email\":")?;
        let id = self.optional(b",\"id\":")?;
        let name = self.optional(b",\"name\":")?;
        let team = self.optional(b",\"team\":")?;
        let kind = self.text(b",\"type\":")?;
        self.expect(b"}")?;
        Ok(Actor {
            kind,
            id,
            name,
            email,
            team,
        })
    }

    fn target(&mut self) -> Result<Target<'a>, NotCanonical> {
        let email = self.optional(b"{\"email\":")?;
        let id = self.optional(b",\"id\":")?;
        let name = self.optional(b",\"name\":")?;
        let kind = self.text(b",\"type\":")?;
        self.expect(b"}")?;
        Ok(Target { kind, id, name, email })
    }

    fn context(&mut self) -> Result<Context<'a>, NotCanonical> {
        let ip = self.optional(b"{\"ip\":")?;
        let referrer = self.optional(b",\"referrer\":")?;
        let url = self.optional(b",\"url\":")?;
        let user_agent = self.optional(b",\"user_agent\":")?;
        self.expect(b"}")?;
        Ok(Context {
            ip,
            user_agent,
            url,
            referrer,
        })
    }

    fn change(&mut self) -> Result<Change<'a>, NotCanonical> {
        self.expect(b"{")?;
        let after = self.member_if(b"\"after\":")?;
        let before = self.member_if(b"\"before\":")?;
        let field = self.text(b"\"field\":")?;
        self.expect(b"}")?;
        Ok(Change { field, before, after })
    }

    /// A member that may be missing, and the comma after it.
    fn member_if(&mut self, key: &[u8]) -> Result<Option<Value<'a>>, NotCanonical> {
        if !self.reader.take_all(key) {
            return Ok(None);
        }
        let value = self.value()?;
        self.expect(b",")?;
        Ok(Some(value))
    }

    /// The elements of a list whose opening bracket has been read.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, NotCanonical>) -> Result<Vec<T>, NotCanonical> {
        let mut items = Vec::new();
        if self.reader.take(b']') {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if !self.reader.take(b',') {
                self.expect(b"]")?;
                return Ok(items);
            }
        }
    }

    fn value(&mut self) -> Result<Value<'a>, NotCanonical> {
        self.reader.value(&Path::Root).map_err(|_| NotCanonical)
    }

    #[inline]
    fn text(&mut self, key: &[u8]) -> Result<Cow<'a, str>, NotCanonical> {
        self.expect(key)?;
        self.expect_quote()?;
        self.reader.string(&Path::Root).map_err(|_| NotCanonical)
    }

    #[inline]
    fn optional(&mut self, key: &[u8]) -> Result<Option<Cow<'a, str>>, NotCanonical> {
        self.expect(key)?;
        if self.reader.take_all(b"null") {
            return Ok(None);
        }
        self.expect_quote()?;
        self.reader.string(&Path::Root).map(Some).map_err(|_| NotCanonical)
    }

    fn truth(&mut self, key: &[u8]) -> Result<bool, NotCanonical> {
        self.expect(key)?;
        if self.reader.take_all(b"true") {
            return Ok(true);
        }
        self.expect(b"false").map(|()| false)
    }

    #[inline]
    fn expect(&mut self, text: &[u8]) -> Result<(), NotCanonical> {
        if self.reader.take_all(text) {
            Ok(())
        } else {
            Err(NotCanonical)
        }
    }

    /// The string reader takes its opening quote for granted.
    #[inline]
    fn expect_quote(&mut self) -> Result<(), NotCanonical> {
        if self.reader.peek() == b'"' {
            Ok(())
        } else {
            Err(NotCanonical)
        }
    }

    #[inline]
    fn part_end(&mut self, end: u32) -> Result<(), NotCanonical> {
        if self.reader.at() == end as usize {
            Ok(())
        } else {
            Err(NotCanonical)
        }
    }
}
