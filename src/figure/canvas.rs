//! A drawing in points (1/72 inch) as SVG: the one source of every format. All words are escaped here.
//!
//! On a page the same drawing has classes instead of colours and widths, for the page's stylesheet.

use std::fmt::Write;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::font;

/// Points of a millimetre.
pub const POINTS: f64 = 72.0 / 25.4;

/// Where a text stands by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ink {
    /// As SVG writes it.
    pub colour: &'static str,
    /// The class by which a page's stylesheet knows what has it; may be empty.
    pub class: &'static str,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub ink: Ink,
    /// In points.
    pub width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub dashes: &'static str,
}

impl Stroke {
    /// A solid one; `width` in points.
    pub const fn solid(colour: &'static str, width: f64) -> Self {
        Self { ink: Ink { colour, class: "" }, width, dashes: "" }
    }
}

/// A patch of a mammogram with what a unit saw in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumb {
    /// Rows of grey values.
    pub pixels: Vec<u8>,
    /// Their edge.
    pub edge: u32,
    /// Path data in its pixels; empty where nothing exceeds the threshold.
    pub overlay: String,
    /// Millimetres of its edge, where the resolution is known.
    pub millimetres: Option<f64>,
}

/// A drawing under way.
#[derive(Debug, Clone, Default)]
pub struct Canvas {
    body: String,
    /// Whether a page's stylesheet says what colours, widths and words look like.
    styled: bool,
}

/// A finished drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// The SVG.
    pub svg: String,
    /// Its size in points.
    pub size: [f64; 2],
}

/// Text as it stands within markup: characters that XML forbids are blanks.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            // Marks that turn the direction of what follows.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push(' '),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A length with two decimals at most.
fn short(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    if rounded == 0.0 || !rounded.is_finite() { "0".into() } else { format!("{rounded}") }
}

const BLACK: Ink = Ink { colour: "#000", class: "" };
/// Points that a screen shows apart on a page.
const DETAIL: f64 = 0.7;
/// How much wider than in print words may be on a page, whose fonts are not known.
const WIDER: f64 = 1.15;

impl Canvas {
    /// A drawing for a page, whose stylesheet gives it its looks by classes.
    pub fn styled() -> Self {
        Self { body: String::new(), styled: true }
    }

    /// Room for a text at a font size.
    pub(crate) fn width(&self, text: &str, size: f64) -> f64 {
        font::width(text, size) * if self.styled { WIDER } else { 1.0 }
    }

    /// What an element is filled with.
    fn fill(&self, Ink { colour, class }: Ink) -> String {
        match (self.styled, class) {
            (false, _) => format!(" fill=\"{colour}\""),
            (true, "") => String::new(),
            (true, class) => format!(" class=\"{class}\""),
        }
    }

    /// The size of words, where it is not the stylesheet's.
    fn font_size(&self, size: f64) -> String {
        if self.styled { String::new() } else { format!(" font-size=\"{}\"", short(size)) }
    }

    // Writing to a string cannot fail.
    fn put(&mut self, markup: std::fmt::Arguments) {
        let _ = self.body.write_fmt(markup);
        self.body.push('\n');
    }

    /// A line of text; `y` is its base line.
    pub fn text(&mut self, at: [f64; 2], size: f64, anchor: Anchor, text: &str) {
        self.inked(at, size, anchor, BLACK, text);
    }

    /// The same in a colour.
    pub fn inked(&mut self, [x, y]: [f64; 2], size: f64, anchor: Anchor, ink: Ink, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y, text) = (short(x), short(y), escaped(text));
        let (size, fill) = (self.font_size(size), self.fill(ink));
        self.put(format_args!("<text x=\"{x}\" y=\"{y}\"{size}{fill}{anchor}>{text}</text>"));
    }

    /// A text in lines of at most `room`, from a corner; returns where it ends.
    pub fn lines(&mut self, [x, y]: [f64; 2], room: f64, size: f64, text: &str) -> f64 {
        let mut base = y;
        for line in font::wrapped(text, size, room) {
            base += 1.1 * size;
            self.text([x, base], size, Anchor::Start, &line);
        }
        base + 0.2 * size
    }

    /// A line of text that reads upwards, centred.
    pub fn upwards(&mut self, [x, y]: [f64; 2], size: f64, text: &str) {
        let (x, y, size, text) = (short(x), short(y), self.font_size(size), escaped(text));
        self.put(format_args!(
            "<text transform=\"translate({x} {y}) rotate(-90)\"{size} \
             text-anchor=\"middle\">{text}</text>"
        ));
    }

    /// A line through some points; points that are no numbers are left out, and so are those that a
    /// screen would not tell from the one before.
    pub fn line(&mut self, points: &[[f64; 2]], stroke: Stroke) {
        let mut path = String::new();
        let mut last: Option<([f64; 2], [String; 2])> = None;
        let points: Vec<_> = points.iter().filter(|p| p.iter().all(|v| v.is_finite())).collect();
        for (at, point) in points.iter().enumerate() {
            let written = point.map(short);
            if let Some((place, words)) = &last {
                let away = (place[0] - point[0]).abs() + (place[1] - point[1]).abs();
                let near = self.styled && away < DETAIL && at + 1 < points.len();
                if near || *words == written {
                    continue;
                }
            }
            let command = if last.is_none() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{} {}", written[0], written[1]);
            last = Some((**point, written));
        }
        if path.contains('L') {
            self.stroke(&path, stroke);
        }
    }

    fn stroke(&mut self, path: &str, Stroke { ink, width, dashes }: Stroke) {
        if self.styled {
            self.put(format_args!("<path class=\"{}\" d=\"{path}\"/>", ink.class));
            return;
        }
        let colour = ink.colour;
        let dashes = match dashes {
            "" => String::new(),
            dashes => format!(" stroke-dasharray=\"{dashes}\""),
        };
        self.put(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\" \
             stroke-linejoin=\"round\"{dashes}/>",
            short(width)
        ));
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, [x, y]: [f64; 2], [w, h]: [f64; 2], ink: Ink) {
        let [x, y, w, h] = [x, y, w.max(0.0), h.max(0.0)].map(short);
        let fill = self.fill(ink);
        self.put(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"{fill}/>"));
    }

    /// Filled columns on a base line, as one shape: each from the left by its top and width.
    pub fn columns(&mut self, base: f64, columns: &[[f64; 3]], ink: Ink) {
        let base = short(base);
        let column = |[x, top, width]: &[f64; 3]| {
            let [x, top, width] = [*x, *top, *width].map(short);
            format!("M{x} {base}V{top}h{width}V{base}z")
        };
        let path: String = columns.iter().map(column).collect();
        if !path.is_empty() {
            let fill = self.fill(ink);
            self.put(format_args!("<path{fill} d=\"{path}\"/>"));
        }
    }

    /// A filled dot.
    pub fn dot(&mut self, [x, y]: [f64; 2], radius: f64, ink: Ink) {
        let [x, y, radius] = [x, y, radius].map(short);
        let fill = self.fill(ink);
        self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{fill}/>"));
    }

    /// A patch with its overlay, and a scale bar where its size is known.
    ///
    /// # Errors
    /// When its pixels are not a square of its edge.
    pub fn thumb(&mut self, [x, y]: [f64; 2], size: f64, thumb: &Thumb) -> Result<()> {
        self.picture([x, y], [size, size], &thumb.pixels, [thumb.edge; 2])?;
        let place = ([x, y], [size, size]);
        self.outline(place, [thumb.edge; 2], &thumb.overlay, Stroke::solid("#f0e442", 0.75));
        if let Some((length, words)) = thumb.millimetres.and_then(|mm| scale_bar(mm, size)) {
            let (end, y) = (x + size - 3.0, y + size - 3.5);
            let points = [[end - length, y], [end, y]];
            self.line(&points, Stroke::solid("#000", 2.6));
            self.line(&points, Stroke::solid("#fff", 1.4));
            let size = 5.0;
            let middle = [end - length.max(font::width(&words, size)) / 2.0, y - 2.6];
            let [tx, ty] = middle.map(short);
            let words = escaped(&words);
            self.put(format_args!(
                "<text x=\"{tx}\" y=\"{ty}\" font-size=\"5\" text-anchor=\"middle\" fill=\"#000\" \
                 stroke=\"#000\" stroke-width=\"1.4\" stroke-linejoin=\"round\">{words}</text>"
            ));
            let white = Ink { colour: "#fff", class: "" };
            self.inked(middle, size, Anchor::Middle, white, &words);
        }
        Ok(())
    }

    /// Rows of grey values, `width` x `height`, stretched over a rectangle.
    ///
    /// # Errors
    /// When there are more or fewer values.
    pub fn picture(
        &mut self,
        [x, y]: [f64; 2],
        [w, h]: [f64; 2],
        pixels: &[u8],
        shape: [u32; 2],
    ) -> Result<()> {
        let picture = STANDARD.encode(png(pixels, shape)?);
        let [x, y, w, h] = [x, y, w, h].map(short);
        self.put(format_args!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" \
             preserveAspectRatio=\"none\" xlink:href=\"data:image/png;base64,{picture}\"/>"
        ));
        Ok(())
    }

    /// A colour over a rectangle; `share` of it covers, from 0 to 1.
    pub fn tint(&mut self, [x, y]: [f64; 2], [w, h]: [f64; 2], colour: &str, share: f64) {
        let [x, y, w, h, share] = [x, y, w, h, share.clamp(0.0, 1.0)].map(short);
        self.put(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{colour}\" \
             fill-opacity=\"{share}\"/>"
        ));
    }

    /// A path over a picture at a place (corner and size), in the pixels of the picture; nothing where it
    /// is no path. Its line lies within black: seen on any grey, and apart from it without colour.
    pub fn outline(
        &mut self,
        ([x, y], [w, h]): ([f64; 2], [f64; 2]),
        [wide, high]: [u32; 2],
        path: &str,
        stroke: Stroke,
    ) {
        if !is_path(path) {
            return;
        }
        let scale = w / f64::from(wide.max(1));
        let [halo, line] = [stroke.width + 0.95, stroke.width].map(|width| short(width / scale));
        let ([x, y, w, h], colour) = ([x, y, w, h].map(short), stroke.ink.colour);
        // It cuts off the half of a line that lies outside of the picture.
        self.put(format_args!(
            "<svg x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {wide} {high}\" fill=\"none\" stroke-linejoin=\"round\">"
        ));
        self.put(format_args!("<path d=\"{path}\" stroke=\"#000\" stroke-width=\"{halo}\"/>"));
        self.put(format_args!("<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"{line}\"/>"));
        self.put(format_args!("</svg>"));
    }

    /// The drawing as an element of a page, as wide as the page gives it room.
    pub fn inline(self, size: [f64; 2], alt: &str) -> String {
        let [w, h] = size.map(short);
        let (alt, body) = (escaped(alt), self.body);
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{alt}\">\n\
             {body}</svg>"
        )
    }

    /// The drawing, on white, moved in from the corner by a margin.
    pub fn finish(self, size: [f64; 2], margin: f64, title: &str, alt: &str) -> Drawing {
        let [w, h] = size.map(short);
        let margin = short(margin);
        let [wide, high] = size.map(|points| short(points / POINTS));
        let (title, alt, body) = (escaped(title), escaped(alt), self.body);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" \
             xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{wide}mm\" height=\"{high}mm\" \
             viewBox=\"0 0 {w} {h}\" role=\"img\" font-family=\"{}\">\n<title>{title}</title>\n\
             <desc>{alt}</desc>\n<rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n\
             <g transform=\"translate({margin} {margin})\">\n{body}</g>\n</svg>\n",
            font::FAMILIES
        );
        Drawing { svg, size }
    }
}

/// Whether an overlay is path data and nothing else: it comes from a file.
fn is_path(overlay: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_digit() || c.is_ascii_whitespace() || "MmLlHhVvAaZz.,-".contains(c);
    overlay.starts_with('M') && overlay.chars().all(plain)
}

/// A round length that takes a tenth to two fifths of a patch, in points and in words.
fn scale_bar(millimetres: f64, size: f64) -> Option<(f64, String)> {
    if !(millimetres.is_finite() && millimetres > 0.0) {
        return None;
    }
    let fits = |length: &f64| *length <= 0.4 * millimetres;
    let length = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0].into_iter().rev().find(fits)?;
    Some((length / millimetres * size, format!("{length} mm")))
}

/// Grey values as a PNG.
fn png(pixels: &[u8], [width, height]: [u32; 2]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.set_depth(::png::BitDepth::Eight);
    let mut writer = encoder.write_header().context("a picture cannot be encoded")?;
    writer.write_image_data(pixels).context("a picture cannot be encoded")?;
    writer.finish().context("a picture cannot be encoded")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let hostile = "</text><script>alert(1)</script>&\"'\u{0}\u{202e}\u{ffff}";
        let mut canvas = Canvas::default();
        canvas.text([1.0, 2.0], 8.0, Anchor::Start, hostile);
        canvas.upwards([1.0, 2.0], 8.0, hostile);
        let drawing = canvas.finish([100.0, 50.0], 0.0, hostile, hostile);
        assert!(!drawing.svg.contains("<script"), "{}", drawing.svg);
        let tree = resvg::usvg::roxmltree::Document::parse(&drawing.svg).unwrap();
        let words = tree.descendants().find(|node| node.has_tag_name("text")).unwrap().text();
        assert_eq!(words, Some("</text><script>alert(1)</script>&\"'   "));
    }

    #[test]
    fn a_page_has_classes_and_no_more_points_than_it_shows() {
        let ink = Ink { colour: "#123456", class: "line-1" };
        let curve: Vec<[f64; 2]> = (0..=1000).map(|i| [f64::from(i) / 10.0, 5.0]).collect();
        let drawn = |mut canvas: Canvas| {
            canvas.line(&curve, Stroke { ink, width: 1.0, dashes: "" });
            canvas.inked([1.0, 2.0], 8.0, Anchor::Start, ink, "<words>");
            canvas.inline([100.0, 50.0], "\"alt\"")
        };
        let page = drawn(Canvas::styled());
        assert!(!page.contains("#123456") && !page.contains("font-size"), "{page}");
        assert!(page.contains("<text x=\"1\" y=\"2\" class=\"line-1\">&lt;words&gt;</text>"));
        assert!(page.contains("aria-label=\"&quot;alt&quot;\"") && page.contains("L100 5\""));
        assert!((100..150).contains(&page.matches('L').count()), "{page}");
        assert_eq!(drawn(Canvas::default()).matches('L').count(), 1000);
    }

    #[test]
    fn overlays_are_paths_or_not_drawn() {
        assert!(is_path("M1 2l3-4 5 6z") && !is_path("") && !is_path("M0 0\"/><script>"));
    }

    #[test]
    fn scale_bars_are_round_and_fit() {
        let (length, words) = scale_bar(30.0, 60.0).unwrap();
        assert_eq!((length, words.as_str()), (20.0, "10 mm"));
        assert_eq!(scale_bar(f64::NAN, 60.0), None);
        assert_eq!(scale_bar(0.0, 60.0), None);
    }

    #[test]
    fn a_patch_of_the_wrong_size_is_refused() {
        let thumb =
            Thumb { pixels: vec![0; 3], edge: 2, overlay: String::new(), millimetres: None };
        assert!(Canvas::default().thumb([0.0, 0.0], 10.0, &thumb).is_err());
    }
}
