// The search, opened by its button, `/` or Ctrl+K: what is found of the site, and what can be done on the page. What
// is searched is loaded on first use.
(() => {
  'use strict';
  const { element, make, counted, taken, words } = unitAtlas.page;
  const { searchIndex, commands } = unitAtlas;
  const MOST = 40;
  // Commands come after what is found as well.
  const COMMAND = 5;
  const button = element('atlas-search');
  if (!button || !window.HTMLDialogElement) return;
  const input = make('input', {
    type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'unit, label, term, finding, mammogram, any words'
  });
  const close = make('button', { type: 'button', class: 'quiet' }, 'Close');
  const status = make('output', { class: 'search-status', 'aria-live': 'polite' });
  const list = make('ul', { class: 'search-results' });
  let dialog = null;
  // What the site has, once it is loaded; and that with the commands of the page as it was when this was opened.
  let site = null;
  let entries = null;
  let everything = [];
  let offered = [];

  const stops = () => [input, ...list.querySelectorAll('li > :first-child')];

  function shut() {
    // Else a key that follows at once is still taken for one that is typed here.
    input.blur();
    dialog.close();
  }

  function build() {
    dialog = make('dialog', { class: 'search', 'aria-label': 'Search' },
      make('div', { class: 'search-bar' }, make('label', {}, 'Search ', input), close), status, list);
    document.body.append(dialog);
    close.addEventListener('click', shut);
    input.addEventListener('input', show);
    input.addEventListener('keydown', event => {
      const first = stops()[1];
      if (event.key !== 'Enter' || !first || event.isComposing) return;
      event.preventDefault();
      first.click();
    });
    dialog.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        // At once: a search field would have itself emptied first. Nothing behind is to hear of it.
        event.preventDefault();
        event.stopPropagation();
        shut();
        return;
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = stops();
      const next = all[all.indexOf(document.activeElement) + step];
      if (next) next.focus();
    });
    // A click beside it.
    dialog.addEventListener('click', event => { if (event.target === dialog) shut(); });
    list.addEventListener('click', event => { if (event.target.closest('a')) shut(); });
  }

  const marked = pieces => pieces.map(([text, hit]) => (hit ? make('mark', {}, text) : text));

  function found(hit) {
    const { entry } = hit;
    const passage = searchIndex.passage(hit);
    const pin = entry.kind === 'unit' ? [unitAtlas.tray.pin(entry.title)] : [];
    return make('li', {}, make('a', { href: unitAtlas.link(searchIndex.place(hit)) },
      make('span', { class: 'search-title' }, ...marked(searchIndex.pieces(entry.title, hit.words))), ' ',
      make('span', { class: 'faint' }, ...marked(searchIndex.pieces(entry.note, hit.words))), ' ',
      make('span', { class: 'search-kind' }, entry.kind),
      ...(passage ? [' ', make('span', { class: 'search-passage' }, ...marked(passage))] : [])), ...pin);
  }

  function command(entry) {
    const act = make('button', { type: 'button' }, make('span', { class: 'search-title' }, entry.title), ' ',
      make('span', { class: 'search-kind' }, 'command'));
    act.addEventListener('click', () => {
      const { run } = entry;
      // One that takes a word to say stays open for it.
      if (run.length) run(said => { status.textContent = said; });
      else {
        shut();
        run();
      }
    });
    return make('li', {}, act);
  }

  function show() {
    const asked = words(input.value);
    const hits = searchIndex.search(site, everything, input.value);
    if (!asked.length) status.textContent = offered.length ? 'On this page' : '';
    else if (!entries) status.textContent = 'Loading …';
    else if (!hits.length) status.textContent = 'Nothing found.';
    else if (hits.length > MOST) status.textContent = `The first ${MOST} of ${hits.length}`;
    else status.textContent = counted(hits.length, 'result', 'results');
    list.replaceChildren(...(asked.length ? hits.slice(0, MOST).map(hit => (hit.entry.run ? command(hit.entry) : found(hit)))
      : offered.map(command)));
  }

  function gather() {
    everything = [...(entries || []), ...offered];
    show();
  }

  function open() {
    if (!dialog) build();
    if (dialog.open) return;
    if (document.querySelector('dialog[open]')) return;
    offered = commands.all().map(one => ({ ...searchIndex.item('command', COMMAND, one), run: one.run }));
    dialog.showModal();
    input.focus();
    input.select();
    gather();
    if (entries) return;
    unitAtlas.load('data/search.js', data => {
      if (!data) {
        status.textContent = 'What is searched could not be loaded.';
        return;
      }
      site = data;
      entries = searchIndex.entries(data);
      gather();
    });
  }

  button.addEventListener('click', open);
  document.addEventListener('keydown', event => {
    const slash = event.key === '/' && !taken(event);
    // As in many programs; in a field too.
    const palette = event.key.toLowerCase() === 'k' && (event.ctrlKey !== event.metaKey) && !event.altKey && !event.shiftKey;
    if (!slash && !palette) return;
    event.preventDefault();
    open();
  });
})();
