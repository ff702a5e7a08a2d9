//! A drawing as pixels and as PDF, each of its physical size.

use std::io::Cursor;

use anyhow::{Context, Result, bail, ensure};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Tree};
use tiff::encoder::colortype::RGB8;
use tiff::encoder::{Compression, DeflateLevel, Rational, TiffEncoder};
use tiff::tags::{ResolutionUnit, Tag};

use super::canvas::Drawing;
use super::font;

/// More pixels than any journal asks for, and as many as memory has room for.
const MOST_PIXELS: f64 = 2e8;

impl Drawing {
    fn tree(&self) -> Result<Tree> {
        let (fontdb, font_resolver) = font::database();
        let options = usvg::Options {
            font_family: font::FAMILY.into(),
            fontdb,
            font_resolver,
            ..usvg::Options::default()
        };
        Tree::from_str(&self.svg, &options).context("a figure cannot be drawn")
    }

    /// One page of its size, with its font within; images as they are.
    pub(super) fn pdf(&self, title: &str) -> Result<Vec<u8>> {
        let tree = self.tree()?;
        let [width, height] = self.size.map(|points| points as f32);
        let page = PageSettings::from_wh(width, height).context("a figure without a size")?;
        let size = krilla::geom::Size::from_wh(width, height).context("a figure without a size")?;
        let mut document = krilla::Document::new();
        let mut page = document.start_page_with(page);
        let mut surface = page.surface();
        let drawn = surface.draw_svg(&tree, size, SvgSettings::default());
        surface.finish();
        page.finish();
        ensure!(drawn.is_some(), "a figure cannot be drawn as PDF");
        document.set_metadata(
            Metadata::new()
                .title(title.to_owned())
                .creator(concat!("unit-atlas ", env!("CARGO_PKG_VERSION")).to_owned())
                .language("en".to_owned()),
        );
        match document.finish() {
            Ok(bytes) => Ok(bytes),
            Err(error) => bail!("a figure cannot be drawn as PDF: {error:?}"),
        }
    }

    /// Rows of red, green and blue.
    fn pixels(&self, dpi: u32) -> Result<([u32; 2], Vec<u8>)> {
        let scale = f64::from(dpi) / 72.0;
        let [width, height] = self.size.map(|points| (points * scale).round().max(1.0));
        ensure!(
            width * height <= MOST_PIXELS,
            "a figure of {width} × {height} pixels is too large; ask for fewer dpi, a smaller \
             width, or PDF"
        );
        let tree = self.tree()?;
        let size = [width as u32, height as u32];
        let mut pixmap = Pixmap::new(size[0], size[1]).context("a figure without a size")?;
        let exact = [width as f32 / tree.size().width(), height as f32 / tree.size().height()];
        resvg::render(&tree, Transform::from_scale(exact[0], exact[1]), &mut pixmap.as_mut());
        // The drawing covers its page in white: nothing shines through.
        let rgb = pixmap.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        Ok((size, rgb))
    }

    pub(super) fn png(&self, dpi: u32) -> Result<Vec<u8>> {
        let ([width, height], rgb) = self.pixels(dpi)?;
        let mut bytes = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(::png::ColorType::Rgb);
        encoder.set_depth(::png::BitDepth::Eight);
        let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(::png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: ::png::Unit::Meter,
        }));
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&rgb)?;
        writer.finish()?;
        Ok(bytes)
    }

    pub(super) fn tiff(&self, dpi: u32) -> Result<Vec<u8>> {
        let ([width, height], rgb) = self.pixels(dpi)?;
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut bytes)?
            .with_compression(Compression::Deflate(DeflateLevel::Balanced));
        let mut image = encoder.new_image::<RGB8>(width, height)?;
        image.resolution(ResolutionUnit::Inch, Rational { n: dpi, d: 1 });
        image
            .encoder()
            .write_tag(Tag::Software, concat!("unit-atlas ", env!("CARGO_PKG_VERSION")))?;
        image.write_data(&rgb)?;
        Ok(bytes.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{Anchor, Canvas, POINTS, Stroke, Thumb};
    use super::*;

    fn drawing() -> Drawing {
        let mut canvas = Canvas::default();
        canvas.text([5.0, 12.0], 8.0, Anchor::Start, "IoU 0.123 µm κ");
        canvas.line(&[[5.0, 20.0], [60.0, 25.0]], Stroke::solid("#0072b2", 1.0));
        let pixels = (0..64 * 64).map(|i| (i % 251) as u8).collect();
        let overlay = "M10 10l20 0 0 20-20 0z".into();
        let thumb = Thumb { pixels, edge: 64, overlay, millimetres: Some(30.0) };
        canvas.thumb([5.0, 30.0], 60.0, &thumb).unwrap();
        canvas.finish([90.0 * POINTS, 40.0 * POINTS], 0.0, "title", "alt")
    }

    #[test]
    fn pixels_have_the_asked_size_and_say_so() {
        let drawing = drawing();
        let png = drawing.png(300).unwrap();
        let reader = ::png::Decoder::new(Cursor::new(&png)).read_info().unwrap();
        let info = reader.info();
        // 90 mm and 40 mm at 300 dots per inch.
        assert_eq!((info.width, info.height), (1063, 472));
        let dims = info.pixel_dims.unwrap();
        assert_eq!((dims.xppu, dims.unit), (11811, ::png::Unit::Meter));
        let tiff = drawing.tiff(600).unwrap();
        let mut decoder = tiff::decoder::Decoder::new(Cursor::new(&tiff)).unwrap();
        assert_eq!(decoder.dimensions().unwrap(), (2126, 945));
        let resolution = decoder.get_tag_u32_vec(Tag::XResolution).unwrap();
        assert_eq!(resolution, [600, 1]);
        assert_eq!(decoder.get_tag_u32(Tag::ResolutionUnit).unwrap(), 2);
    }

    #[test]
    fn pdf_has_the_page_the_font_and_lossless_pictures() {
        let pdf = drawing().pdf("title").unwrap();
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.contains("/FontFile2") || text.contains("/FontFile3"), "no font within");
        assert!(text.contains("LiberationSans"));
        assert!(!text.contains("DCTDecode"));
        let rest = text.split_once("/MediaBox").unwrap().1;
        let numbers: Vec<f64> = rest
            .trim_start_matches([' ', '['])
            .split([' ', ']'])
            .filter_map(|n| n.parse().ok())
            .take(4)
            .collect();
        assert!((numbers[2] - 255.12).abs() < 0.01 && (numbers[3] - 113.39).abs() < 0.01);
    }

    /// `tests/golden/font.ttf` (made by `font.py`) has a filled square for U+10FFF0 alone.
    #[test]
    fn letters_that_the_font_lacks_come_from_one_that_is_given() {
        let letter = "\u{10fff0}";
        let drawn = || {
            let mut canvas = Canvas::default();
            canvas.text([5.0, 30.0], 20.0, Anchor::Start, letter);
            canvas.finish([72.0, 40.0], 0.0, "t", "a").png(72).unwrap()
        };
        assert_eq!(font::lacking(letter), ['\u{10fff0}']);
        let boxed = drawn();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/font.ttf");
        crate::give_font(std::path::Path::new(path)).unwrap();
        assert!(font::lacking(letter).is_empty());
        // As wide as its size, and black from corner to corner.
        assert!((font::width(letter, 20.0) - 20.0).abs() < 1e-9);
        let with_font = drawn();
        assert_ne!(boxed, with_font);
        let mut reader = ::png::Decoder::new(Cursor::new(&with_font)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let dark = pixels.chunks_exact(3).filter(|p| p[0] < 10).count();
        assert!((380..=420).contains(&dark), "{dark}");
        let missing = crate::give_font(std::path::Path::new("none.ttf")).unwrap_err();
        assert!(format!("{missing:#}").contains("none.ttf"));
    }

    #[test]
    fn the_same_drawing_gives_the_same_bytes() {
        let (first, second) = (drawing(), drawing());
        assert_eq!(first.svg, second.svg);
        assert_eq!(first.pdf("t").unwrap(), second.pdf("t").unwrap());
        assert_eq!(first.png(150).unwrap(), second.png(150).unwrap());
        assert_eq!(first.tiff(150).unwrap(), second.tiff(150).unwrap());
    }

    #[test]
    fn what_memory_cannot_hold_is_refused() {
        let drawing = Canvas::default().finish([2000.0, 20000.0], 0.0, "", "");
        let message = drawing.png(2400).unwrap_err().to_string();
        assert!(message.contains("fewer dpi"), "{message}");
    }
}
