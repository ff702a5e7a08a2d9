// The first view of reading cases: who is reading.
(() => {
  'use strict';
  const { element, make, counted } = unitAtlas.page;
  const { reading, survey } = unitAtlas;

  reading.welcome = desk => {
    const { study, records } = desk;

    function readerItem(name) {
      const { answers } = records.open(name);
      const done = Object.values(answers).filter(one => reading.stage(one) === 'done').length;
      const words = `${counted(done, 'case', 'cases')} scored`;
      const button = make('button', { class: 'survey-button', type: 'button' }, `Go on as ${name}`);
      button.addEventListener('click', () => {
        desk.enter(name);
        desk.go('overview');
      });
      const remove = make('button', { class: 'quiet', type: 'button', 'aria-label': `Remove ${name} from this computer` }, 'Remove');
      remove.addEventListener('click', () => {
        if (!window.confirm(`Remove the scores of ${name} (${words}) from this computer? Only a saved file would bring them back.`)) return;
        records.forget(name);
        show();
      });
      return make('li', {}, button, ' ', make('span', { class: 'faint' }, words), ' ', remove);
    }

    function show() {
      desk.show('welcome', 'Begin');
      const all = records.readers();
      element('reading-known').hidden = all.length === 0;
      element('reading-readers').replaceChildren(...all.map(readerItem));
      element('reading-storage-note').textContent = window.location.protocol === 'file:'
        ? 'This page was opened from a disk. Some browsers forget what such pages keep, and private windows always do: save the file before you close the browser.'
        : 'In a private window scores vanish when it is closed: use a normal one.';
    }

    element('reading-start').addEventListener('submit', event => {
      event.preventDefault();
      const name = element('reading-name').value.replace(/\p{Cc}/gu, ' ').trim();
      if (!name) return;
      desk.enter(name);
      desk.change(() => {});
      desk.go('overview');
    });
    element('reading-file').addEventListener('change', event => {
      survey.readInput(text => reading.file.read(study, text), event.target, found => {
        desk.enter(found.reader);
        const words = desk.merge(found);
        desk.go('overview');
        desk.say(words);
      }, words => { element('reading-file-problem').textContent = words; });
    });

    return { show };
  };
})();
