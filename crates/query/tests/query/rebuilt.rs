//! An index that is made again from the rows of its segment is the one that was written.

use proptest::prelude::*;
use trailbook_event::Event;
use trailbook_ledger::segment::{Indexer, Parsed};
use trailbook_query::{BlockIndexer, Source};

use crate::{
    plain::{Plain, organization},
    random,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_rows_of_a_segment_give_the_bytes_of_its_index_again(history in random::history()) {
        let (plain, engine) = Plain::new();
        history.iter().for_each(|deed| plain.undergo(deed, &engine));
        for sealed in &plain.sealed(&organization()).unwrap().runs {
            let (segment, run) = (sealed.segment.open().unwrap(), &sealed.run);
            let numbers: Vec<u64> = (0..run.rows).collect();
            let rows = segment.rows(run, &numbers).unwrap();
            let parsed = rows.iter().map(|row| Parsed { row, event: Event::parse(&row.parts).unwrap() });
            let length = segment.index_length(run, 0).unwrap();
            let stored = segment.index_bytes(run, 0, 0..length).unwrap();
            prop_assert_eq!(BlockIndexer.index(&parsed.collect::<Vec<_>>()), stored);
        }
    }
}
