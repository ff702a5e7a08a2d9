// The report on a unit: its controls, and the answer behind them. `hooks` say what follows: `changed()` after
// every change, `use(id)` for a term that is chosen, `used()` for those chosen before, `done()` to go on.
window.unitAtlasReport = function (hooks) {
  'use strict';
  const { element, make } = window.unitAtlasPage;
  const records = window.unitAtlasRecords;
  const termName = id => (records.terms.has(id) ? records.terms.get(id).term.name : id);
  let answer = null;
  // Number of the phenomenon that keys act on.
  let current = 0;

  // Shows an answer, which it changes as the reader does.
  function open(shown) {
    answer = shown;
    current = 0;
    element('survey-problem').textContent = '';
    document.querySelectorAll('input[name=recognizable]').forEach(input => { input.checked = input.value === answer.recognizable; });
    document.querySelectorAll('input[name=confidence]').forEach(input => { input.checked = Number(input.value) === answer.confidence; });
    element('survey-remarks').value = answer.remarks;
    showPhenomena();
  }

  function showPhenomena() {
    element('survey-seen').hidden = answer.recognizable === 'no';
    const used = hooks.used();
    element('survey-phenomena').replaceChildren(...answer.phenomena.map((phenomenon, n) => phenomenonView(phenomenon, n, used)));
    markCurrent();
  }

  function markCurrent() {
    current = Math.min(current, answer.phenomena.length - 1);
    Array.prototype.forEach.call(element('survey-phenomena').children, (view, n) => {
      view.classList.toggle('current', n === current && answer.phenomena.length > 1);
    });
  }

  function viewOf(n) {
    return element('survey-phenomena').children[n];
  }

  function phenomenonView(phenomenon, n, used) {
    const view = element('survey-phenomenon').content.firstElementChild.cloneNode(true);
    const part = name => view.querySelector('.survey-' + name);
    view.querySelector('legend').textContent = answer.phenomena.length > 1 ? 'Phenomenon ' + (n + 1) : 'Phenomenon';
    view.addEventListener('focusin', () => { current = n; markCurrent(); });
    // Terms used before keep their numbers for the whole survey.
    part('quick').replaceChildren(...used.map((id, k) => {
      const button = make('button', 'quiet');
      button.type = 'button';
      button.dataset.term = id;
      button.append(termName(id), ' ', shortcut(String(k + 1)));
      button.setAttribute('aria-pressed', String(phenomenon.terms.indexOf(id) >= 0));
      button.addEventListener('click', () => toggleTerm(n, id));
      return button;
    }));
    part('quick').hidden = used.length === 0;
    part('chips').replaceChildren(...phenomenon.terms.map(id => {
      const item = make('li', '', termName(id));
      const remove = make('button', '', '×');
      remove.type = 'button';
      remove.setAttribute('aria-label', 'Remove ' + termName(id));
      remove.addEventListener('click', () => { toggleTerm(n, id); finder(n).focus(); });
      item.append(' ', remove);
      return item;
    }));
    part('chips').hidden = phenomenon.terms.length === 0;
    const words = part('words');
    words.id = 'survey-words-' + n;
    part('words-label').htmlFor = words.id;
    words.value = phenomenon.description;
    words.addEventListener('input', () => { phenomenon.description = words.value; seen(); hooks.changed(); });
    view.querySelectorAll('.survey-association input').forEach(input => {
      input.name = 'association-' + n;
      input.checked = input.value === phenomenon.association;
      input.addEventListener('change', () => { phenomenon.association = input.value; seen(); hooks.changed(); });
    });
    const remove = part('remove');
    remove.hidden = answer.phenomena.length === 1;
    remove.firstElementChild.addEventListener('click', () => {
      answer.phenomena.splice(n, 1);
      hooks.changed();
      showPhenomena();
      element('survey-add').focus();
    });
    window.unitAtlasTerms(view, n, {
      chosen: id => {
        if (phenomenon.terms.indexOf(id) < 0) toggleTerm(n, id);
        // On to what comes next; keys act again.
        const radios = viewOf(n).querySelectorAll('.survey-association input');
        (Array.prototype.find.call(radios, radio => radio.checked) || radios[0]).focus();
      },
      removed: () => {
        if (phenomenon.terms.length === 0) return;
        toggleTerm(n, phenomenon.terms[phenomenon.terms.length - 1]);
        finder(n).focus();
      },
      done: hooks.done,
      left: () => element('survey-unit-title').focus({ preventScroll: true })
    });
    return view;
  }

  function shortcut(keys) {
    const span = make('span', 'survey-key', keys);
    span.setAttribute('aria-hidden', 'true');
    return span;
  }

  const finder = n => viewOf(n).querySelector('.survey-find-input');

  // Describing a phenomenon says that there is one.
  function seen() {
    if (answer.recognizable === 'yes' || answer.recognizable === 'unsure') return;
    answer.recognizable = 'yes';
    document.querySelector('input[name=recognizable][value=yes]').checked = true;
    element('survey-seen').hidden = false;
  }

  function toggleTerm(n, id) {
    const terms = answer.phenomena[n].terms;
    const place = terms.indexOf(id);
    if (place >= 0) terms.splice(place, 1); else terms.push(id);
    seen();
    if (place < 0) hooks.use(id);
    hooks.changed();
    // The buttons are made anew: the one that was pressed keeps the focus.
    const pressed = document.activeElement.dataset.term === id && document.activeElement.closest('.survey-quick');
    showPhenomena();
    if (pressed) viewOf(n).querySelector('[data-term="' + id + '"]').focus();
    element('survey-said').textContent = termName(id) + (place >= 0 ? ' removed' : ' chosen');
  }

  function setRecognizable(value) {
    answer.recognizable = value;
    const input = document.querySelector('input[name=recognizable][value=' + value + ']');
    input.checked = true;
    element('survey-seen').hidden = value === 'no';
    hooks.changed();
  }

  function setAssociation(value) {
    const input = viewOf(current).querySelector('.survey-association input[value=' + value + ']');
    input.checked = true;
    input.dispatchEvent(new Event('change'));
  }

  function setConfidence(value) {
    answer.confidence = value;
    document.querySelector('input[name=confidence][value="' + value + '"]').checked = true;
    hooks.changed();
  }

  element('survey-recognizable').addEventListener('change', event => setRecognizable(event.target.value));
  element('survey-confidence').addEventListener('change', event => setConfidence(Number(event.target.value)));
  element('survey-remarks').addEventListener('input', event => { answer.remarks = event.target.value; hooks.changed(); });
  element('survey-add').addEventListener('click', () => {
    answer.phenomena.push({ description: '', terms: [], association: '' });
    current = answer.phenomena.length - 1;
    showPhenomena();
    finder(current).focus();
  });

  // Says what is missing, and leads there.
  function missing(lack) {
    element('survey-problem').textContent = lack.words +
      ' To come back to it later, go on with the arrow keys or “Next”.';
    if (lack.field === 'recognizable') document.querySelector('input[name=recognizable]').focus();
    else if (lack.field === 'association') viewOf(lack.at).querySelector('.survey-association input').focus();
    else finder(lack.at).focus();
  }

  element('survey-report').addEventListener('submit', event => { event.preventDefault(); hooks.done(); });

  // What keys do. Nothing is described where there is nothing recognisable.
  const described = act => value => { if (answer.recognizable !== 'no') act(value); };
  return {
    open,
    missing,
    setRecognizable,
    setConfidence,
    setAssociation: described(setAssociation),
    quick: described(k => { if (hooks.used()[k]) toggleTerm(current, hooks.used()[k]); }),
    find: described(() => finder(current).focus()),
    words: described(() => viewOf(current).querySelector('.survey-words').focus()),
    add: described(() => element('survey-add').click())
  };
};
