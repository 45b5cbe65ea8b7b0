//! Whole request bodies: one event, a batch, or JSON lines; or as many foreign records.
//!
//! Invariants
//! - All or nothing: either every event of the body is admitted, or the refusal names what is wrong with each.
//! - A body that is not JSON is refused as a whole; a fault in one event does not hide the faults of the others.
//! - Work and memory are bounded by the limits: no tree is built of an event beyond `event_bytes_max`, reading ends at the
//!   event beyond `events_max`, and no more than 100 faults are listed. A mapping that adds much to each of many small
//!   records is stopped: all events of a body are at most a few times as large as the body, or as some large events.
//!
//! Not here: the size of the body and its compression (server).

use super::{Admission, Admitted, Translation, admit_owned, translate};
use crate::{
    Fault, Pointer,
    json::{self, Error, ErrorKind, FAULTS_MAX, Path, Reader, Stop, Value, validate_utf8},
};

/// How a body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One event, or `{"events":[…]}`.
    Json,
    /// One event a line; lines of nothing but whitespace do not count.
    Ndjson,
}

/// Why nothing of a body is admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is not JSON: the first byte that is wrong.
    Malformed {
        /// The byte's offset in the body, from 0.
        offset: usize,
        /// Its line, from 1.
        line: usize,
        /// Its character in that line, from 1.
        column: usize,
        /// What is wrong, as a sentence.
        detail: String,
    },
    /// What is wrong with which event.
    Invalid {
        /// At most 100 faults, in the order of the events.
        faults: Vec<Fault>,
        /// How many there are beside the listed ones.
        more: usize,
    },
    /// More events than the limit, which is given; the events were not looked at any further.
    TooMany {
        /// `Limits::events_max`.
        events_max: usize,
    },
}

/// Admits every event of a body, in its order.
///
/// # Errors
/// As [`Refusal`] says; then nothing may be stored.
pub fn admit_body(body: &[u8], form: Form, admission: &Admission<'_>) -> Result<Vec<Admitted>, Refusal> {
    take_in(body, form, admission, None)
}

/// Admits the event of every foreign record of a body, in its order. Beside the forms of events a JSON body may be a list
/// of records. Pointers of faults lead into the body as it was sent.
///
/// # Errors
/// As [`Refusal`] says; then nothing may be stored. When the events come to much more than the body, that is the only fault.
pub fn translate_body(
    body: &[u8],
    form: Form,
    admission: &Admission<'_>,
    translation: &dyn Translation,
) -> Result<Vec<Admitted>, Refusal> {
    take_in(body, form, admission, Some(translation))
}

fn take_in(
    body: &[u8],
    form: Form,
    admission: &Admission<'_>,
    translation: Option<&dyn Translation>,
) -> Result<Vec<Admitted>, Refusal> {
    let text = validate_utf8(body).map_err(|error| malformed(body, error))?;
    let mut json = admission.limits.json();
    if translation.is_some() {
        json.depth_max = json.depth_max.saturating_sub(translate::DEPTH_BELOW);
    }
    let mut intake = Intake {
        admission,
        translation,
        json,
        reader: Reader::new(text, &json),
        admitted: Vec::new(),
        translated_left: translate::bytes_max(body, admission),
        faults: Vec::new(),
        more: 0,
    };
    let outcome = match form {
        Form::Json => intake.document(),
        Form::Ndjson => intake.lines(text),
    };
    match outcome {
        Ok(()) => {}
        Err(Halt::Malformed(error)) => return Err(malformed(body, error)),
        Err(Halt::TooMany) => {
            return Err(Refusal::TooMany {
                events_max: admission.limits.events_max,
            });
        }
        Err(Halt::TooMuch(fault)) => {
            return Err(Refusal::Invalid {
                faults: vec![fault],
                more: 0,
            });
        }
    }
    if intake.faults.is_empty() {
        return Ok(intake.admitted);
    }
    Err(Refusal::Invalid {
        faults: intake.faults,
        more: intake.more,
    })
}

/// Why reading the body cannot go on.
enum Halt {
    Malformed(Error),
    TooMany,
    /// The events that were made of the records come to too much.
    TooMuch(Fault),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

struct Intake<'a, 'c> {
    admission: &'c Admission<'c>,
    /// What the records are, when they are no events.
    translation: Option<&'c dyn Translation>,
    json: json::Limits,
    reader: Reader<'a>,
    admitted: Vec<Admitted>,
    /// Bytes that events made of records may still have.
    translated_left: usize,
    faults: Vec<Fault>,
    more: usize,
}

impl<'a> Intake<'a, '_> {
    /// One event or one batch: a batch is an object whose first key is `events`.
    fn document(&mut self) -> Result<(), Halt> {
        self.reader.check_byte_order_mark()?;
        self.reader.skip_whitespace();
        let start = self.reader.at();
        if self.translation.is_some() && self.reader.take(b'[') {
            self.elements(&Path::Root)?;
            return Ok(self.reader.end()?);
        }
        match self.is_batch() {
            Ok(true) => self.batch()?,
            // Whatever else stands here is read as an event, and complained of as one.
            _ => {
                self.reader.take_refusals();
                self.reader.go_to(start);
                self.event(&Path::Root)?;
            }
        }
        self.reader.end()?;
        // What is left was refused in the keys beside `events`.
        self.reader
            .take_refusals()
            .faults
            .into_iter()
            .for_each(|fault| self.fault(fault));
        Ok(())
    }

    /// Whether the text begins like a batch; the reader then stands before its list.
    fn is_batch(&mut self) -> Result<bool, Stop> {
        if !self.reader.take(b'{') {
            return Ok(false);
        }
        self.reader.skip_whitespace();
        if self.reader.peek() != b'"' || self.reader.key(&Path::Root)? != "events" {
            return Ok(false);
        }
        let list = self.reader.peek() == b'[';
        if !list {
            self.fault(Fault::new(
                Pointer::root().child("events"),
                "This is no list; send the events as a list.",
            ));
            let start = self.reader.at();
            self.reader
                .skip_from(start)
                .map_err(|error| Stop::Syntax(Box::new(error)))?;
        }
        Ok(true)
    }

    fn batch(&mut self) -> Result<(), Halt> {
        if self.reader.take(b'[') {
            self.elements(&Path::Key(&Path::Root, "events"))?;
        }
        loop {
            self.reader.skip_whitespace();
            if self.reader.take(b'}') {
                return Ok(());
            }
            if !self.reader.take(b',') {
                return Err(halt(self.reader.unexpected(&Path::Root, "`,` or `}`")));
            }
            self.reader.skip_whitespace();
            let key = self.reader.key(&Path::Root).map_err(halt)?;
            let pointer = Pointer::root().child(&key);
            self.fault(Fault::new(
                pointer,
                "A batch has no other member than `events`, once; remove this one.",
            ));
            let start = self.reader.at();
            self.reader.skip_from(start)?;
        }
    }

    /// The elements of the list whose opening bracket has been read.
    fn elements(&mut self, list: &Path<'_>) -> Result<(), Halt> {
        self.reader.skip_whitespace();
        if self.reader.take(b']') {
            self.fault(Fault::new(
                list.pointer(),
                "This list is empty; send at least one event.",
            ));
            return Ok(());
        }
        for index in 0.. {
            if index == self.admission.limits.events_max {
                return Err(Halt::TooMany);
            }
            self.reader.skip_whitespace();
            self.event(&Path::Index(list, index))?;
            self.reader.skip_whitespace();
            if !self.reader.take(b',') {
                break;
            }
        }
        if !self.reader.take(b']') {
            return Err(halt(self.reader.unexpected(list, "`,` or `]`")));
        }
        Ok(())
    }

    fn lines(&mut self, text: &'a str) -> Result<(), Halt> {
        self.reader.check_byte_order_mark()?;
        let mut start = 0;
        let mut index = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            if !line.bytes().all(|byte| byte.is_ascii_whitespace()) {
                if index == self.admission.limits.events_max {
                    return Err(Halt::TooMany);
                }
                self.line(start, &text[..end], index)?;
                index += 1;
            }
            start = end;
        }
        if index == 0 {
            self.fault(Fault::new(
                Pointer::root(),
                "There is no event in this body; send at least one.",
            ));
        }
        Ok(())
    }

    /// One line, from `start` to the end of `until`, so that offsets are those of the body.
    fn line(&mut self, start: usize, until: &'a str, index: usize) -> Result<(), Halt> {
        self.reader = Reader::new(until, &self.json);
        self.reader.go_to(start);
        self.reader.skip_whitespace();
        self.event(&Path::Index(&Path::Root, index))?;
        self.reader.end()?;
        Ok(())
    }

    /// Reads and admits the event that is next.
    fn event(&mut self, path: &Path<'_>) -> Result<(), Halt> {
        let start = self.reader.at();
        let bytes_max = self.admission.limits.event_bytes_max;
        self.reader.set_end(start.saturating_add(bytes_max));
        let value = match self.reader.value(path) {
            Ok(value) => value,
            Err(Stop::Syntax(error)) => return Err(Halt::Malformed(*error)),
            Err(stop) => return self.unread(start, path, stop),
        };
        let refusals = self.reader.take_refusals();
        if self.reader.at() - start > bytes_max {
            self.too_large(path);
            return Ok(());
        }
        let known = refusals.faults.len();
        self.more += refusals.count - known;
        for refused in refusals.faults {
            self.fault(refused);
        }
        match self.admit(value, path) {
            Ok(admitted) if self.faults.is_empty() => self.keep(admitted, path)?,
            Ok(_) => {}
            Err(faults) => self.further(faults, known),
        }
        Ok(())
    }

    fn admit(&self, value: Value<'_>, path: &Path<'_>) -> Result<Admitted, Vec<Fault>> {
        match self.translation {
            None => admit_owned(value, path, self.admission),
            Some(translation) => translate::admit(&value, path, self.admission, translation),
        }
    }

    fn keep(&mut self, admitted: Admitted, path: &Path<'_>) -> Result<(), Halt> {
        if self.translation.is_some() {
            let left = self.translated_left.checked_sub(admitted.parts.bytes().len());
            self.translated_left = left.ok_or_else(|| {
                let detail = "From here on the events that the mapping makes of this body are much larger than the body; \
                              send it in smaller parts, or let the mapping add less to each.";
                Halt::TooMuch(Fault::new(path.pointer(), detail))
            })?;
        }
        self.admitted.push(admitted);
        Ok(())
    }

    /// Takes in the faults of an event of whose values `known` were refused while reading: what stands there instead is
    /// no fault of the sender's.
    fn further(&mut self, faults: Vec<Fault>, known: usize) {
        let refused = self.faults[self.faults.len() - known.min(self.faults.len())..].to_vec();
        for fault in faults {
            if refused.iter().all(|other| other.pointer != fault.pointer) {
                self.fault(fault);
            }
        }
    }

    /// Walks over an event of which no tree was built, and says why. Bad syntax in the rest of it comes first.
    fn unread(&mut self, start: usize, path: &Path<'_>, stop: Stop) -> Result<(), Halt> {
        let refusals = self.reader.take_refusals();
        self.reader.skip_from(start)?;
        let too_large = self.reader.at() - start > self.admission.limits.event_bytes_max;
        match stop {
            Stop::TooDeep(error) if !too_large => {
                self.more += refusals.count - refusals.faults.len();
                refusals.faults.into_iter().for_each(|fault| self.fault(fault));
                self.fault(Fault::new(error.pointer, error.detail));
            }
            _ => self.too_large(path),
        }
        Ok(())
    }

    fn too_large(&mut self, path: &Path<'_>) {
        let bytes_max = self.admission.limits.event_bytes_max;
        let detail = format!(
            "This event is larger than {bytes_max} bytes; send less, or keep the large value elsewhere and its address in `metadata`."
        );
        self.fault(Fault::new(path.pointer(), detail));
    }

    fn fault(&mut self, fault: Fault) {
        self.admitted.clear();
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }
}

/// Outside of events only bad syntax stops the reader: no key is too deep or too large.
fn halt(stop: Stop) -> Halt {
    match stop {
        Stop::Syntax(error) | Stop::TooDeep(error) => Halt::Malformed(*error),
        Stop::TooLarge => Halt::TooMany,
    }
}

fn malformed(body: &[u8], error: Error) -> Refusal {
    debug_assert_eq!(error.kind, ErrorKind::Syntax);
    let before = &body[..error.offset.min(body.len())];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    Refusal::Malformed {
        offset: error.offset,
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
        detail: error.detail,
    }
}
