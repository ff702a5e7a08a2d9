//! The contact sheet of the data page.

use mammogram::Lesion;
use record::Manifest;

/// Mammograms of the contact sheet: with lesions, and without any.
const SHEET: [usize; 2] = [18, 6];

/// Mammograms of the contact sheet, as numbers in the manifest: spread evenly over those with
/// outlines, or, where none has any, with lesions, then over those without.
pub(crate) fn sheet(manifest: &Manifest) -> Vec<u32> {
    let shown = |wanted: &dyn Fn(&mammogram::Mammogram) -> bool| -> Vec<u32> {
        let all = manifest.mammograms.iter().zip(0..);
        let some = all.filter(|(m, _)| m.preview.is_some() && wanted(&m.mammogram));
        some.map(|(_, number)| number).collect()
    };
    let outlined = match shown(&|m| m.lesions.iter().any(Lesion::is_placed)) {
        none if none.is_empty() => shown(&|m| !m.lesions.is_empty()),
        some => some,
    };
    let free = shown(&|m| m.lesions.is_empty());
    let mut numbers = Vec::new();
    for (some, most) in [outlined, free].iter().zip(SHEET) {
        let count = most.min(some.len());
        numbers.extend((0..count).map(|i| some[i * some.len() / count]));
    }
    numbers
}
