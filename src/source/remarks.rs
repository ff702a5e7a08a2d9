//! What DICOM and other files say of themselves, as a source passes it on: remarks on how they are read,
//! facts of the mammogram, and kinds of images that a project leaves out.

use std::collections::BTreeMap;

use base::Notice;
use config::Unwanted;
use formats::dicom::Dicom;
use formats::picture::Picture;

/// Notices of a file that is used; `place` is what the source calls it.
pub(crate) fn notices(picture: &Picture, place: &str) -> Vec<Notice> {
    let notice = |message: &String| Notice {
        place: place.to_owned(),
        message: message.clone(),
        skipped: false,
    };
    picture.remarks().iter().map(notice).collect()
}

/// Notices with those that say the same of several files in one, where the first is.
pub(crate) fn joined(notices: Vec<Notice>) -> Vec<Notice> {
    let mut joined: Vec<(Notice, usize)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for notice in notices {
        match known.get(&notice.message).map(|&place| &mut joined[place]) {
            Some((_, more)) if !notice.skipped => *more += 1,
            _ => {
                if !notice.skipped {
                    known.insert(notice.message.clone(), joined.len());
                }
                joined.push((notice, 0));
            }
        }
    }
    let told = |(mut notice, more): (Notice, usize)| {
        if more > 0 {
            notice.message = format!("{} ({more} more alike)", notice.message);
        }
        notice
    };
    joined.into_iter().map(told).collect()
}

/// What a DICOM file says of its image that pages should show.
pub(crate) fn facts(dicom: &Dicom) -> BTreeMap<String, String> {
    let facts = [
        (dicom.has_implant(), "implant", "yes"),
        (dicom.is_tomosynthesis(), "made from", "tomosynthesis"),
        (dicom.is_for_processing(), "values", "the detector's own (FOR PROCESSING), converted"),
    ];
    let told = facts.into_iter().filter(|(is, ..)| *is);
    told.map(|(_, name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The first of the unwanted kinds that an image is of, with what to say of it.
pub(crate) fn unwanted(dicom: &Dicom, kinds: &[Unwanted]) -> Option<(Unwanted, &'static str)> {
    let kind = kinds.iter().copied().find(|kind| match kind {
        Unwanted::ForProcessing => dicom.is_for_processing(),
        Unwanted::Implants => dicom.has_implant(),
        Unwanted::Tomosynthesis => dicom.is_tomosynthesis(),
    })?;
    Some((
        kind,
        match kind {
            Unwanted::ForProcessing => {
                "is FOR PROCESSING, the detector's own values; name its FOR PRESENTATION image, or take `for_processing` out of `source.leave_out` to have it converted"
            }
            Unwanted::Implants => "shows a breast with an implant, which `source.leave_out` names",
            Unwanted::Tomosynthesis => "is made from tomosynthesis, which `source.leave_out` names",
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_that_say_the_same_are_told_once_and_what_is_skipped_each_time() {
        let notice = |place: &str, message: &str, skipped| Notice {
            place: place.into(),
            message: message.into(),
            skipped,
        };
        let all = vec![
            notice("t:2", "is odd", false),
            notice("t:3", "is bad", true),
            notice("t:4", "is odd", false),
            notice("t:5", "is bad", true),
            notice("t:6", "is odd", false),
            notice("t:7", "is even", false),
        ];
        assert_eq!(
            joined(all),
            [
                notice("t:2", "is odd (2 more alike)", false),
                notice("t:3", "is bad", true),
                notice("t:5", "is bad", true),
                notice("t:7", "is even", false),
            ]
        );
    }
}
