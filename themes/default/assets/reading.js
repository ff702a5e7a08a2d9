// Reading of cases: its views, and which of them an address names. What is scored and kept is in reading-study.js and
// reading-file.js; the desk, the reader's order, records and time are those of the survey (survey-*.js). Works from a
// disk: data come as scripts, nothing is requested, nothing is sent.
(() => {
  'use strict';
  const { element, counted } = unitAtlas.page;
  const { reading, survey } = unitAtlas;
  // What a case is taken to need, in seconds, before a reader's pace is known.
  const SECONDS = 120;

  const study = reading.study(unitAtlas.data('survey/cases/data.js'));
  const records = survey.records(study, survey.storage(), 'reading');
  const desk = survey.desk(study, records, {
    prefix: 'reading',
    views: ['welcome', 'overview', 'case', 'send'],
    title: 'Reading of cases',
    session: 'unit-atlas-reading-reader',
    noun: 'Scores'
  }, {
    route,
    leave: () => views.case.leave(),
    changed: again => (views.case.isOpen() ? views.case.refresh() : again())
  });
  desk.merge = merge;
  const views = {
    welcome: reading.welcome(desk), overview: reading.overview(desk), case: reading.caseView(desk), send: reading.send(desk)
  };
  reading.keys({ reader: () => desk.reader, go: desk.go, ...views.case });

  function route(place) {
    const asked = /^case-(\d+)$/.exec(place);
    if (!desk.reader) views.welcome.show();
    else if (asked && desk.slots[asked[1] - 1]) views.case.show(asked[1] - 1);
    else if (place === 'send') views.send.show();
    else views.overview.show();
  }

  // Takes the cases of a file, and says how many.
  function merge(found) {
    let taken = 0;
    desk.change(record => {
      taken = reading.file.merge(record, found.answers);
      if (taken) record.changed = Date.now();
    });
    const unknown = found.unknown
      ? `; ${counted(found.unknown, 'case is', 'cases are')} not among those of this page` : '';
    return `${counted(taken, 'case', 'cases')} taken from the file${unknown}.`;
  }

  // ---- Begin

  const count = study.cases.length;
  element('reading-count').textContent = counted(count, 'mammogram', 'mammograms');
  element('reading-time').textContent = count > 1 ? `At two minutes each that takes about ${survey.minutes(SECONDS * count)}. ` : '';
  desk.warn('');
  desk.resume();
})();
