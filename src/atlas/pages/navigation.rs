//! The way to the pages: a bar of few items, where pages that belong together, or are asked for less, stand in
//! menus. A page says where it stands, in its own module; here that becomes the bar.

use serde::Serialize;

use crate::facts::paths::Link;

/// A menu of the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Menu {
    /// The networks, and how well they do.
    Networks,
    /// What is asked for less: how the atlas was made, its data, pages of prose.
    More,
}

impl Menu {
    /// What the bar says of it.
    fn title(self) -> &'static str {
        match self {
            Self::Networks => "Networks",
            Self::More => "More",
        }
    }

    /// Its place in the bar, among the weights of the pages there.
    fn weight(self) -> i64 {
        match self {
            Self::Networks => 10,
            Self::More => i64::MAX,
        }
    }
}

/// A page's place in the navigation.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The menu that it stands in; none where it stands in the bar.
    menu: Option<Menu>,
    /// Entries of the same weight stand in the order of the kinds, pages of prose after the others.
    weight: i64,
    /// Whether the page is one of prose.
    prose: bool,
    pub(super) title: String,
}

impl Entry {
    /// Of a page in the bar.
    pub(super) fn new(weight: i64, title: &str) -> Option<Self> {
        Some(Self { menu: None, weight, prose: false, title: title.into() })
    }

    /// Of a page in a menu.
    pub(super) fn under(menu: Menu, weight: i64, title: &str) -> Option<Self> {
        Some(Self { menu: Some(menu), weight, prose: false, title: title.into() })
    }

    /// Of a page of prose.
    pub(super) fn of_prose(weight: i64, title: &str) -> Option<Self> {
        Some(Self { menu: Some(Menu::More), weight, prose: true, title: title.into() })
    }
}

/// An item of the bar as templates see it: a link, or a menu of links.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    title: String,
    /// The page; none of a menu.
    href: Option<String>,
    /// Whether the page at hand is this one, or below it, or in this menu.
    current: bool,
    /// Pages of a menu.
    links: Vec<Link>,
}

/// The bar.
#[derive(Debug)]
pub(super) struct Navigation(Vec<Item>);

impl Navigation {
    /// Of pages with their paths, in the order of the kinds.
    pub(super) fn new(mut entries: Vec<(Entry, String)>) -> Self {
        entries.sort_by_key(|(entry, _)| (entry.weight, entry.prose));
        let links = |of: Option<Menu>| {
            let own = entries.iter().filter(move |(entry, _)| entry.menu == of);
            own.map(|(entry, path)| (entry.weight, Link::new(&entry.title, path)))
        };
        let mut items: Vec<(i64, Item)> = links(None)
            .map(|(weight, Link { title, href, current })| {
                (weight, Item { title, href: Some(href), current, links: Vec::new() })
            })
            .collect();
        for menu in [Menu::Networks, Menu::More] {
            let links: Vec<Link> = links(Some(menu)).map(|(_, link)| link).collect();
            if !links.is_empty() {
                let title = menu.title().into();
                items.push((menu.weight(), Item { title, href: None, current: false, links }));
            }
        }
        items.sort_by_key(|(weight, _)| *weight);
        Self(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Every page of it, in the order of the bar.
    pub(super) fn pages(&self) -> impl Iterator<Item = Link> {
        self.0.iter().flat_map(|item| {
            let own = item.href.iter().map(|href| Link::new(&item.title, href));
            own.chain(item.links.iter().cloned())
        })
    }

    /// As the page at a path shows it.
    pub(super) fn at(&self, path: &str) -> Vec<Item> {
        let is_current = |href: &str| {
            // An entry is current on all pages of its folder: a network's on those of its layers and units.
            let folder = href.trim_end_matches("index.html");
            href == path || (!folder.is_empty() && path.starts_with(folder))
        };
        let at = |item: &Item| {
            let mut item = item.clone();
            for link in &mut item.links {
                link.current = is_current(&link.href);
            }
            let within = item.links.iter().any(|link| link.current);
            item.current = within || item.href.as_deref().is_some_and(is_current);
            item
        };
        self.0.iter().map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn navigation() -> Navigation {
        let entry = |entry: Option<Entry>, path: &str| (entry.unwrap(), path.to_owned());
        Navigation::new(vec![
            entry(Entry::new(0, "Atlas"), "index.html"),
            entry(Entry::under(Menu::More, 90, "Cite"), "cite/index.html"),
            entry(Entry::of_prose(50, "About"), "about/index.html"),
            entry(Entry::new(20, "BI-RADS table"), "birads/index.html"),
            entry(Entry::under(Menu::Networks, 10, "vgg16"), "networks/vgg16/index.html"),
            entry(Entry::under(Menu::Networks, 15, "Performance"), "performance/index.html"),
            entry(Entry::under(Menu::Networks, 10, "alexnet"), "networks/alexnet/index.html"),
        ])
    }

    #[test]
    fn pages_stand_where_they_say() {
        let navigation = navigation();
        let titles: Vec<&str> = navigation.0.iter().map(|item| item.title.as_str()).collect();
        assert_eq!(titles, ["Atlas", "Networks", "BI-RADS table", "More"]);
        let pages: Vec<String> = navigation.pages().map(|page| page.title).collect();
        let all = ["Atlas", "vgg16", "alexnet", "Performance", "BI-RADS table", "About", "Cite"];
        assert_eq!(pages, all);
    }

    #[test]
    fn a_menu_is_current_with_a_page_in_it() {
        let current = |path: &str| -> Vec<String> {
            let items = navigation().at(path).into_iter().filter(|item| item.current);
            let words = items.map(|item| {
                let links = item.links.iter().filter(|link| link.current);
                let links: Vec<&str> = links.map(|link| link.title.as_str()).collect();
                format!("{}: {}", item.title, links.join(" "))
            });
            words.collect()
        };
        assert_eq!(current("networks/vgg16/conv5_3/0001/index.html"), ["Networks: vgg16"]);
        assert_eq!(current("about/index.html"), ["More: About"]);
        assert_eq!(current("index.html"), ["Atlas: "]);
        assert_eq!(current("mammograms/a/index.html"), [""; 0]);
    }
}
