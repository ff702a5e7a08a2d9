// A glance at what a link leads to: a unit, a mammogram or a patch, while it is pointed at or has the focus.
(() => {
  'use strict';
  const { make, draw, unitNumber } = unitAtlas.page;
  const { patch } = unitAtlas;
  const WAIT = 250;
  const LINK = /networks\/([^/]+)\/([^/]+)\/(\d{4,})\/index\.html$|mammograms\/([^/]+)\/index\.html(#.*)?$/;
  let box = null;
  let link = null;
  let timer = 0;

  function away() {
    clearTimeout(timer);
    if (box) box.remove();
    if (link) link.removeAttribute('aria-describedby');
    box = link = null;
  }

  function picture(one, edge) {
    return make('span', { class: 'picture' },
      make('img', { src: unitAtlas.address(patch.src(one)), alt: '' }),
      draw('svg', { viewBox: `0 0 ${edge} ${edge}` },
        draw('path', { d: `M-9-9H${edge + 9}V${edge + 9}H-9Z${one.overlay}` })));
  }

  function unit(layer, number, data) {
    const at = Number(number) - 1;
    const found = data.units[at];
    if (!found) return null;
    const before = data.units.slice(0, at).reduce((sum, other) => sum + other.shown, 0);
    const patches = patch.rows(data.patches).slice(before, before + found.shown);
    return make('div', {},
      make('p', {}, make('strong', {}, found.label || 'no name')),
      make('span', { class: 'strip' }, ...patches.map(one => picture(one, data.edge))),
      make('p', {}, `${layer}/${unitNumber(Number(number))}; ${found.cancer} of ${found.of} patches with cancer`));
  }

  function mammogram(data, place) {
    if (!data.preview) return null;
    return make('div', {},
      make('p', {}, make('strong', {}, data.id), data.view ? ` ${data.view}` : ''),
      unitAtlas.page.film(data, '', place));
  }

  function show(of, content) {
    if (!content || link !== of) return;
    box = make('div', { class: 'glance', id: 'atlas-glance', role: 'tooltip' }, content);
    document.body.append(box);
    of.setAttribute('aria-describedby', 'atlas-glance');
    // Below the link, or above where there is more room; never beyond the window.
    const at = of.getBoundingClientRect();
    const [width, height] = [box.offsetWidth, box.offsetHeight];
    const below = at.bottom + 8 + height < window.innerHeight || at.top < height + 8;
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8));
    box.style.left = `${left + window.scrollX}px`;
    box.style.top = `${(below ? at.bottom + 8 : at.top - height - 8) + window.scrollY}px`;
  }

  function look(of) {
    if (of === link) return;
    away();
    const href = of.getAttribute('href');
    const found = LINK.exec(href);
    // What shows its pictures needs no glance, but for the small ones of a contact sheet; neither does a link to
    // where one is.
    const shown = of.closest('.patch, .strip, .unit-row, .unit-card, .context, dialog, svg') && !of.closest('[data-size="small"]');
    if (!found || shown || of.pathname === location.pathname) return;
    const [, network, layer, number, id] = found;
    link = of;
    timer = setTimeout(() => {
      if (id) unitAtlas.load(`mammograms/${id}/outlines.js`, data => show(of, data && mammogram(data, patch.placeOf(href))));
      else {
        unitAtlas.load(`networks/${network}/${layer}/units.js`, data =>
          show(of, data && unit(`${network}/${layer}`, number, data)));
      }
    }, WAIT);
  }

  document.addEventListener('pointerover', event => {
    if (event.pointerType === 'touch') return;
    const of = event.target.closest('a[href]');
    if (of) look(of);
    // The pointer may rest on the glance itself.
    else if (box && !event.target.closest('.glance') && document.activeElement !== link) away();
  });
  document.addEventListener('focusin', event => {
    const of = event.target.closest('a[href]');
    if (of && of.matches(':focus-visible')) look(of);
    else away();
  });
  document.addEventListener('keydown', event => { if (event.key === 'Escape') away(); });
  document.addEventListener('click', away);
  window.addEventListener('pagehide', away);
})();
