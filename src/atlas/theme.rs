//! Themes: templates and assets. Those below `themes/` of the program's source are built in.
//!
//! A theme of the project, `themes/<name>/{templates,assets}/`, replaces single files of the theme it
//! extends by name: the built-in `default`, or what its `theme.yaml` says under `extends`. A template
//! may extend the one that it replaces as `<theme>/<file>` and override single blocks of it.
//! `theme.yaml` also lists the theme's `options` with their defaults; `theme_options` in atlas.yaml sets
//! them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use tera::Tera;

use base::artifact::Fingerprint;
use base::{input, shipped, yaml};
use config::Config;
use mammogram::About;

/// What a theme says of itself.
const MANIFEST: &str = "theme.yaml";
/// Bytes of one file of a theme at most.
const MAX_FILE: u64 = 64 << 20;

/// Files of a theme by their path below it, with `/`.
type Files = BTreeMap<String, Cow<'static, [u8]>>;

/// `theme.yaml`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Manifest {
    extends: Option<String>,
    options: BTreeMap<String, String>,
}

/// One theme of a chain in which each extends the next.
struct Link {
    name: String,
    files: Files,
    options: BTreeMap<String, String>,
}

/// A theme ready to render.
pub(super) struct Theme {
    name: String,
    tera: Tera,
    assets: Files,
    /// Its options by name.
    pub(super) options: BTreeMap<String, String>,
}

impl Theme {
    /// Loads the theme of the project.
    pub(super) fn load(config: &Config) -> Result<Self> {
        let name = &config.theme;
        let mut tera = Tera::new();
        let described = || format!("theme `{name}` cannot be used");
        let chain = chain(&config.root, name)?;
        // A template that a theme lacks is looked up in the theme that it extends.
        let prefixes: Vec<String> =
            chain.iter().skip(1).map(|link| format!("{}/", link.name)).collect();
        tera.set_fallback_prefixes(prefixes).map_err(|e| anyhow!("{e}"))?;
        let mut templates = Vec::new();
        let mut assets = Files::new();
        let mut options = BTreeMap::new();
        for (at, link) in chain.into_iter().enumerate().rev() {
            options.extend(link.options);
            let prefix = if at == 0 { String::new() } else { format!("{}/", link.name) };
            for (path, bytes) in link.files {
                if let Some(template) = path.strip_prefix("templates/") {
                    let text = String::from_utf8(bytes.into_owned()).map_err(|_| {
                        anyhow!("themes/{}/{path} is not UTF-8 text", link.name)
                            .context(described())
                    })?;
                    templates.push((format!("{prefix}{template}"), text));
                } else if path.starts_with("assets/") {
                    assets.insert(path, bytes);
                }
            }
        }
        for (option, value) in &config.theme_options {
            let known: Vec<&str> = options.keys().map(String::as_str).collect();
            ensure!(
                options.contains_key(option),
                "`theme_options` in atlas.yaml: {}",
                yaml::unknown("option", option, &known)
            );
            options.insert(option.clone(), value.clone());
        }
        tera.add_raw_templates(templates)
            .map_err(|e| anyhow!(placed(name, &e.to_string())))
            .with_context(described)?;
        Ok(Self { name: name.into(), tera, assets, options })
    }

    /// Assets by their path in the site.
    pub(super) fn assets(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.assets.iter().map(|(path, bytes)| (path.clone(), bytes.as_ref()))
    }

    /// Makes the site known to every template and component: of a project with this data set, with
    /// patches of `edge` pixels.
    pub(super) fn introduce(&mut self, config: &Config, about: &About, edge: u32) {
        let site = Site {
            title: &config.title,
            phantom: about.phantom,
            source: &about.name,
            edge,
            version: env!("CARGO_PKG_VERSION"),
            options: &self.options,
        };
        self.tera.global_context().insert("site", &site);
    }

    /// Renders a template.
    pub(super) fn render(&self, template: &str, context: &tera::Context) -> Result<Vec<u8>> {
        let mut page = Vec::with_capacity(32 << 10);
        self.tera.render_to(template, context, &mut page).map_err(|e| {
            anyhow!(placed(&self.name, &e.to_string()))
                .context(format!("theme `{}` cannot render {template}", self.name))
        })?;
        Ok(page)
    }
}

/// A message of the template engine with the files of the templates it names: `unit.html` is the
/// theme's own, `paper/unit.html` that of a theme which it extends.
fn placed(theme: &str, message: &str) -> String {
    let place = |line: &str| {
        let (before, name) = line.split_once("--> ")?;
        let (theme, name) = name.split_once('/').unwrap_or((theme, name));
        Some(format!("{before}--> themes/{theme}/templates/{name}"))
    };
    let lines = message.lines().map(|line| place(line).unwrap_or_else(|| line.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Fingerprint of every file of the project's theme, and of its options.
pub(super) fn fingerprint(config: &Config) -> Result<Fingerprint> {
    let chain = chain(&config.root, &config.theme)?;
    let files: Vec<_> = chain
        .iter()
        .flat_map(|link| link.files.iter().map(move |file| (&link.name, file)))
        .map(|(name, (path, bytes))| (name, path, Fingerprint::of_bytes(bytes)))
        .collect();
    Ok(Fingerprint::of(&(files, &config.theme_options)))
}

/// A theme and those that it extends, down to the built-in `default`.
fn chain(root: &Path, name: &str) -> Result<Vec<Link>> {
    let mut chain: Vec<Link> = Vec::new();
    let built_in = built_in()?;
    // A folder of the project goes before a built-in theme of its name, which it then extends.
    let mut next = find(root, name, false)?;
    loop {
        let manifest = match next.files.get(MANIFEST) {
            None => Manifest::default(),
            Some(bytes) => {
                let path = Path::new("themes").join(&next.name).join(MANIFEST);
                let text = std::str::from_utf8(bytes)
                    .with_context(|| format!("{} is not UTF-8 text", path.display()))?;
                yaml::Text { path: &path, text }.parse::<Manifest>()?
            }
        };
        next.options = manifest.options;
        let own = chain.is_empty() && root.join("themes").join(&next.name).is_dir();
        let parent = match manifest.extends {
            Some(parent) => Some(parent),
            None if own && built_in.contains_key(next.name.as_str()) => Some(next.name.clone()),
            None if next.name == "default" => None,
            None => Some("default".into()),
        };
        let named = next.name.clone();
        chain.push(next);
        let Some(parent) = parent else { return Ok(chain) };
        let circle = chain.iter().skip(usize::from(own)).any(|link| link.name == parent);
        ensure!(!circle, "theme `{named}` extends `{parent}`, which extends it in turn");
        next = find(root, &parent, true)
            .with_context(|| format!("theme `{named}` extends `{parent}`"))?;
    }
}

/// Themes by name that need no folder.
fn built_in() -> Result<BTreeMap<&'static str, Files>> {
    let mut themes: BTreeMap<&str, Files> = BTreeMap::new();
    for (path, bytes) in shipped::below("themes")? {
        if let Some((theme, file)) = path.split_once('/') {
            themes.entry(theme).or_default().insert(file.to_owned(), Cow::Borrowed(bytes));
        }
    }
    Ok(themes)
}

/// A theme by its name; as a parent, a built-in one is meant where there is one.
fn find(root: &Path, name: &str, as_parent: bool) -> Result<Link> {
    let link = |files| Link { name: name.into(), files, options: BTreeMap::new() };
    let themes = root.join("themes");
    let folder = themes.join(name);
    let plain = Path::new(name).components().count() == 1 && !name.contains(['/', '\\', '.']);
    let mut built_in = built_in()?;
    if plain && folder.is_dir() && !(as_parent && built_in.contains_key(name)) {
        return Ok(link(read_folder(&folder)?));
    }
    if let Some(files) = built_in.remove(name) {
        return Ok(link(files));
    }
    let mut found: Vec<String> = std::fs::read_dir(&themes)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            entry.path().is_dir().then(|| entry.file_name().to_string_lossy().into_owned())
        })
        .chain(built_in.into_keys().map(str::to_owned))
        .collect();
    found.sort();
    found.dedup();
    bail!(
        "there is no theme `{name}`: `theme` in atlas.yaml may name {}; \
         a theme of your own is a folder themes/{name}/ with templates/ and assets/",
        found.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ")
    );
}

fn read_folder(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let entries = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !hidden(entry.file_name()));
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
            let bytes = input::read(entry.path(), MAX_FILE)
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            files.insert(path, Cow::Owned(bytes));
        }
    }
    Ok(files)
}

/// What every template and component knows, as `site`.
#[derive(Serialize)]
struct Site<'a> {
    title: &'a str,
    /// Whether the images are synthetic: then every page says so.
    phantom: bool,
    source: &'a str,
    /// Edge of a patch in its own pixels: the view box of overlays.
    edge: u32,
    version: &'static str,
    /// The theme's options.
    options: &'a BTreeMap<String, String>,
}
