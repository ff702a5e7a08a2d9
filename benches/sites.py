#!/usr/bin/env python3
"""Rendering all pages of an atlas of the paper's size, beside other site generators over as many pages of the
same size, in one run.

    cargo test --release --test suite scale:: -- --ignored    # makes the atlas in target/scale
    cargo install mdbook --root target/sites --no-default-features
    benches/sites.py [--rounds 3] [--mdbook FILE] [--hugo FILE]

Of an atlas the images are there, as they are after the first build; pages, tables and data for scripts are
written anew. The other generators get a chapter of plain paragraphs for each page, which is what they do best:
as many bytes of text as make their page as large as ours, no search index, no page of everything for print.
Rounds alternate; folders of output are new each time. Needs nothing but Python.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCALE = ROOT / "target" / "scale"
FOLDER = ROOT / "target" / "sites"
PROGRAM = ROOT / "target" / "release" / "unit-atlas"
WORDS = "the unit responds to patches with a spiculated mass in dense tissue where fine linear calcifications lie".split()


def timed(command, folder):
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def pages(site, pattern="*.html"):
    """Number and bytes of the pages below a folder."""
    sizes = [path.stat().st_size for path in site.rglob(pattern)]
    return len(sizes), sum(sizes)


def atlas():
    """All pages of the atlas, with its images in place."""
    site, aside, record = SCALE / "output/site", SCALE / "aside", SCALE / "output/work/site.json"
    known = json.loads(record.read_text())
    known["files"] = {path: file for path, file in known["files"].items() if path.endswith(".jpg")}
    known["stamp"] = None
    shutil.rmtree(aside, ignore_errors=True)
    site.rename(aside)
    for path in known["files"]:
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(aside / path, site / path)
    record.write_text(json.dumps(known))
    seconds = timed([PROGRAM, "-q", "build"], SCALE)
    return seconds, site


def chapter(number, size):
    """About `size` bytes of paragraphs; no two chapters are alike."""
    paragraphs, length, at = [], 0, number
    while length < size:
        words = [WORDS[(at * 7 + i * i + i) % len(WORDS)] for i in range(60)]
        paragraphs.append(" ".join(words))
        length += len(paragraphs[-1]) + 9
        at += 1
    return f"# Unit {number}\n\n" + "\n\n".join(paragraphs) + "\n"


class MdBook:
    name, pages = "mdBook", "unit-*.html"

    def __init__(self, program):
        self.program, self.folder, self.site = program, FOLDER / "book", FOLDER / "book/book"

    def write(self, count, size):
        shutil.rmtree(self.folder, ignore_errors=True)
        source = self.folder / "src"
        source.mkdir(parents=True)
        (self.folder / "book.toml").write_text('[book]\ntitle = "Atlas"\n[output.html.print]\nenable = false\n')
        for n in range(count):
            (source / f"unit-{n}.md").write_text(chapter(n, size))
        entries = "".join(f"- [Unit {n}](unit-{n}.md)\n" for n in range(count))
        (source / "SUMMARY.md").write_text("# Summary\n\n" + entries)

    def build(self):
        shutil.rmtree(self.site, ignore_errors=True)
        return timed([self.program, "build"], self.folder)


class Hugo:
    name, pages = "Hugo", "unit-*/index.html"
    LAYOUT = "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{{ .Title }}</title></head><body><main>{{ .Content }}</main></body></html>\n"

    def __init__(self, program):
        self.program, self.folder, self.site = program, FOLDER / "hugo", FOLDER / "hugo/public"

    def write(self, count, size):
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ["content", "layouts/_default"]:
            (self.folder / name).mkdir(parents=True)
        (self.folder / "hugo.toml").write_text('title = "Atlas"\ndisableKinds = ["taxonomy", "term", "RSS", "sitemap", "home"]\n')
        (self.folder / "layouts/_default/single.html").write_text(self.LAYOUT)
        for n in range(count):
            (self.folder / f"content/unit-{n}.md").write_text(f"---\ntitle: Unit {n}\n---\n" + chapter(n, size))

    def build(self):
        shutil.rmtree(self.site, ignore_errors=True)
        return timed([self.program], self.folder)


def fitted(generator, count, mean):
    """Writes chapters whose pages are `mean` bytes in the mean: what a page has around its text is measured."""
    generator.write(20, mean)
    generator.build()
    made, size = pages(generator.site, generator.pages)
    generator.write(count, max(500, mean - (size // made - mean)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--mdbook", type=Path, default=FOLDER / "bin/mdbook")
    arguments.add_argument("--hugo", type=Path, help="left out without it")
    options = arguments.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    others = [MdBook(options.mdbook)] + ([Hugo(options.hugo)] if options.hugo else [])
    _, site = atlas()
    count, size = pages(site)
    print(f"atlas: {count} pages, {size / count / 1e3:.1f} kB each, and what belongs to them")
    for other in others:
        fitted(other, count, size // count)
    seconds = {name: [] for name in ["unit-atlas"] + [other.name for other in others]}
    for _ in range(options.rounds):
        seconds["unit-atlas"].append(atlas()[0])
        for other in others:
            seconds[other.name].append(other.build())
    ours = statistics.median(seconds["unit-atlas"])
    for name, all_seconds in seconds.items():
        at = {other.name: (other.site, other.pages) for other in others}.get(name, (site, "*.html"))
        made, size = pages(*at)
        median = statistics.median(all_seconds)
        print(f"{name}: {median:.2f} s, {min(all_seconds):.2f} to {max(all_seconds):.2f}, {median / ours:.2f} of ours; {made} pages, {size / made / 1e3:.1f} kB each")


if __name__ == "__main__":
    main()
