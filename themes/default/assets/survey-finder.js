// Type to find a term of the lexicon: a combobox with a list in groups.
(() => {
  'use strict';
  const { make } = unitAtlas.page;

  // Makes a field of the page find terms of `groups`: `chosen(ids)` for each choice that is taken, `removed()` for
  // Backspace in the empty field, `done()` for Enter in it, `left()` for Escape.
  function finder(groups, view, n, { chosen, removed, done, left }) {
    const input = view.querySelector('.survey-find-input');
    const list = view.querySelector('.survey-list');
    const label = view.querySelector('.survey-find-label');
    input.id = `survey-find-${n}`;
    label.htmlFor = input.id;
    list.id = `survey-list-${n}`;
    input.setAttribute('aria-controls', list.id);
    let options = [];
    let active = -1;

    function optionOf(term) {
      const option = make('div', {
        class: 'survey-option', role: 'option', id: `${list.id}-${term.id}`, 'aria-selected': 'false'
      }, make('span', { class: 'survey-term' }, term.name), ' ', make('span', { class: 'survey-gloss' }, term.gloss));
      option.addEventListener('mousedown', event => event.preventDefault());
      const ids = term.ids || [term.id];
      option.addEventListener('click', () => chosen(ids));
      options.push({ option, ids });
      return option;
    }

    function open() {
      options = [];
      list.replaceChildren(...unitAtlas.survey.matching(groups, input.value).map((group, g) => {
        const id = `${list.id}-${g}`;
        return make('div', { role: 'group', 'aria-labelledby': id },
          make('p', { class: 'survey-group', id }, group.category), ...group.terms.map(optionOf));
      }));
      if (!options.length) list.append(make('p', { class: 'survey-group' }, 'No such term: use your own words.'));
      list.hidden = false;
      input.setAttribute('aria-expanded', 'true');
      activate(options.length && input.value.trim() ? 0 : -1);
    }

    function close() {
      list.hidden = true;
      input.setAttribute('aria-expanded', 'false');
      input.removeAttribute('aria-activedescendant');
      active = -1;
    }

    function activate(i) {
      if (options[active]) options[active].option.setAttribute('aria-selected', 'false');
      active = i;
      if (!options[i]) {
        input.removeAttribute('aria-activedescendant');
        return;
      }
      const { option } = options[i];
      option.setAttribute('aria-selected', 'true');
      option.scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', option.id);
    }

    // The option below or above the active one, round and round.
    function step(by) {
      if (list.hidden) open();
      const from = active < 0 && by < 0 ? 0 : active;
      if (options.length) activate((from + by + options.length) % options.length);
    }

    input.addEventListener('focus', open);
    input.addEventListener('click', () => { if (list.hidden) open(); });
    input.addEventListener('input', open);
    input.addEventListener('blur', close);
    input.addEventListener('keydown', event => {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        step(event.key === 'ArrowDown' ? 1 : -1);
      } else if (event.key === 'Enter' && !event.ctrlKey) {
        event.preventDefault();
        event.stopPropagation();
        if (options[active]) chosen(options[active].ids);
        else if (!input.value.trim()) done();
      } else if (event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        if (list.hidden) left();
        else close();
      } else if (event.key === 'Backspace' && !input.value) {
        removed();
      }
    });
  }

  unitAtlas.survey.finder = finder;
})();
