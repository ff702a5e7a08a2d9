//! File names of the release: `<volume>-<case>_<study>.<view>.LJPEG.1` is a mammogram;
//! `<mammogram>-y<Y>_x<X>_h<H>_w<W>…` a patch of it. Lists give the four numbers in either order.

use mammogram::{Laterality, View};

/// A mammogram's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Film<'a> {
    /// `cancer_04`: the volume, which says nothing of a single image.
    pub(super) volume: &'a str,
    /// `B_3099`: the case without the number of the study.
    pub(super) patient: &'a str,
    pub(super) laterality: Laterality,
    pub(super) view: View,
}

/// A patch's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window<'a> {
    /// Name of its mammogram.
    pub(super) film: &'a str,
    pub(super) x: u32,
    pub(super) y: u32,
    /// Width and height.
    pub(super) edge: u32,
}

/// Longest side that is believed.
const MAX_SIDE: u32 = 65_535;

/// Reads the name of a mammogram without the ending of its file.
pub(super) fn film(name: &str) -> Option<Film<'_>> {
    let (volume, rest) = name.split_once('-')?;
    let mut parts = rest.split('.');
    let (case, view) = (parts.next()?, parts.next()?);
    let (patient, study) = case.rsplit_once('_')?;
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let (laterality, view) = match view {
        "LEFT_CC" => (Laterality::Left, View::Cc),
        "LEFT_MLO" => (Laterality::Left, View::Mlo),
        "RIGHT_CC" => (Laterality::Right, View::Cc),
        "RIGHT_MLO" => (Laterality::Right, View::Mlo),
        _ => return None,
    };
    let rest_is_plain = parts.all(plain);
    (plain(volume) && plain(patient) && plain(study) && rest_is_plain && name.len() <= 150)
        .then_some(Film { volume, patient, laterality, view })
}

/// Reads the name of a patch without the ending of its file.
///
/// # Errors
/// What was expected.
pub(super) fn window(name: &str) -> Result<Window<'_>, String> {
    let dashes: Vec<usize> = name.match_indices('-').map(|(at, _)| at).take(2).collect();
    let film = dashes.get(1).map(|&at| &name[..at]).filter(|name| film(name).is_some());
    let (Some(film), Some(&at)) = (film, dashes.get(1)) else {
        return Err("its name does not begin with a mammogram's, such as benign_01-B_3099_1.LEFT_CC.LJPEG.1".into());
    };
    let mut found = [None; 4];
    for word in name[at + 1..].split(['_', '-']) {
        let Some(which) = word.chars().next().and_then(|c| "yxhw".find(c)) else { continue };
        let digits = &word[1..];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let number = digits.parse().ok().filter(|&n: &u32| n <= MAX_SIDE);
        let number = number.ok_or_else(|| format!("gives an impossible place, {word}"))?;
        if found[which].replace(number).is_some() {
            return Err(format!("gives {} twice", &word[..1]));
        }
    }
    let [Some(y), Some(x), Some(height), Some(width)] = found else {
        return Err("its name does not give a window such as -y512_x256_h900_w900".into());
    };
    if width != height || width == 0 {
        return Err(format!("its window of {width} x {height} pixels is no square"));
    }
    Ok(Window { film, x, y, edge: width })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILM: &str = "benign_without_callback_01-B_3167_1.RIGHT_MLO.LJPEG.1";

    #[test]
    fn names_are_read() {
        let expected = Film {
            volume: "benign_without_callback_01",
            patient: "B_3167",
            laterality: Laterality::Right,
            view: View::Mlo,
        };
        assert_eq!(film(FILM), Some(expected));
        let expected = Window { film: FILM, x: 20, y: 30, edge: 400 };
        for rest in [
            "-y30_x20_h400_w400",
            "-x20_y30_w400_h400",
            "-y30_x20_h400_w400_imgfrac0.25_stridefrac0.5",
            "-x20_y30_w400_h400-imgfrac0.25",
        ] {
            assert_eq!(window(&format!("{FILM}{rest}")), Ok(expected), "{rest}");
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in
            ["", "a-b", "cancer_01-A_1_1.LEFT_XX", "cancer_01-A.LEFT_CC", "../x-A_1_1.LEFT_CC"]
        {
            assert_eq!(film(name), None, "{name}");
        }
        for (rest, expected) in [
            ("", "does not begin"),
            ("-y1_x2_h3", "does not give a window"),
            ("-y1_x2_h3_w4", "4 x 3 pixels is no square"),
            ("-y1_x2_h3_w3_y2", "gives y twice"),
            ("-y1_x99999999_h3_w3", "impossible place, x99999999"),
            ("-y1_x2_h0_w0", "no square"),
        ] {
            let message = window(&format!("{FILM}{rest}")).unwrap_err();
            assert!(message.contains(expected), "{rest}: {message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in ".{0,60}", rest in "[-yxhw_0-9é.]{0,40}") {
            let _ = film(&text);
            let _ = window(&text);
            let _ = window(&format!("{FILM}{rest}"));
        }
    }
}
