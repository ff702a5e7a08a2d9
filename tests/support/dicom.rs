//! Writes DICOM files for tests: explicit little endian, one grey frame, any further text tags.
#![allow(unreachable_pub, reason = "shared by unit tests and whole-command tests")]

/// A tag with a text value: group, element, kind, text.
pub type Text<'a> = (u16, u16, &'a [u8; 2], &'a str);

/// The bytes of a file; the texts lie in the order of their tags among the rest.
pub fn file(pixels: &[u16], width: u16, bits: u16, texts: &[Text<'_>]) -> Vec<u8> {
    let height = (pixels.len() / usize::from(width)) as u16;
    let allocated: u16 = if bits > 8 { 16 } else { 8 };
    let word = |group, element, value: u16| (group, element, *b"US", value.to_le_bytes().to_vec());
    let mut elements = vec![
        word(0x28, 0x02, 1),
        (0x28, 0x04, *b"CS", b"MONOCHROME2 ".to_vec()),
        word(0x28, 0x10, height),
        word(0x28, 0x11, width),
        word(0x28, 0x100, allocated),
        word(0x28, 0x101, bits),
        word(0x28, 0x102, bits - 1),
        word(0x28, 0x103, 0),
    ];
    for &(group, element, kind, text) in texts {
        let mut value = text.as_bytes().to_vec();
        value.resize(value.len().next_multiple_of(2), b' ');
        elements.push((group, element, *kind, value));
    }
    elements.sort_by_key(|(group, element, ..)| (*group, *element));
    let mut out = vec![0; 128];
    out.extend(b"DICM");
    let syntax = b"1.2.840.10008.1.2.1\0";
    put(&mut out, 2, 0x10, b"UI", syntax);
    for (group, element, kind, value) in elements {
        put(&mut out, group, element, &kind, &value);
    }
    let data: Vec<u8> = match allocated {
        8 => pixels.iter().map(|&v| v as u8).collect(),
        _ => pixels.iter().flat_map(|v| v.to_le_bytes()).collect(),
    };
    put(&mut out, 0x7fe0, 0x10, if allocated == 8 { b"OB" } else { b"OW" }, &data);
    out
}

fn put(out: &mut Vec<u8>, group: u16, element: u16, kind: &[u8; 2], value: &[u8]) {
    out.extend(group.to_le_bytes());
    out.extend(element.to_le_bytes());
    out.extend(kind);
    if matches!(kind, b"OB" | b"OW" | b"UT" | b"UN") {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
}
