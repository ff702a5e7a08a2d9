//! What the outputs of a network stand for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an output of a network stands for: a class of the patches, a category of a scale, or a finding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// No lesion; of two classes, with `benign`, no cancer.
    Normal,
    /// A benign lesion.
    Benign,
    /// Cancer.
    Cancer,
    /// Something else; it is left out before the softmax.
    Unused,
    /// A breast that is almost entirely fatty.
    CompositionA,
    /// Scattered fibroglandular density.
    CompositionB,
    /// A heterogeneously dense breast.
    CompositionC,
    /// An extremely dense breast.
    CompositionD,
    /// BI-RADS 0: incomplete.
    #[serde(rename = "birads-0")]
    Birads0,
    /// BI-RADS 1: negative.
    #[serde(rename = "birads-1")]
    Birads1,
    /// BI-RADS 2: benign.
    #[serde(rename = "birads-2")]
    Birads2,
    /// BI-RADS 3: probably benign.
    #[serde(rename = "birads-3")]
    Birads3,
    /// BI-RADS 4: suspicious, of any degree.
    #[serde(rename = "birads-4")]
    Birads4,
    /// BI-RADS 4A: low suspicion.
    #[serde(rename = "birads-4a")]
    Birads4A,
    /// BI-RADS 4B: moderate suspicion.
    #[serde(rename = "birads-4b")]
    Birads4B,
    /// BI-RADS 4C: high suspicion.
    #[serde(rename = "birads-4c")]
    Birads4C,
    /// BI-RADS 5: highly suggestive of malignancy.
    #[serde(rename = "birads-5")]
    Birads5,
    /// BI-RADS 6: proven by biopsy.
    #[serde(rename = "birads-6")]
    Birads6,
    /// A mass, by its sigmoid.
    Mass,
    /// Calcifications, by their sigmoid.
    Calcifications,
    /// An asymmetry of any kind, by its sigmoid.
    Asymmetry,
    /// An architectural distortion, by its sigmoid.
    ArchitecturalDistortion,
}

/// Categories in an order, of which one holds: the softmax of their outputs says how likely each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// How dense a breast is.
    Composition,
    /// The BI-RADS assessment of a lesion.
    Assessment,
}

/// Outputs beside the classes that say one thing together. Numbers are those of outputs, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// Categories in their order, each with the number of its output.
    Scale(Scale, Vec<(&'static str, usize)>),
    /// The lexicon's term of a finding, and the number of its output.
    Finding(&'static str, usize),
}

impl Head {
    /// What it tells, each with the number of its output: the softmax of several says how likely each is, of one the
    /// sigmoid.
    pub fn tells(&self) -> Vec<(String, usize)> {
        match self {
            Self::Scale(Scale::Composition, categories) => {
                categories.iter().map(|(term, at)| ((*term).to_owned(), *at)).collect()
            }
            Self::Scale(Scale::Assessment, categories) => {
                categories.iter().map(|(name, at)| (format!("BI-RADS {name}"), *at)).collect()
            }
            Self::Finding(term, at) => vec![((*term).to_owned(), *at)],
        }
    }
}

/// What an output says something of.
enum Of {
    Class,
    Nothing,
    Scale(Scale, &'static str),
    Finding(&'static str),
}

impl Output {
    fn of(self) -> Of {
        use Scale::{Assessment, Composition};
        match self {
            Self::Normal | Self::Benign | Self::Cancer => Of::Class,
            Self::Unused => Of::Nothing,
            Self::CompositionA => Of::Scale(Composition, "composition-a"),
            Self::CompositionB => Of::Scale(Composition, "composition-b"),
            Self::CompositionC => Of::Scale(Composition, "composition-c"),
            Self::CompositionD => Of::Scale(Composition, "composition-d"),
            Self::Birads0 => Of::Scale(Assessment, "0"),
            Self::Birads1 => Of::Scale(Assessment, "1"),
            Self::Birads2 => Of::Scale(Assessment, "2"),
            Self::Birads3 => Of::Scale(Assessment, "3"),
            Self::Birads4 => Of::Scale(Assessment, "4"),
            Self::Birads4A => Of::Scale(Assessment, "4A"),
            Self::Birads4B => Of::Scale(Assessment, "4B"),
            Self::Birads4C => Of::Scale(Assessment, "4C"),
            Self::Birads5 => Of::Scale(Assessment, "5"),
            Self::Birads6 => Of::Scale(Assessment, "6"),
            Self::Mass => Of::Finding("mass"),
            Self::Calcifications => Of::Finding("calcifications"),
            Self::Asymmetry => Of::Finding("asymmetry"),
            Self::ArchitecturalDistortion => Of::Finding("architectural-distortion"),
        }
    }

    /// Which of so many classes each output stands for, `None` for one that stands for none.
    pub fn classes(outputs: &[Output], classes: usize) -> Vec<Option<usize>> {
        let class = |output: &Output| match output {
            Output::Normal => Some(0),
            // Of two classes, the first is all that is not cancer.
            Output::Benign => Some(classes - 2),
            Output::Cancer => Some(classes - 1),
            _ => None,
        };
        outputs.iter().map(class).collect()
    }

    /// What outputs say beside the classes: scales, then findings, each in the order of its first output.
    pub fn heads(outputs: &[Output]) -> Vec<Head> {
        let mut heads: Vec<Head> = Vec::new();
        for scale in [Scale::Composition, Scale::Assessment] {
            let mut found: Vec<(Output, &'static str, usize)> = Vec::new();
            for (at, output) in outputs.iter().enumerate() {
                if let Of::Scale(own, category) = output.of()
                    && own == scale
                {
                    found.push((*output, category, at));
                }
            }
            // The order of the enumeration is that of the categories.
            found.sort_unstable();
            if !found.is_empty() {
                let categories = found.into_iter().map(|(_, category, at)| (category, at));
                heads.push(Head::Scale(scale, categories.collect()));
            }
        }
        let finding = |(at, output): (usize, &Output)| match output.of() {
            Of::Finding(term) => Some(Head::Finding(term, at)),
            _ => None,
        };
        heads.extend(outputs.iter().enumerate().filter_map(finding));
        heads
    }

    /// Whether outputs that stand for these say anything of cancer.
    pub fn tell_cancer(outputs: &[Output]) -> bool {
        outputs.contains(&Output::Cancer)
    }

    /// Whether outputs that stand for these can be read: where they tell classes, whether each of so many has a
    /// probability; where they are of a scale, whether it has several categories, each once.
    ///
    /// # Errors
    /// Why they cannot.
    pub fn fit(outputs: &[Output], classes: usize) -> Result<(), String> {
        let has = |wanted: Output| outputs.contains(&wanted);
        let count = |wanted: fn(&Of) -> bool| outputs.iter().filter(|o| wanted(&o.of())).count();
        let heads = Self::heads(outputs);
        let told = count(|of| matches!(of, Of::Class));
        if told == 0 && heads.is_empty() {
            return Err("none of them is `cancer`, or stands for anything else".into());
        }
        if told > 0 && !has(Output::Cancer) {
            return Err("none of them is `cancer`, which must be told where a class is".into());
        }
        // Beside other heads, cancer alone has its sigmoid as well.
        let softmax = told + count(|of| matches!(of, Of::Nothing)) > 1;
        if told > 0 && softmax && !has(Output::Normal) && !has(Output::Benign) {
            return Err(
                "of several, one must be `normal` or `benign`: the probability of cancer is its share of \
                 them (a single output has its sigmoid)"
                    .into(),
            );
        }
        if told > 0 && classes == 3 && !(has(Output::Normal) && has(Output::Benign)) {
            return Err(
                "with three classes (`patches.classes`), one must be `normal` and one `benign`"
                    .into(),
            );
        }
        let named = |output: &Output| {
            serde_json::to_value(output)
                .ok()
                .and_then(|name| name.as_str().map(str::to_owned))
                .unwrap_or_default()
        };
        for (at, output) in outputs.iter().enumerate() {
            let twice = matches!(output.of(), Of::Scale(..) | Of::Finding(_));
            if twice && outputs[..at].contains(output) {
                return Err(format!("two of them are `{}`", named(output)));
            }
        }
        for head in heads {
            if let Head::Scale(_, categories) = head
                && let [(_, at)] = categories[..]
            {
                return Err(format!(
                    "`{}` is the only category of its scale: its softmax would always be 1",
                    named(&outputs[at])
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_beside_the_classes_are_scales_and_findings() {
        use Output::{
            Birads2, Birads4B, Birads5, Calcifications, Cancer, CompositionA, CompositionD, Mass,
            Normal, Unused,
        };
        let outputs = [
            Birads5,
            Normal,
            CompositionD,
            Mass,
            Birads2,
            Cancer,
            CompositionA,
            Unused,
            Birads4B,
            Calcifications,
        ];
        assert_eq!(Output::fit(&outputs, 2), Ok(()));
        assert_eq!(
            Output::heads(&outputs),
            [
                Head::Scale(Scale::Composition, vec![("composition-a", 6), ("composition-d", 2)]),
                Head::Scale(Scale::Assessment, vec![("2", 4), ("4B", 8), ("5", 0)]),
                Head::Finding("mass", 3),
                Head::Finding("calcifications", 9),
            ]
        );
        assert!(Output::tell_cancer(&outputs));
        let of = |outputs: &[Output], says: &str| {
            let told = Output::fit(outputs, 2).err().unwrap_or_default();
            assert!(if says.is_empty() { told.is_empty() } else { told.contains(says) }, "{told}");
        };
        // Cancer has its sigmoid beside findings, and need not be told at all.
        of(&[Cancer, Mass], "");
        of(&[CompositionA, CompositionD], "");
        of(&[Mass], "");
        of(&[Unused, Cancer, Mass], "`normal` or `benign`");
        of(&[Normal, Mass], "none of them is `cancer`");
        of(&[Unused], "none of them is `cancer`");
        of(&[Cancer, Mass, Mass], "two of them are `mass`");
        of(&[Cancer, Birads4B, Birads4B], "two of them are `birads-4b`");
        of(&[Cancer, Birads4B], "`birads-4b` is the only category");
    }
}
