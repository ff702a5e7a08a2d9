// Switches beside the units of a case: the probability of cancer with some of them off, or at their mean.
(() => {
  'use strict';
  const { element, make, counted } = unitAtlas.page;
  const data = element('atlas-decision');
  const list = document.querySelector('.parts');
  if (!data || !list) return;
  const decision = JSON.parse(data.textContent);
  const CHOICES = [['on', 'as it is'], ['mean', 'at its mean'], ['off', 'off']];
  const fields = decision.units.map(() =>
    make('select', { autocomplete: 'off' }, ...CHOICES.map(([value, words]) => make('option', { value }, words))));
  const all = make('select', { autocomplete: 'off' }, ...CHOICES.map(([value, words]) => make('option', { value }, words.replace('it is', 'they are').replace('its', 'their'))));
  const before = unitAtlas.decision.probability(decision, fields.map(() => 'on'));
  const result = make('output', { 'aria-live': 'polite' });
  const bar = make('div', { class: 'decision', role: 'group', 'aria-label': 'Switch units off' },
    make('label', {}, 'All these units ', all), result);

  function show() {
    const states = fields.map(field => field.value);
    const after = unitAtlas.decision.probability(decision, states);
    const changed = states.filter(state => state !== 'on').length;
    result.textContent = changed
      ? `Probability of cancer ${before.toFixed(2)} → ${after.toFixed(2)} with ${counted(changed, 'unit', 'units')} changed`
      : `Probability of cancer ${before.toFixed(2)}: switch units off to see what becomes of it`;
    all.value = states.every(state => state === states[0]) ? states[0] : '';
  }

  list.before(bar);
  list.querySelectorAll('li').forEach((item, at) => {
    item.querySelector('div').append(make('p', { class: 'switch' }, make('label', {}, 'Switch ', fields[at])));
  });
  list.addEventListener('change', show);
  all.addEventListener('change', () => {
    fields.forEach(field => { field.value = all.value; });
    show();
  });
  show();
  // A page that was gone back to may come with what was chosen on it.
  window.addEventListener('pageshow', show);
})();
