// The page that shows units side by side: those of its address, else those that are pinned.
(() => {
  'use strict';
  const { element, make, copy } = unitAtlas.page;
  const { patch, pinned, tray, compared } = unitAtlas;
  // Patches of a unit, and of each in the table of the same patches.
  const PATCHES = 6;
  const EACH = 3;
  const LETTERS = 'ABCDEF';
  const list = element('atlas-compared');
  const model = element('atlas-compared-patch');
  if (!list || !model) return;
  const none = element('atlas-compared-none');
  const missing = element('atlas-compared-missing');
  const more = element('atlas-compared-more');
  const table = element('atlas-same');
  const command = element('atlas-compared-command');
  const copied = element('atlas-compared-link');
  let asked = [];
  // Names in the address that are not compared.
  let left = 0;

  function picture(one, overlay) {
    const drawn = model.content.firstElementChild.cloneNode(true);
    patch.show(drawn, patch.src(one), overlay ? one.overlay : '').alt = `From mammogram ${one.mammogram}`;
    return drawn;
  }

  const letter = at => make('span', { class: 'letter', 'aria-hidden': 'true' }, LETTERS[at]);
  const link = unit => make('a', { href: unitAtlas.link(`networks/${unit.name}/index.html`) }, unit.name);

  function pairs(rows) {
    return make('dl', { class: 'pairs' }, ...rows.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))));
  }

  const BY = { consensus: 'named by the authors', readers: 'named by readers', unrecognizable: 'to its readers', machine: 'named by a machine', automatic: 'named automatically' };

  function numbers(unit) {
    return pairs([
      [unit.detects ? 'Detects' : 'Best match', unit.concept ? `${unit.concept}, IoU ${unit.iou.toFixed(3)}` : 'none'],
      ['AUC for cancer', unit.auc === null ? '–' : unit.auc.toFixed(3)],
      ...(unit.ranked ? [['Influence rank', unit.influence === null ? 'not live' : `${unit.influence} of ${unit.ranked}`]] : []),
      ['With cancer', `${unit.cancer} of its top ${unit.of}`]
    ]);
  }

  function column(unit, at) {
    const off = make('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${unit.name}`, title: 'Remove' }, '×');
    off.addEventListener('click', () => remove(unit.name));
    const patches = patch.rows(unit.top).slice(0, PATCHES);
    return make('li', {},
      make('div', { class: 'compared-head' }, make('h2', {}, letter(at), ' ', link(unit)), off),
      make('p', { class: 'compared-name' }, unit.label || 'no name', ' ', make('span', { class: 'by' }, BY[unit.from] || '')),
      patches.length ? make('div', { class: 'compared-patches' }, ...patches.map(one =>
        make('a', { class: 'patch', href: unitAtlas.link(patch.href(one)) }, picture(one, true),
          make('span', { class: 'patch-line' }, make('span', { class: 'number' }, one.score), ' ',
            make('span', { class: one.cancer ? 'truth positive' : 'truth' }, one.cancer ? 'cancer' : 'no cancer')))))
        : make('p', { class: 'note' }, 'It has no top patches: it is not live.'),
      numbers(unit));
  }

  function cell(part) {
    const words = compared.words(part);
    const bar = make('span', { class: 'bar', 'aria-hidden': 'true' }, make('span'));
    bar.firstChild.style.width = `${compared.length(part).toFixed(1)}%`;
    return make('td', {}, make('div', { class: 'bar-line' }, bar, ' ', make('span', { class: 'number' }, words)));
  }

  function same(units) {
    const head = make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'Patch'), ...units.map((unit, at) =>
      make('th', { scope: 'col' }, letter(at), ' ', link(unit)))));
    const rows = compared.rows(units, EACH).map(row => make('tr', {},
      make('th', { scope: 'row' }, make('a', { class: 'patch', href: unitAtlas.link(patch.href(row.patch)) }, picture(row.patch, true),
        make('span', { class: 'patch-line' }, row.of.map(({ unit, rank }) => `${LETTERS[unit]} ${rank}`).join(', ')))),
      ...row.shares.map(cell)));
    table.replaceChildren(head, make('tbody', {}, ...rows));
  }

  function draw(units, absent) {
    const letters = units.map(unit => unit.name);
    list.replaceChildren(...units.map(column));
    none.hidden = asked.length > 0;
    const said = absent.length ? [`Not in this atlas: ${absent.join(', ')}.`] : [];
    if (left > 0) said.push(`${left} more in the address: at most ${pinned.MOST} are compared, each named as alexnet/conv5/0095.`);
    missing.hidden = !said.length;
    missing.textContent = said.join(' ');
    more.hidden = !units.length;
    if (!units.length) return;
    same(units);
    command.textContent = compared.command(letters);
    document.title = `${letters.join(', ')} – compared`;
    list.style.setProperty('--units', units.length);
  }

  function gather() {
    const wanted = asked;
    const found = new Map();
    const done = () => {
      // The reader may have asked for others meanwhile.
      if (wanted !== asked || found.size < wanted.length) return;
      const units = wanted.map(name => ({ name, ...found.get(name) })).filter(unit => unit.top);
      draw(units, wanted.filter(name => !found.get(name)));
    };
    wanted.forEach(name => unitAtlas.load(`networks/${name}/compare.js`, data => {
      found.set(name, data);
      done();
    }));
    if (!wanted.length) draw([], []);
  }

  // What is compared stands in the address, so that it can be kept and sent.
  function ask(units) {
    asked = units;
    try { history.replaceState(null, '', units.length ? pinned.written(units) : '#'); } catch { /* a page within a frame */ }
    gather();
  }

  function remove(name) {
    if (tray.units().includes(name)) tray.toggle(name);
    left = 0;
    ask(asked.filter(other => other !== name));
    element('atlas-main').focus();
  }

  const here = () => (window.unitAtlasAddress ? window.parent : window).location.href;
  copied.addEventListener('click', () => copy(here(), done => { copied.textContent = done ? 'Copied' : 'Copy it from the address'; }));
  element('atlas-compared-print').addEventListener('click', () => window.print());
  const read = () => {
    left = pinned.dropped(location.hash);
    ask(pinned.read(location.hash) || tray.units());
  };
  window.addEventListener('hashchange', read);
  read();
})();
