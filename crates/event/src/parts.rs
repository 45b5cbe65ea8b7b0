//! The five parts of an event's canonical bytes. See docs/formats/event.md.

/// One of the five separately committed parts of an event. The number is hashed into the part's commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// Action, its type, area, product, description, organization, result, security, times and ids.
    Core = 1,
    /// Who did it.
    Actor = 2,
    /// What it was done to.
    Targets = 3,
    /// Where it came from: address, user agent, URL, referrer.
    Context = 4,
    /// Changes, message and metadata.
    Details = 5,
}

impl Part {
    /// All parts in their order.
    pub const ALL: [Part; 5] = [Part::Core, Part::Actor, Part::Targets, Part::Context, Part::Details];

    /// The part's name on the wire: `core`, `actor`, `targets`, `context`, `details`.
    pub fn name(self) -> &'static str {
        match self {
            Part::Core => "core",
            Part::Actor => "actor",
            Part::Targets => "targets",
            Part::Context => "context",
            Part::Details => "details",
        }
    }

    /// The part's number, 1 to 5.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// The canonical bytes of an event's five parts, in one piece. `B` owns or borrows the bytes.
///
/// Invariant: `ends` never decreases and its last value is the length of `bytes`; each part is canonical JSON (UTF-8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<B = Vec<u8>> {
    bytes: B,
    ends: [u32; 5],
}

impl<B: AsRef<[u8]>> Parts<B> {
    /// Parts from their concatenated bytes and the end of each part; `None` when the ends do not fit the bytes.
    pub fn new(bytes: B, ends: [u32; 5]) -> Option<Self> {
        let ordered = ends.windows(2).all(|pair| pair[0] <= pair[1]);
        (ordered && ends[4] as usize == bytes.as_ref().len()).then_some(Self { bytes, ends })
    }

    /// The canonical bytes of one part.
    pub fn part(&self, part: Part) -> &[u8] {
        let position = usize::from(part.number()) - 1;
        let start = if position == 0 {
            0
        } else {
            self.ends[position - 1] as usize
        };
        &self.bytes.as_ref()[start..self.ends[position] as usize]
    }

    /// All five parts, concatenated.
    pub fn bytes(&self) -> &B {
        &self.bytes
    }

    /// The bytes of all five parts, taken out.
    pub fn into_bytes(self) -> B {
        self.bytes
    }

    /// Where each part ends in `bytes`.
    pub fn ends(&self) -> [u32; 5] {
        self.ends
    }
}

impl<B: AsRef<[u8]>> Parts<B> {
    /// Appends the event's members as they are returned, without the braces around them: the members of core, then
    /// `"actor":…,"targets":…,"context":…`, then the members of details.
    pub fn write_members(&self, out: &mut Vec<u8>) {
        out.reserve(self.bytes.as_ref().len() + 40);
        out.extend_from_slice(without_braces(self.part(Part::Core)));
        for part in [Part::Actor, Part::Targets, Part::Context] {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(part.name().as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(self.part(part));
        }
        out.push(b',');
        out.extend_from_slice(without_braces(self.part(Part::Details)));
    }
}

/// The members of an object's text.
fn without_braces(object: &[u8]) -> &[u8] {
    object
        .strip_prefix(b"{")
        .and_then(|rest| rest.strip_suffix(b"}"))
        .unwrap_or(object)
}
