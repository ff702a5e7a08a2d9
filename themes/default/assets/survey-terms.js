// Type to find a term of the lexicon: a combobox with a list in groups.
window.unitAtlasTerms = (function () {
  'use strict';
  const { make } = window.unitAtlasPage;
  const study = window.unitAtlasSurvey;

  // Names first, then synonyms, then categories.
  function matches(text) {
    const wanted = text.trim().toLowerCase();
    const rank = (term, category) => {
      const name = term.name.toLowerCase();
      if (!wanted) return 1;
      if (name.startsWith(wanted)) return 5;
      if (name.split(/[\s-]+/).some(word => word.startsWith(wanted))) return 4;
      if (term.synonyms.some(word => word.toLowerCase().startsWith(wanted))) return 3;
      if (name.indexOf(wanted) >= 0 || term.synonyms.some(word => word.toLowerCase().indexOf(wanted) >= 0)) return 2;
      return category.toLowerCase().indexOf(wanted) >= 0 ? 1 : 0;
    };
    const groups = study.groups.map(group => {
      const found = group.terms.map(term => ({ term, rank: rank(term, group.category) })).filter(hit => hit.rank > 0);
      if (wanted) found.sort((a, b) => b.rank - a.rank);
      return { category: group.category, found, best: Math.max(0, ...found.map(hit => hit.rank)) };
    }).filter(group => group.found.length);
    if (wanted) groups.sort((a, b) => b.best - a.best);
    return groups;
  }

  // Makes a field of the page find terms: `chosen(id)` for each that is taken, `removed()` for Backspace in
  // the empty field, `done()` for Enter in it, `left()` for Escape.
  return function (view, n, { chosen, removed, done, left }) {
    const input = view.querySelector('.survey-find-input');
    const list = view.querySelector('.survey-list');
    const label = view.querySelector('.survey-find-label');
    input.id = 'survey-find-' + n;
    label.htmlFor = input.id;
    list.id = 'survey-list-' + n;
    input.setAttribute('aria-controls', list.id);
    let options = [];
    let active = -1;

    function open() {
      options = [];
      list.replaceChildren(...matches(input.value).map((group, g) => {
        const box = make('div');
        const heading = make('p', 'survey-group', group.category);
        heading.id = list.id + '-' + g;
        box.setAttribute('role', 'group');
        box.setAttribute('aria-labelledby', heading.id);
        box.append(heading, ...group.found.map(hit => {
          const option = make('div', 'survey-option');
          option.setAttribute('role', 'option');
          option.id = list.id + '-' + hit.term.id;
          option.append(make('span', 'survey-term', hit.term.name), ' ', make('span', 'survey-gloss', hit.term.gloss));
          option.setAttribute('aria-selected', 'false');
          option.addEventListener('mousedown', event => event.preventDefault());
          option.addEventListener('click', () => chosen(hit.term.id));
          options.push({ option, id: hit.term.id });
          return option;
        }));
        return box;
      }));
      if (options.length === 0) list.append(make('p', 'survey-group', 'No such term: use your own words.'));
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
      options[i].option.setAttribute('aria-selected', 'true');
      options[i].option.scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', options[i].option.id);
    }

    input.addEventListener('focus', open);
    input.addEventListener('click', () => { if (list.hidden) open(); });
    input.addEventListener('input', open);
    input.addEventListener('blur', close);
    input.addEventListener('keydown', event => {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        if (list.hidden) open();
        const step = event.key === 'ArrowDown' ? 1 : -1;
        if (options.length) activate((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
      } else if (event.key === 'Enter' && !event.ctrlKey) {
        event.preventDefault();
        event.stopPropagation();
        if (options[active]) chosen(options[active].id); else if (!input.value.trim()) done();
      } else if (event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        if (list.hidden) left(); else close();
      } else if (event.key === 'Backspace' && !input.value) {
        removed();
      }
    });
  };
}());
