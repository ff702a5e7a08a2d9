//! Numbers as text.

use std::fmt::Display;

/// A number as it is printed, but that a zero has no sign. A sum of nothing is minus zero, and so is what is
/// rounded to it from below: `-0`, `-0.00`; neither says anything of a value.
pub fn written(number: impl Display) -> String {
    let text = number.to_string();
    match text.strip_prefix(['-', '+']) {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        _ => text,
    }
}

/// A count with thousands separated: `12,345`.
pub fn grouped(n: impl TryInto<u64>) -> String {
    let digits = n.try_into().unwrap_or(0).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_zero_has_a_sign_and_every_other_number_keeps_its_own() {
        assert_eq!([written(-0f32), written(0f64), written(-0.25)], ["0", "0", "-0.25"]);
        let rounded = [-0.001, -0.005_1, 0.001].map(|v: f64| written(format_args!("{v:.2}")));
        assert_eq!(rounded, ["0.00", "-0.01", "0.00"]);
        let signed = [-0.000_01, 0.0, 0.002].map(|v: f64| written(format_args!("{v:+.4}")));
        assert_eq!(signed, ["0.0000", "0.0000", "+0.0020"]);
        assert_eq!([written(f32::NAN), written(f64::NEG_INFINITY)], ["NaN", "-inf"]);
    }
}
