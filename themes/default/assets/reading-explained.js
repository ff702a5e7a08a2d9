// The explanation of a case: the patch that decided, and the units that add most, by name, region, share and some of
// their top patches. Its data are `ExplainedCase` in src/atlas/script.rs, loaded when they are asked for.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { picture } = unitAtlas.survey;
  // Who calls a unit so.
  const BY = {
    consensus: 'named by the authors of the study',
    readers: 'named by readers',
    machine: 'a machine\u2019s name, from images and words alone; nobody has looked at it',
    automatic: 'automatic name, from outlines of lesions; nobody has looked at it',
    unrecognizable: 'readers recognised nothing in it',
    none: 'nobody has named it'
  };

  const load = (code, then) => unitAtlas.load(`survey/cases/explained/${code}.js`, then);

  // `film` is that of the case.
  function explained(film) {
    const box = element('reading-explained');
    const list = element('reading-units');
    const large = element('reading-patch');
    let shown = null;

    function clear() {
      shown = null;
      box.hidden = true;
      list.replaceChildren();
      large.replaceChildren();
      element('reading-words').textContent = '';
    }

    function choose(at) {
      const unit = shown.units[at];
      const overlay = unit ? unit.overlay : '';
      Array.from(list.querySelectorAll('.reading-unit'), (button, i) => button.setAttribute('aria-pressed', String(i === at)));
      large.replaceChildren(picture({ src: shown.src, overlay },
        unit && overlay ? `The patch that decided; highlighted is what unit ${at + 1} of the list saw` : 'The patch that decided'));
      film.mark(shown, shown.pixels, overlay);
    }

    function unitItem(unit, at) {
      const called = unit.name || `Unit ${at + 1} of the list, without a name`;
      const button = make('button', { class: 'reading-unit', type: 'button' },
        picture({ src: shown.src, overlay: unit.overlay }, ''),
        make('span', {},
          make('strong', {}, called), ' ',
          make('span', { class: 'reading-share' }, `${unit.share} of the evidence`), ' ',
          make('span', { class: 'faint' }, `${BY[unit.from]}${unit.overlay ? '' : '; no region stands out'}`)));
      button.addEventListener('click', () => choose(at));
      const item = make('li', {}, button);
      if (unit.examples.length) {
        item.append(make('div', { class: 'reading-examples' }, make('span', { class: 'faint' }, 'Elsewhere it responds to'),
          make('div', { class: 'strip' }, ...unit.examples.map((example, i) =>
            picture(example, `Patch ${i + 1} of those that this unit responds to most`)))));
      }
      return item;
    }

    function show(data) {
      shown = data;
      element('reading-words').textContent = data.words;
      list.replaceChildren(...data.units.map(unitItem));
      element('reading-no-units').hidden = data.units.length > 0;
      box.hidden = false;
      // The first that has something to show.
      choose(Math.max(0, data.units.findIndex(unit => unit.overlay)));
    }

    element('reading-patch-open').addEventListener('click', event => film.enlarge(0, true, event.currentTarget));

    return { clear, show, load };
  }

  unitAtlas.reading.explained = explained;
})();
