// The survey's overview: all units, and which are answered.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { answers, picture } = unitAtlas.survey;
  // Characters of an answer at most.
  const LONGEST = 140;

  unitAtlas.survey.overview = desk => {
    const { study, records, sending } = desk;

    // An answer in words.
    function summary(answer) {
      if (answers.isEmpty(answer)) return 'open';
      if (answers.lacking(answer)) return 'begun';
      const words = answers.described(answer).map(one =>
        [one.terms.map(study.termName).join(', '), one.description.trim()].filter(Boolean).join(': ')).join('; ');
      const short = words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words;
      return { yes: 'yes', no: 'no', unsure: 'not sure' }[answer.recognizable] + (short ? `; ${short}` : '');
    }

    function unitItem(answer, slot, place) {
      const unit = study.unitOf(slot);
      const done = !answers.lacking(answer);
      const item = make('li', { class: done ? 'done' : 'open' },
        make('a', { href: `#unit-${place + 1}` },
          make('span', { class: 'survey-number' }, `Unit ${place + 1}`), ' ',
          make('span', { class: 'survey-answered' }, summary(answer)),
          make('span', { class: 'strip', 'aria-hidden': 'true' }, ...unit.patches.map(patch => picture(patch, '')))));
      if (study.blind) return item;
      const cancer = unit.patches.filter(patch => patch.positive).length;
      const signs = unit.patches.map(patch => (patch.positive ? '+' : '\u2212')).join(' ');
      item.append(make('p', {
        class: 'survey-signs', role: 'note',
        'aria-label': `${unit.name}; patches with cancer: ${cancer} of ${unit.patches.length}`
      }, `${unit.name}  ${signs}`));
      return item;
    }

    function show() {
      desk.show('overview', 'Units');
      const record = records.open(desk.reader);
      const given = desk.slots.map(slot => record.answers[slot]);
      const done = given.filter(answer => !answers.lacking(answer)).length;
      element('survey-units').replaceChildren(...desk.slots.map((slot, place) => unitItem(given[place], slot, place)));
      const bar = element('survey-progress');
      bar.max = given.length;
      bar.value = done;
      const pace = unitAtlas.survey.pace(given.filter(answer => !answers.lacking(answer)));
      const left = pace && done < given.length
        ? `; about ${unitAtlas.survey.minutes(pace * (given.length - done))} left at your pace` : '';
      element('survey-progress-words').textContent = `${done} of ${given.length} answered${left}`;
      const open = given.findIndex(answers.lacking);
      const next = element('survey-next-open');
      next.hidden = open < 0;
      next.href = `#unit-${open + 1}`;
      sending.show(record);
    }

    return { show };
  };
})();
