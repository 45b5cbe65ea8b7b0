//! What a check found, for people and for exit codes.

use std::fmt;

/// How many findings are kept; further ones are only counted.
const FINDINGS_MAX: usize = 100;

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Everything that was claimed holds.
    Verified(Summary),
    /// Something was changed, is missing, or was never signed by this key.
    Tampered(Findings),
    /// It could not be checked: not evidence, not readable, no answer.
    Unreadable(String),
}

impl Report {
    /// The exit code of `trailbook verify`: 0 verified, 1 tampered or incomplete, 2 could not be checked.
    pub fn exit_code(&self) -> u8 {
        match self {
            Report::Verified(_) => 0,
            Report::Tampered(_) => 1,
            Report::Unreadable(_) => 2,
        }
    }
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The ledger's name in the signed checkpoint.
    pub origin: String,
    /// The organization that every event names.
    pub organization: String,
    /// The size of the ledger that the checkpoint speaks of.
    pub size: u64,
    /// The first sequence that was checked.
    pub begin: u64,
    /// The sequence after the last that was checked.
    pub end: u64,
    /// How many events were checked in full: their parts against their leaf records.
    pub events: u64,
    /// Whether the events are those that match a filter. Leaf records are there for the others too.
    pub filtered: bool,
    /// Whether every event of the range was checked in full.
    pub complete: bool,
    /// What else the reader should know, as sentences.
    pub notes: Vec<String>,
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An event of the ledger.
    Event {
        /// Its sequence.
        sequence: u64,
        /// Its Log ID, when its leaf record says it.
        id: Option<String>,
    },
    /// A file of the archive, or an answer of the server.
    Item(String),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Event { sequence, id: Some(id) } => write!(formatter, "event {sequence} ({id})"),
            Place::Event { sequence, id: None } => write!(formatter, "event {sequence}"),
            Place::Item(name) => formatter.write_str(name),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What differs from what.
    pub detail: String,
}

/// Everything that is wrong, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    list: Vec<Finding>,
    more: u64,
}

impl Findings {
    /// The first hundred.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// How many there were beyond those.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn event(&mut self, sequence: u64, id: Option<String>, detail: impl Into<String>) {
        self.push(Finding {
            place: Place::Event { sequence, id },
            detail: detail.into(),
        });
    }

    pub(crate) fn item(&mut self, name: impl Into<String>, detail: impl Into<String>) {
        self.push(Finding {
            place: Place::Item(name.into()),
            detail: detail.into(),
        });
    }

    fn push(&mut self, finding: Finding) {
        if self.list.len() < FINDINGS_MAX {
            self.list.push(finding);
        } else {
            self.more += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Verified(summary) => write!(formatter, "{summary}"),
            Report::Tampered(findings) => {
                writeln!(formatter, "TAMPERED OR INCOMPLETE")?;
                for finding in &findings.list {
                    writeln!(formatter, "  {}: {}", finding.place, finding.detail)?;
                }
                if findings.more > 0 {
                    writeln!(formatter, "  and {} more", findings.more)?;
                }
                Ok(())
            }
            Report::Unreadable(why) => writeln!(formatter, "COULD NOT BE CHECKED\n  {why}"),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = self.end - self.begin;
        writeln!(formatter, "VERIFIED")?;
        writeln!(
            formatter,
            "  ledger      {} with {} events when the checkpoint was signed",
            self.origin, self.size
        )?;
        writeln!(formatter, "  organization {}", self.organization)?;
        match range {
            0 => writeln!(formatter, "  range       empty, at sequence {}", self.begin)?,
            _ => writeln!(formatter, "  range       sequences {} to {}", self.begin, self.end - 1)?,
        }
        writeln!(
            formatter,
            "  authentic   yes: {} events are, byte for byte, what the ledger held when the checkpoint was signed",
            self.events
        )?;
        writeln!(
            formatter,
            "  complete    yes: every sequence of the range has its leaf record, which the checkpoint covers"
        )?;
        let count = format_args!("{} of {range} events of the range", self.events);
        match (self.filtered, self.complete) {
            (true, _) => writeln!(
                formatter,
                "  filtered    yes: {count} are there; of the others only the time of receipt is proven"
            )?,
            (false, true) => writeln!(formatter, "  filtered    no: {count} are there")?,
            (false, false) => writeln!(
                formatter,
                "  filtered    no, but a sample: {count} were checked in full"
            )?,
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(formatter, "  note        {note}"))
    }
}
