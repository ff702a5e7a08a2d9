//! Times as RFC 3339 writes them.

/// Nanoseconds since 1970-01-01T00:00:00Z of `2026-11-20T10:12:00.5+01:00`; `None` when the text is
/// no such time.
pub fn nanoseconds(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let number = |from: usize, digits: usize| -> Option<i64> {
        let digits = bytes.get(from..from + digits)?;
        digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
    };
    let mark = |at: usize, marks: &[u8]| bytes.get(at).filter(|b| marks.contains(b)).map(|_| ());
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    for (at, marks) in [(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")] {
        mark(at, marks.as_bytes())?;
    }
    let mut at = 19;
    let mut fraction = 0;
    if bytes.get(at) == Some(&b'.') {
        let digits = bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let nine = bytes[at + 1..at + 1 + digits].iter().chain(std::iter::repeat(&b'0')).take(9);
        fraction = nine.fold(0, |n, d| n * 10 + i128::from(d - b'0'));
        at += 1 + digits;
    }
    let offset = match bytes.get(at)? {
        b'Z' | b'z' if bytes.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == at + 6 => {
            mark(at + 3, b":")?;
            let (hours, minutes) = (number(at + 1, 2)?, number(at + 4, 2)?);
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970-01-01 of the proleptic Gregorian calendar, in years that start in March.
    let shifted = year - i64::from(month < 3);
    let (era, month) = (shifted.div_euclid(400), (month + 9) % 12);
    let of_era = shifted.rem_euclid(400);
    let days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day
            - 1
            - 719_468;
    let seconds = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
    Some(i128::from(seconds) * 1_000_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::nanoseconds;

    #[test]
    fn times_are_read_as_the_standard_writes_them() {
        const S: i128 = 1_000_000_000;
        // Seconds from `date -u -d … +%s`.
        assert_eq!(nanoseconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(nanoseconds("2026-11-20T10:12:00Z"), Some(1_795_169_520 * S));
        assert_eq!(nanoseconds("2026-11-20T11:12:00+01:00"), Some(1_795_169_520 * S));
        assert_eq!(nanoseconds("2024-02-29T23:59:59.25-00:30"), Some(1_709_252_999 * S + S / 4));
        assert_eq!(nanoseconds("1969-12-31T23:59:59Z"), Some(-S));
        for wrong in [
            "",
            "2026-11-20",
            "2026-11-20T10:12:00",
            "2026-13-20T10:12:00Z",
            "2026-02-29T10:12:00Z",
            "2026-11-20T24:12:00Z",
            "2026-11-20T10:12:00.Z",
            "2026-11-20T10:12:00Zx",
            "2026-11-20T10:12:00+1:00",
            "2026-11-2\u{e9}T10:12:00Z",
            "yesterday",
        ] {
            assert_eq!(nanoseconds(wrong), None, "{wrong}");
        }
    }
}
