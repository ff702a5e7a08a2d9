// Takes a saved file, from another computer or an earlier day.
(() => {
  'use strict';
  const { element, counted } = unitAtlas.page;
  const { about, file } = unitAtlas.survey;
  const LARGEST = 8 << 20;

  // Reads the file that a field of the page was given: `then(found)`, or `problem(words)`.
  function readInput(study, input, then, problem) {
    const given = input.files && input.files[0];
    if (!given) return;
    problem('');
    if (given.size > LARGEST) {
      problem('The file is too large to be a reader’s file.');
      input.value = '';
      return;
    }
    const reading = new FileReader();
    reading.onload = () => {
      input.value = '';
      try {
        then(file.read(study, String(reading.result)));
      } catch (error) {
        problem(error.message);
      }
    };
    reading.onerror = () => problem('The file could not be read.');
    reading.readAsText(given);
  }

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
      readInput(study, event.target, found => {
        desk.enter(found.reader);
        const words = take(found);
        desk.go('overview');
        desk.say(words);
      }, words => { element('survey-file-problem').textContent = words; });
    });

    element('survey-merge').addEventListener('change', event => {
      const say = words => { element('survey-merge-words').textContent = words; };
      readInput(study, event.target, found => {
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
