// The view of a case: its mammogram, the first score, then the explanation and the second.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const { reading } = unitAtlas;
  const WORDS = {
    open: 'Not scored yet.', begun: 'Not fixed yet.', explained: 'First score fixed; the second is to be confirmed.', done: 'Scored twice.'
  };
  // Milliseconds in which nobody has looked at an explanation.
  const LOOK = 700;
  const now = () => new Date().toISOString();
  const copy = given => JSON.parse(JSON.stringify(given));
  const said = ({ score, birads }) => `${score}${birads ? `, BI-RADS ${birads}` : ''}`;

  reading.caseView = desk => {
    const { study, records } = desk;
    const film = reading.film();
    const explanation = reading.explained(film);
    const score = reading.controls(value => {
      if (!answer) return;
      reading.change(answer, value, now());
      if (value.score !== null) problem('');
      keep();
    });
    const remarks = element('reading-remarks');
    const form = element('reading-form');
    let shownAt = -LOOK;
    const clock = unitAtlas.survey.clock(
      seconds => { if (answer) reading.current(answer).seconds += seconds; },
      () => keepTime()
    );
    // The open case: its place in the reader's order, and what is kept of it.
    let at = -1;
    let answer = null;

    // Keeps the open case, unless its first score was fixed in another window meanwhile: then that one stands.
    function keep() {
      const code = desk.slots[at];
      let other = null;
      desk.change(record => {
        const kept = record.answers[code];
        if (reading.isExplained(kept) && kept.before.scored_at !== answer.before.scored_at) {
          other = kept;
          return;
        }
        record.answers[code] = copy(answer);
        record.changed = Date.now();
      });
      desk.unsaved = true;
      if (other) show(at);
      else showState();
    }

    // Keeps the time spent on the open case. Looking at it changes nothing else.
    function keepTime() {
      if (!answer) return;
      clock.tick();
      const code = desk.slots[at];
      desk.change(record => {
        const kept = record.answers[code];
        if (reading.isCase(kept)) reading.spend(kept, answer);
        else record.answers[code] = copy(answer);
      });
    }

    // The same reader has changed something in another window: that stands.
    function refresh() {
      const kept = records.open(desk.reader).answers[desk.slots[at]];
      if (!reading.isCase(kept) || reading.agrees(kept, answer)) return;
      show(at);
      desk.say('Changed in another window.');
    }

    function show(place) {
      at = place;
      const code = desk.slots[at];
      const kept = records.open(desk.reader).answers[code];
      answer = reading.isCase(kept) ? copy(kept) : reading.answer();
      clock.restart();
      const title = `Case ${at + 1} of ${desk.slots.length}`;
      desk.show('case', title);
      element('reading-case-title').textContent = title;
      link('reading-previous', at - 1);
      link('reading-next', at + 1);
      explanation.clear();
      film.show(study.caseOf(code));
      element('reading-problem').textContent = '';
      remarks.value = answer.remarks;
      showScore();
      if (reading.isExplained(answer)) loadExplanation(() => true);
    }

    function showScore() {
      score.show(reading.current(answer));
      showState();
    }

    function link(id, place) {
      const anchor = element(id);
      anchor.hidden = !desk.slots[place];
      anchor.href = `#case-${place + 1}`;
    }

    function showState() {
      const stage = reading.stage(answer);
      const second = reading.isExplained(answer);
      element('reading-case').dataset.stage = stage;
      element('reading-state').textContent = WORDS[stage];
      element('reading-form-title').textContent = second ? 'Second score, after the explanation' : 'First score';
      element('reading-first').textContent = second ? `Your first score was ${said(answer.before)}. It is fixed.` : '';
      element('reading-before').hidden = second;
      element('reading-after').hidden = !second;
      element('reading-done').textContent = next(stage);
    }

    // What the button leads to.
    function next(stage) {
      if (!reading.isExplained(answer)) return 'Show the explanation';
      if (stage === 'done') return 'Next case';
      const { score: given } = answer.after;
      return given === null ? 'Confirm' : `${given === answer.before.score ? 'Keep' : 'Confirm'} ${given}`;
    }

    function problem(words) {
      element('reading-problem').textContent = words;
    }

    // Shows the explanation once it is there, and what `fix` says is fixed: a score that is fixed for nothing would be
    // lost. Nothing can be changed meanwhile.
    function loadExplanation(fix) {
      const code = desk.slots[at];
      form.inert = true;
      explanation.load(code, data => {
        if (desk.slots[at] !== code) return;
        form.inert = false;
        if (!data) {
          problem('The explanation could not be loaded, and nothing is fixed. Is the whole folder of the survey there?');
          return;
        }
        if (!fix()) return;
        explanation.show(data);
        const heading = element('reading-explained-title');
        heading.focus({ preventScroll: true });
        // On a phone it stands below the mammogram.
        if (heading.getBoundingClientRect().bottom > window.innerHeight) heading.scrollIntoView();
      });
    }

    function lacking(words) {
      problem(words);
      score.focus();
    }

    function explain() {
      if (answer.before.score === null) {
        lacking('Give a score first: a whole number from 0 to 100.');
        return;
      }
      problem('');
      clock.tick();
      loadExplanation(() => {
        if (!reading.explain(answer, now())) return false;
        shownAt = performance.now();
        keep();
        showScore();
        desk.say('The first score is fixed. The explanation is shown.');
        return true;
      });
    }

    // On: to the explanation, or with the second score to the next case that is open.
    function done() {
      // A key or button that was pressed twice is no second score.
      if (form.inert || performance.now() - shownAt < LOOK) return;
      if (!reading.isExplained(answer)) {
        explain();
        return;
      }
      clock.tick();
      if (reading.stage(answer) !== 'done') {
        if (!reading.confirm(answer, now())) {
          lacking('Give the second score: a whole number from 0 to 100.');
          return;
        }
        keep();
      }
      const open = reading.nextOpen(desk.slots, records.open(desk.reader).answers, at + 1);
      desk.go(open < 0 ? 'send' : `case-${open + 1}`);
    }

    function leave() {
      if (at < 0) return;
      keepTime();
      at = -1;
      answer = null;
      form.inert = false;
      shownAt = -LOOK;
      film.clear();
      explanation.clear();
    }

    remarks.addEventListener('input', () => {
      if (!answer) return;
      answer.remarks = remarks.value;
      keep();
    });
    form.addEventListener('submit', event => {
      event.preventDefault();
      done();
    });
    window.addEventListener('beforeunload', keepTime);

    return { show, leave, done, refresh, score, isOpen: () => at >= 0, view: () => film.enlarge(0, false, document.activeElement) };
  };
})();
