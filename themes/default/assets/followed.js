// The list of units that a reader follows: a layer's, as it was filtered and sorted when a unit of it was
// opened. A window keeps it, so that previous and next on the units' pages lead along it, and back to it.
(() => {
  'use strict';
  const KEY = 'unit-atlas-list';
  const { session } = unitAtlas;

  // Whether the page was come back to, or loaded again: as it was left.
  function returned() {
    const [entry] = performance.getEntriesByType('navigation');
    return Boolean(entry) && ['back_forward', 'reload'].includes(entry.type);
  }

  // Keeps a list: the folder of its layer, the end of its address, its filters in words, the numbers of its
  // units in order, the unit that is opened, and those that were opened along it before.
  function keep({ folder, hash, words, numbers, at, seen = [] }) {
    session.set(KEY, JSON.stringify({ folder, hash, words, numbers: numbers.join(' '), at, seen: Array.from(new Set([...seen, at])) }));
  }

  // The list that led to a unit, now or when it was opened before; null where none did.
  function of(folder, number, back = returned()) {
    let list = null;
    try { list = JSON.parse(session.get(KEY)); } catch { /* not ours */ }
    if (!list || list.folder !== folder || typeof list.numbers !== 'string') return null;
    const numbers = list.numbers.split(' ');
    const place = numbers.indexOf(number);
    if (place < 0 || !(list.at === number || (back && list.seen.includes(number)))) return null;
    return { ...list, numbers, place };
  }

  unitAtlas.followed = { keep, of, returned };
})();
