//! Themes: templates and assets. The built-in `default` is compiled into the binary.
//!
//! A theme of the project, `themes/<name>/{templates,assets}/`, replaces single files of the
//! built-in by name. A template may extend the one that it replaces as `default/<file>` and
//! override single blocks of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use include_dir::{Dir, include_dir};
use tera::Tera;

use crate::artifact::Fingerprint;

static BUILT_IN: Dir = include_dir!("$CARGO_MANIFEST_DIR/themes/default");

/// Files of a theme by their path below it, with `/`.
type Files = BTreeMap<String, Cow<'static, [u8]>>;

/// A theme ready to render.
pub(super) struct Theme {
    name: String,
    tera: Tera,
    assets: Files,
}

impl Theme {
    /// Loads the theme `name` of the project at `root`.
    pub(super) fn load(root: &Path, name: &str) -> Result<Self> {
        let mut tera = Tera::new();
        let described = || format!("theme `{name}` cannot be used");
        // A template that the project's theme lacks is looked up in the built-in theme.
        tera.set_fallback_prefixes(["default/"]).map_err(|e| anyhow!("{e}"))?;
        let (built_in, own) = files(root, name)?;
        let mut templates = Vec::new();
        let mut assets = Files::new();
        for (prefix, files) in [("default/", built_in), ("", own)] {
            for (path, bytes) in files {
                if let Some(template) = path.strip_prefix("templates/") {
                    let text = String::from_utf8(bytes.into_owned()).map_err(|_| {
                        anyhow!("themes/{name}/{path} is not UTF-8 text").context(described())
                    })?;
                    templates.push((format!("{prefix}{template}"), text));
                } else if path.starts_with("assets/") {
                    assets.insert(path, bytes);
                }
            }
        }
        tera.add_raw_templates(templates).map_err(|e| anyhow!("{e}")).with_context(described)?;
        Ok(Self { name: name.into(), tera, assets })
    }

    /// Assets by their path in the site.
    pub(super) fn assets(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.assets.iter().map(|(path, bytes)| (path.clone(), bytes.as_ref()))
    }

    /// Makes a value known to every template and component.
    pub(super) fn set(&mut self, key: &'static str, value: &impl serde::Serialize) {
        self.tera.global_context().insert(key, value);
    }

    /// Renders a template.
    pub(super) fn render(&self, template: &str, context: &tera::Context) -> Result<Vec<u8>> {
        let mut page = Vec::with_capacity(32 << 10);
        self.tera.render_to(template, context, &mut page).map_err(|e| {
            anyhow!("{e}").context(format!("theme `{}` cannot render {template}", self.name))
        })?;
        Ok(page)
    }
}

/// Fingerprint of every file of a theme.
pub(super) fn fingerprint(root: &Path, name: &str) -> Result<Fingerprint> {
    let (built_in, own) = files(root, name)?;
    let list: Vec<_> = built_in
        .iter()
        .chain(&own)
        .map(|(path, bytes)| (path, Fingerprint::of_bytes(bytes)))
        .collect();
    Ok(Fingerprint::of(&list))
}

/// Files of the built-in theme, and of the project's theme `name`.
fn files(root: &Path, name: &str) -> Result<(Files, Files)> {
    let mut built_in = Files::new();
    collect_built_in(&BUILT_IN, &mut built_in);
    let themes = root.join("themes");
    let folder = themes.join(name);
    let plain = Path::new(name).components().count() == 1 && !name.contains(['/', '\\', '.']);
    if plain && folder.is_dir() {
        return Ok((built_in, read_folder(&folder)?));
    }
    if name != "default" {
        let mut found: Vec<String> = std::fs::read_dir(&themes)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                entry.path().is_dir().then(|| entry.file_name().to_string_lossy().into_owned())
            })
            .chain(["default".to_string()])
            .collect();
        found.sort();
        found.dedup();
        bail!(
            "there is no theme `{name}`: `theme` in atlas.yaml may name {}; \
             a theme of your own is a folder themes/{name}/ with templates/ and assets/",
            found.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ")
        );
    }
    Ok((built_in, Files::new()))
}

fn collect_built_in(dir: &Dir<'static>, files: &mut Files) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        files.insert(path, Cow::Borrowed(file.contents()));
    }
    for dir in dir.dirs() {
        collect_built_in(dir, files);
    }
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
            files.insert(path, Cow::Owned(fs_err::read(entry.path())?));
        }
    }
    Ok(files)
}
