// The whole mammogram behind a patch: shown while the patch is pointed at or has the focus, kept by a
// click or tap, put away by Escape. Its outlines (`MammogramView`) are loaded on first use.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const body = document.querySelector('.patches-body');
  const panel = element('atlas-context');
  if (!body || !panel) return;
  const hint = panel.firstElementChild.cloneNode(true);
  let shown = null;
  let kept = null;

  function picture(mammogram, place) {
    const film = unitAtlas.page.film(mammogram, mammogram.alt, place);
    film.dataset.mammogram = mammogram.id;
    return film;
  }

  function lesionLine(lesion) {
    const { pathology, finding } = lesion;
    const line = make('p', { class: 'lesion-line' },
      make('span', { class: `key ${pathology}`, 'aria-hidden': 'true' }), ` ${pathology}${finding && `: ${finding}`}`);
    if (lesion.source_words) line.append(make('span', { class: 'faint' }, ` (“${lesion.source_words}”)`));
    if (!lesion.paths.length) line.append(' (position not given)');
    return line;
  }

  function caption(patch, mammogram) {
    const words = name => (patch.querySelector(name) || { textContent: '' }).textContent;
    const rank = rankOf(patch);
    const lines = [
      make('p', { class: 'context-patch' }, `Patch${rank && ` ${rank}`}: ${words('.truth')}, score ${words('.number')}`),
      make('p', {}, `${mammogram.view ? `${mammogram.view}, ` : ''}mammogram `,
        make('a', { href: unitAtlas.link(mammogram.href) }, mammogram.id)),
      ...mammogram.lesions.map(lesionLine)
    ];
    if (!mammogram.lesions.length) lines.push(make('p', {}, 'No lesion annotated.'));
    if (mammogram.facts.length) {
      lines.push(make('p', { class: 'faint' }, mammogram.facts.map(fact => `${fact.name}: ${fact.value}`).join('; ')));
    }
    const src = patch.querySelector('img').getAttribute('src');
    lines.push(make('p', {}, make('button', { type: 'button', class: 'quiet', 'data-viewer': '' }, 'Open in the viewer'), ' ',
      make('a', { href: src, download: '' }, 'Save the patch')));
    return make('figcaption', {}, ...lines);
  }

  function figure(patch, place, mammogram) {
    const close = make('button', { type: 'button', class: 'context-close' }, 'Close');
    close.addEventListener('click', () => {
      const back = shown;
      putAway();
      if (back) back.focus();
      putAway();
    });
    return make('figure', {}, close,
      mammogram.preview ? picture(mammogram, place)
        : make('p', { class: 'context-hint' }, 'The data set has only patches of this mammogram.'),
      caption(patch, mammogram));
  }

  function show(patch) {
    if (patch === shown) return;
    const place = unitAtlas.patch.placeOf(patch.getAttribute('href'));
    if (!place) return;
    clear();
    shown = patch;
    patch.classList.add('shown');
    unitAtlas.load(`mammograms/${place.mammogram}/outlines.js`, mammogram => {
      // The reader may have moved on while it was loaded.
      if (!mammogram || shown !== patch) return;
      panel.replaceChildren(figure(patch, place, mammogram));
      panel.classList.add('open');
    });
  }

  function clear() {
    if (shown) shown.classList.remove('shown');
    shown = null;
  }

  const rankOf = patch => (patch.querySelector('.rank') || { textContent: '' }).textContent;

  function release() {
    if (!kept) return;
    kept.classList.remove('kept');
    kept = null;
    unitAtlas.asked.set('patch', null);
  }

  // Shows it until another is chosen, or it is put away; a link to the page then shows it too.
  function keep(patch) {
    release();
    show(patch);
    kept = patch;
    patch.classList.add('kept');
    unitAtlas.asked.set('patch', rankOf(patch) || null);
  }

  function putAway() {
    clear();
    release();
    panel.replaceChildren(hint.cloneNode(true));
    panel.classList.remove('open');
  }

  const patchOf = event => event.target.closest('.patch');

  body.addEventListener('pointerover', event => {
    const patch = patchOf(event);
    // A finger does not hover: it taps.
    if (patch && !kept && event.pointerType !== 'touch') show(patch);
  });
  body.addEventListener('focusin', event => {
    const patch = patchOf(event);
    if (patch && !kept) show(patch);
  });
  body.addEventListener('click', event => {
    const patch = patchOf(event);
    if (!patch || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    // The second click of two, which open the viewer, undoes nothing.
    if (event.detail > 1) return;
    if (kept === patch) putAway();
    else keep(patch);
  });
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) putAway();
  });
  // A link to one patch; else, where the panel has a place of its own, it begins with the best.
  function linked() {
    const asked = Number(unitAtlas.asked.get('patch'));
    const patch = asked > 0 && document.querySelectorAll('#atlas-patches .patch')[asked - 1];
    if (!patch) return false;
    keep(patch);
    patch.scrollIntoView({ block: 'nearest' });
    return true;
  }
  window.addEventListener('hashchange', linked);
  if (!linked() && window.matchMedia('(min-width: 60.01rem)').matches) {
    const best = body.querySelector('.patch');
    if (best) show(best);
  }
})();
