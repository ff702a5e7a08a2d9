//! What a table says of an image against what the image's DICOM tags say. The table counts, since it was made
//! for the study; who made it should know.

use std::collections::{BTreeMap, BTreeSet};

use base::Notice;
use formats::dicom::Dicom;
use mammogram::{Laterality, View};

/// Places that a notice names.
const NAMED: usize = 8;

/// Whose an image is by its file and by the table, as pseudonyms.
#[derive(Debug)]
pub(crate) struct Tags {
    place: String,
    file: Option<String>,
    table: Option<String>,
}

impl Tags {
    /// Of an image that is named at a place of a table.
    pub(crate) fn new(place: String, file: Option<String>, table: Option<String>) -> Self {
        Self { place, file, table }
    }

    /// Side and view in which the table and the file differ.
    pub(crate) fn differ(
        &self,
        dicom: Option<&Dicom>,
        laterality: Option<Laterality>,
        view: Option<View>,
    ) -> Vec<Notice> {
        let Some(dicom) = dicom else { return Vec::new() };
        let differ = |what: &str, table: Option<String>, file: Option<String>| {
            let (table, file) = (table?, file?);
            (table != file).then(|| Notice {
                place: self.place.clone(),
                message: format!("its {what} is {table} in the table and {file} in its DICOM tags; the table counts"),
                skipped: false,
            })
        };
        let text = |side: Option<Laterality>| side.map(|side| side.to_string());
        let side = differ("side", text(laterality), text(dicom.laterality()));
        let views = [view, dicom.view()].map(|view| view.map(|view| view.to_string()));
        let [table, file] = views;
        side.into_iter().chain(differ("view", table, file)).collect()
    }
}

/// Patients that are one in the table and several in the tags, or the other way round. Their names need not
/// be the same: one may stand for the other.
pub(crate) fn patients(tags: &[Tags]) -> Vec<Notice> {
    let both =
        || tags.iter().filter_map(|tag| Some((tag, tag.table.as_ref()?, tag.file.as_ref()?)));
    let notices = |one: &str,
                   other: &str,
                   by: fn((&Tags, &String, &String)) -> (String, String)| {
        let mut groups: BTreeMap<String, (BTreeSet<String>, Vec<&str>)> = BTreeMap::new();
        let mut order = Vec::new();
        for (tag, table, file) in both() {
            let (key, value) = by((tag, table, file));
            if !groups.contains_key(&key) {
                order.push(key.clone());
            }
            let (values, places) = groups.entry(key).or_default();
            values.insert(value);
            places.push(&tag.place);
        }
        let several = order.into_iter().filter_map(|key| groups.remove(&key));
        let several = several.filter(|(values, _)| values.len() > 1);
        let notice = |(values, places): (BTreeSet<String>, Vec<&str>)| {
            let more = if places.len() > NAMED { ", …" } else { "" };
            let named = places.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            Notice {
                place: places.first().map(|place| (*place).to_owned()).unwrap_or_default(),
                message: format!(
                    "{} images are of one patient in the {one} and of {} in the {other} ({named}{more}); the table counts",
                    places.len(),
                    values.len()
                ),
                skipped: false,
            }
        };
        several.map(notice).collect::<Vec<_>>()
    };
    let mut all = notices("table", "DICOM tags", |(_, table, file)| (table.clone(), file.clone()));
    all.extend(notices("DICOM tags", "table", |(_, table, file)| (file.clone(), table.clone())));
    all
}
