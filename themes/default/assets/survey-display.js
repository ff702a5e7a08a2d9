// How the survey displays pictures: their size, brightness and the like, which leave overlays alone, and the look
// of overlays. `reset()` says that the reader wants all as it was.
(() => {
  'use strict';
  const { element } = unitAtlas.page;

  unitAtlas.survey.display = reset => {
    const sliders = Object.fromEntries(['brightness', 'contrast', 'size'].map(name => [name, element(`survey-${name}`)]));
    const invert = element('survey-invert');

    function apply() {
      const { style } = element('survey-unit');
      const inverted = invert.checked ? ' invert(1)' : '';
      style.setProperty('--survey-filter',
        `brightness(${sliders.brightness.value}) contrast(${sliders.contrast.value})${inverted}`);
      style.setProperty('--survey-size', `${sliders.size.value}rem`);
    }

    // Moves a slider by some of its steps.
    function slide(name, steps) {
      const slider = sliders[name];
      slider.value = Number(slider.value) + steps * Number(slider.step);
      apply();
    }

    Object.values(sliders).forEach(slider => slider.addEventListener('input', apply));
    invert.addEventListener('change', apply);
    element('survey-reset').addEventListener('click', () => {
      Object.values(sliders).forEach(slider => { slider.value = slider.defaultValue; });
      invert.checked = false;
      apply();
      reset();
    });
    element('survey-look').addEventListener('click', () => {
      const looks = ['dim', 'outline', 'none'];
      const next = looks[(looks.indexOf(document.documentElement.getAttribute('data-look')) + 1) % looks.length];
      const radio = document.querySelector(`.looks input[value="${next}"]`);
      if (radio) radio.click();
      element('survey-said').textContent = `Overlay: ${next === 'dim' ? 'outside dimmed' : next}`;
    });
    apply();
    return { slide };
  };
})();
