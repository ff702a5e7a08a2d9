// All cases of a reader, and how far each is.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { reading } = unitAtlas;
  const WORDS = { open: 'open', begun: 'begun', explained: 'second score to be confirmed', done: 'scored' };

  reading.overview = desk => {
    const { study, records } = desk;

    function caseItem(given, code, place) {
      const stage = reading.stage(given);
      const [view] = study.caseOf(code).views;
      return make('li', { class: stage === 'done' ? 'done' : 'open' },
        make('a', { href: `#case-${place + 1}` },
          make('img', { src: unitAtlas.address(view.src), alt: '', loading: 'lazy', width: view.pixels[0], height: view.pixels[1] }),
          make('span', {}, make('span', { class: 'survey-number' }, `Case ${place + 1}`), ' ',
            make('span', { class: 'survey-answered' }, WORDS[stage]))));
    }

    function show() {
      desk.show('overview', 'Cases');
      const given = desk.slots.map(code => records.open(desk.reader).answers[code]);
      const done = given.filter(one => reading.stage(one) === 'done').length;
      element('reading-cases').replaceChildren(...desk.slots.map((code, place) => caseItem(given[place], code, place)));
      const bar = element('reading-progress');
      bar.max = given.length;
      bar.value = done;
      const times = given.filter(one => reading.stage(one) === 'done').map(one => ({ seconds: one.before.seconds + one.after.seconds }));
      const pace = unitAtlas.survey.pace(times);
      const left = pace && done < given.length
        ? `; about ${unitAtlas.survey.minutes(pace * (given.length - done))} left at your pace` : '';
      element('reading-progress-words').textContent = `${done} of ${given.length} scored${left}`;
      const open = given.findIndex(one => reading.stage(one) !== 'done');
      const next = element('reading-next-open');
      next.hidden = open < 0;
      next.href = `#case-${open + 1}`;
    }

    return { show };
  };
})();
