// The reader survey: its views, and which of them an address names. The other survey-*.js do the work: what is asked,
// kept, sent, shown and typed. Works from a disk: data come as scripts, nothing is requested.
(() => {
  'use strict';
  const { counted } = unitAtlas.page;
  const { survey } = unitAtlas;

  const study = survey.study(unitAtlas.data('survey/data.js'));
  const records = survey.records(study, survey.storage());
  const desk = survey.desk(study, records, {
    prefix: 'survey',
    views: ['welcome', 'about', 'overview', 'unit', 'send', 'thanks'],
    title: 'Reader survey',
    session: 'unit-atlas-survey-reader',
    noun: 'Answers'
  }, {
    route,
    leave: () => views.unit.leave(),
    changed: again => (views.unit.isOpen() ? views.unit.refresh() : again())
  });
  desk.first = first;
  desk.sending = survey.sending(study, records, {
    reader: () => desk.reader,
    may: () => !views.about.lacks(),
    change: desk.change,
    warn: desk.warn,
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
  survey.keys({ reader: () => desk.reader, go: desk.go, ...views.unit });
  // Who came by a link is that reader.
  unitAtlas.page.element('survey-leave').hidden = Boolean(collector);

  function route(place) {
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

  // Where a reader begins.
  function first() {
    const { about, practised } = records.open(desk.reader);
    if (survey.about.lacks(study, about)) return 'about';
    return study.practice.length && !practised ? 'practice-1' : 'overview';
  }

  // ---- Begin

  // The reader of a link, with what the server has of them.
  function begin(name, given, about) {
    desk.warn('');
    desk.enter(name);
    try {
      const found = survey.file.readAnswers(study, given);
      desk.change(record => {
        survey.about.merge(record, about);
        // What the reader has changed since it was sent comes after what the server has, also what is not complete
        // or was taken back.
        desk.sending.changed(record).forEach(slot => delete found.answers[slot]);
        survey.file.merge(study, record, found.answers);
      });
    } catch (error) {
      desk.warn(`The answers on the server could not be read: ${error.message}`);
    }
    desk.go(window.location.hash.slice(1) || first());
    desk.sending.soon(0);
  }

  // The order of readers differs, its length does not.
  const asked = survey.order(study, '').length;
  const again = asked - study.units.length;
  const fill = (name, words) => document.querySelectorAll(`.survey-${name}`).forEach(node => { node.textContent = words; });
  fill('count', counted(study.units.length, 'unit', 'units'));
  fill('again', again ? `, ${again} of them a second time` : '');
  fill('time', asked > 1 ? `At a minute each that takes about ${survey.minutes(60 * asked)}. ` : '');
  desk.warn('');
  if (collector) {
    desk.say('Asking the server.');
    collector.begin(begin, desk.warn);
  } else desk.resume();
})();
