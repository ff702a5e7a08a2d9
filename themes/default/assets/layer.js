// A layer's units: filtered, sorted, and drawn as they come into sight. What is asked for stands in the
// address after `#`, so that a view can be linked.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { layerUnits, patch } = unitAtlas;
  // As many units as are drawn at a time, and how far below the window they reach, in pixels.
  const CHUNK = 24;
  const AHEAD = 1500;
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
  const fields = Array.from(new Set(Array.from(form.querySelectorAll('[name]'), field => field.name)))
    .filter(name => name !== 'look').map(name => form.elements[name]);
  const asked = () => Object.fromEntries(fields.map(field => [field.name, field.value]));

  let wanted = [];
  let drawn = 0;

  function card({ unit, number, concept, patches }) {
    const item = template.content.firstElementChild.cloneNode(true);
    const href = unitAtlas.link(`${folder}${number}/index.html`);
    const find = selector => item.querySelector(selector);
    const link = find('h2 a');
    link.textContent = number;
    link.href = href;
    item.setAttribute('data-unit', number);
    const label = find('.unit-label');
    label.textContent = unit.label || 'no name';
    if (!unit.label) label.className = 'faint';
    find('.by').textContent = ['readers', 'consensus'].includes(unit.from) ? unit.from : '';
    const strip = find('.strip');
    strip.href = href;
    const model = strip.firstElementChild;
    patches.forEach(one => {
      patch.show(strip.appendChild(model.cloneNode(true)), patch.src(one), one.overlay);
    });
    model.remove();
    const iou = find('.iou');
    iou.textContent = concept ? `best match ${concept.name}, IoU ${unit.iou.toFixed(3)}` : '';
    iou.classList.toggle('strong', unit.detects);
    find('.score').textContent = `best score ${unit.score}`;
    find('.cancer').textContent = `${unit.cancer} of ${unit.of} patches with cancer`;
    find('.influence').textContent =
      unit.influence === null ? 'not live' : `influence rank ${unit.influence} of ${ranked}`;
    return item;
  }

  function more() {
    list.append(...wanted.slice(drawn, drawn + CHUNK).map(card));
    drawn = Math.min(drawn + CHUNK, wanted.length);
    sentinel.hidden = drawn >= wanted.length;
  }

  // One portion does not fill every window.
  function fill() {
    while (drawn < wanted.length && sentinel.getBoundingClientRect().top < window.innerHeight + AHEAD) more();
  }

  function show() {
    wanted = layerUnits.wanted(rows, asked());
    list.replaceChildren();
    drawn = 0;
    fill();
    count.textContent = wanted.length === rows.length ? `${rows.length} units` : `${wanted.length} of ${rows.length} units`;
    none.hidden = wanted.length > 0;
  }

  function write() {
    // The history gets no entry for each letter.
    try { history.replaceState(null, '', layerUnits.written(asked())); } catch { /* a page within a frame */ }
  }

  // Gives whether the address asks for a view, and not for a place of the page.
  function read() {
    const given = layerUnits.read(location.hash);
    if (!given) return false;
    fields.forEach(field => {
      field.value = given[field.name] || '';
      // A choice that this layer does not have.
      if (field.selectedIndex === -1) field.value = '';
    });
    return true;
  }

  form.addEventListener('input', event => {
    if (event.target.name === 'look') return;
    show();
    write();
  });
  form.addEventListener('reset', () => {
    // The fields are empty only after this event.
    setTimeout(() => {
      show();
      write();
    }, 0);
  });
  form.addEventListener('submit', event => event.preventDefault());
  window.addEventListener('hashchange', () => { if (read()) show(); });
  new IntersectionObserver(entries => {
    if (entries.some(entry => entry.isIntersecting)) fill();
  }, { rootMargin: `0px 0px ${AHEAD}px 0px` }).observe(sentinel);
  // Paper cannot be scrolled: all that are asked for are on it.
  window.addEventListener('beforeprint', () => { while (drawn < wanted.length) more(); });
  read();
  show();
})();
