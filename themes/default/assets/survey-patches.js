// A unit's pictures in the survey: its patches, the whole mammogram around the one that is pointed at, and
// how they are displayed. Knows nothing of readers and answers.
window.unitAtlasPatches = (function () {
  'use strict';
  const { element, make } = window.unitAtlasPage;
  const study = window.unitAtlasSurvey;
  const truth = patch => (patch.positive === undefined ? '' : patch.positive ? 'cancer' : 'no cancer');

  // A patch with its overlay, as the atlas draws it.
  function picture(patch, alt) {
    const span = make('span', 'picture');
    const img = make('img');
    img.src = '../' + patch.src;
    img.alt = alt;
    img.width = study.edge;
    img.height = study.edge;
    img.loading = 'lazy';
    img.decoding = 'async';
    const svg = drawing(study.edge, study.edge);
    const path = document.createElementNS(svg.namespaceURI, 'path');
    const far = study.edge + 9;
    path.setAttribute('d', 'M-9-9H' + far + 'V' + far + 'H-9Z' + patch.overlay);
    svg.append(path);
    span.append(img, svg);
    return span;
  }

  function drawing(width, height) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
    svg.setAttribute('aria-hidden', 'true');
    svg.setAttribute('focusable', 'false');
    return svg;
  }

  // ---- Units, each a script of its own

  const loaded = new Map();
  const waiting = new Map();
  window.unitAtlasUnit = data => {
    loaded.set(data.code, data);
    const wanted = waiting.get(data.code);
    waiting.delete(data.code);
    if (wanted) wanted.then(data);
  };

  // Calls `then` with a unit's pictures once they are there, or `failed`; without them it only fetches ahead.
  function load(code, then, failed) {
    if (loaded.has(code)) {
      if (then) then(loaded.get(code));
      return;
    }
    const asked = waiting.has(code);
    waiting.set(code, then ? { then, failed } : waiting.get(code) || null);
    if (asked) return;
    const script = make('script');
    script.src = 'units/' + code + '.js';
    script.onerror = () => {
      const wanted = waiting.get(code);
      waiting.delete(code);
      script.remove();
      if (wanted) wanted.failed();
    };
    document.head.append(script);
  }

  // ---- Patches, and where they lie

  let shownUnit = null;
  let pinned = -1;
  let zoom = 1;

  function clear() {
    shownUnit = null;
    closeContext();
    element('survey-grid').replaceChildren();
  }

  function showPatches(data) {
    shownUnit = data;
    const of = ' of ' + data.patches.length;
    element('survey-grid').replaceChildren(...data.patches.map((patch, i) => {
      const item = make('li');
      const button = make('button', 'survey-patch');
      button.type = 'button';
      button.tabIndex = i === 0 ? 0 : -1;
      button.append(picture(patch, 'Patch ' + (i + 1) + of));
      if (truth(patch)) button.append(make('span', 'survey-truth', patch.score + ', ' + truth(patch)));
      item.append(button);
      return item;
    }));
  }

  function patchOf(target) {
    const button = target.closest ? target.closest('.survey-patch') : null;
    return button ? Array.prototype.indexOf.call(element('survey-grid').children, button.parentNode) : -1;
  }

  function showContext(i) {
    const patch = shownUnit && shownUnit.patches[i];
    if (!patch) return;
    const grid = element('survey-grid');
    grid.querySelectorAll('.shown').forEach(node => node.classList.remove('shown'));
    grid.children[i].firstChild.classList.add('shown');
    const mammogram = shownUnit.mammograms[patch.mammogram];
    const context = element('survey-context');
    context.classList.add('open');
    context.dataset.patch = String(i);
    const words = element('survey-context-words');
    const film = element('survey-film');
    if (!mammogram.src) {
      words.textContent = 'Patch ' + (i + 1) + ': there is no whole mammogram to show, only its patches.';
      film.replaceChildren();
      return;
    }
    words.textContent = 'Patch ' + (i + 1) + (truth(patch) ? ' (' + truth(patch) + ')' : '') + ' in its mammogram';
    const [width, height] = mammogram.size;
    const frame = make('div', 'survey-mammogram');
    const img = make('img');
    img.src = '../' + mammogram.src;
    img.alt = 'Whole mammogram; a frame marks patch ' + (i + 1);
    img.width = width;
    img.height = height;
    const svg = drawing(width, height);
    const rect = document.createElementNS(svg.namespaceURI, 'rect');
    rect.setAttribute('class', 'window');
    ['x', 'y', 'width', 'height'].forEach((key, k) => rect.setAttribute(key, patch.box[Math.min(k, 2)]));
    svg.append(rect);
    frame.append(img, svg);
    film.replaceChildren(frame);
    fitFilm();
  }

  // The mammogram fits the film, or is so many times larger with the patch in the middle.
  function fitFilm() {
    const film = element('survey-film');
    const frame = film.firstChild;
    const i = Number(element('survey-context').dataset.patch);
    if (!frame || !shownUnit || !shownUnit.patches[i]) return;
    const patch = shownUnit.patches[i];
    const [width, height] = shownUnit.mammograms[patch.mammogram].size;
    const room = Math.max(240, window.innerHeight * (window.innerWidth < 960 ? 0.45 : 0.7));
    const fit = Math.min(film.clientWidth, room * width / height);
    film.style.maxHeight = Math.ceil(Math.min(room, fit * height / width * zoom)) + 'px';
    frame.style.width = Math.floor(fit * zoom) + 'px';
    const scale = fit * zoom / width;
    film.scrollLeft = (patch.box[0] + patch.box[2] / 2) * scale - film.clientWidth / 2;
    film.scrollTop = (patch.box[1] + patch.box[2] / 2) * scale - film.clientHeight / 2;
  }

  function closeContext() {
    const context = element('survey-context');
    context.classList.remove('open');
    delete context.dataset.patch;
    element('survey-film').replaceChildren();
    element('survey-context-words').textContent =
      'Point at a patch, or move to it with the Tab and arrow keys, to see where it lies.';
    element('survey-grid').querySelectorAll('.shown, .pinned').forEach(node => node.classList.remove('shown', 'pinned'));
    pinned = -1;
  }

  (function () {
    const grid = element('survey-grid');
    // Not `pointerover`, which a page that moves under a resting pointer sends too.
    grid.addEventListener('pointermove', event => {
      const i = patchOf(event.target);
      // A finger does not hover: it taps.
      if (i < 0 || pinned >= 0 || event.pointerType === 'touch') return;
      if (element('survey-context').dataset.patch !== String(i)) showContext(i);
    });
    grid.addEventListener('focusin', event => {
      const i = patchOf(event.target);
      grid.querySelectorAll('.survey-patch').forEach((button, k) => { button.tabIndex = k === i ? 0 : -1; });
      if (pinned < 0) showContext(i);
    });
    grid.addEventListener('click', event => {
      const i = patchOf(event.target);
      if (i < 0) return;
      const again = pinned === i;
      closeContext();
      if (again) return;
      showContext(i);
      pinned = i;
      grid.children[i].firstChild.classList.add('pinned');
    });
    grid.addEventListener('keydown', event => {
      const i = patchOf(event.target);
      if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      const tops = Array.from(grid.children, item => item.offsetTop);
      const columns = Math.max(1, tops.filter(top => top === tops[0]).length);
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
      const to = step === undefined ? null : grid.children[i + step];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      if (to) to.firstChild.focus();
    });
    element('survey-context-close').addEventListener('click', closeContext);
    element('survey-zoom').addEventListener('click', () => {
      zoom = zoom >= 4 ? 1 : zoom * 2;
      element('survey-zoom').textContent = 'Zoom ' + zoom + '×';
      fitFilm();
    });
    window.addEventListener('resize', fitFilm);
  }());

  // ---- Display: brightness and the like act on pictures alone, not on overlays.
  const display = { brightness: element('survey-brightness'), contrast: element('survey-contrast'), size: element('survey-size') };

  function applyDisplay() {
    const style = element('survey-unit').style;
    style.setProperty('--survey-filter', 'brightness(' + display.brightness.value + ') contrast(' +
      display.contrast.value + ')' + (element('survey-invert').checked ? ' invert(1)' : ''));
    style.setProperty('--survey-size', display.size.value + 'rem');
  }
  Object.values(display).forEach(input => input.addEventListener('input', applyDisplay));
  element('survey-invert').addEventListener('change', applyDisplay);
  element('survey-reset').addEventListener('click', () => {
    display.brightness.value = 1;
    display.contrast.value = 1;
    display.size.value = 7;
    element('survey-invert').checked = false;
    zoom = 1;
    element('survey-zoom').textContent = 'Zoom';
    applyDisplay();
    fitFilm();
  });
  element('survey-look').addEventListener('click', () => {
    const looks = ['dim', 'outline', 'none'];
    const next = looks[(looks.indexOf(document.documentElement.getAttribute('data-look')) + 1) % looks.length];
    const radio = document.querySelector('.looks input[value="' + next + '"]');
    if (radio) radio.click();
    element('survey-said').textContent = 'Overlay: ' +
      { dim: 'outside dimmed', outline: 'outline', none: 'none' }[next];
  });
  applyDisplay();

  function slide(input, steps) {
    input.value = Number(input.value) + steps * Number(input.step);
    applyDisplay();
  }

  return { picture, load, clear, show: showPatches, closeContext, display, slide };
}());
