// How the survey displays pictures: their size, brightness and the like, which leave overlays alone, and the look
// of overlays. The browser keeps what the reader chose. `reset()` says that the reader wants all as it was.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const KEPT = 'unit-atlas-survey-display';
  const NAMES = ['brightness', 'contrast', 'size'];

  // What was chosen before, by name of its control; empty where nothing was, or it cannot be read.
  function chosenBefore() {
    try {
      const found = JSON.parse(unitAtlas.kept.get(KEPT) || '{}');
      return found && typeof found === 'object' ? found : {};
    } catch {
      return {};
    }
  }

  unitAtlas.survey.display = reset => {
    const sliders = Object.fromEntries(NAMES.map(name => [name, element(`survey-${name}`)]));
    const invert = element('survey-invert');
    let chosen = {};

    function apply() {
      const { style } = element('survey-unit');
      const inverted = invert.checked ? ' invert(1)' : '';
      style.setProperty('--survey-filter',
        `brightness(${sliders.brightness.value}) contrast(${sliders.contrast.value})${inverted}`);
      style.setProperty('--survey-size', `${sliders.size.value}rem`);
    }

    // Puts the controls where the reader had them; the others where they were made.
    function restore() {
      NAMES.forEach(name => {
        const slider = sliders[name];
        slider.value = Number.isFinite(chosen[name]) ? chosen[name] : slider.defaultValue;
      });
      invert.checked = chosen.invert === true;
      apply();
    }

    function choose(name, value) {
      chosen = { ...chosen, [name]: value };
      unitAtlas.kept.set(KEPT, JSON.stringify(chosen));
      apply();
    }

    // Moves a slider by some of its steps.
    function slide(name, steps) {
      const slider = sliders[name];
      slider.value = Number(slider.value) + steps * Number(slider.step);
      choose(name, Number(slider.value));
    }

    // So many patches fill what of the window is free for them, unless the reader has chosen a size. On a small
    // screen one scrolls.
    function fill(count) {
      if (!count || Number.isFinite(chosen.size)) return;
      const grid = element('survey-grid');
      const rem = parseFloat(window.getComputedStyle(document.documentElement).fontSize);
      const top = grid.getBoundingClientRect().top + window.scrollY;
      const room = { width: grid.clientWidth, height: window.innerHeight - top - rem };
      const edge = unitAtlas.survey.layout.filling(count, room, parseFloat(window.getComputedStyle(grid).columnGap)) / rem;
      // Whole steps, none of which is too large.
      const step = Number(sliders.size.step);
      sliders.size.value = Math.max(Number(sliders.size.defaultValue), Math.floor(edge / step) * step);
      apply();
    }

    NAMES.forEach(name => sliders[name].addEventListener('input', () => choose(name, Number(sliders[name].value))));
    invert.addEventListener('change', () => choose('invert', invert.checked));
    element('survey-reset').addEventListener('click', () => {
      chosen = {};
      unitAtlas.kept.remove(KEPT);
      restore();
      reset();
    });
    element('survey-look').addEventListener('click', () => {
      const looks = ['dim', 'outline', 'none'];
      const next = looks[(looks.indexOf(document.documentElement.getAttribute('data-look')) + 1) % looks.length];
      const radio = document.querySelector(`.looks input[value="${next}"]`);
      if (radio) radio.click();
      element('survey-said').textContent = `Overlay: ${next === 'dim' ? 'outside dimmed' : next}`;
    });
    chosen = chosenBefore();
    restore();
    return { slide, fill };
  };
})();
