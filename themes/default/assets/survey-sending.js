// Answers on their way to a server that collects them, one after the other. Without such a server nothing is
// sent and nothing is marked. `hooks`: `reader()`, `change(edit)` of that reader's record, `warn(words)`.
(() => {
  'use strict';
  const { element, counted } = unitAtlas.page;
  const { answers } = unitAtlas.survey;
  const SOON = 2000;
  const LATE = 60000;

  unitAtlas.survey.sending = (study, records, hooks) => {
    // A server that collects answers puts this script before ours.
    const collector = window.unitAtlasCollector || null;
    let timer = 0;
    let busy = false;
    let wait = SOON;

    // Answers of a record that are complete and not yet sent.
    const left = record => Object.keys(record.pending || {}).filter(slot => !answers.lacking(record.answers[slot]));

    // Marks answers of a record as not yet sent.
    function mark(record, slots) {
      if (collector) slots.forEach(slot => { (record.pending = record.pending || {})[slot] = true; });
    }

    function soon(delay) {
      if (!collector) return;
      clearTimeout(timer);
      timer = setTimeout(next, delay);
    }

    function next() {
      if (!hooks.reader() || busy) return;
      const record = records.open(hooks.reader());
      const slot = left(record).find(study.isAsked);
      if (!slot) {
        show(record);
        return;
      }
      const sent = record.answers[slot];
      busy = true;
      collector.save(answers.written(study, slot, sent), (problem, again) => {
        busy = false;
        if (!problem) {
          wait = SOON;
          hooks.change(now => {
            const same = now.answers[slot] && now.answers[slot].answered_at === sent.answered_at;
            if (same && now.pending) delete now.pending[slot];
          });
          soon(0);
          return;
        }
        show(records.open(hooks.reader()), problem);
        if (again) {
          soon(wait);
          wait = Math.min(LATE, wait * 2);
        }
      });
    }

    // Says how much of a record is still to be sent.
    function show(record, problem) {
      if (!collector) return;
      const open = left(record).length;
      hooks.warn(problem && `${counted(open, 'answer is', 'answers are')} kept here but not yet on the server: ${problem}`);
      element('survey-saved').textContent = open ? 'Kept in this browser; on its way to the server' : 'On the server';
    }

    return { collector, mark, soon, show };
  };
})();
