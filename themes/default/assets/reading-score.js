// The controls of a score: a slider, the same as a typed number, and a BI-RADS category. Nothing is set until the
// reader sets it. `changed({ score, birads })` hears of every change; the score is null where none is set, or what is
// typed is none.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { CATEGORIES, score } = unitAtlas.reading;

  function controls(changed) {
    const slider = element('reading-slider');
    const number = element('reading-number');
    const group = element('reading-birads');
    const none = group.querySelector('button');
    const radios = CATEGORIES.map(name => make('input', { type: 'radio', name: 'birads', value: name }));
    none.before(...radios.map(radio => make('label', {}, radio, ` ${radio.value}`)));

    const chosen = () => (radios.find(radio => radio.checked) || { value: '' }).value;
    const value = () => ({ score: score(number.value), birads: chosen() });

    // The slider stands where the number says, and nowhere without one.
    function follow() {
      const typed = score(number.value);
      slider.classList.toggle('unset', typed === null);
      if (typed !== null) slider.value = typed;
      slider.setAttribute('aria-valuetext', typed === null ? 'not set' : String(typed));
      none.hidden = !chosen();
    }

    function show(given) {
      number.value = given.score === null ? '' : String(given.score);
      if (given.score === null) slider.value = slider.defaultValue;
      radios.forEach(radio => { radio.checked = radio.value === given.birads; });
      follow();
    }

    function tell() {
      follow();
      changed(value());
    }

    function slid() {
      number.value = slider.value;
      tell();
    }

    // A digit that was pressed elsewhere begins a number.
    function begin(digit) {
      number.focus();
      number.value = digit;
      number.setSelectionRange(1, 1);
      tell();
    }

    slider.addEventListener('input', slid);
    // Set where it stands, too.
    slider.addEventListener('click', slid);
    number.addEventListener('input', tell);
    group.addEventListener('change', tell);
    none.addEventListener('click', () => {
      radios.forEach(radio => { radio.checked = false; });
      radios[0].focus();
      tell();
    });

    return { show, value, begin, focus: () => number.focus(), focusCategory: () => (radios.find(radio => radio.checked) || radios[0]).focus() };
  }

  unitAtlas.reading.controls = controls;
})();
