// What the search offers to do besides finding: commands of the page at hand, each only where it makes sense. Other
// scripts add theirs.
(() => {
  'use strict';
  const { copy } = unitAtlas.page;
  const find = selector => document.querySelector(selector);
  // Each gives the commands that the page has now: `title`, `more` words to find it by, and `run`, which gives what
  // is said of it afterwards, by its argument, where it takes a while.
  const sources = [];

  const click = (selector, title, more) => () => {
    const target = find(selector);
    return target ? [{ title: title(target), more, run: () => target.click() }] : [];
  };

  // The address of the page, within a single file that of the page in it.
  const here = () => (window.unitAtlasAddress ? window.parent : window).location.href;

  sources.push(
    click('#atlas-theme', button => button.getAttribute('aria-label'), 'theme colours night day'),
    () => Array.from(document.querySelectorAll('.looks input'), radio => ({
      title: `Overlay: ${radio.parentElement.textContent.trim().toLowerCase()}`, more: 'look highlight mark', run: () => radio.click()
    })),
    click('a[rel="next"]', link => `Go to the next unit${number(link)}`, 'neighbour forward'),
    click('a[rel="prev"]', link => `Go to the previous unit${number(link)}`, 'neighbour back'),
    click('a[href*="cite/index.html#unit="]', () => 'Cite this unit', 'bibtex citation reference'),
    () => [{
      title: 'Copy the link to this page', more: 'address url share',
      run: say => { copy(here(), done => say(done ? 'The link is copied.' : 'The browser does not let it be copied.')); }
    }]
  );

  function number(link) {
    const found = /\d{4,}/.exec(link.textContent);
    return found ? `, ${found[0]}` : '';
  }

  unitAtlas.commands = {
    add: source => { sources.push(source); },
    all: () => sources.flatMap(source => source())
  };
})();
