// Answers on their way to a server that collects them, one after the other. Without such a server nothing is
// sent and nothing is marked. `hooks`: `reader()`, `may()` whether anything may be sent yet, `change(edit)` of that
// reader's record, `warn(words)`, and `shown()` after it was said how much is left.
(() => {
  'use strict';
  const { element, counted } = unitAtlas.page;
  const { answers, file } = unitAtlas.survey;
  const SOON = 2000;
  const LATE = 60000;

  unitAtlas.survey.sending = (study, records, hooks) => {
    // A server that collects answers puts this script before ours.
    const collector = window.unitAtlasCollector || null;
    let timer = 0;
    let busy = false;
    let wait = SOON;
    // What the server has refused since the page was loaded, by slot; it must not hold up the others.
    const refused = {};

    // Answers of a record that are complete and not yet sent.
    const left = record => Object.keys(record.pending || {}).filter(slot => !answers.lacking(record.answers[slot]));

    // Slots of what the reader has changed since it was sent, complete or not.
    const changed = record => Object.keys(record.pending || {});

    // Marks answers of a record as not yet sent.
    function mark(record, slots) {
      if (collector) slots.forEach(slot => { (record.pending = record.pending || {})[slot] = true; });
    }

    // Marks what a reader says of themselves as not yet sent.
    function markAbout(record) {
      if (collector) record.untold = true;
    }

    function soon(delay) {
      if (!collector) return;
      clearTimeout(timer);
      timer = setTimeout(next, delay);
    }

    function next() {
      if (!hooks.reader() || busy || !hooks.may()) return;
      const record = records.open(hooks.reader());
      if (record.untold) {
        tell(record.about);
        return;
      }
      const isRefused = one => refused[one] && refused[one].answered_at === record.answers[one].answered_at;
      const open = left(record).filter(study.isAsked);
      const slot = open.find(one => !isRefused(one));
      if (!slot) {
        show(record, open.length ? refused[open[0]].problem : null);
        return;
      }
      const sent = record.answers[slot];
      // Changes the answer in the record, unless the reader has changed it while it was on its way.
      const settle = edit => hooks.change(kept => {
        if (kept.answers[slot] && kept.answers[slot].answered_at === sent.answered_at) edit(kept);
      });
      busy = true;
      collector.save(answers.written(study, slot, sent), (problem, again, { now, stands }) => {
        busy = false;
        if (!problem) {
          wait = SOON;
          settle(kept => {
            if (kept.pending) delete kept.pending[slot];
            accept(kept, slot, stands);
          });
          soon(0);
        } else if (again) {
          show(records.open(hooks.reader()), problem);
          soon(wait);
          wait = Math.min(LATE, wait * 2);
        } else if (now && answers.time(sent.answered_at) > answers.time(now)) {
          // The device's clock is ahead: it was given at the latest now.
          settle(kept => { kept.answers[slot].answered_at = now; });
          soon(0);
        } else {
          refused[slot] = { answered_at: sent.answered_at, problem };
          soon(0);
        }
      });
    }

    // Sends what the reader says of themselves, which goes before the answers.
    function tell(about) {
      busy = true;
      collector.tell(about, (problem, again, { now }) => {
        busy = false;
        if (problem && again) {
          show(records.open(hooks.reader()), problem);
          soon(wait);
          wait = Math.min(LATE, wait * 2);
          return;
        }
        // The device's clock is ahead: it was said at the latest now.
        const ahead = problem && now && answers.time(about.given_at) > answers.time(now);
        if (problem && !ahead) hooks.warn(`What you said of yourself could not be sent: ${problem}`);
        else wait = SOON;
        hooks.change(kept => {
          if (!kept.about || kept.about.given_at !== about.given_at) return;
          if (ahead) kept.about.given_at = now;
          else delete kept.untold;
        });
        soon(0);
      });
    }

    // Takes over what stands on the server: the answer that was sent with the time it was received or, where it had
    // come before, one that came after it.
    function accept(record, slot, stands) {
      if (!stands) return;
      const found = file.readAnswers(study, [stands]).answers;
      file.merge(study, record, found);
      if (!record.answers[slot].received_at) Object.assign(record.answers, found);
    }

    // Says how much of a record is still to be sent.
    function show(record, problem) {
      if (!collector) return;
      const open = left(record).length;
      const half = changed(record).length > open;
      hooks.warn(problem && `${counted(open, 'answer is', 'answers are')} kept here but not yet on the server: ${problem}`);
      element('survey-saved').textContent = open ? 'Kept in this browser; on its way to the server'
        : half ? 'Kept in this browser; sent once it is complete' : 'On the server';
      hooks.shown();
    }

    return { collector, left, changed, mark, markAbout, soon, show };
  };
})();
