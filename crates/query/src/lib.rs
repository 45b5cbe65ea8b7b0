//! Questions over one organization's ledger: pages, counts, facets, histograms, aggregates, traces and the live feed.
//!
//! The server opens a [`View`] for a [`Scope`] and asks it [`Question`]s. The index behind it consists of blocks that
//! never change, those of the tail in memory and those of sealed segments read when they are needed, so that a view is a list
//! of blocks: it holds no lock, and later arrivals cannot disturb it.
//!
//! Invariants
//! - An answer equals that of `Filter::matches` tried on every stored event: the index never decides what a filter means.
//! - Nothing is read without a [`Scope`]; its own filter is part of every question.
//! - A view that is opened after an append was acknowledged has the appended events.
//!
//! Not here: HTTP and policy (`trailbook`), the text of filters (`trailbook-event`), storage (`trailbook-ledger`).
//! See docs/adr/0003-tail-index.md, docs/adr/0005-one-index-for-tail-and-history.md and docs/formats/index.md.

mod aggregate;
mod block;
mod caches;
mod calendar;
mod cursor;
mod engine;
mod error;
mod expression;
mod facets;
mod histogram;
mod history;
mod index;
mod live;
mod percentile;
mod plan;
mod row_set;
mod scope;
mod source;
mod tail_index;
mod trace;
mod view;
mod walk;

pub use aggregate::{
    AggregateRequest, AggregateRow, DISTINCT_MAX, GROUPS_MAX, METRICS_MAX, Measure, Metric, Operation,
};
pub use caches::CacheSizes;
pub use calendar::{BUCKETS_MAX, Interval};
pub use engine::Engine;
pub use error::Error;
pub use facets::{Facet, FacetRequest, FacetValue, LabelOf};
pub use histogram::Bucket;
pub use index::BlockIndexer;
pub use live::LiveFeed;
pub use scope::{Question, Range, Scope};
pub use source::Source;
pub use trace::{TRACE_EVENTS_MAX, Trace, TraceActor};
pub use view::{Page, PageRequest, Place, View};
pub use walk::{Batch, Order, Rows};
