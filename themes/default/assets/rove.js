// Patches as one stop of the Tab key: arrows move among them, as they lie on the page.
(() => {
  'use strict';
  const body = document.querySelector('.patches-body');
  if (!body) return;
  const patches = Array.from(body.querySelectorAll('.patch'));
  let current = patches[0];
  if (!current) return;
  patches.forEach(patch => { patch.tabIndex = patch === current ? 0 : -1; });

  // The nearest in the next row above or below; null past the last.
  function across(from, down) {
    const here = from.getBoundingClientRect();
    let best = null;
    patches.forEach(patch => {
      const there = patch.getBoundingClientRect();
      const rows = down ? there.top - here.bottom : here.top - there.bottom;
      if (rows < 0) return;
      const far = rows * 100 + Math.abs(there.left - here.left);
      if (!best || far < best.far) best = { patch, far };
    });
    return best && best.patch;
  }

  function target(key, from) {
    const at = patches.indexOf(from);
    switch (key) {
      case 'ArrowRight': return patches[at + 1];
      case 'ArrowLeft': return patches[at - 1];
      case 'ArrowDown': return across(from, true);
      case 'ArrowUp': return across(from, false);
      case 'Home': return patches[0];
      case 'End': return patches[patches.length - 1];
      default: return undefined;
    }
  }

  const KEYS = ['ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp', 'Home', 'End'];
  body.addEventListener('keydown', event => {
    const from = event.target.closest('.patch');
    if (!from || !KEYS.includes(event.key) || unitAtlas.page.taken(event)) return;
    // Past the first or last too: the arrow leads to no other unit from here.
    event.preventDefault();
    const next = target(event.key, from);
    if (next) next.focus();
  });
  body.addEventListener('focusin', event => {
    const patch = event.target.closest('.patch');
    if (!patch) return;
    current.tabIndex = -1;
    current = patch;
    current.tabIndex = 0;
  });
})();
