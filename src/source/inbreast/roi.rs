//! The outlines of one image: a property list of regions of interest, as the viewer OsiriX exports it. Only
//! the regions' names and points are looked at.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// Collections within collections that are followed.
const MAX_DEPTH: usize = 32;

/// A region of interest.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Roi {
    /// Empty where it has none.
    pub(super) name: String,
    /// In pixels of the image.
    pub(super) points: Vec<[f32; 2]>,
}

/// What a region is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A lesion, with its terms in the lexicon.
    Lesion(&'static [&'static str]),
    /// A region that is no lesion, with its term.
    Region(&'static str),
}

/// Every name in the published files, in small letters.
const KINDS: [(&str, Kind); 16] = [
    ("mass", Kind::Lesion(&["mass"])),
    ("spiculated region", Kind::Lesion(&["mass", "margin-spiculated"])),
    ("espiculated region", Kind::Lesion(&["mass", "margin-spiculated"])),
    ("spiculated mass", Kind::Lesion(&["mass", "margin-spiculated"])),
    ("calcification", Kind::Lesion(&["calcifications"])),
    ("calcifications", Kind::Lesion(&["calcifications"])),
    ("cluster", Kind::Lesion(&["calcifications", "distribution-grouped"])),
    ("distortion", Kind::Lesion(&["architectural-distortion"])),
    ("asymmetry", Kind::Lesion(&["asymmetry-focal"])),
    ("assymetry", Kind::Lesion(&["asymmetry-focal"])),
    // Drawn, and not said what of.
    ("unnamed", Kind::Lesion(&[])),
    ("point 1", Kind::Lesion(&[])),
    ("point 2", Kind::Lesion(&[])),
    ("point 3", Kind::Lesion(&[])),
    ("pectoral muscle", Kind::Region("pectoral-muscle")),
    ("pectoral_muscle", Kind::Region("pectoral-muscle")),
];

impl Roi {
    /// What it is of; `None` for a name that the data set does not have.
    pub(super) fn kind(&self) -> Option<Kind> {
        let name = self.name.trim().to_lowercase();
        KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// A collection that is being read.
struct Frame {
    dictionary: bool,
    /// Its key in the dictionary around it.
    key: String,
    /// The key whose value comes next in it.
    next: String,
}

/// Reads the regions of a property list.
///
/// # Errors
/// What is wrong with it, and in which byte.
pub(super) fn read(text: &str) -> Result<Vec<Roi>, String> {
    let mut reader = Reader::from_str(text);
    let (mut rois, mut frames): (Vec<Roi>, Vec<Frame>) = (Vec::new(), Vec::new());
    let mut words = String::new();
    let mut whole = false;
    loop {
        let event = reader.read_event().map_err(|error| {
            format!("is no property list: byte {}: {error}", reader.error_position())
        })?;
        match event {
            Event::Start(tag) => {
                words.clear();
                let dictionary = match tag.local_name().as_ref() {
                    "dict" => true,
                    "array" => false,
                    _ => continue,
                };
                let parent = frames.last_mut();
                let key = parent.map(|parent| std::mem::take(&mut parent.next)).unwrap_or_default();
                if frames.len() == MAX_DEPTH {
                    return Err(format!("has more than {MAX_DEPTH} collections in one another"));
                }
                frames.push(Frame { dictionary, key, next: String::new() });
                if is_roi(&frames) {
                    rois.push(Roi::default());
                }
            }
            Event::Text(part) => words.push_str(&part.xml10_content()),
            Event::CData(part) => words.push_str(&part.xml10_content()),
            Event::GeneralRef(name) => {
                let number = name.resolve_char_ref().map_err(|error| error.to_string())?;
                let name = name.xml10_content();
                match (number, resolve_predefined_entity(&name)) {
                    (Some(number), _) => words.push(number),
                    (None, Some(known)) => words.push_str(known),
                    // Nothing that a file defines is followed.
                    (None, None) => return Err("has an entity of its own".into()),
                }
            }
            Event::Empty(_) => {
                if let Some(frame) = frames.last_mut() {
                    frame.next.clear();
                }
            }
            Event::End(tag) => match tag.local_name().as_ref() {
                "dict" | "array" => drop(frames.pop()),
                "plist" => whole = frames.is_empty(),
                "key" => {
                    if let Some(frame) = frames.last_mut() {
                        frame.next = words.trim().to_owned();
                    }
                }
                _ => value(&mut frames, &mut rois, words.trim())?,
            },
            Event::Eof => break,
            _ => {}
        }
    }
    match whole {
        true => Ok(rois),
        false => Err("is no property list, or breaks off".into()),
    }
}

/// Whether the innermost collection is a region: a dictionary in the list `ROIs`.
fn is_roi(frames: &[Frame]) -> bool {
    matches!(frames, [.., list, roi] if roi.dictionary && !list.dictionary && list.key == "ROIs")
}

/// Takes over a value that is neither list nor dictionary.
fn value(frames: &mut [Frame], rois: &mut [Roi], words: &str) -> Result<(), String> {
    let Some(roi) = rois.last_mut() else { return Ok(()) };
    if is_roi(frames) {
        let key = frames.last_mut().map(|frame| std::mem::take(&mut frame.next));
        if key.as_deref() == Some("Name") {
            roi.name = words.to_owned();
        }
        return Ok(());
    }
    if let [around @ .., points] = frames
        && points.key == "Point_px"
        && is_roi(around)
    {
        let point = point(words).ok_or_else(|| {
            format!(
                "the region {:?} has a point that is not of the form `(x, y)`",
                shown(&roi.name)
            )
        })?;
        roi.points.push(point);
    }
    Ok(())
}

/// `(500.0, 612.25)`.
fn point(words: &str) -> Option<[f32; 2]> {
    let (x, y) = words.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let number = |text: &str| text.trim().parse::<f32>().ok().filter(|v| v.abs() <= 65_535.0);
    Some([number(x)?, number(y)?])
}

/// A name for a message.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rois: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"x\">\n\
             <plist version=\"1.0\"><dict><key>Images</key><array><dict><key>ImageIndex</key><integer>0</integer>\
             <key>NumberOfROIs</key><integer>1</integer><key>ROIs</key><array>{rois}</array></dict></array></dict></plist>"
        )
    }

    fn roi(name: &str, points: &str) -> String {
        format!(
            "<dict><key>Area</key><real>0.5</real><key>Center</key><string>(1, 2, 3)</string><key>Name</key>\
             <string>{name}</string><key>Point_mm</key><array><string>(9, 9, 9)</string></array>\
             <key>Point_px</key><array>{points}</array><key>Type</key><integer>19</integer></dict>"
        )
    }

    #[test]
    fn names_and_points_are_read() {
        let points = "<string>(500.5, 12)</string><string>(-3.0, 7.25)</string>";
        let text = list(&[roi("Espiculated Region", points), roi("A &amp; B&#33;", "")].concat());
        let expected = [
            Roi { name: "Espiculated Region".into(), points: vec![[500.5, 12.0], [-3.0, 7.25]] },
            Roi { name: "A & B!".into(), points: vec![] },
        ];
        assert_eq!(read(&text).unwrap(), expected);
        assert_eq!(read(&list("")).unwrap(), []);
        for name in [
            "Mass",
            "Spiculated region",
            "Espiculated Region",
            "Assymetry",
            "Unnamed",
            "Point 1",
            "Point 3",
        ] {
            let named = Roi { name: name.into(), points: vec![] };
            assert!(matches!(named.kind(), Some(Kind::Lesion(_))), "{name}");
        }
        assert_eq!(expected[1].kind(), None);
        assert_eq!(Roi::default().kind(), None);
    }

    #[test]
    fn what_is_no_list_of_regions_is_refused() {
        let deep = format!("<plist>{}", "<array>".repeat(100_000));
        for (text, says) in [
            ("".to_owned(), "is no property list"),
            ("hello".to_owned(), "is no property list"),
            (list(&roi("Mass", "<string>(1; 2)</string>")), "of the form `(x, y)`"),
            (list(&roi("Mass", "<string>(nan, 2)</string>")), "of the form `(x, y)`"),
            (list(&roi("&own;", "")), "an entity of its own"),
            (list("<dict>"), "byte"),
            (list(&roi("Mass", ""))[..200].to_owned(), "breaks off"),
            (deep, "in one another"),
        ] {
            let message = read(&text).unwrap_err();
            assert!(message.contains(says), "{message} / {says}");
        }
    }
}
