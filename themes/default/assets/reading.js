// Reading of cases: its views and the way between them. What is scored and kept is in reading-study.js and
// reading-file.js; the reader's order, records and time are those of the survey (survey-*.js). Works from a disk: data
// come as scripts, nothing is requested, nothing is sent.
(() => {
  'use strict';
  const { element, counted } = unitAtlas.page;
  const { reading, survey } = unitAtlas;
  const VIEWS = ['welcome', 'overview', 'case', 'send'];
  const READER = 'unit-atlas-reading-reader';
  const UNKEPT = 'This browser keeps nothing for this page (a private window, or a setting). Scores last only ' +
    'until it is closed: save the file before that.';
  // What a case is taken to need, in seconds, before a reader's pace is known.
  const SECONDS = 120;

  const study = reading.study(unitAtlas.data('survey/cases/data.js'));
  const records = survey.records(study, survey.storage(), 'reading');

  // What the views share. `unsaved`: scores were given that are in no file yet.
  const desk = { study, records, reader: null, slots: [], unsaved: false, change, enter, go, show, say, merge };
  const views = {
    welcome: reading.welcome(desk), overview: reading.overview(desk), case: reading.caseView(desk), send: reading.send(desk)
  };

  function say(words) {
    element('reading-said').textContent = words;
  }

  function warn(words) {
    const box = element('reading-warning');
    box.hidden = !words;
    box.textContent = words || '';
  }

  // Changes the reader's record, and says so where the browser cannot keep it.
  function change(edit) {
    try {
      return records.change(desk.reader, edit);
    } catch (error) {
      warn(`The last change could not be kept in this browser (${error.name}). Save the file now, with “Save ` +
        'and send”, and make room or use another browser.');
      const record = records.open(desk.reader);
      edit(record);
      return record;
    }
  }

  // Takes the cases of a file, and says how many.
  function merge(found) {
    let taken = 0;
    change(record => {
      taken = reading.file.merge(record, found.answers);
      if (taken) record.changed = Date.now();
    });
    const unknown = found.unknown
      ? `; ${counted(found.unknown, 'case is', 'cases are')} not among those of this page` : '';
    return `${counted(taken, 'case', 'cases')} taken from the file${unknown}.`;
  }

  // ---- The way between views

  function show(name, title) {
    VIEWS.forEach(view => { element(`reading-${view}`).hidden = view !== name; });
    document.title = `${title} – Reading of cases`;
    const who = element('survey-who');
    who.hidden = !desk.reader;
    if (desk.reader) who.querySelector('.survey-reader').textContent = desk.reader;
    window.scrollTo(0, 0);
    // Keys must not go to what has just been hidden, and a screen reader goes on from here.
    element(`reading-${name}-title`).focus({ preventScroll: true });
  }

  function route() {
    views.case.leave();
    // Of the case that is left.
    const viewer = document.querySelector('dialog.viewer[open]');
    if (viewer) viewer.close();
    // Links of the page name its parts, which are the views.
    const place = window.location.hash.slice(1).replace(/^reading-/, '');
    const asked = /^case-(\d+)$/.exec(place);
    if (!desk.reader) views.welcome.show();
    else if (asked && desk.slots[asked[1] - 1]) views.case.show(asked[1] - 1);
    else if (place === 'send') views.send.show();
    else views.overview.show();
  }

  function go(place) {
    if (window.location.hash === `#${place}`) route();
    else window.location.hash = place;
  }

  function enter(name) {
    desk.reader = records.open(name).reader;
    desk.slots = survey.order(study, desk.reader);
    unitAtlas.session.set(READER, desk.reader);
    const { storage } = window.navigator;
    if (storage && storage.persist) storage.persist().catch(() => {});
  }

  window.addEventListener('hashchange', () => {
    // The link that skips to the content leads to no view.
    if (window.location.hash !== '#reading-page') route();
  });
  window.addEventListener('storage', event => {
    // The same reader in another window.
    if (desk.reader && event.key === records.keyOf(desk.reader) && !views.case.isOpen()) route();
  });
  window.addEventListener('beforeunload', event => {
    if (!records.kept && desk.unsaved) event.preventDefault();
  });
  element('survey-leave').addEventListener('click', () => {
    views.case.leave();
    desk.reader = null;
    unitAtlas.session.remove(READER);
    go('welcome');
  });
  reading.keys({ reader: () => desk.reader, go, ...views.case });

  // ---- Begin

  const count = study.cases.length;
  element('reading-count').textContent = counted(count, 'mammogram', 'mammograms');
  element('reading-time').textContent = count > 1 ? `At two minutes each that takes about ${survey.minutes(SECONDS * count)}. ` : '';
  if (!records.kept) warn(UNKEPT);
  const last = unitAtlas.session.get(READER);
  if (last && records.readers().includes(last)) enter(last);
  route();
})();
