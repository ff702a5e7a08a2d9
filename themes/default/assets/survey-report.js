// The report on a unit: its controls, and the answer behind them. `hooks` say what follows: `changed()` after
// every change, `use(id)` for a term that is chosen, `used()` for those chosen before, `done()` to go on.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const { answers, phenomenonView } = unitAtlas.survey;
  const radio = (name, value) => document.querySelector(`input[name=${name}][value="${value}"]`);
  const radios = name => document.querySelectorAll(`input[name=${name}]`);

  unitAtlas.survey.report = (study, hooks) => {
    let answer = null;
    // Number of the phenomenon that keys act on.
    let current = 0;

    const viewOf = n => element('survey-phenomena').children[n];
    const find = n => viewOf(n).querySelector('.survey-find-input').focus();
    const associations = n => Array.from(viewOf(n).querySelectorAll('.survey-association input'));

    // Shows an answer, which it changes as the reader does.
    function open(shown) {
      answer = shown;
      current = 0;
      element('survey-problem').textContent = '';
      radios('recognizable').forEach(input => { input.checked = input.value === answer.recognizable; });
      radios('confidence').forEach(input => { input.checked = Number(input.value) === answer.confidence; });
      element('survey-remarks').value = answer.remarks;
      showPhenomena();
    }

    function showPhenomena() {
      element('survey-seen').hidden = answer.recognizable === 'no';
      const used = hooks.used();
      const several = answer.phenomena.length > 1;
      element('survey-phenomena').replaceChildren(...answer.phenomena.map((phenomenon, n) =>
        phenomenonView(study, phenomenon, n, {
          title: several ? `Pattern ${n + 1}` : 'Pattern',
          used,
          hooks: {
            toggle: id => toggleTerm(n, id),
            changed: () => {
              seen();
              hooks.changed();
            },
            focused: () => {
              current = n;
              markCurrent();
            },
            remove: several ? () => remove(n) : null,
            find: () => find(n),
            // On to what comes next; keys act again.
            associate: () => (associations(n).find(input => input.checked) || associations(n)[0]).focus(),
            done: hooks.done
          }
        })));
      markCurrent();
    }

    function markCurrent() {
      current = Math.min(current, answer.phenomena.length - 1);
      Array.from(element('survey-phenomena').children).forEach((view, n) => {
        view.classList.toggle('current', n === current && answer.phenomena.length > 1);
      });
    }

    function remove(n) {
      answer.phenomena.splice(n, 1);
      hooks.changed();
      showPhenomena();
      element('survey-add').focus();
    }

    // Describing a phenomenon says that there is one.
    function seen() {
      if (answer.recognizable === 'yes' || answer.recognizable === 'unsure') return;
      answer.recognizable = 'yes';
      radio('recognizable', 'yes').checked = true;
      element('survey-seen').hidden = false;
    }

    function toggleTerm(n, id) {
      const { terms } = answer.phenomena[n];
      const place = terms.indexOf(id);
      if (place >= 0) terms.splice(place, 1);
      else terms.push(id);
      seen();
      if (place < 0) hooks.use(id);
      hooks.changed();
      // The buttons are made anew: the one that was pressed keeps the focus.
      const { activeElement } = document;
      const pressed = activeElement.dataset.term === id && activeElement.closest('.survey-quick');
      showPhenomena();
      if (pressed) viewOf(n).querySelector(`[data-term="${id}"]`).focus();
      element('survey-said').textContent = `${study.termName(id)} ${place >= 0 ? 'removed' : 'chosen'}`;
    }

    function setRecognizable(value) {
      answer.recognizable = value;
      radio('recognizable', value).checked = true;
      element('survey-seen').hidden = value === 'no';
      hooks.changed();
    }

    function setAssociation(value) {
      const input = associations(current).find(one => one.value === value);
      input.checked = true;
      input.dispatchEvent(new Event('change'));
    }

    function setConfidence(value) {
      answer.confidence = value;
      radio('confidence', value).checked = true;
      hooks.changed();
    }

    function quick(k) {
      const id = hooks.used()[k];
      if (id) toggleTerm(current, id);
    }

    element('survey-recognizable').addEventListener('change', event => setRecognizable(event.target.value));
    element('survey-confidence').addEventListener('change', event => setConfidence(Number(event.target.value)));
    element('survey-remarks').addEventListener('input', event => {
      answer.remarks = event.target.value;
      hooks.changed();
    });
    element('survey-add').addEventListener('click', () => {
      answer.phenomena.push(answers.phenomenon());
      current = answer.phenomena.length - 1;
      showPhenomena();
      find(current);
    });
    element('survey-report').addEventListener('submit', event => {
      event.preventDefault();
      hooks.done();
    });

    // Says what is missing, and leads there.
    function missing(lack) {
      element('survey-problem').textContent =
        `${lack.words} To come back to it later, go on with the arrow keys or “Next”.`;
      if (lack.field === 'recognizable') radios('recognizable')[0].focus();
      else if (lack.field === 'association') associations(lack.at)[0].focus();
      else find(lack.at);
    }

    // What keys do. Nothing is described where there is nothing recognisable.
    const described = act => value => { if (answer.recognizable !== 'no') act(value); };
    return {
      open,
      missing,
      setRecognizable,
      setConfidence,
      setAssociation: described(setAssociation),
      quick: described(quick),
      find: described(() => find(current)),
      words: described(() => viewOf(current).querySelector('.survey-words').focus()),
      add: described(() => element('survey-add').click())
    };
  };
})();
