// Takes a saved file, from another computer or an earlier day.
(() => {
  'use strict';
  const { element, counted } = unitAtlas.page;
  const { about, file, readInput } = unitAtlas.survey;

  unitAtlas.survey.taking = (desk, views) => {
    const { study, records, sending } = desk;

    // Takes what was found into the reader's record, and says how much that was.
    function take(found) {
      let taken = 0;
      desk.change(record => {
        taken = file.merge(study, record, found.answers);
        if (about.merge(record, found.about)) sending.markAbout(record);
        if (taken) record.changed = Date.now();
        sending.mark(record, Object.keys(found.answers));
      });
      const unknown = found.unknown
        ? `; ${counted(found.unknown, 'answer concerns a unit', 'answers concern units')} that this survey does not ask about`
        : '';
      return `${counted(taken, 'answer', 'answers')} taken from the file${unknown}.`;
    }

    element('survey-file').addEventListener('change', event => {
      readInput(text => file.read(study, text), event.target, found => {
        desk.enter(found.reader);
        const words = take(found);
        desk.go('overview');
        desk.say(words);
      }, words => { element('survey-file-problem').textContent = words; });
    });

    element('survey-merge').addEventListener('change', event => {
      const say = words => { element('survey-merge-words').textContent = words; };
      readInput(text => file.read(study, text), event.target, found => {
        if (records.keyOf(found.reader) !== records.keyOf(desk.reader)) {
          say(`The file holds answers of ${found.reader}, not of ${desk.reader}. Change the reader first.`);
          return;
        }
        const words = take(found);
        views.send.show();
        say(words);
      }, say);
    });
  };
})();
