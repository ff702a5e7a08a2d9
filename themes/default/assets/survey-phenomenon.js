// The controls of one phenomenon of a report: terms used before, terms chosen, a field to find others, the
// reader's words, and the association.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;

  // The view of the phenomenon with number `n`, titled `title`. `hooks`: `toggle(id)` for a term, `changed()` after
  // any other change, `focused()`, `find()` and `associate()` to go to the field of terms and to the association,
  // `done()` to go on from the unit, `remove()`, null where it must stay.
  function phenomenonView(study, phenomenon, n, { title, used, hooks }) {
    const view = element('survey-phenomenon').content.firstElementChild.cloneNode(true);
    const part = name => view.querySelector(`.survey-${name}`);
    const radios = Array.from(view.querySelectorAll('.survey-association input'));
    const isChosen = id => phenomenon.terms.includes(id);
    view.querySelector('legend').textContent = title;
    view.addEventListener('focusin', hooks.focused);

    // Terms used before keep their numbers for the whole survey.
    function quickButton(id, k) {
      const button = make('button', {
        class: 'quiet', type: 'button', 'data-term': id, 'aria-pressed': String(isChosen(id))
      }, study.termName(id), ' ', make('span', { class: 'survey-key', 'aria-hidden': 'true' }, String(k + 1)));
      button.addEventListener('click', () => hooks.toggle(id));
      return button;
    }

    function chip(id) {
      const remove = make('button', { type: 'button', 'aria-label': `Remove ${study.termName(id)}` }, '×');
      remove.addEventListener('click', () => takeOut(id));
      return make('li', {}, study.termName(id), ' ', remove);
    }

    function takeOut(id) {
      hooks.toggle(id);
      hooks.find();
    }

    part('quick').replaceChildren(...used.map(quickButton));
    part('quick').hidden = used.length === 0;
    part('chips').replaceChildren(...phenomenon.terms.map(chip));
    part('chips').hidden = phenomenon.terms.length === 0;

    const words = part('words');
    words.id = `survey-words-${n}`;
    part('words-label').htmlFor = words.id;
    words.value = phenomenon.description;
    words.addEventListener('input', () => {
      phenomenon.description = words.value;
      hooks.changed();
    });
    radios.forEach(radio => {
      radio.name = `association-${n}`;
      radio.checked = radio.value === phenomenon.association;
      radio.addEventListener('change', () => {
        phenomenon.association = radio.value;
        hooks.changed();
      });
    });
    part('remove').hidden = !hooks.remove;
    if (hooks.remove) part('remove').firstElementChild.addEventListener('click', hooks.remove);
    unitAtlas.survey.finder(study.groups, view, n, {
      chosen: ids => {
        ids.filter(id => !isChosen(id)).forEach(hooks.toggle);
        hooks.associate();
      },
      removed: () => { if (phenomenon.terms.length) takeOut(phenomenon.terms[phenomenon.terms.length - 1]); },
      done: hooks.done,
      left: () => element('survey-unit-title').focus({ preventScroll: true })
    });
    return view;
  }

  unitAtlas.survey.phenomenonView = phenomenonView;
})();
