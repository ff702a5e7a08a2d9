//! `reading`: mammograms that readers score before and after they see why a network scores them as it does.

use serde::{Deserialize, Serialize};

use crate::value::{Form, NAME, SHARE};

section! {
    /// Mammograms that readers score twice, before and after they see why a network scores them as it does; see
    /// docs/study.md of unit-atlas.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Reading(ReadingForm, "reading.") {
        /// Mammograms put to readers, of the split that is dissected, one of a patient where that can be; 0: there is
        /// no such page.
        pub cases: u32 = "0", in 0..=2000;
        /// Share of them with cancer.
        pub cancer: f64 = "0.5", in SHARE;
        /// Network whose explanations are shown.
        pub network: Option<String>, in NETWORK, else "the first that is explained", such as "alexnet";
        /// Units shown of an explanation, those that add most to the evidence for cancer.
        pub units: u32 = "4", in 1..=12;
    }
}

/// A network of the project.
const NETWORK: Form = Form {
    words: NAME.words,
    pattern: NAME.pattern,
    read: |check, _, given| {
        check.network(&given.value, given.referenced).map(|network| network.name.clone())
    },
};
