//! Looks a built site over: broken links, missing images (those that scripts draw too), images without
//! an alternative text, addresses that occur twice on a page, controls without a name, files that are
//! too large.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use html5ever::Attribute;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use rayon::prelude::*;

use super::drawn;

/// The most bytes of a page, and of a file of data: more is slow on a phone.
const LARGEST: [(&str, u64); 2] = [(".html", 1 << 20), (".js", 4 << 20)];

/// Something wrong with a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The page, by its path below the site.
    pub page: String,
    /// Line of the page, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.page, self.line, self.message)
    }
}

/// One start tag.
pub(super) struct Element {
    pub(super) name: String,
    line: usize,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// What other pages need to know of a page, and what it asks for.
struct Page {
    path: String,
    ids: BTreeSet<String>,
    links: Vec<(usize, String)>,
    problems: Vec<Problem>,
}

/// Checks every page of the built site. The problems are sorted by page and line.
///
/// # Errors
/// When there is no site or a file of it cannot be read.
pub fn check(site: &Path) -> Result<Vec<Problem>> {
    ensure!(site.is_dir(), "{} is not there; run `build` first", site.display());
    let mut files = BTreeSet::new();
    for entry in walkdir::WalkDir::new(site) {
        let entry = entry.with_context(|| format!("cannot list {}", site.display()))?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(site)?.to_string_lossy().replace('\\', "/");
            files.insert(path);
        }
    }
    let mut problems = oversized(site, &files)?;
    let html: Vec<&String> = files.iter().filter(|path| path.ends_with(".html")).collect();
    let pages: Vec<Page> = html
        .par_iter()
        .map(|path| {
            let bytes = fs_err::read(site.join(path))?;
            Ok(read_page(path, &String::from_utf8_lossy(&bytes)))
        })
        .collect::<Result<_>>()?;
    let ids: BTreeMap<&str, &BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_str(), &page.ids)).collect();
    let found: Vec<Problem> = pages
        .par_iter()
        .flat_map_iter(|page| {
            let broken = page.links.iter().filter_map(|(line, link)| {
                let message = broken(&page.path, link, &files, &ids)?;
                Some(Problem { page: page.path.clone(), line: *line, message })
            });
            page.problems.iter().cloned().chain(broken)
        })
        .collect();
    problems.extend(found);
    problems.sort();
    problems.dedup();
    Ok(problems)
}

/// Files beyond their size.
fn oversized(site: &Path, files: &BTreeSet<String>) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in files {
        let Some((_, most)) = LARGEST.iter().find(|(end, _)| file.ends_with(end)) else { continue };
        let bytes = fs_err::metadata(site.join(file))?.len();
        if bytes > *most {
            let message = format!("{} kB are too many: at most {} kB", bytes >> 10, most >> 10);
            problems.push(Problem { page: file.clone(), line: 1, message });
        }
    }
    Ok(problems)
}

/// What is wrong with a link, if anything.
fn broken(
    page: &str,
    link: &str,
    files: &BTreeSet<String>,
    ids: &BTreeMap<&str, &BTreeSet<String>>,
) -> Option<String> {
    let (path, fragment) = match link.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (link, None),
    };
    let path = path.split('?').next().unwrap_or_default();
    let scheme = path.split_once(':').map(|(s, _)| s.trim().to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https" | "mailto" | "data") => return None,
        Some(other) => return Some(format!("link with the scheme `{other}:`: {link}")),
        None => {}
    }
    if path.starts_with('/') {
        return Some(format!("link is not relative to the page: {link}"));
    }
    let target = if path.is_empty() {
        page.to_string()
    } else {
        let mut parts: Vec<&str> = page.split('/').collect();
        parts.pop();
        let decoded = percent_decoded(path);
        for part in decoded.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_none() => {
                    return Some(format!("link leaves the site: {link}"));
                }
                ".." => {}
                part => parts.push(part),
            }
        }
        parts.join("/")
    };
    if path.ends_with('/') || !files.contains(&target) {
        return Some(format!("nothing at {link}"));
    }
    // What a script reads, such as a filtered view of a layer, is no place of the page.
    let fragment = percent_decoded(fragment.filter(|fragment| !fragment.contains('='))?);
    let known =
        fragment.is_empty() || ids.get(target.as_str()).is_none_or(|ids| ids.contains(&fragment));
    (!known).then(|| format!("no place #{fragment} in {target}"))
}

fn read_page(path: &str, html: &str) -> Page {
    let mut page =
        Page { path: path.into(), ids: BTreeSet::new(), links: Vec::new(), problems: Vec::new() };
    for element in elements(html) {
        let mut problem = |message: String| {
            page.problems.push(Problem { page: path.into(), line: element.line, message });
        };
        if let Some(id) = element.get("id")
            && !page.ids.insert(id.to_string())
        {
            problem(format!("the id `{id}` occurs twice"));
        }
        if element.name == "img" {
            if element.get("alt").is_none() {
                problem(format!("image without alt text: {}", element.get("src").unwrap_or("?")));
            }
            if element.get("src").is_none_or(str::is_empty) {
                problem("image without src".into());
            }
        }
        // Its label may stand around it: only a field without any id and name is certainly nameless.
        let field = matches!(element.name.as_str(), "input" | "select" | "textarea");
        let named = ["id", "name", "aria-label", "aria-labelledby", "title"];
        if field && named.iter().all(|name| element.get(name).is_none()) {
            problem("field without a name".into());
        }
        if element.name == "html" && element.get("lang").is_none_or(str::is_empty) {
            problem("page without a language".into());
        }
        for attribute in ["href", "xlink:href", "src", "poster"] {
            if let Some(link) = element.get(attribute) {
                page.links.push((element.line, link.trim().to_string()));
            }
        }
        for candidate in element.get("srcset").unwrap_or_default().split(',') {
            if let Some(link) = candidate.split_whitespace().next() {
                page.links.push((element.line, link.to_string()));
            }
        }
    }
    match drawn::patches(html) {
        Ok(patches) => {
            // As if the pictures stood in the page.
            let line =
                html[..html.find("id=\"atlas-drawn\"").unwrap_or(0)].matches('\n').count() + 1;
            let up = "../".repeat(path.matches('/').count());
            page.links.extend(patches.into_iter().map(|p| (line, format!("{up}{}", p.picture))));
        }
        Err(error) => {
            page.problems.push(Problem {
                page: path.into(),
                line: 1,
                message: format!("{error:#}"),
            });
        }
    }
    page
}

/// Start tags of a page, in order, as a browser's tokenizer finds them; comments, scripts and styles hold
/// none.
pub(super) fn elements(html: &str) -> Vec<Element> {
    let tokenizer = Tokenizer::new(Tags::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    // No script of a page is run, so that the tokenizer never waits for one.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// Collects start tags.
#[derive(Default)]
struct Tags(RefCell<Vec<Element>>);

impl TokenSink for Tags {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        let attribute = |a: Attribute| (a.name.local.to_string(), a.value.to_string());
        let name = tag.name.to_string();
        let text = match name.as_str() {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        };
        let attributes = tag.attrs.into_iter().map(attribute).collect();
        self.0.borrow_mut().push(Element { name, line: line as usize, attributes });
        text
    }
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[at], code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(pages: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, html) in pages {
            base::artifact::write(&folder.path().join(path), html.as_bytes()).unwrap();
        }
        check(folder.path()).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_sound_site_has_no_problem() {
        let found = problems(&[
            (
                "index.html",
                "<!-- <a href=nowhere> --><a href='a/index.html#x%20y'>a</a>\
                 <a href=\"https://example.org\">e</a><script>\"<img src=no>\"</script>\
                 <img src=\"p.jpg\" alt=\"A patch\"><a href=\"?q=1#\">top</a>",
            ),
            ("a/index.html", "<h1 id=\"x y\">A</h1><a href=\"../index.html\">home</a>"),
            ("p.jpg", ""),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn planted_faults_are_found_with_their_lines() {
        let found = problems(&[(
            "a/index.html",
            "<p id=x></p>\n<p id=x></p>\n<a href=../gone.html>\n<a href=#nowhere>\n<img src=no.jpg>\n\
             <a href=\"javascript:alert(1)\">\n<a href=/etc>\n<a href=../../up.html>\n<a href=\"./\">\n\
             <video poster=no.png></video>",
        )]);
        let expected = [
            "a/index.html:2: the id `x` occurs twice",
            "a/index.html:3: nothing at ../gone.html",
            "a/index.html:4: no place #nowhere in a/index.html",
            "a/index.html:5: image without alt text: no.jpg",
            "a/index.html:5: nothing at no.jpg",
            "a/index.html:6: link with the scheme `javascript:`: javascript:alert(1)",
            "a/index.html:7: link is not relative to the page: /etc",
            "a/index.html:8: link leaves the site: ../../up.html",
            "a/index.html:9: nothing at ./",
            "a/index.html:10: nothing at no.png",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn broken_markup_does_not_panic() {
        for html in [
            "<",
            "<a",
            "<a href",
            "<a href=",
            "<a href='x",
            "<!--",
            "<script>",
            "<a é=ü/>",
            "<a \u{2028}=>",
        ] {
            elements(html);
        }
    }
}
