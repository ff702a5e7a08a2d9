// The survey's first view: who is reading.
(() => {
  'use strict';
  const { element, make, counted } = unitAtlas.page;
  const { answers } = unitAtlas.survey;

  unitAtlas.survey.welcome = desk => {
    const { records } = desk;

    function readerItem(name) {
      const done = Object.values(records.open(name).answers).filter(one => !answers.lacking(one)).length;
      const given = counted(done, 'answer', 'answers');
      const button = make('button', { class: 'survey-button', type: 'button' }, `Go on as ${name}`);
      button.addEventListener('click', () => {
        desk.enter(name);
        desk.go('overview');
      });
      const remove = make('button', {
        class: 'quiet', type: 'button', 'aria-label': `Remove ${name} from this computer`
      }, 'Remove');
      remove.addEventListener('click', () => {
        const sure = window.confirm(
          `Remove the ${given} of ${name} from this computer? Only a saved file would bring them back.`);
        if (!sure) return;
        records.forget(name);
        show();
      });
      return make('li', {}, button, ' ', make('span', { class: 'faint' }, given), ' ', remove);
    }

    function show() {
      desk.show('welcome', 'Begin');
      const all = records.readers();
      element('survey-known').hidden = all.length === 0;
      element('survey-readers').replaceChildren(...all.map(readerItem));
      element('survey-storage-note').textContent = window.location.protocol === 'file:'
        ? 'This page was opened from a disk. Some browsers forget what such pages keep, and private windows always do: save the file before you close the browser.'
        : 'In a private window answers vanish when it is closed: use a normal one.';
    }

    element('survey-start').addEventListener('submit', event => {
      event.preventDefault();
      const name = element('survey-name').value.replace(/\p{Cc}/gu, ' ').trim();
      if (!name) return;
      desk.enter(name);
      // Nothing is kept of who has not agreed yet.
      if (desk.first() !== 'about') desk.change(() => {});
      desk.go(desk.first());
    });

    return { show };
  };
})();
