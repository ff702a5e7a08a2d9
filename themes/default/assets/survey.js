// The reader survey: its views and the way between them. The other survey-*.js do the work: what is asked, kept,
// sent, shown and typed. Works from a disk: data come as scripts, nothing is requested.
(() => {
  'use strict';
  const { element, counted } = unitAtlas.page;
  const { survey } = unitAtlas;
  const VIEWS = ['welcome', 'about', 'overview', 'unit', 'send', 'thanks'];
  const READER = 'unit-atlas-survey-reader';
  const UNKEPT = 'This browser keeps nothing for this page (a private window, or a setting). Answers last only ' +
    'until it is closed: save the file before that.';

  const study = survey.study(unitAtlas.data('survey/data.js'));
  const records = survey.records(study, survey.storage());

  // What the views share. `unsaved`: answers were given that are in no file yet.
  const desk = {
    study, records, reader: null, slots: [], unsaved: false, change, enter, first, leave, go, show, say, warn
  };
  desk.sending = survey.sending(study, records, {
    reader: () => desk.reader,
    change,
    warn: words => warn(words || (records.kept ? '' : UNKEPT)),
    shown: () => { if (views.thanks.isOpen()) views.thanks.tell(); }
  });
  const { collector } = desk.sending;
  const views = {
    welcome: survey.welcome(desk),
    about: survey.about.view(desk),
    overview: survey.overview(desk),
    unit: survey.unit(desk),
    send: survey.send(desk),
    thanks: survey.thanks(desk)
  };
  survey.taking(desk, views);

  function say(words) {
    element('survey-said').textContent = words;
  }

  function warn(words) {
    const box = element('survey-warning');
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

  // ---- The way between views

  function show(name, title) {
    VIEWS.forEach(view => { element(`survey-${view}`).hidden = view !== name; });
    document.title = `${title} – Reader survey`;
    const who = element('survey-who');
    who.hidden = !desk.reader;
    if (desk.reader) who.querySelector('.survey-reader').textContent = desk.reader;
    element('survey-leave').hidden = Boolean(collector);
    window.scrollTo(0, 0);
    // Keys must not go to what has just been hidden, and a screen reader goes on from here.
    element(`survey-${name}-title`).focus({ preventScroll: true });
  }

  function route() {
    views.unit.leave();
    // Of the unit that is left.
    const viewer = document.querySelector('dialog.viewer[open]');
    if (viewer) viewer.close();
    // Links of the page name its parts, which are the views.
    const place = window.location.hash.slice(1).replace(/^survey-/, '');
    const unit = /^(unit|practice)-(\d+)$/.exec(place);
    if (!desk.reader) views.welcome.show();
    else if (place === 'about' && survey.about.asks(study)) views.about.show();
    else if (views.about.lacks()) views.about.show();
    else if (unit && views.unit.has(unit[1], unit[2] - 1)) views.unit.show(unit[1], unit[2] - 1);
    else if (place === 'practice' && views.unit.has('practice', 0)) views.unit.show('practice', 0);
    else if (place === 'send') views.send.show();
    else if (place === 'thanks') views.thanks.show();
    else views.overview.show();
  }

  function go(place) {
    if (window.location.hash === `#${place}`) route();
    else window.location.hash = place;
  }

  // Where a reader begins.
  function first() {
    const { about, practised } = records.open(desk.reader);
    if (survey.about.lacks(study, about)) return 'about';
    return study.practice.length && !practised ? 'practice-1' : 'overview';
  }

  function leave() {
    views.unit.leave();
    desk.reader = null;
    unitAtlas.session.remove(READER);
    go('welcome');
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
    if (window.location.hash !== '#survey-main') route();
  });
  window.addEventListener('storage', event => {
    // The same reader in another window.
    if (!desk.reader || event.key !== records.keyOf(desk.reader)) return;
    if (views.unit.isOpen()) views.unit.refresh();
    else route();
  });
  window.addEventListener('beforeunload', event => {
    if (!records.kept && desk.unsaved) event.preventDefault();
  });
  element('survey-leave').addEventListener('click', leave);
  survey.keys({ reader: () => desk.reader, inUnit: views.unit.isOpen, go, ...views.unit });

  // ---- Begin

  // The reader of a link, with what the server has of them.
  function begin(name, given, about) {
    warn(records.kept ? '' : UNKEPT);
    enter(name);
    try {
      const found = survey.file.readAnswers(study, given);
      change(record => {
        survey.about.merge(record, about);
        // What the reader has changed since it was sent comes after what the server has, also what is not complete
        // or was taken back.
        desk.sending.changed(record).forEach(slot => delete found.answers[slot]);
        survey.file.merge(study, record, found.answers);
      });
    } catch (error) {
      warn(`The answers on the server could not be read: ${error.message}`);
    }
    if (/^#?$/.test(window.location.hash)) window.location.hash = first();
    route();
    desk.sending.soon(0);
  }

  // The order of readers differs, its length does not.
  const asked = survey.order(study, '').length;
  const again = asked - study.units.length;
  const fill = (name, words) => document.querySelectorAll(`.survey-${name}`).forEach(node => { node.textContent = words; });
  fill('count', counted(study.units.length, 'unit', 'units'));
  fill('again', again ? `, ${again} of them a second time` : '');
  fill('time', asked > 1 ? `At a minute each that takes about ${survey.minutes(60 * asked)}. ` : '');
  if (!records.kept) warn(UNKEPT);
  if (collector) {
    say('Asking the server.');
    collector.begin(begin, warn);
  } else {
    const last = unitAtlas.session.get(READER);
    if (last && records.readers().includes(last)) enter(last);
    route();
  }
})();
