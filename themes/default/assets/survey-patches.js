// A unit's pictures in the survey: its patches, and the whole mammogram around the one that is pointed at.
// Knows nothing of readers and answers. Their data are `UnitPatches` in src/atlas/script.rs.
(() => {
  'use strict';
  const { element, make, draw } = unitAtlas.page;
  const { layout } = unitAtlas.survey;
  const truth = patch => (patch.positive === undefined ? '' : patch.positive ? 'cancer' : 'no cancer');

  // A patch with its overlay, as the atlas draws it.
  function picture(patch, alt) {
    const span = element('survey-picture').content.firstElementChild.cloneNode(true);
    unitAtlas.patch.show(span, patch.src, patch.overlay).alt = alt;
    return span;
  }

  // The pictures' own sizes: a mammogram's may be smaller than what its places are counted in.
  const sizes = new Map();

  function measured({ src }, then) {
    if (!src || sizes.has(src)) {
      then();
      return;
    }
    const img = make('img', { alt: '' });
    img.onload = img.onerror = () => {
      // What cannot be loaded is said by the viewer.
      sizes.set(src, [img.naturalWidth || 1, img.naturalHeight || 1]);
      then();
    };
    img.src = unitAtlas.address(src);
  }

  // Gives `then` a unit's pictures; null where they are not to be had.
  function load(code, then) {
    unitAtlas.load(`survey/units/${code}.js`, then);
  }

  function patches() {
    const grid = element('survey-grid');
    const context = element('survey-context');
    const film = element('survey-film');
    const buttons = () => Array.from(grid.children, item => item.firstChild);
    const beside = window.matchMedia('(min-width: 75.01rem)');
    // The open unit.
    let unit = null;
    let zoom = 1;

    function clear() {
      unit = null;
      closeContext();
      grid.replaceChildren();
    }

    function show(data) {
      unit = data;
      grid.replaceChildren(...data.patches.map((patch, i) => {
        const button = make('button', { class: 'survey-patch', type: 'button', tabindex: i === 0 ? 0 : -1 },
          picture(patch, `Patch ${i + 1} of ${data.patches.length}`));
        if (truth(patch)) button.append(make('span', { class: 'survey-truth' }, `${patch.score}, ${truth(patch)}`));
        return make('li', {}, button);
      }));
      // Where it has a place of its own and hides no patch.
      if (beside.matches) showContext(0);
    }

    const patchOf = target => buttons().indexOf(target.closest('.survey-patch'));

    function mammogramView(mammogram, patch, i) {
      const { width, height } = mammogram;
      return make('div', { class: 'survey-mammogram' },
        make('img', {
          src: unitAtlas.address(mammogram.src), alt: `Whole mammogram; a frame marks patch ${i + 1}`, width, height
        }),
        draw('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
          draw('rect', { class: 'window', x: patch.x, y: patch.y, width: patch.edge, height: patch.edge })));
    }

    function showContext(i) {
      const patch = unit && unit.patches[i];
      if (!patch) return;
      buttons().forEach((button, k) => button.classList.toggle('shown', k === i));
      const mammogram = unit.mammograms[patch.mammogram];
      context.classList.add('open');
      context.dataset.patch = String(i);
      const words = element('survey-context-words');
      if (!mammogram.src) {
        words.textContent = `Patch ${i + 1}: there is no whole mammogram to show, only its patches.`;
        film.replaceChildren();
        return;
      }
      words.textContent = `Patch ${i + 1}${truth(patch) ? ` (${truth(patch)})` : ''} in its mammogram`;
      film.replaceChildren(mammogramView(mammogram, patch, i));
      fitFilm();
    }

    function fitFilm() {
      const frame = film.firstChild;
      const patch = unit && unit.patches[Number(context.dataset.patch)];
      if (!frame || !patch) return;
      const height = layout.room({ width: window.innerWidth, height: window.innerHeight });
      const fit = layout.film(unit.mammograms[patch.mammogram], patch, { width: film.clientWidth, height }, zoom);
      film.style.maxHeight = `${fit.height}px`;
      frame.style.width = `${fit.width}px`;
      film.scrollLeft = fit.left - film.clientWidth / 2;
      film.scrollTop = fit.top - film.clientHeight / 2;
    }

    function setZoom(value, words) {
      zoom = value;
      element('survey-zoom').textContent = words;
      fitFilm();
    }

    function closeContext() {
      context.classList.remove('open');
      delete context.dataset.patch;
      film.replaceChildren();
      element('survey-context-words').textContent =
        'Point at a patch, or move to it with the Tab and arrow keys, to see where it lies; click to see it large.';
      buttons().forEach(button => button.classList.remove('shown'));
    }

    // A patch with its mammogram for the viewer, which hears of it no more than the survey says of it.
    function scene(shown, i, parts) {
      const patch = shown.patches[i];
      const mammogram = shown.mammograms[patch.mammogram];
      const title = `Patch ${i + 1}${truth(patch) && `: ${truth(patch)}, score ${patch.score}`}`;
      const pixels = Number(element('survey-picture').content.querySelector('img').getAttribute('width'));
      const seen = place => (patch.overlay ? [parts.region(patch.overlay, place, pixels)] : []);
      const alone = {
        title, alt: title, view: '', size: [pixels, pixels], pixels: [pixels, pixels], src: patch.src, tiles: null,
        marks: { overlay: seen({ x: 0, y: 0, edge: pixels }) }
      };
      const whole = {
        ...alone, alt: `${title} in its mammogram`, size: [mammogram.width, mammogram.height], micron: mammogram.micron, src: mammogram.src,
        pixels: sizes.get(mammogram.src), tiles: parts.usable(mammogram.tiles), marks: { overlay: [parts.frame(patch), ...seen(patch)] }
      };
      const focus = { x: patch.x, y: patch.y, width: patch.edge, height: patch.edge };
      return { pictures: [mammogram.src ? whole : alone], at: 0, focus: mammogram.src ? focus : null };
    }

    // Opens the viewer at a patch, from which it leads to the unit's others.
    function enlarge(i) {
      const shown = unit;
      const { length } = shown.patches;
      unitAtlas.viewer.open(parts => ({
        count: length, at: i, unit: 'patch', scene: (n, then) => measured(shown.mammograms[shown.patches[n].mammogram], () => then(scene(shown, n, parts)))
      }), buttons()[i]);
    }

    // Not `pointerover`, which a page that moves under a resting pointer sends too.
    grid.addEventListener('pointermove', event => {
      const i = patchOf(event.target);
      // A finger does not hover: it taps. Where the mammogram lies over the patches, it would hide what is pointed at.
      if (i < 0 || !beside.matches || event.pointerType === 'touch') return;
      if (context.dataset.patch !== String(i)) showContext(i);
    });
    grid.addEventListener('focusin', event => {
      const i = patchOf(event.target);
      buttons().forEach((button, k) => { button.tabIndex = k === i ? 0 : -1; });
      // There, only keys show it; a click or a touch does in the viewer.
      if (beside.matches || event.target.matches(':focus-visible')) showContext(i);
    });
    grid.addEventListener('click', event => {
      const i = patchOf(event.target);
      if (i >= 0) enlarge(i);
    });
    film.addEventListener('click', () => {
      if (context.dataset.patch) enlarge(Number(context.dataset.patch));
    });
    grid.addEventListener('keydown', event => {
      const i = patchOf(event.target);
      if (i < 0 || event.ctrlKey || event.metaKey || event.altKey || !event.key.startsWith('Arrow')) return;
      event.preventDefault();
      event.stopPropagation();
      const to = layout.neighbour(Array.from(grid.children, item => item.offsetTop), i, event.key);
      if (to !== null) buttons()[to].focus();
    });
    element('survey-context-close').addEventListener('click', closeContext);
    element('survey-zoom').addEventListener('click', () => {
      const next = zoom >= 4 ? 1 : zoom * 2;
      setZoom(next, `Zoom ${next}×`);
    });
    window.addEventListener('resize', fitFilm);

    // Of the patch that is looked at, or the first.
    function view() {
      if (unit && unit.patches.length) enlarge(Number(context.dataset.patch || 0));
    }

    return { clear, show, closeContext, view, count: () => grid.children.length, fit: () => setZoom(1, 'Zoom') };
  }

  Object.assign(unitAtlas.survey, { picture, load, patches });
})();
