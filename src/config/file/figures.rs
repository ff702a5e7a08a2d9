//! The check of `figures:`.

use std::collections::BTreeMap;

use serde_yaml::{Location, Spanned};

use super::{Check, Range};
use crate::Network;
use crate::figures::{
    CASE_PATCHES, COLUMNS, DPI, DPIS, Format, KINDS, Kind, Look, MOST_CASE_PATCHES, MOST_PATCHES,
    MOST_TABLE_PATCHES, PATCHES, TABLE_PATCHES, WIDTHS, Wanted,
};
use crate::form::{FigureFile, Given};
use base::UnitId;
use base::yaml::{Mistake, unknown};

const WIDTH: Range =
    Range { words: "millimetres from 30 to 500", holds: |v| (WIDTHS[0]..=WIDTHS[1]).contains(&v) };

impl Check<'_> {
    pub(super) fn figures(
        &self,
        files: Vec<FigureFile>,
        networks: &[Network],
    ) -> Result<Vec<Wanted>, Mistake> {
        let mut files_seen: BTreeMap<String, u64> = BTreeMap::new();
        let mut figures = Vec::new();
        for file in files {
            let at = file.name.as_ref().map_or(file.kind.referenced, |name| name.referenced);
            let wanted = self.figure(file, networks)?;
            for file in wanted.files() {
                // Some file systems take capitals for the same.
                if let Some(line) = files_seen.insert(file.to_ascii_lowercase(), at.line()) {
                    let message = format!(
                        "two figures would write {file}; the first is in line {line}; give one \
                         another `name`"
                    );
                    return self.wrong(at, message);
                }
            }
            figures.push(wanted);
        }
        Ok(figures)
    }

    fn figure(&self, file: FigureFile, networks: &[Network]) -> Result<Wanted, Mistake> {
        let name = file.kind.value.trim();
        let refuse = |key: &str, at: Option<Location>, kinds: &[&str]| match at {
            Some(at) if !kinds.contains(&name) => {
                self.wrong(at, format!("`{key}` does not belong to the figure `{name}`"))
            }
            _ => Ok(()),
        };
        let [least, most] = DPIS;
        let formats = self.formats(file.formats)?;
        let dpi = self.whole("figures.dpi", file.dpi, DPI, least, most)?;
        if KINDS.contains(&name) {
            refuse("unit", file.unit.as_ref().map(|v| v.referenced), &["unit"])?;
            refuse("units", file.units.as_ref().map(|v| v.referenced), &["table"])?;
            refuse("network", file.network.as_ref().map(|v| v.referenced), &["training", "case"])?;
            refuse("mammogram", file.mammogram.as_ref().map(|v| v.referenced), &["case"])?;
            let kinds = ["unit", "table", "case"];
            refuse("patches", file.patches.as_ref().map(|v| v.referenced), &kinds)?;
            refuse("columns", file.columns.as_ref().map(|v| v.referenced), &["unit"])?;
        }
        let patches = |given, default: usize, most: usize| {
            let patches = self.whole("figures.patches", given, default as u32, 1, most as u32);
            patches.map(|n| n as usize)
        };
        let network = |given: Given<String>| {
            let known: Vec<&str> = networks.iter().map(|n| n.name.as_str()).collect();
            match given {
                Some(v) if !known.contains(&v.value.as_str()) => {
                    self.wrong(v.referenced, unknown("network", &v.value, &known))
                }
                given => Ok(given.map(|v| v.value)),
            }
        };
        let kind = match name {
            "unit" => {
                let Some(unit) = file.unit else {
                    let message = "the figure `unit` needs `unit`, such as alexnet/conv5/0063";
                    return self.wrong(file.kind.referenced, message);
                };
                let most = MOST_PATCHES as u32;
                let columns =
                    self.whole("figures.columns", file.columns, COLUMNS as u32, 1, most)?;
                Kind::Unit {
                    unit: self.unit(&unit, networks)?,
                    patches: patches(file.patches, PATCHES, MOST_PATCHES)?,
                    columns: columns as usize,
                }
            }
            "table" => Kind::Table {
                units: file
                    .units
                    .map(|units| units.value)
                    .unwrap_or_default()
                    .iter()
                    .map(|unit| self.unit(unit, networks))
                    .collect::<Result<_, _>>()?,
                patches: patches(file.patches, TABLE_PATCHES, MOST_TABLE_PATCHES)?,
            },
            "roc" => Kind::Roc,
            "performance" => Kind::Performance,
            "concepts" => Kind::Concepts,
            "agreement" => Kind::Agreement,
            "training" => Kind::Training { network: network(file.network)? },
            "case" => {
                let Some(mammogram) = file.mammogram else {
                    let message = "the figure `case` needs `mammogram`, an id of the data set";
                    return self.wrong(file.kind.referenced, message);
                };
                Kind::Case {
                    mammogram: mammogram.value,
                    network: network(file.network)?,
                    patches: patches(file.patches, CASE_PATCHES, MOST_CASE_PATCHES)?,
                }
            }
            other => return self.wrong(file.kind.referenced, unknown("figure", other, &KINDS)),
        };
        let width = self.number("figures.width", file.width, kind.width(), &WIDTH)?;
        let name = match file.name {
            Some(v) => {
                let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
                let plain = !v.value.is_empty() && v.value.len() <= 100;
                if !plain || !v.value.bytes().all(allowed) {
                    let message = format!(
                        "`{}` cannot be the name of files: use letters, digits, `_` and `-`",
                        v.value
                    );
                    return self.wrong(v.referenced, message);
                }
                v.value
            }
            None => kind.stem(),
        };
        Ok(Wanted { name, kind, look: Look { width, dpi, formats } })
    }

    /// A unit of a dissected layer; how many units that has is not known here.
    fn unit(&self, given: &Spanned<String>, networks: &[Network]) -> Result<UnitId, Mistake> {
        let unit = match UnitId::typed(&given.value) {
            Ok(unit) => unit,
            Err(why) => {
                let message = format!("`{}` {why}", given.value.trim());
                return self.wrong(given.referenced, message);
            }
        };
        let known: Vec<&str> = networks.iter().map(|n| n.name.as_str()).collect();
        let Some(found) = networks.iter().find(|n| n.name == unit.network()) else {
            return self.wrong(given.referenced, unknown("network", unit.network(), &known));
        };
        let layers: Vec<&str> = found.layers.iter().map(String::as_str).collect();
        if !layers.contains(&unit.layer()) {
            return self.wrong(given.referenced, unknown("layer", unit.layer(), &layers));
        }
        Ok(unit)
    }

    fn formats(&self, given: Given<Vec<Spanned<String>>>) -> Result<Vec<Format>, Mistake> {
        let Some(given) = given else { return Ok(Format::ALL.into()) };
        if given.value.is_empty() {
            return self.wrong(given.referenced, "`formats` is empty; leave it out for all");
        }
        let endings = Format::ALL.map(Format::ending);
        let read = |format: &Spanned<String>| match Format::parse(&format.value) {
            Some(read) => Ok(read),
            None => self.wrong(format.referenced, unknown("format", &format.value, &endings)),
        };
        let mut formats = given.value.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        formats.sort_unstable();
        formats.dedup();
        Ok(formats)
    }
}
