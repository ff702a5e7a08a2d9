//! `readers.csv`.

use anyhow::Result;

use super::cell::{Number, Text};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;

table! {
    "readers.csv",
    /// one reader and one network; an empty cell stands for all together
    struct Reader {
        /// pseudonym of the reader; empty for all readers
        reader: Option<Text>,
        /// name of the network; empty for all networks
        network: Option<Text>,
        /// units answered, repeated ones aside
        answered: usize,
        /// of these, units in which something recognisable was seen
        recognizable: usize,
        /// units in which nothing recognisable was seen
        unrecognizable: usize,
        /// units of which the reader was not sure
        unsure: usize,
        /// answers that describe a pattern
        described: usize,
        /// of these, answers with one pattern
        single: usize,
        /// answers with several patterns in one unit
        entangled: usize,
        /// answers with a pattern associated with breast cancer
        malignant: usize,
        /// answers to units shown again
        repeated: usize,
        /// median of the active seconds per unit; empty where not measured
        seconds_median: Option<Number<f64>>,
    }
}

impl Row for Reader {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        atlas.study.statistics.progress.iter().try_for_each(|row| {
            write(Self {
                reader: row.reader.as_ref().map(Text::from),
                network: row.network.as_ref().map(Text::from),
                answered: row.answered,
                recognizable: row.recognizable,
                unrecognizable: row.unrecognizable,
                unsure: row.unsure,
                described: row.described,
                single: row.single,
                entangled: row.entangled,
                malignant: row.malignant,
                repeated: row.repeated,
                seconds_median: row.seconds.map(Number),
            })
        })
    }
}
