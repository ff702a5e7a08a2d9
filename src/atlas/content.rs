//! Pages of prose: `content/*.md`, CommonMark with tables and footnotes.
//!
//! Files ending in `.md`, in whatever case, are pages; other files and folders, but for those that the atlas
//! knows, are not, and are named (`strangers`).
//!
//! A file begins with front matter, YAML between two lines of `---`: `title`, and `weight`, which
//! orders the navigation. Raw HTML is shown as text. Relative links count from the root of the
//! site, and a link to another file of the folder, `methods.md`, becomes a link to its page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use serde::Deserialize;

use super::facts::reporting::OWN as REPORTING;
use super::inputs::safe_name;
use super::shortcode::{self, Embedded, Shortcode};
use base::artifact::Fingerprint;
use base::{input, yaml};

/// First parts of addresses that the atlas uses itself.
const RESERVED: [&str; 21] = [
    "index",
    "networks",
    "performance",
    "birads",
    "methods",
    "data",
    "mammograms",
    "patches",
    "assets",
    "embed",
    "images",
    "concepts",
    "cite",
    "provenance",
    "readers",
    "survey",
    "agreement",
    "cases",
    "compare",
    "figures",
    "selection",
];

/// A page of prose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Article {
    /// Folder of the page: the stem of its file.
    pub(super) slug: String,
    /// Heading and entry in the navigation.
    pub(super) title: String,
    /// Order in the navigation.
    pub(super) weight: i64,
    /// The prose as safe HTML, with marks where its shortcodes belong.
    pub(super) html: String,
    /// What it embeds.
    pub(super) shortcodes: Vec<Shortcode>,
    /// Sizes of the pictures it embeds, by their names in `content/images/`.
    pub(super) figures: BTreeMap<String, [u32; 2]>,
    /// Its file, for messages.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    #[serde(default = "last")]
    weight: i64,
}

fn last() -> i64 {
    100
}

/// Reads every page of the folder, ordered by weight and name. A folder that is not there is empty.
pub(super) fn read(folder: &Path) -> Result<Vec<Article>> {
    let mut articles = Vec::new();
    for path in list(folder)? {
        let text = read_text(&path)?;
        let slug = super::text::file_name(&path.with_extension(""));
        let place = || format!("{} cannot become a page", path.display());
        safe_name("page", &slug).with_context(place)?;
        let folded = slug.to_lowercase();
        if let Some(other) =
            articles.iter().find(|other: &&Article| other.slug.to_lowercase() == folded)
        {
            bail!(
                "{} and {} would be pages whose names differ only by case, if at all: one folder on \
                 macOS and Windows; rename one",
                other.path.display(),
                path.display()
            );
        }
        if RESERVED.contains(&folded.as_str()) {
            bail!("{}: the atlas has a page `{slug}` of its own; rename the file", path.display());
        }
        let mut article = parse(slug, &text, &path)?;
        for code in &article.shortcodes {
            if let Embedded::Figure(file, _) = &code.embedded
                && let Some(size) = figure_size(folder, file)
            {
                article.figures.insert(file.clone(), size);
            }
        }
        articles.push(article);
    }
    articles.sort_by(|a, b| (a.weight, &a.slug).cmp(&(b.weight, &b.slug)));
    Ok(articles)
}

/// Folder of the pictures.
pub(super) const IMAGES: &str = "images";

/// Size of a picture of the folder, where it is one that a page may show.
fn figure_size(folder: &Path, file: &str) -> Option<[u32; 2]> {
    let path = folder.join(IMAGES).join(file);
    let plain = safe_name("picture", file).is_ok() && !file.starts_with('.');
    let ending = Path::new(file).extension()?.to_ascii_lowercase();
    if !plain || !["png", "jpg", "jpeg"].iter().any(|known| ending == *known) || !path.is_file() {
        return None;
    }
    let (width, height) = image::image_dimensions(path).ok()?;
    Some([width, height])
}

/// Fingerprint of every page's source, of the pictures and of the authors' answers.
pub(super) fn fingerprint(folder: &Path) -> Result<Fingerprint> {
    let sources = list(folder)?
        .into_iter()
        .chain(pictures(folder)?)
        .chain(Some(folder.join(REPORTING)).filter(|path| path.is_file()))
        .map(|path| Ok((super::text::file_name(&path), Fingerprint::of_file(&path)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Fingerprint::of(&sources))
}

/// Files in the folder of the pictures.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let images = folder.join(IMAGES);
    if !images.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(images)? {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads a file of the project as text.
fn read_text(path: &Path) -> Result<String> {
    let bytes = input::read(path, yaml::MAX_BYTES)
        .with_context(|| format!("cannot read {}", path.display()))?;
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8 text", path.display()))
}

fn list(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let hidden = super::text::file_name(&path).starts_with('.');
        if !hidden && is_page(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("md")) && path.is_file()
}

/// What else the atlas reads in the folder: readers' answers, what was settled, the authors' answers to what is asked
/// of an atlas, pictures, lexicons, recipes, what readers agree to.
const KNOWN: [&str; 7] =
    ["labels", "consensus.yaml", REPORTING, IMAGES, "lexicons", "recipes", "survey"];

/// What lies in the folder and seems to be meant as a page, but is none, by name, in order: files that
/// the atlas does not read, and folders with pages in them.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn strangers(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let name = super::text::file_name(&path);
        if name.starts_with('.') || is_page(&path) || KNOWN.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            let mut entries = fs_err::read_dir(&path)?.flatten();
            // A folder of other things may explain itself.
            let page = |entry: fs_err::DirEntry| {
                let explains = entry.file_name().to_string_lossy().to_lowercase() == "readme.md";
                !explains && is_page(&entry.path())
            };
            if entries.any(page) {
                names.push(format!("{name}/"));
            }
        } else {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn parse(slug: String, text: &str, path: &Path) -> Result<Article, yaml::Mistake> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.split_inclusive('\n');
    let opening = lines.next().unwrap_or_default();
    let first = |message: &str| yaml::Text { path, text }.mistake_at(1, 1, 3, message);
    if opening.trim_end() != "---" {
        return Err(first("expected `---`, then `title: …` and a second `---` before the text"));
    }
    // The opening line is replaced by an empty one, so that the reader's line numbers are the file's.
    let mut yaml = String::from("\n");
    let mut closed = false;
    let mut length = opening.len();
    for line in lines {
        length += line.len();
        if line.trim_end() == "---" {
            closed = true;
            break;
        }
        yaml.push_str(line);
    }
    if !closed {
        return Err(first("the front matter that begins here is never closed by a second `---`"));
    }
    let front: FrontMatter = yaml::Text { path, text: &yaml }.parse()?;
    let before = text[..length].lines().count();
    let (prose, shortcodes) =
        shortcode::take(&text[length..], before).map_err(|(at, message)| {
            yaml::Text { path, text }.mistake_at(at.line, at.column, at.length, message)
        })?;
    Ok(Article {
        slug,
        title: front.title,
        weight: front.weight,
        html: to_html(&prose),
        shortcodes,
        figures: BTreeMap::new(),
        path: path.into(),
        text: text.into(),
    })
}

/// What readers of a survey must agree to.
#[derive(Debug)]
pub(super) struct Consent {
    /// Safe HTML, whose headings have no address: the survey's parts have theirs.
    pub(super) html: String,
    /// Of the text.
    pub(super) digest: Fingerprint,
}

/// Reads what readers must agree to.
///
/// # Errors
/// When the file cannot be read, is not UTF-8 text, says nothing, shows a picture, or links to another file.
pub(super) fn consent(path: &Path) -> Result<Consent> {
    let text = read_text(path).context("survey.consent")?;
    let place = path.display();
    let events = events(&text);
    let is_said = |event: &Event| matches!(event, Event::Text(said) | Event::Code(said) if said.contains(char::is_alphanumeric));
    if !events.iter().any(is_said) {
        bail!("survey.consent: {place} says nothing; readers could not know what they agree to");
    }
    for event in &events {
        match event {
            Event::Start(Tag::Image { .. }) => bail!(
                "survey.consent: {place} shows a picture; the survey loads none, from nowhere: say it in words"
            ),
            Event::Start(Tag::Link { dest_url, .. })
                if !["http://", "https://", "mailto:"]
                    .iter()
                    .any(|scheme| dest_url.starts_with(scheme)) =>
            {
                bail!(
                    "survey.consent: {place} links to something of this project, which readers need not have; link to \
                     the web or to an address"
                )
            }
            _ => {}
        }
    }
    let mut html = String::new();
    html::push_html(&mut html, events.into_iter());
    Ok(Consent { html, digest: Fingerprint::of_bytes(text.as_bytes()) })
}

/// CommonMark to HTML that holds no markup but its own.
fn to_html(markdown: &str) -> String {
    let mut events = events(markdown);
    number_headings(&mut events);
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}

/// What a text consists of, made inert; no heading is of the first level, which is the page's.
fn events(markdown: &str) -> Vec<Event<'_>> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event> = Parser::new_ext(markdown, options).map(inert).collect();
    let first = |event: &Event| matches!(event, Event::Start(Tag::Heading { level, .. }) if *level == HeadingLevel::H1);
    // The title is the page's only first heading.
    if events.iter().any(first) {
        events.iter_mut().for_each(demote);
    }
    events
}

/// Raw HTML becomes text, and a link may only lead to the web, to mail or into the site.
fn inert(event: Event) -> Event {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: safe_link(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Image { link_type, dest_url: safe_link(dest_url), title, id })
        }
        other => other,
    }
}

fn safe_link(link: CowStr) -> CowStr {
    // Browsers ignore white space and control characters within a scheme.
    let bare: String = link.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let lower = bare.to_ascii_lowercase();
    if ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme))
        || bare.starts_with('#')
    {
        return bare.into();
    }
    let path = bare.split(['?', '#']).next().unwrap_or_default();
    if path.contains(':') || path.starts_with(['/', '\\']) {
        return "#".into();
    }
    let (stem, ending) = path.split_at(path.len().saturating_sub(3));
    let inside = match ending.eq_ignore_ascii_case(".md").then_some(stem) {
        Some(stem) => format!("{stem}/index.html{}", &bare[path.len()..]),
        None => bare,
    };
    // Every page of prose lies one folder below the root.
    format!("../{}", inside.trim_start_matches("./")).into()
}

fn demote(event: &mut Event) {
    let lower = |level: HeadingLevel| match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    };
    match event {
        Event::Start(Tag::Heading { level, .. }) | Event::End(TagEnd::Heading(level)) => {
            *level = lower(*level);
        }
        _ => {}
    }
}

/// Gives every heading an address: its words joined by dashes.
fn number_headings(events: &mut [Event]) {
    let mut used = std::collections::BTreeSet::new();
    for at in 0..events.len() {
        if !matches!(events[at], Event::Start(Tag::Heading { .. })) {
            continue;
        }
        let words: String = events[at + 1..]
            .iter()
            .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let slug: Vec<String> = words
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let base = if slug.is_empty() { "section".into() } else { slug.join("-") };
        let mut address = base.clone();
        let mut copy = 1;
        while !used.insert(address.clone()) {
            copy += 1;
            address = format!("{base}-{copy}");
        }
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(address.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_scripts_in_prose_are_inert() {
        let html = to_html(
            "Hello <b>x</b> <script>alert(1)</script>\n\n<div onclick=\"x()\">y</div>\n\n\
             [a](javascript:alert(1)) [b](JaVa\tScript:alert(1)) [c](data:text/html,x) \
             [d](<vbscript:x>) [e](//evil.example/x) [f](https://example.org/?a=1&b=2)\n\n\
             ![alt \"text\"](javascript:x)",
        );
        assert!(!html.contains("<script") && !html.contains("<div") && !html.contains("<b>"));
        assert!(!html.to_lowercase().contains("\"javascript:"), "{html}");
        assert!(!html.contains("data:text") || !html.contains("href=\"data:"), "{html}");
        assert!(!html.contains("//evil"), "{html}");
        assert!(html.contains("https://example.org/?a=1&amp;b=2"), "{html}");
    }

    #[test]
    fn what_readers_agree_to_says_something_and_loads_nothing() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("consent.md");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            consent(&path).map_err(|error| format!("{error:#}"))
        };
        let whole = read("# Read\n\n<b>me</b>, [write](mailto:a@b.c)\n").unwrap();
        assert!(whole.html.contains("<h2>Read</h2>") && whole.html.contains("&lt;b&gt;me"));
        assert_eq!(whole.digest, Fingerprint::of_file(&path).unwrap());
        for (text, says) in [
            ("", "says nothing"),
            (" \n# \n\n---\n", "says nothing"),
            ("See ![x](https://example.org/x.png).", "shows a picture"),
            ("See [this](../atlas.yaml).", "links to something of this project"),
            ("See [this](javascript:x).", "links to something of this project"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(
                refused.contains(says) && refused.contains("consent.md"),
                "{text:?}: {refused}"
            );
        }
        assert!(consent(place.path()).is_err());
    }

    #[test]
    fn links_count_from_the_root_of_the_site() {
        let html = to_html("[m](methods/index.html#x) [n](about.md#how) [o](#here)");
        assert!(html.contains("\"../methods/index.html#x\""), "{html}");
        assert!(html.contains("\"../about/index.html#how\""), "{html}");
        assert!(html.contains("\"#here\""), "{html}");
    }

    #[test]
    fn headings_have_addresses_and_leave_the_first_level_to_the_title() {
        let html = to_html("# How to read\n\n## How to read\n");
        assert!(html.contains("<h2 id=\"how-to-read\">"), "{html}");
        assert!(html.contains("<h3 id=\"how-to-read-2\">"), "{html}");
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "---\ntitle: x\n---\nx\n").unwrap();
        }
        folder
    }

    #[test]
    fn pages_have_any_case_of_their_ending_and_others_are_named() {
        let place = folder(&[
            "About.MD",
            "notes.md",
            "draft.markdown",
            "more/page.md",
            "fonts/README.md",
            "labels/a.yaml",
            "consensus.yaml",
            "images/x.png",
            ".hidden.txt",
        ]);
        let slugs: Vec<String> = read(place.path()).unwrap().into_iter().map(|a| a.slug).collect();
        assert_eq!(slugs, ["About", "notes"]);
        assert_eq!(strangers(place.path()).unwrap(), ["draft.markdown", "more/"]);
    }

    #[test]
    fn pages_that_differ_by_case_are_refused() {
        let place = folder(&["Notes.md", "notes.md"]);
        if std::fs::read_dir(place.path()).unwrap().count() < 2 {
            // On a file system on which they are one file already.
            return;
        }
        let message = format!("{:#}", read(place.path()).unwrap_err());
        assert!(message.contains("Notes.md") && message.contains("only by case"), "{message}");
        let message = format!("{:#}", read(folder(&["Methods.md"]).path()).unwrap_err());
        assert!(message.contains("of its own"), "{message}");
    }

    #[test]
    fn bad_front_matter_names_its_line() {
        let message =
            |text: &str| parse("x".into(), text, Path::new("x.md")).unwrap_err().to_string();
        assert!(message("# Title\n").starts_with("x.md:1:1: expected `---`"));
        assert!(message("---\ntitle: x\n").contains("never closed"));
        let unknown = message("---\ntitle: x\nauthor: y\n---\n");
        assert!(
            unknown.starts_with("x.md:3:1:") && unknown.contains("3 | author: y\n"),
            "{unknown}"
        );
        let article =
            parse("x".into(), "---\r\ntitle: About\r\n---\r\nText.\r\n", Path::new("x.md"))
                .unwrap();
        assert_eq!((article.title.as_str(), article.weight), ("About", 100));
        assert_eq!(article.html, "<p>Text.</p>\n");
    }
}
