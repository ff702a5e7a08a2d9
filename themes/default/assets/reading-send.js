// The last view of reading cases: the file, as one and as text.
(() => {
  'use strict';
  const { element, make, download } = unitAtlas.page;
  const { reading } = unitAtlas;

  reading.send = desk => {
    const { study, records } = desk;
    const text = record => `${JSON.stringify(reading.file.write(study, record, new Date()), null, 2)}\n`;

    function show() {
      desk.show('send', 'Save and send');
      const record = records.open(desk.reader);
      const stages = desk.slots.map(code => reading.stage(record.answers[code]));
      const done = stages.filter(stage => stage === 'done').length;
      const half = stages.map((stage, place) => ({ stage, place })).filter(one => one.stage === 'explained' || one.stage === 'begun');
      element('reading-send-words').textContent = `${done} of ${stages.length} cases are scored twice.${
        done < stages.length ? ' You can save and send now and again later; a later file replaces an earlier one.' : ''}${
        half.length ? ' These are begun:' : ''}`;
      element('reading-send-open').replaceChildren(...half.map(({ stage, place }) => make('li', {},
        make('a', { href: `#case-${place + 1}` }, `Case ${place + 1}`),
        stage === 'begun' ? ', not in the file' : ', whose second score is to be confirmed')));
      element('reading-text').value = text(record);
      const changed = record.changed > record.saved ? ' Scores have changed since.' : '';
      element('reading-sent').textContent = record.saved
        ? `Last saved on ${new Date(record.saved).toLocaleString()}.${changed}` : '';
    }

    element('reading-save').addEventListener('click', () => {
      const record = records.open(desk.reader);
      const name = reading.file.name(study, record.reader, new Date());
      download(name, text(record));
      desk.change(now => { now.saved = Date.now(); });
      desk.unsaved = false;
      element('reading-sent').textContent = `Saved as ${name}, usually in the folder of downloads. Send this file to ${
        study.contact || 'the authors of the study'}.`;
    });
    element('reading-merge').addEventListener('change', event => {
      const say = words => { element('reading-merge-words').textContent = words; };
      unitAtlas.survey.readInput(given => reading.file.read(study, given), event.target, found => {
        if (records.keyOf(found.reader) !== records.keyOf(desk.reader)) {
          say(`The file holds scores of ${found.reader}, not of ${desk.reader}. Change the reader first.`);
          return;
        }
        const words = desk.merge(found);
        show();
        say(words);
      }, say);
    });

    return { show };
  };
})();
