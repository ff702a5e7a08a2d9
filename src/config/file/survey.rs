//! The check of `survey:` and `cases:`.

use serde_yaml::{Location, Spanned};

use super::{Check, SHARE, slug};
use crate::form::{CasesFile, SelectChoice, SurveyFile};
use crate::{Cases, Network, Select, Survey, defaults};
use base::UnitId;
use base::yaml::{Mistake, unknown};

impl Check<'_> {
    pub(super) fn cases(&self, file: CasesFile) -> Result<Cases, Mistake> {
        /// Pages per kind and network: more is a data set, not an atlas.
        const MOST: u32 = 1000;
        let default = defaults::cases();
        let mut list: Vec<String> = Vec::new();
        for id in file.list.map(|list| list.value).unwrap_or_default() {
            if list.contains(&id.value) {
                let repeated = format!("`cases.list` names {} twice", id.value);
                return self.wrong(id.referenced, repeated);
            }
            list.push(id.value);
        }
        let count = |key: &str, given, default| {
            self.whole(&format!("cases.{key}"), given, default, 0, MOST)
        };
        Ok(Cases {
            found: count("found", file.found, default.found)?,
            false_alarms: count("false_alarms", file.false_alarms, default.false_alarms)?,
            missed: count("missed", file.missed, default.missed)?,
            random: count("random", file.random, default.random)?,
            list,
        })
    }

    pub(super) fn survey(
        &self,
        file: SurveyFile,
        top: usize,
        networks: &[Network],
        title: &str,
    ) -> Result<Survey, Mistake> {
        let default = defaults::survey();
        let top = top as u32;
        if let Some(patches) = &file.patches
            && patches.value > i64::from(top)
        {
            return self.wrong(
                patches.referenced,
                format!(
                    "`survey.patches` is {}, but dissection keeps {top} top patches per unit \
                     (`dissection.top`)",
                    patches.value
                ),
            );
        }
        let select = match file.select {
            None => default.select,
            Some(v) => self.select(v, networks)?,
        };
        if let (Select::Listed(_), Some(layers)) = (&select, &file.layers) {
            return self.wrong(
                layers.referenced,
                "`survey.layers` has no use where `survey.select` lists the units; leave it out",
            );
        }
        Ok(Survey {
            study: match file.study {
                Some(v) => self.name("survey.study", v)?,
                None => slug(title).unwrap_or(default.study),
            },
            layers: match (&select, file.layers) {
                (Select::Listed(_), _) => Vec::new(),
                (_, Some(v)) => self.survey_layers(v, networks)?,
                (_, None) => networks
                    .iter()
                    .filter_map(|n| Some((n.name.clone(), n.layers.last()?.clone())))
                    .collect(),
            },
            select,
            cancer: self.number("survey.cancer", file.cancer, default.cancer, &SHARE)?,
            contact: match file.contact {
                Some(v) if v.value.trim().is_empty() || v.value.chars().any(char::is_control) => {
                    return self.wrong(
                        v.referenced,
                        "`survey.contact` is whom readers send their file to, such as an address; \
                         leave it out for nobody",
                    );
                }
                contact => contact.map(|v| v.value.trim().to_owned()),
            },
            units: self.whole("survey.units", file.units, default.units, 1, 10_000)?,
            patches: self.whole(
                "survey.patches",
                file.patches,
                default.patches.min(top),
                1,
                top,
            )?,
            repeats: self.number("survey.repeats", file.repeats, default.repeats, &SHARE)?,
            blind: file.blind.unwrap_or(default.blind),
            lexicon: match file.lexicon {
                Some(v) => self.name("survey.lexicon", v)?,
                None => default.lexicon,
            },
        })
    }

    fn select(
        &self,
        given: Spanned<SelectChoice>,
        networks: &[Network],
    ) -> Result<Select, Mistake> {
        const WORDS: [&str; 4] = ["mixed", "random", "influence", "evidence"];
        let units = match given.value {
            SelectChoice::Word(word) => {
                return match word.as_str() {
                    "mixed" => Ok(Select::Mixed),
                    "random" => Ok(Select::Random),
                    "influence" => Ok(Select::Influence),
                    "evidence" => Ok(Select::Evidence),
                    other => self.wrong(given.referenced, unknown("selection", other, &WORDS)),
                };
            }
            SelectChoice::Units(units) => units,
        };
        if units.is_empty() {
            return self.wrong(given.referenced, "`survey.select` lists no unit");
        }
        let mut names: Vec<UnitId> = Vec::new();
        for unit in units {
            let name: UnitId = match unit.value.parse() {
                Ok(name) => name,
                Err(why) => {
                    let message = format!("`{}` {why}", unit.value);
                    return self.wrong(unit.referenced, message);
                }
            };
            let layer = format!("{}/{}", name.network(), name.layer());
            self.probe(&layer, unit.referenced, networks)?;
            if names.contains(&name) {
                return self.wrong(unit.referenced, format!("`{name}` is listed twice"));
            }
            names.push(name);
        }
        Ok(Select::Listed(names))
    }

    fn survey_layers(
        &self,
        given: Spanned<Vec<Spanned<String>>>,
        networks: &[Network],
    ) -> Result<Vec<(String, String)>, Mistake> {
        if given.value.is_empty() {
            return self.wrong(given.referenced, "`survey.layers` lists no layer");
        }
        let mut layers = Vec::new();
        for layer in given.value {
            let probe = self.probe(&layer.value, layer.referenced, networks)?;
            if layers.contains(&probe) {
                return self.wrong(layer.referenced, format!("`{}` is listed twice", layer.value));
            }
            layers.push(probe);
        }
        Ok(layers)
    }

    /// A dissected layer by its name, `alexnet/conv5`.
    fn probe(
        &self,
        name: &str,
        at: Location,
        networks: &[Network],
    ) -> Result<(String, String), Mistake> {
        let known: Vec<String> = networks
            .iter()
            .flat_map(|n| n.layers.iter().map(|layer| format!("{}/{layer}", n.name)))
            .collect();
        match name.split_once('/') {
            Some((network, layer)) if known.iter().any(|k| k == name) => {
                Ok((network.to_owned(), layer.to_owned()))
            }
            _ => self.wrong(at, unknown("layer", name, &known)),
        }
    }
}
