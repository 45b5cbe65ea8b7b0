//! Aggregates: metrics over the found events, by fields and intervals of time, and arithmetic over the metrics.
//!
//! Sums are exact and rounded once, so that they do not depend on the order of the numbers and with it on the blocks.
//!
//! Not here: arithmetic (`expression`), percentiles (`percentile`), the calendar (`calendar`).

mod accumulator;
mod groups;
mod lists;
mod sum;
mod traces;

use jiff::tz::TimeZone;
use rustc_hash::FxHashSet;
use trailbook_event::{Filter, Timestamp, filter::Field};

use self::{
    accumulator::{Accumulators, Budget},
    groups::Groups,
    traces::Traces,
};
use crate::{
    Error, Interval, Question, View,
    block::Block,
    calendar::bucket_starts,
    expression::Expression,
    plan::{Search, select},
    row_set::RowSet,
    view::Extent,
};

/// Most distinct values that one request may count or rank, all groups and metrics together.
pub const DISTINCT_MAX: usize = 1_000_000;
/// Most groups of an answer.
pub const GROUPS_MAX: usize = 10_000;
/// Most metrics of a request.
pub const METRICS_MAX: usize = 50;
/// Most fields to group by.
const GROUP_FIELDS_MAX: usize = 8;

/// What to compute.
#[derive(Debug, Clone)]
pub struct AggregateRequest {
    /// Over which events.
    pub question: Question,
    /// A group for every combination of these fields' values, as facets count them. An event with several values is in
    /// several groups, one without a value in the group of none.
    pub group_by: Vec<Field>,
    /// And for every interval of time in this zone.
    pub interval: Option<(Interval, TimeZone)>,
    /// What to compute for each group.
    pub metrics: Vec<Metric>,
}

/// A named number.
#[derive(Debug, Clone)]
pub struct Metric {
    /// The name; expressions can use it when it consists of letters, digits and `_` and does not begin with a digit.
    pub name: String,
    /// What it is.
    pub measure: Measure,
}

/// What a metric is.
#[derive(Debug, Clone)]
pub enum Measure {
    /// An operation over the group's events.
    Of {
        /// The operation.
        operation: Operation,
        /// Over the values of this field; [`Operation::Count`] may do without one.
        field: Option<Field>,
        /// Only over events for which this holds.
        filter: Option<Filter>,
        /// Only over events whose trace has, in the range, also an event for which this holds.
        in_trace_of: Option<Filter>,
    },
    /// Arithmetic over metrics that stand before this one, such as `1 - executions / queries`.
    Expression(String),
}

/// What to do with values. Numbers are the numeric values of a metadata path: JSON numbers, and texts that are written like
/// one; of an array each element counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Events; with a field, those that have it.
    Count,
    /// The sum of the numbers; 0 without any.
    Sum,
    /// Their mean.
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// The percentile by nearest rank, in percent.
    Percentile(u8),
    /// Distinct values of the field, as facets count them.
    Distinct,
}

impl Operation {
    /// The operation of a name: `count`, `sum`, `avg`, `min`, `max`, `p50`, `p95`, `p99` or `distinct`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            "min" => Self::Minimum,
            "max" => Self::Maximum,
            "p50" => Self::Percentile(50),
            "p95" => Self::Percentile(95),
            "p99" => Self::Percentile(99),
            "distinct" => Self::Distinct,
            _ => return None,
        })
    }
}

/// One group and its metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateRow {
    /// The values of the fields to group by, in their order; `None` is the group of events without a value.
    pub group: Vec<Option<String>>,
    /// The beginning of the interval, when there are intervals.
    pub start: Option<Timestamp>,
    /// The metrics in their order; `None` where there is no value to compute from, and for a division by zero.
    pub metrics: Vec<Option<f64>>,
}

impl View {
    /// The metrics of every group that has events, by interval and then by value; without groups and intervals, always one
    /// row.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a request that makes no sense, [`Error::TooLarge`] beyond [`DISTINCT_MAX`] or [`GROUPS_MAX`];
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn aggregate(&self, request: &AggregateRequest) -> Result<Vec<AggregateRow>, Error> {
        let expressions = check(request)?;
        let search = self.search(&request.question);
        let starts = self.starts(request, &search)?;
        let mut groups = Groups::new(&request.group_by, starts);
        let mut measured = self.measured(request)?;
        let mut budget = Budget::default();
        for block in self.blocks() {
            let found = search.select(block)?;
            if found.is_empty() {
                continue;
            }
            let members = groups.assign(block, &found)?;
            for metric in measured.iter_mut().flatten() {
                let rows = metric.rows(block, &found)?;
                metric.accumulators.add(block, &rows, &members, &mut budget)?;
            }
        }
        Ok(groups.rows(|group| {
            let mut metrics: Vec<Option<f64>> = Vec::with_capacity(measured.len());
            for (metric, expression) in measured.iter().zip(&expressions) {
                let value = match (metric, expression) {
                    (Some(metric), _) => metric.accumulators.value(group),
                    (None, Some(expression)) => expression.value(&metrics),
                    (None, None) => None,
                };
                metrics.push(value);
            }
            metrics
        }))
    }

    fn starts(&self, request: &AggregateRequest, search: &Search) -> Result<Option<Vec<i64>>, Error> {
        let Some((interval, zone)) = &request.interval else {
            return Ok(None);
        };
        match self.extent(search)? {
            Some(Extent { first, last }) => bucket_starts(*interval, zone, first, last).map(Some),
            None => Ok(Some(Vec::new())),
        }
    }

    /// The metrics that are not expressions, with the traces that they ask for.
    fn measured(&self, request: &AggregateRequest) -> Result<Vec<Option<Measured>>, Error> {
        let measured = |metric: &Metric| {
            let Measure::Of {
                operation,
                field,
                filter,
                in_trace_of,
            } = &metric.measure
            else {
                return Ok(None);
            };
            let traces = in_trace_of.as_ref().map(|filter| {
                let question = Question {
                    filter: filter.clone(),
                    range: request.question.range,
                };
                Traces::of(self.blocks(), &self.search(&question))
            });
            Ok(Some(Measured {
                accumulators: Accumulators::new(*operation, field.clone()),
                filter: filter.clone(),
                traces: traces.transpose()?,
            }))
        };
        request.metrics.iter().map(measured).collect()
    }
}

/// A metric under computation.
struct Measured {
    accumulators: Accumulators,
    filter: Option<Filter>,
    traces: Option<Traces>,
}

impl Measured {
    /// Those of the found rows that the metric is about.
    fn rows(&self, block: &Block, found: &RowSet) -> Result<RowSet, Error> {
        let mut rows = found.clone();
        if let Some(traces) = &self.traces {
            rows.intersect(&traces.rows(block)?);
        }
        match &self.filter {
            Some(filter) => select(block, filter, rows),
            None => Ok(rows),
        }
    }
}

/// Checks a request and parses its expressions, one place for each metric.
fn check(request: &AggregateRequest) -> Result<Vec<Option<Expression>>, Error> {
    let metrics = &request.metrics;
    if metrics.is_empty() || metrics.len() > METRICS_MAX {
        return Err(Error::invalid(format!(
            "`metrics` has 1 to {METRICS_MAX} metrics, not {}.",
            metrics.len()
        )));
    }
    if request.group_by.len() > GROUP_FIELDS_MAX {
        return Err(Error::invalid(format!(
            "`group_by` has at most {GROUP_FIELDS_MAX} fields."
        )));
    }
    let mut fields = FxHashSet::default();
    if let Some(twice) = request.group_by.iter().find(|field| !fields.insert(*field)) {
        return Err(Error::invalid(format!("`group_by` names `{twice}` twice.")));
    }
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    let check_one = |(place, metric): (usize, &Metric)| {
        if metric.name.is_empty() {
            return Err(Error::invalid(format!("The metric at {place} needs a name.")));
        }
        if names[..place].contains(&metric.name.as_str()) {
            return Err(Error::invalid(format!("Two metrics have the name `{}`.", metric.name)));
        }
        match &metric.measure {
            Measure::Expression(text) => Expression::parse(text, &names[..place]).map(Some),
            Measure::Of { operation, field, .. } => {
                check_field(&metric.name, *operation, field.as_ref()).map(|()| None)
            }
        }
    };
    metrics.iter().enumerate().map(check_one).collect()
}

fn check_field(name: &str, operation: Operation, field: Option<&Field>) -> Result<(), Error> {
    match (operation, field) {
        (Operation::Count, _) | (Operation::Distinct, Some(_)) | (_, Some(Field::Metadata(_))) => Ok(()),
        (Operation::Distinct, None) => Err(Error::invalid(format!("The metric `{name}` needs a `field`."))),
        _ => Err(Error::invalid(format!(
            "The metric `{name}` computes with numbers; its `field` must be a metadata path such as `metadata.amount`."
        ))),
    }
}
