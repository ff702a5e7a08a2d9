//! Tables of every form, told apart by the first byte.

use std::path::Path;

use super::{Expected, parse};
use crate::value;

const COLUMNS: [&str; 6] = ["image", "patient", "view", "assessment", "words", "value"];

pub(crate) fn target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "table",
        seeds: vec![
            b"cimage,patient,view\na.png,P,CC\nb.png,Q,\"ML\nO\"\n,,\n".into(),
            b"csep=;\r\nimage;patient;words\r\na.png;P;\"a \"\"mass\"\"\r\nit is\"\r\n".into(),
            b"c\xff\xfei\0m\0a\0g\0e\0\n\0a\0".into(),
            b"w,image\n0,a\n1,b\n".into(),
            b"j{\"image\": \"a\", \"value\": 4.0, \"_x\": [1]}\n".into(),
            b"y- {image: a, assessment: 4a}\n- image: b\n".into(),
            [
                b"x".as_slice(),
                &super::tests::workbook(&[&["image", "view"], &["a", "CC"], &["b", "4"]]),
            ]
            .concat(),
        ],
        words: &[
            "image",
            "patient",
            "sep=;",
            ",",
            ";",
            "\t",
            "\"",
            "\"\"",
            "\r\n",
            "\r",
            "\n",
            "\u{feff}",
            "NA",
            "4.0",
            "BI-RADS 4a",
            "spot MLO",
            "<row r=\"1048576\">",
            "<c r=\"XFD9\"",
            "t=\"e\"",
            "<v>",
            "</v>",
            "- ",
            ": ",
            "{",
        ],
        read: |bytes| {
            let (form, text) =
                bytes.split_first().map_or((b'c', bytes), |(form, text)| (*form, text));
            let name = match form {
                b'j' => "t.jsonl",
                b'y' => "t.yaml",
                _ => "t.csv",
            };
            let encoding = (form == b'w').then(|| "windows-1252".parse().unwrap());
            let expected = Expected {
                columns: Some(&COLUMNS),
                needed: &["image"],
                prose: &["words"],
                encoding,
                advice: "save it as UTF-8",
            };
            crate::fuzz::outcome(parse(text.to_vec(), Path::new(name), &expected), |table| {
                let mut known = [0; 4];
                for row in &table.rows {
                    let text = |column| row.text(column).ok().flatten().unwrap_or_default();
                    known[0] += usize::from(value::projection(&text("view")).is_some());
                    known[1] += usize::from(value::assessment(&text("assessment")).is_some());
                    known[2] += usize::from(value::whole(&text("value")).is_some());
                    known[3] += usize::from(row.sound().is_err());
                }
                format!("{:?}", known.map(|n| n > 0))
            })
        },
    }
}
