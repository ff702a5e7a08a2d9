// Search, opened by its button or `/`. What is searched is loaded on first use.
(() => {
  'use strict';
  const { element, make, counted, taken, words } = unitAtlas.page;
  const MOST = 40;
  const button = element('atlas-search');
  if (!button || !window.HTMLDialogElement) return;
  const input = make('input', {
    type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'unit, label, term, mammogram, page'
  });
  const close = make('button', { type: 'button', class: 'quiet' }, 'Close');
  const status = make('output', { class: 'search-status', 'aria-live': 'polite' });
  const list = make('ul', { class: 'search-results' });
  let dialog = null;
  let entries = null;

  function build() {
    dialog = make('dialog', { class: 'search', 'aria-label': 'Search' },
      make('div', { class: 'search-bar' }, make('label', {}, 'Search ', input), close), status, list);
    document.body.append(dialog);
    close.addEventListener('click', () => dialog.close());
    input.addEventListener('input', show);
    input.addEventListener('keydown', event => {
      const first = list.querySelector('a');
      if (event.key !== 'Enter' || !first) return;
      event.preventDefault();
      first.click();
    });
    dialog.addEventListener('keydown', event => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const stops = [input, ...list.querySelectorAll('a')];
      const next = stops[stops.indexOf(document.activeElement) + step];
      if (next) next.focus();
    });
    // A click beside it.
    dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
    list.addEventListener('click', event => { if (event.target.closest('a')) dialog.close(); });
  }

  function result(entry, asked) {
    const passage = unitAtlas.searchIndex.passage(entry, asked);
    const quoted = passage && make('span', { class: 'search-passage' }, passage[0], make('mark', {}, passage[1]), passage[2]);
    return make('li', {}, make('a', { href: unitAtlas.link(entry.href) },
      make('span', { class: 'search-title' }, entry.title), ' ',
      make('span', { class: 'faint' }, entry.note), ' ',
      make('span', { class: 'search-kind' }, entry.kind), ...(quoted ? [' ', quoted] : [])));
  }

  function show() {
    list.replaceChildren();
    if (!entries) return;
    const asked = words(input.value);
    const found = unitAtlas.searchIndex.find(entries, asked);
    if (!asked.length) status.textContent = '';
    else if (!found.length) status.textContent = 'Nothing found.';
    else if (found.length > MOST) status.textContent = `The first ${MOST} of ${found.length}`;
    else status.textContent = counted(found.length, 'result', 'results');
    list.append(...found.slice(0, MOST).map(entry => result(entry, asked)));
  }

  function open() {
    if (!dialog) build();
    if (!dialog.open) dialog.showModal();
    input.focus();
    input.select();
    if (entries) return;
    status.textContent = 'Loading …';
    unitAtlas.load('data/search.js', data => {
      if (!data) {
        status.textContent = 'What is searched could not be loaded.';
        return;
      }
      entries = unitAtlas.searchIndex.entries(data);
      status.textContent = '';
      show();
    });
  }

  button.addEventListener('click', open);
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || taken(event)) return;
    event.preventDefault();
    open();
  });
})();
