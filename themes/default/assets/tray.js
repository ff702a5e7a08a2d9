// Pinned units: buttons that pin, on any page; a tray at the foot of the window that shows what is pinned and leads
// to the comparison. Kept by the browser for this atlas, so that it outlasts pages.
(() => {
  'use strict';
  const { make, taken } = unitAtlas.page;
  const { kept, pinned } = unitAtlas;
  // The address of an atlas tells it from others of the same origin: all files of a disk are of one.
  const at = window.unitAtlasAddress ? window.parent.location.pathname : new URL(unitAtlas.link(''), location.href).pathname;
  const key = `unit-atlas-pinned ${at}`;
  const bar = make('aside', { class: 'tray', 'aria-label': 'Pinned units', hidden: '' });
  const list = make('ul');
  const said = make('p', { class: 'tray-said', role: 'status' });
  const compare = make('a', { class: 'tray-compare' });
  const clear = make('button', { type: 'button', class: 'quiet' }, 'Clear');
  // Also where nothing can be kept, as long as the page lasts.
  let units = pinned.kept(kept.get(key));

  const href = () => `${unitAtlas.link('compare/index.html')}${pinned.written(units)}`;

  // The unit of a button: its own, or that of the card it stands on.
  function unitOf(button) {
    const own = button.getAttribute('data-pin');
    if (own) return own;
    const link = button.closest('li, article, header').querySelector('a[href*="networks/"]');
    return link && pinned.unitOf(link.getAttribute('href'));
  }

  function mark(button) {
    const unit = unitOf(button);
    if (!unit) return;
    button.setAttribute('aria-pressed', String(units.includes(unit)));
    button.setAttribute('aria-label', `Pin ${unit}`);
  }

  function show() {
    document.querySelectorAll('[data-pin]').forEach(mark);
    list.replaceChildren(...units.map(unit => {
      const off = make('button', { type: 'button', 'aria-label': `Unpin ${unit}` }, '×');
      off.addEventListener('click', () => toggle(unit));
      return make('li', {}, make('a', { href: unitAtlas.link(`networks/${unit}/index.html`) }, unit), off);
    }));
    compare.textContent = units.length > 1 ? `Compare ${units.length} units` : 'Compare';
    compare.setAttribute('href', href());
    bar.hidden = !units.length;
    document.documentElement.toggleAttribute('data-tray', units.length > 0);
  }

  function set(next, words) {
    units = next;
    kept.set(key, JSON.stringify(units));
    show();
    said.textContent = words;
  }

  function toggle(unit) {
    const next = pinned.toggled(units, unit);
    if (!next) said.textContent = `${pinned.MOST} are pinned: unpin one first.`;
    else set(next, `${next.includes(unit) ? 'Pinned' : 'Unpinned'}: ${next.length} of ${pinned.MOST}.`);
  }

  bar.append(list, said, compare, clear);
  document.body.append(bar);
  clear.addEventListener('click', () => set([], 'Nothing is pinned.'));
  document.addEventListener('click', event => {
    const button = event.target.closest && event.target.closest('[data-pin]');
    const unit = button && unitOf(button);
    if (unit) toggle(unit);
  });
  // Another window pinned something, or this page was gone back to.
  const again = () => {
    units = pinned.kept(kept.get(key));
    show();
  };
  window.addEventListener('storage', event => { if (event.key === key) again(); });
  window.addEventListener('pageshow', event => { if (event.persisted) again(); });
  // Cards that come later.
  const cards = document.getElementById('atlas-units');
  if (cards) {
    new window.MutationObserver(changes => {
      changes.forEach(({ addedNodes }) => addedNodes.forEach(node => {
        if (node.querySelectorAll) node.querySelectorAll('[data-pin]').forEach(mark);
      }));
    }).observe(cards, { childList: true });
  }

  // The unit of the page, where it is one's page.
  const own = document.querySelector('body.unit [data-pin]:not([data-pin=""])');
  if (own) {
    document.addEventListener('keydown', event => {
      if (event.key !== 'p' || taken(event)) return;
      event.preventDefault();
      own.click();
    });
    unitAtlas.keys.add(['p'], 'pin the unit, to compare it with others', () => true);
  }
  unitAtlas.commands.add(() => {
    const offered = [];
    if (own) {
      const isPinned = units.includes(unitOf(own));
      offered.push({ title: isPinned ? 'Unpin this unit' : 'Pin this unit', more: 'compare keep tray', run: () => own.click() });
    }
    if (units.length && !document.body.classList.contains('compare')) {
      offered.push({ title: `Compare the pinned units: ${units.length}`, more: 'tray side', run: () => compare.click() });
      offered.push({ title: 'Unpin all units', more: 'clear tray', run: () => clear.click() });
    }
    return offered;
  });

  unitAtlas.tray = {
    units: () => units,
    toggle,
    // A button that pins a unit.
    pin: unit => {
      const button = make('button', { type: 'button', class: 'quiet', 'data-pin': unit }, 'Pin');
      mark(button);
      return button;
    }
  };
  show();
})();
