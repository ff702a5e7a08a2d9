use std::io::Cursor;

use mammogram::rasterise;
use tiff::encoder::{TiffEncoder, colortype};

use super::*;

fn labels(values: &[u16]) -> Labels {
    let (width, values) = (values.len() as u32, values.to_vec());
    Labels { width, height: 1, values, shown: None, opaque: None, coloured: false }
}

fn read(bytes: &[u8]) -> Labels {
    Labels::read(Cursor::new(bytes), Path::new("none")).unwrap()
}

/// A PNG of rows of packed bytes.
fn png_of(
    width: u32,
    color: png::ColorType,
    depth: png::BitDepth,
    palette: &[u8],
    trns: &[u8],
    data: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let line = (width as usize * color.samples() * depth as usize).div_ceil(8);
    let mut encoder = png::Encoder::new(&mut bytes, width, (data.len() / line) as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if !palette.is_empty() {
        encoder.set_palette(palette.to_vec());
    }
    if !trns.is_empty() {
        encoder.set_trns(trns.to_vec());
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

/// A TIFF of one row.
fn tiff_of<C: colortype::ColorType<Inner = T>, T: Copy>(width: u32, data: &[T]) -> Vec<u8>
where
    [T]: tiff::encoder::TiffValue,
{
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    encoder.write_image::<C>(width, 1, data).unwrap();
    bytes.into_inner()
}

/// A little-endian TIFF of one strip: bits per sample, photometric interpretation, sample format, colours.
fn bare_tiff(width: u16, bits: u16, photometric: u16, map: &[u16], data: &[u8]) -> Vec<u8> {
    let line = (usize::from(width) * usize::from(bits)).div_ceil(8);
    let map_at = 8 + data.len() as u32;
    let ifd_at = map_at + 2 * map.len() as u32;
    let mut tags = vec![
        (256u16, 3u16, 1u32, u32::from(width)),
        (257, 3, 1, (data.len() / line) as u32),
        (258, 3, 1, u32::from(bits)),
        (259, 3, 1, 1),
        (262, 3, 1, u32::from(photometric)),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 3, 1, (data.len() / line) as u32),
        (279, 4, 1, data.len() as u32),
    ];
    if !map.is_empty() {
        tags.push((320, 3, map.len() as u32, map_at));
    }
    let mut bytes = [b"II*\0".as_slice(), &ifd_at.to_le_bytes(), data].concat();
    map.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes.extend((tags.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in tags {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

const RGB: &[u8] = &[0, 0, 0, 200, 0, 0, 0, 200, 0];

pub(super) fn seeds() -> Vec<Vec<u8>> {
    use png::BitDepth::{Eight, One, Two};
    use png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgba};
    vec![
        png_of(4, Grayscale, Eight, &[], &[], &[0, 255, 255, 0]),
        png_of(4, Grayscale, Two, &[], &[], &[0b0001_1011]),
        png_of(8, Grayscale, One, &[], &[0, 0], &[0b0110_0001]),
        png_of(4, Indexed, Two, RGB, &[255, 0], &[0b0001_1000]),
        png_of(2, GrayscaleAlpha, Eight, &[], &[], &[255, 255, 255, 0]),
        png_of(2, Rgba, Eight, &[], &[], &[9, 9, 9, 255, 9, 9, 9, 0]),
        tiff_of::<colortype::Gray16, _>(3, &[0u16, 700, 3]),
        tiff_of::<colortype::RGBA8, _>(1, &[1u8, 1, 1, 255]),
        bare_tiff(8, 1, 0, &[], &[0b0110_0001]),
        bare_tiff(
            2,
            4,
            3,
            &[0, 65_535, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].repeat(3),
            &[0x01],
        ),
    ]
}

#[test]
fn masks_are_known_by_their_two_values() {
    assert!(labels(&[0, 0, 255, 255]).is_mask());
    assert!(labels(&[0, 1, 0, 1]).is_mask());
    assert!(labels(&[0, 65_535]).is_mask());
    // Blurred by JPEG, and a picture.
    let mut blurred = vec![3; 500];
    blurred.extend([250; 500]);
    blurred[499] = 120;
    assert!(labels(&blurred).is_mask());
    let picture = labels(&(0..1000).map(|i| i / 4).collect::<Vec<_>>());
    assert!(!picture.is_mask());
    let message = picture.marked(None).unwrap_err().to_string();
    assert!(message.contains("of 0, 1, 2") && message.ends_with(", …"), "{message}");
    // Nothing marked.
    assert!(!labels(&[0, 0, 0]).is_mask() && !labels(&[]).is_mask());
    assert!(!labels(&[255, 255]).is_mask());
    assert_eq!(labels(&[0, 0]).marked(None).unwrap_err().to_string(), "marks no pixel");
    assert_eq!(labels(&[9, 9]).marked(None).unwrap_err().to_string(), "marks every pixel");
    assert_eq!(labels(&blurred).marked(None).unwrap().area(), 500);
}

#[test]
fn a_value_is_what_is_stored() {
    use png::BitDepth::{Eight, Four, Sixteen, Two};
    use png::ColorType::{Grayscale, Indexed};
    let two = png_of(6, Grayscale, Two, &[], &[], &[0b0001_1011, 0b0101_0000]);
    assert_eq!(read(&two).marked(Some(1)).unwrap().pixels, [false, true, false, false, true, true]);
    let four = png_of(3, Grayscale, Four, &[], &[], &[0x0f, 0x70]);
    assert_eq!(read(&four).values, [0, 15, 7]);
    let index = png_of(4, Indexed, Eight, RGB, &[], &[0, 1, 2, 1]);
    assert_eq!(read(&index).marked(Some(2)).unwrap().pixels, [false, false, true, false]);
    assert_eq!(read(&index).marked(Some(1)).unwrap().area(), 2);
    // A palette's entry counts, seen or not.
    let unseen = png_of(4, Indexed, Two, RGB, &[255, 0], &[0b0001_0110]);
    assert_eq!(read(&unseen).marked(Some(1)).unwrap().area(), 2);
    let deep = png_of(2, Grayscale, Sixteen, &[], &[], &[1, 0, 0, 5]);
    assert_eq!(read(&deep).values, [256, 5]);
    assert_eq!(read(&bare_tiff(5, 4, 1, &[], &[0x01, 0x2f, 0x50])).values, [0, 1, 2, 15, 5]);
    let map: Vec<u16> = (0..48).map(|i| if i % 16 == 2 { 65_535 } else { 0 }).collect();
    let palette = read(&bare_tiff(4, 4, 3, &map, &[0x01, 0x22]));
    assert_eq!(palette.marked(Some(1)).unwrap().area(), 1);
    assert_eq!(palette.marked(None).unwrap().pixels, [false, false, true, true]);
    // As libraries save whole numbers.
    assert_eq!(read(&tiff_of::<colortype::Gray32, _>(3, &[0u32, 7, 3])).values, [0, 7, 3]);
    assert_eq!(read(&tiff_of::<colortype::Gray32Float, _>(3, &[0f32, 1.0, 3.0])).values, [0, 1, 3]);
    let torn = Labels::read(
        Cursor::new(tiff_of::<colortype::Gray32Float, _>(1, &[0.5f32])),
        Path::new("none"),
    );
    assert!(torn.unwrap_err().to_string().contains("no whole numbers"));
    let message = read(&index).marked(Some(7)).unwrap_err().to_string();
    assert_eq!(message, "marks no pixel: none has the value 7, but 0, 1, 2");
    let colours = png_of(2, png::ColorType::Rgb, Eight, &[], &[], &[255, 0, 0, 0, 0, 0]);
    assert!(read(&colours).marked(Some(76)).unwrap_err().to_string().contains("in colour"));
    assert_eq!(read(&colours).marked(None).unwrap().pixels, [true, false]);
}

#[test]
fn what_is_bright_follows_from_the_photometric_interpretation() {
    // White is 0: what is stored as 0 is bright.
    let white = read(&bare_tiff(8, 1, 0, &[], &[0b0110_0000]));
    assert_eq!(white.marked(None).unwrap().area(), 6);
    assert_eq!(white.marked(Some(1)).unwrap().area(), 2);
    let black = read(&bare_tiff(8, 1, 1, &[], &[0b0110_0000]));
    assert_eq!(black.marked(None).unwrap().area(), 2);
    let bytes = read(&bare_tiff(3, 8, 0, &[], &[255, 0, 255]));
    assert_eq!(bytes.marked(None).unwrap().pixels, [false, true, false]);
    assert_eq!(bytes.marked(Some(0)).unwrap().pixels, [false, true, false]);
}

#[test]
fn what_is_transparent_is_outside() {
    use png::BitDepth::{Eight, Two};
    use png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgba};
    // White on nothing, a white shape on black with a clear pixel, and a black shape on nothing.
    let shape =
        png_of(3, Rgba, Eight, &[], &[], &[255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 0]);
    assert_eq!(read(&shape).marked(None).unwrap().pixels, [false, true, false]);
    let grey = png_of(3, GrayscaleAlpha, Eight, &[], &[], &[255, 0, 255, 255, 0, 255]);
    assert_eq!(read(&grey).marked(None).unwrap().pixels, [false, true, false]);
    assert_eq!(read(&grey).marked(Some(255)).unwrap().pixels, [false, true, false]);
    let dark = png_of(3, GrayscaleAlpha, Eight, &[], &[], &[0, 0, 0, 255, 0, 255]);
    assert_eq!(read(&dark).marked(None).unwrap().pixels, [false, true, true]);
    let clear = png_of(4, Indexed, Two, RGB, &[0], &[0b0001_0100]);
    assert_eq!(read(&clear).marked(None).unwrap().pixels, [false, true, true, false]);
    let key = png_of(4, Grayscale, Two, &[], &[0, 3], &[0b0011_1100]);
    assert_eq!(read(&key).marked(None).unwrap().pixels, [true, false, false, true]);
    let tiff = tiff_of::<colortype::RGBA8, _>(2, &[255u8, 255, 255, 255, 255, 255, 255, 0]);
    assert_eq!(read(&tiff).marked(None).unwrap().pixels, [true, false]);
}

#[test]
fn a_mask_of_more_than_half_of_the_breast_is_found() {
    let folder = std::env::temp_dir().join(format!("unit-atlas-masks-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("image.png");
    let breast = |x: u32, y: u32| x * x + y.abs_diff(100).pow(2) < 90 * 90;
    image::GrayImage::from_fn(150, 200, |x, y| {
        [if breast(x, y) { 120 + ((x * 7 + y * 13) % 60) as u8 } else { 3 }].into()
    })
    .save(&path)
    .unwrap();
    let picture = Picture::open(&path).unwrap();
    let mask = |inside: &dyn Fn(u32, u32) -> bool, [width, height]: [u32; 2]| Mask {
        width,
        height,
        pixels: (0..width * height).map(|i| inside(i % width, i / width)).collect(),
    };
    let lesion = |x: u32, y: u32| (20..60).contains(&x) && (80..120).contains(&y);
    assert_eq!(covers_most(&mask(&lesion, [150, 200]), &picture).unwrap(), None);
    let share = covers_most(&mask(&|x, y| !lesion(x, y), [150, 200]), &picture).unwrap().unwrap();
    assert!((0.8..0.95).contains(&share), "{share}");
    // At another size.
    let share = covers_most(&mask(&|x, y| !lesion(2 * x, 2 * y), [75, 100]), &picture).unwrap();
    assert!(share.is_some());
    // Half of the image, but none of the breast.
    assert_eq!(covers_most(&mask(&|x, _| x > 95, [150, 200]), &picture).unwrap(), None);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn outlines_are_scaled_to_the_image() {
    // Wherever it lies, the filled outline is the mask.
    let spots = |i: u32| (13..17).contains(&(i % 20)) && (4..9).contains(&(i / 20)) || i == 199;
    let mask = Mask { width: 20, height: 10, pixels: (0..200).map(spots).collect() };
    let filled = rasterise(&outlines(&mask, [20, 10]), [0.0, 0.0, 20.0, 10.0], 20, 10);
    assert_eq!(filled, mask);
    let mask = labels(&[0, 9, 9, 0]).marked(None).unwrap();
    let [Outline::Polygon(corners)] = &outlines(&mask, [8, 3])[..] else { panic!() };
    let left = corners.iter().map(|c| c[0]).fold(f32::MAX, f32::min);
    let bottom = corners.iter().map(|c| c[1]).fold(0.0, f32::max);
    assert_eq!((left, bottom), (2.0, 3.0));
    assert!(outlines(&Mask::empty(5, 5), [5, 5]).is_empty());
    assert!(same_shape([100, 200], [50, 100]) && !same_shape([100, 200], [100, 210]));
}
