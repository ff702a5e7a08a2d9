//! From a scanner's grey values to optical density, and on to a display image.
//!
//! The calibrations are DDSM's own, one per scanner and site. A display value falls linearly with the
//! film's optical density over the range of densities that DDSM's own software maps, so that every
//! scanner gives the same grey for the same film, dense tissue bright.

/// Optical densities shown as white and as black: `MIN_DENSITY` and `MAX_DENSITY` of DDSM's software.
const WHITE: f64 = 0.05;
const BLACK: f64 = 3.60;

/// The scanners of DDSM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Digitiser {
    /// DBA M2100 ImageClear at Massachusetts General Hospital, 16 bits.
    Dba,
    /// HOWTEK 960 at Massachusetts General Hospital, 12 bits.
    HowtekMgh,
    /// HOWTEK 960 at ISMD (cases named `D`), 12 bits.
    HowtekIsmd,
    /// LUMISYS 200 Laser at Wake Forest and Washington University, 12 bits.
    Lumisys,
}

impl Digitiser {
    /// By the `DIGITIZER` line of a case and the case's letter.
    pub(super) fn find(words: &str, case: &str) -> Option<Self> {
        Some(match words.split_whitespace().next()? {
            "DBA" => Digitiser::Dba,
            "HOWTEK" if case.starts_with('D') => Digitiser::HowtekIsmd,
            "HOWTEK" => Digitiser::HowtekMgh,
            "LUMISYS" => Digitiser::Lumisys,
            _ => return None,
        })
    }

    /// Name shown with a mammogram, and of the subgroup.
    pub(super) fn name(self) -> &'static str {
        match self {
            Digitiser::Dba => "DBA",
            Digitiser::HowtekMgh => "HOWTEK (MGH)",
            Digitiser::HowtekIsmd => "HOWTEK (ISMD)",
            Digitiser::Lumisys => "LUMISYS",
        }
    }

    /// Optical density of a grey value.
    pub(super) fn density(self, grey: u16) -> f64 {
        let grey = f64::from(grey);
        match self {
            // 0 is infinitely dense.
            Digitiser::Dba => 4.267_004_23 - 0.903_032_90 * grey.log10(),
            Digitiser::HowtekMgh => 3.789_289_98 - 0.000_945_68 * grey,
            Digitiser::HowtekIsmd => 3.966_040_95 - 0.000_990_56 * grey,
            Digitiser::Lumisys => 4.059_777_49 - 0.000_990_81 * grey,
        }
    }

    /// Display value of every grey value.
    pub(super) fn display(self) -> Vec<u8> {
        (0..=u16::MAX)
            .map(|grey| {
                let share = (BLACK - self.density(grey)) / (BLACK - WHITE);
                (255.0 * share.clamp(0.0, 1.0)).round() as u8
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scanner_covers_the_range_of_densities_rising() {
        use Digitiser::{Dba, HowtekIsmd, HowtekMgh, Lumisys};
        for (digitiser, white) in
            [(Dba, 65_535), (HowtekMgh, 4095), (HowtekIsmd, 4095), (Lumisys, 4095)]
        {
            let table = digitiser.display();
            assert_eq!(table.len(), 65_536);
            assert!(table.is_sorted());
            assert_eq!((table[0], table[white]), (0, 255), "{digitiser:?}");
        }
        // By hand: density 1.825 is in the middle of the range.
        assert_eq!(HowtekMgh.display()[2077..=2078], [127, 128]);
        assert_eq!(Lumisys.display()[2255..=2256], [127, 128]);
        assert_eq!(Dba.display()[506..=507], [127, 128]);
    }

    #[test]
    fn scanners_are_known_by_their_line_and_the_case() {
        let names = |words, case| Digitiser::find(words, case).map(Digitiser::name);
        assert_eq!(names("DBA 21", "A_0002_1"), Some("DBA"));
        assert_eq!(names("HOWTEK 43.5", "A_1342_1"), Some("HOWTEK (MGH)"));
        assert_eq!(names("HOWTEK 43.5", "D_4000_1"), Some("HOWTEK (ISMD)"));
        assert_eq!(names("LUMISYS LASER_DENSOTOMETER", "C_0001_1"), Some("LUMISYS"));
        assert_eq!(names("LUMISYS", "B_3001_1"), Some("LUMISYS"));
        assert_eq!(names("KODAK", "A_0002_1"), None);
        assert_eq!(names("", "A_0002_1"), None);
    }
}
