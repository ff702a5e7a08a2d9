// The survey's last view: the file, as one and as text.
(() => {
  'use strict';
  const { element, make, counted, download } = unitAtlas.page;
  const { answers, file } = unitAtlas.survey;

  unitAtlas.survey.send = desk => {
    const { study, records, sending } = desk;
    const text = (record, earlier) => `${JSON.stringify(file.write(study, record, earlier), null, 2)}\n`;

    function show() {
      desk.show('send', 'Save and send');
      const record = records.open(desk.reader);
      const open = desk.slots.map((slot, place) => ({ place, answer: record.answers[slot] }))
        .filter(one => answers.lacking(one.answer));
      const begun = open.filter(one => !answers.isEmpty(one.answer));
      const total = desk.slots.length;
      element('survey-send-words').textContent = `${total - open.length} of ${total} units are answered.${
        open.length ? ' You can save and send now and again later; a later file replaces an earlier one.' : ''}${
        begun.length ? ' These are begun, and not in the file:' : ''}`;
      element('survey-send-open').replaceChildren(...begun.map(({ place }) =>
        make('li', {}, make('a', { href: `#unit-${place + 1}` }, `Unit ${place + 1}`))));
      element('survey-text').value = text(record, false);
      const changed = record.changed > record.saved ? ' Answers have changed since.' : '';
      element('survey-sent').textContent = record.saved
        ? `Last saved on ${new Date(record.saved).toLocaleString()}.${changed}` : '';
      const earlier = file.write(study, record, true).answers.length;
      const box = element('survey-send-earlier');
      box.hidden = earlier === 0;
      box.firstElementChild.textContent = `${counted(earlier, 'answer concerns a unit', 'answers concern units')
      } that this survey no longer asks about. They are kept, and not in the file.`;
      sending.show(record);
    }

    // Gives the reader the file, or that of the answers on units no longer asked about.
    function save(earlier) {
      const record = records.open(desk.reader);
      const name = file.name(study, record.reader, new Date()).replace('.json', earlier ? '_earlier.json' : '.json');
      download(name, text(record, earlier));
      if (earlier) return;
      desk.change(now => { now.saved = Date.now(); });
      desk.unsaved = false;
      element('survey-sent').textContent = `Saved as ${name}, usually in the folder of downloads. Send this file to ${
        study.contact || 'the authors of the study'}.`;
      if (desk.slots.every(slot => !answers.lacking(record.answers[slot]))) desk.go('thanks');
    }

    element('survey-save').addEventListener('click', () => save(false));
    element('survey-send-earlier').querySelector('button').addEventListener('click', () => save(true));

    return { show };
  };
})();
