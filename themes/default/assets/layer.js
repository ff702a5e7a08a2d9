// A layer's page: its units filtered, sorted, and drawn as they come into sight, or as a map. What is asked for
// stands in the address after `#`, so that a view can be linked; who comes back finds the place that was left.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { layerUnits, layerCards, followed, kept, session } = unitAtlas;
  // How far below the window units are drawn, in pixels.
  const AHEAD = 1000;
  // Units drawn at a time, and how long a portion of them may take, in milliseconds.
  const STEP = 12;
  const BUDGET = 5;
  // Choices of how units are shown: not of which.
  const SHOWN = ['size', 'view', 'colour'];
  const SIZE_KEY = 'unit-atlas-units';
  const form = element('atlas-filter');
  const list = element('atlas-units');
  const template = element('atlas-unit');
  const path = Object.keys(window.unitAtlasData || {}).find(one => one.endsWith('/units.js'));
  if (!form || !list || !template || !path) return;
  const folder = path.replace(/units\.js$/, '');
  const count = element('atlas-count');
  const none = element('atlas-none');
  const sentinel = make('div');
  list.after(sentinel);

  const rows = layerUnits.rows(unitAtlas.data(path));
  // Units that are not live have no rank.
  const ranked = rows.filter(({ unit }) => unit.influence !== null).length;
  const card = layerCards.maker(template, folder, ranked);
  const names = Array.from(new Set(Array.from(form.elements, field => field.name))).filter(name => name && name !== 'look');
  // A group of radio buttons, too, has a value; which of them is the usual one, the page says.
  const usual = Object.fromEntries(names.filter(name => SHOWN.includes(name)).map(name => [name, form.elements[name].value]));
  const asked = () => Object.fromEntries(names.map(name => [name, form.elements[name].value]));
  const map = unitAtlas.unitMap ? unitAtlas.unitMap(rows, folder, open) : null;

  let wanted = rows;
  let drawn = 0;
  let size = 'small';
  let opened = null;

  // Draws further units, some at a time, until a condition holds.
  function draw(enough, step = STEP) {
    do {
      const next = wanted.slice(drawn, drawn + step);
      list.append(...next.map(row => card(row, size)));
      drawn += next.length;
    } while (drawn < wanted.length && !enough());
    sentinel.hidden = drawn >= wanted.length;
  }

  // About a window of them, unless that would keep a key press waiting.
  function portion() {
    const last = drawn + layerCards.SIZES[size].portion;
    const end = performance.now() + BUDGET;
    draw(() => drawn >= last || performance.now() > end);
  }

  // One portion does not fill every window: the next follows where the end of the list is near, which the
  // browser tells once it has laid out what is there, also when nothing is scrolled.
  const watcher = new IntersectionObserver(entries => {
    if (!entries[entries.length - 1].isIntersecting || drawn >= wanted.length || list.hidden) return;
    portion();
    watch();
    // Of this page, not of one that it is a frame of: there the margin would not count.
  }, { root: document, rootMargin: `0px 0px ${AHEAD}px 0px` });

  function watch() {
    watcher.unobserve(sentinel);
    watcher.observe(sentinel);
  }

  function show() {
    const now = asked();
    const mapped = Boolean(map) && now.view === 'map';
    wanted = layerUnits.wanted(rows, now);
    size = layerCards.SIZES[now.size] ? now.size : 'small';
    list.setAttribute('data-size', size);
    list.hidden = mapped;
    drawn = 0;
    list.replaceChildren();
    if (!mapped) portion();
    watch();
    count.textContent = wanted.length === rows.length ? `${rows.length} units` : `${wanted.length} of ${rows.length} units`;
    none.hidden = wanted.length > 0;
    if (map) map.show(mapped, wanted, now.colour);
  }

  // What stands in the address: choices that are the usual ones do not.
  const hash = () => layerUnits.written(Object.fromEntries(
    Object.entries(asked()).map(([name, value]) => [name, value === usual[name] ? '' : value])
  ));

  function write() {
    // The history gets no entry for each letter.
    try { history.replaceState(null, '', hash()); } catch { /* a page within a frame */ }
  }

  // Gives what the address asks for; null where it names a place of the page.
  function read() {
    const given = layerUnits.read(location.hash);
    if (!given) return null;
    names.forEach(name => {
      const field = form.elements[name];
      field.value = given[name] || usual[name] || '';
      // A choice that this layer does not have.
      if (field.selectedIndex === -1) field.value = '';
    });
    if (!given.size && layerCards.SIZES[kept.get(SIZE_KEY)]) form.elements.size.value = kept.get(SIZE_KEY);
    return given;
  }

  // The filters in words, as the page has them.
  function told() {
    return names.filter(name => !SHOWN.includes(name) && form.elements[name].value).map(name => {
      const field = form.elements[name];
      const chosen = field.selectedOptions ? field.selectedOptions[0].textContent : `“${field.value}”`;
      const label = field.labels[0].firstChild.textContent.trim().toLowerCase();
      return name === 'sort' ? `by ${chosen}` : `${label} ${chosen}`;
    }).join(', ');
  }

  // A unit is about to be opened: its page follows this list.
  function open(number) {
    opened = number;
    followed.keep({ folder, hash: hash(), words: told(), numbers: wanted.map(row => row.number), at: number });
  }

  function goTo(number) {
    const find = () => list.querySelector(`[data-unit="${number}"]`);
    draw(find);
    const item = find();
    if (!item) return;
    item.scrollIntoView({ block: 'center', behavior: 'instant' });
    item.querySelector('h2 a').focus({ preventScroll: true });
  }

  // The place that was left, where this is a return to it.
  function comeBack() {
    let left = null;
    try { left = JSON.parse(session.get(`unit-atlas-place/${folder}`)); } catch { /* not ours */ }
    if (!left || left.hash !== hash() || !followed.returned()) return;
    if (map && left.view) map.look(left.view);
    // As far as the window reached.
    if (!list.hidden) draw(() => list.getBoundingClientRect().bottom + window.scrollY >= left.top + window.innerHeight, 10 * STEP);
    window.scrollTo({ top: left.top, behavior: 'instant' });
    const item = left.opened && list.querySelector(`[data-unit="${left.opened}"] h2 a`);
    if (item) item.focus({ preventScroll: true });
  }

  list.addEventListener('click', event => {
    const item = event.target.closest('a') && event.target.closest('[data-unit]');
    if (item) open(item.getAttribute('data-unit'));
  });
  function changed({ target }) {
    if (target.name === 'look') return;
    if (target.name === 'size') kept.set(SIZE_KEY, target.value);
    show();
    write();
  }
  form.addEventListener('input', changed);
  // Fields of the form that stand elsewhere on the page.
  Array.from(form.elements).filter(field => !form.contains(field)).forEach(field => field.addEventListener('input', changed));
  form.addEventListener('reset', () => {
    const before = asked();
    // The fields are empty only after this event. How units are shown is not cleared.
    setTimeout(() => {
      SHOWN.filter(name => names.includes(name)).forEach(name => { form.elements[name].value = before[name]; });
      show();
      write();
    }, 0);
  });
  // On a phone the filters are folded, so that units are on the first screen.
  element('atlas-more').addEventListener('click', event => {
    event.currentTarget.setAttribute('aria-expanded', form.classList.toggle('unfolded'));
  });
  form.addEventListener('submit', event => event.preventDefault());
  window.addEventListener('hashchange', () => { if (read()) show(); });
  window.addEventListener('pagehide', () => {
    session.set(`unit-atlas-place/${folder}`, JSON.stringify({ hash: hash(), top: window.scrollY, opened, view: map && map.view() }));
  });
  // Paper cannot be scrolled: all that are asked for are on it, and what is folded. A map on it says little.
  window.addEventListener('beforeprint', () => {
    list.hidden = false;
    draw(() => false, 10 * STEP);
    document.querySelectorAll('main details').forEach(fold => { fold.open = true; });
  });
  window.addEventListener('afterprint', () => { list.hidden = Boolean(map) && asked().view === 'map'; });
  // The browser would scroll before there is anything to scroll to.
  history.scrollRestoration = 'manual';
  const given = read();
  show();
  if (given && given.at) goTo(given.at);
  else comeBack();
})();
