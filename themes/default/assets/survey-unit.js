// The survey's view of a unit: its pictures, the report, and the answer that is kept as it is given.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const { answers, load } = unitAtlas.survey;
  // Terms chosen before that have a number.
  const QUICK = 9;

  unitAtlas.survey.unit = desk => {
    const { study, records, sending } = desk;
    const patches = unitAtlas.survey.patches();
    const display = unitAtlas.survey.display(() => {
      patches.fit();
      display.fill(patches.count());
    });
    const report = unitAtlas.survey.report(study, { changed: () => keep(true), use, used, done });
    const clock = unitAtlas.survey.clock(
      seconds => { if (answer) answer.seconds = (answer.seconds || 0) + seconds; },
      () => { if (answer && !answers.isEmpty(answer)) keep(false); }
    );
    // What is gone through: the units that are asked about, and those to practise on before.
    const RUNS = {
      unit: { title: 'Unit', slots: () => desk.slots, answers: record => record.answers },
      practice: {
        title: 'Practice',
        slots: () => study.practice.map(unit => unit.code),
        answers: record => (record.practice = record.practice || {})
      }
    };
    // The open unit: its run and its place there, its answer as it stands, and as it stood before each change.
    let name = 'unit';
    let at = -1;
    const run = () => RUNS[name];
    const slotAt = place => run().slots()[place];
    const isPractice = () => name === 'practice';
    let answer = null;
    const past = unitAtlas.survey.past();

    // Keeps the open answer. `said`: what it says has changed, not only the time spent on it.
    function keep(said) {
      if (!answer) return;
      const slot = slotAt(at);
      desk.change(record => {
        const given = run().answers(record);
        const other = given[slot];
        // The time spent must not bring back what another window, or the server, has changed since.
        if (!said && other) {
          if (other.answered_at === answer.answered_at) other.seconds = answer.seconds;
          return;
        }
        if (said) {
          answer.answered_at = answers.now(other);
          delete answer.received_at;
        }
        given[slot] = JSON.parse(JSON.stringify(answer));
        if (!said || isPractice()) return;
        record.changed = Date.now();
        sending.mark(record, [slot]);
      });
      if (!said) return;
      past.note(answer);
      element('survey-undo').hidden = !past.any();
      showState();
      if (isPractice()) return;
      desk.unsaved = true;
      element('survey-saved').textContent = records.kept ? 'Kept in this browser' : 'Not kept';
      sending.soon(1000);
    }

    // Terms that the reader has chosen keep the number of their first use for the whole survey.
    function used() {
      return (records.open(desk.reader).used || []).slice(0, QUICK);
    }

    function use(id) {
      desk.change(record => {
        record.used = record.used || [];
        if (!record.used.includes(id) && record.used.length < QUICK) record.used.push(id);
      });
    }

    const has = (which, place) => Boolean(RUNS[which].slots()[place]);

    function show(which, place) {
      name = which;
      at = place;
      const slot = slotAt(at);
      const kept = run().answers(records.open(desk.reader))[slot];
      answer = { ...answers.answer(), ...(kept && JSON.parse(JSON.stringify(kept))) };
      if (!answer.phenomena.length) answer.phenomena.push(answers.phenomenon());
      clock.restart();
      past.begin(answer);
      element('survey-undo').hidden = true;
      const title = `${run().title} ${at + 1} of ${run().slots().length}`;
      desk.show('unit', title);
      element('survey-unit-title').textContent = title;
      link('survey-previous', at - 1);
      link('survey-next', at + 1);
      element('survey-feedback').hidden = true;
      element('survey-done').textContent = isPractice() ? 'Compare' : onward();
      element('survey-saved').textContent = isPractice() ? 'For practice: this goes into no file' : '';
      patches.clear();
      load(study.codeOf(slot), data => {
        if (at < 0 || slotAt(at) !== slot) return;
        if (data) {
          patches.show(data);
          display.fill(patches.count());
        } else desk.warn('The pictures of this unit could not be loaded. Is the whole folder of the survey there?');
      });
      // Ahead of time.
      if (slotAt(at + 1)) load(study.codeOf(slotAt(at + 1)), () => {});
      report.open(answer);
      showState();
    }

    function link(id, place) {
      const anchor = element(id);
      anchor.hidden = !slotAt(place);
      anchor.href = `#${name}-${place + 1}`;
    }

    // What the button says that leads on.
    function onward() {
      if (slotAt(at + 1)) return 'Next unit';
      return isPractice() ? 'To the survey' : 'Finish';
    }

    function showState() {
      const unit = study.unitOf(slotAt(at));
      const words = answers.isEmpty(answer) ? 'Open' : answers.lacking(answer) ? 'Begun' : 'Answered';
      element('survey-state').textContent = `${unit.name ? `${unit.name}. ` : ''}${words}.`;
      element('survey-state').dataset.state = words.toLowerCase();
    }

    function leave() {
      if (at < 0) return;
      clock.tick();
      if (!answers.isEmpty(answer)) keep(false);
      sending.soon(0);
      at = -1;
      answer = null;
    }

    // Takes back the last choice. What was typed stays: within a field the browser's own undo takes back letters.
    function undo() {
      const before = past.back();
      if (!answer || !before) return;
      answer = { ...before, seconds: answer.seconds };
      report.open(answer);
      keep(true);
      desk.say('The last change is taken back.');
    }

    // On to the next unit when this one is answered; otherwise says what is missing.
    function done() {
      const lack = answers.lacking(answer);
      const feedback = element('survey-feedback');
      if (lack) report.missing(lack);
      else if (isPractice() && feedback.hidden) compare(feedback);
      else if (slotAt(at + 1)) desk.go(`${name}-${at + 2}`);
      else desk.go(isPractice() ? 'overview' : last());
    }

    // Says what is known of a unit to practise on.
    function compare(feedback) {
      feedback.textContent = unitAtlas.survey.feedback(study, study.unitOf(slotAt(at)).known, answer);
      feedback.hidden = false;
      element('survey-done').textContent = onward();
      if (!slotAt(at + 1)) desk.change(record => { record.practised = true; });
    }

    // Where the last unit leads.
    function last() {
      const given = records.open(desk.reader).answers;
      if (desk.slots.some(slot => answers.lacking(given[slot]))) return 'overview';
      return sending.collector ? 'thanks' : 'send';
    }

    // The same reader has changed something in another window: the later change stands.
    function refresh() {
      const other = run().answers(records.open(desk.reader))[slotAt(at)];
      if (!other || answers.when(other) <= answers.when(answer)) return;
      desk.say('Changed in another window.');
      show(name, at);
    }

    element('survey-undo').addEventListener('click', undo);
    // On a phone the questions stand below the patches.
    element('survey-down').addEventListener('click', () => element('survey-report').scrollIntoView());
    window.addEventListener('resize', () => display.fill(patches.count()));
    window.addEventListener('beforeunload', () => {
      clock.tick();
      keep(false);
    });

    return { has, show, leave, done, undo, refresh, isOpen: () => at >= 0, report, patches, display };
  };
})();
