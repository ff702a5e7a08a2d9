//! Counts with their nouns.

/// A count with its noun: `1 patch`, `2 patches`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_is_singular() {
        let patches = |n| super::counted(n, "patch", "patches");
        assert_eq!([0, 1, 2].map(patches), ["0 patches", "1 patch", "2 patches"]);
    }
}
