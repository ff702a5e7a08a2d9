// The keys of a page, shown by `?`. Scripts that listen to others add theirs.
(() => {
  'use strict';
  const { make, typing } = unitAtlas.page;
  // Keys, what they do, and whether they do it on this page.
  const rows = [
    [['/', 'Ctrl K'], 'search, and commands of the page', () => true],
    [['↑', '↓', 'Enter'], 'within the search: choose, and open', () => true],
    [['←', '→'], 'the neighbouring unit', () => document.querySelector('a[rel="next"], a[rel="prev"]')],
    [['←', '↑', '→', '↓'], 'from patch to patch, once one has the focus', () => document.querySelector('.patches-body')],
    [['Esc'], 'close what is open; put the mammogram away', () => true],
    [['?'], 'these keys', () => true]
  ];
  let dialog = null;

  function table() {
    return make('table', {}, make('tbody', {}, ...rows.filter(([, , here]) => here()).map(([keys, words]) => make('tr', {},
      make('th', { scope: 'row' }, ...keys.flatMap((key, at) => (at ? [' '] : []).concat(make('kbd', {}, key)))),
      make('td', {}, words)))));
  }

  function open() {
    if (!window.HTMLDialogElement || document.querySelector('dialog[open]')) return;
    if (!dialog) {
      dialog = make('dialog', { class: 'keys', 'aria-labelledby': 'atlas-keys' });
      document.body.append(dialog);
      dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
      dialog.addEventListener('keydown', event => {
        if (!['Escape', '?'].includes(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
        dialog.close();
      });
    }
    const close = make('button', { type: 'button', class: 'quiet' }, 'Close');
    close.addEventListener('click', () => dialog.close());
    dialog.replaceChildren(make('h2', { id: 'atlas-keys' }, 'Keys'), table(), close);
    dialog.showModal();
  }

  document.addEventListener('keydown', event => {
    // On most keyboards it takes Shift.
    if (event.key !== '?' || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    event.preventDefault();
    open();
  });
  unitAtlas.commands.add(() => [{ title: 'Show the keys', more: 'keyboard shortcuts help', run: () => open() }]);

  // Adds a key before the last two rows.
  unitAtlas.keys = { add: (keys, words, here) => { rows.splice(-2, 0, [keys, words, here]); } };
})();
