//! Data for scripts: files of JavaScript that put one value into `window.unitAtlasData`, under their
//! own path below the root of the site. A page opened from a disk may load a script, and nothing else.

use anyhow::Result;
use serde::Serialize;

/// The file `path` with this value.
pub(super) fn file(path: &str, value: &impl Serialize) -> Result<Vec<u8>> {
    let (path, value) = (json(path)?, json(value)?);
    let file = format!("(window.unitAtlasData=window.unitAtlasData||{{}})[{path}]={value};\n");
    Ok(file.into_bytes())
}

/// JSON that may stand within a script element too: no markup can end it.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let text = serde_json::to_string(value)?;
    // Within JSON these stand only in texts.
    Ok(text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_script() {
        let evil = "</script><script>alert(1)</script><!--\u{2028}\"";
        let text = json(evil).unwrap();
        assert!(!text.contains('<') && !text.contains('\u{2028}'), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), evil);
        let file = String::from_utf8(file("a/\"b.js", &[1, 2]).unwrap()).unwrap();
        assert_eq!(
            file,
            "(window.unitAtlasData=window.unitAtlasData||{})[\"a/\\\"b.js\"]=[1,2];\n"
        );
    }
}
