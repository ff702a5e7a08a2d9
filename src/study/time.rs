//! Times as RFC 3339 writes them.

/// Nanoseconds since 1970-01-01T00:00:00Z of `2026-11-20T10:12:00.5+01:00`; `None` when the text is
/// no such time.
pub fn nanoseconds(text: &str) -> Option<i128> {
    // jiff also reads times without seconds, and offsets without a colon or of a day and more.
    let seconds = text.as_bytes().get(16) == Some(&b':');
    let offset = match text.as_bytes() {
        [.., b'Z' | b'z'] => true,
        [.., b'+' | b'-', tens, ones, b':', _, _] => [*tens, *ones] < *b"24",
        _ => false,
    };
    let time = (seconds && offset).then(|| text.parse::<jiff::Timestamp>().ok())??;
    Some(time.as_nanosecond())
}

/// A moment, in milliseconds since 1970-01-01T00:00:00Z, as RFC 3339 writes it: `2026-11-20T10:12:00.500Z`.
/// None outside the years -9999 to 9999.
pub fn text(milliseconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(milliseconds).ok()?;
    Some(format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use super::{nanoseconds, text};

    #[test]
    fn times_are_written_as_they_are_read() {
        assert_eq!(text(1_795_169_520_050).as_deref(), Some("2026-11-20T10:12:00.050Z"));
        assert_eq!(text(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(nanoseconds(&text(-1).unwrap()), Some(-1_000_000));
        assert_eq!(text(i64::MAX), None);
    }

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
            "2026-11-20T10:12:00+0100",
            "2026-11-20T10:12:00+24:00",
            "2026-11-20T10:12Z",
            "2026-11-2\u{e9}T10:12:00Z",
            "yesterday",
        ] {
            assert_eq!(nanoseconds(wrong), None, "{wrong}");
        }
    }
}
