// A reader's file: written from what the browser keeps of the reader, read, and merged into it.
(() => {
  'use strict';
  const { about, answers, order } = unitAtlas.survey;
  const LONGEST = 8 << 20;
  const LONGEST_NAME = 60;
  const MOST_ANSWERS = 20000;
  const KEYS = ['schema', 'study', 'reader', 'lexicon', 'about', 'answers', 'superseded'];

  // The file. `earlier`: the answers on units that this survey no longer asks about.
  function write(study, record, earlier) {
    const place = new Map(order(study, record.reader).map((slot, at) => [slot, at]));
    const slots = Object.keys(record.answers)
      .filter(slot => study.isAsked(slot) !== earlier && !answers.lacking(record.answers[slot]))
      .sort((a, b) => (place.get(a) ?? 1e9) - (place.get(b) ?? 1e9) || (a < b ? -1 : 1));
    return {
      schema: 1,
      study: study.study,
      reader: record.reader,
      lexicon: study.lexicon,
      ...(record.about && { about: record.about }),
      answers: slots.map(slot => answers.written(study, slot, record.answers[slot]))
    };
  }

  function name(study, reader, date) {
    const safe = text => text.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
    return `${safe(study.study)}_${safe(reader) || 'reader'}_${date.toISOString().slice(0, 10)}.json`;
  }

  function check(holds, words) {
    if (!holds) throw new Error(words);
  }

  // Reads the text of a file into { reader, about, answers, unknown }. Throws an Error that says what is wrong.
  function read(study, text) {
    check(text.length <= LONGEST, 'The file is too large to be a reader’s file.');
    let file = null;
    try {
      file = JSON.parse(text);
    } catch {
      check(false, 'The file is not a saved file of this survey: it is not JSON.');
    }
    check(file && typeof file === 'object' && !Array.isArray(file) && file.schema === 1 &&
      Object.keys(file).every(key => KEYS.includes(key)), 'The file is not a saved file of this survey.');
    check(typeof file.study === 'string' && file.study.trim() === study.study.trim(),
      `The file belongs to another study, “${String(file.study).slice(0, 60)}”; this is “${study.study}”.`);
    check(file.lexicon === study.lexicon, 'The file uses another lexicon than this survey.');
    check(typeof file.reader === 'string' && file.reader.trim() && file.reader.length <= LONGEST_NAME,
      'The file names no reader.');
    check(Array.isArray(file.answers) && file.answers.length <= MOST_ANSWERS, 'The file has no list of answers.');
    const said = file.about === undefined || file.about === null ? null : about.read(file.about);
    return { reader: file.reader.trim(), about: said, ...readAnswers(study, file.answers) };
  }

  // Answers by slot, and how many concern units that the survey does not ask about.
  function readAnswers(study, list) {
    const found = {};
    let unknown = 0;
    list.forEach((given, at) => {
      let one = null;
      try {
        one = answers.read(study, given);
      } catch (error) {
        check(false, `Answer ${at + 1} of the file: ${error.message}.`);
      }
      if (!one.slot) {
        unknown += 1;
        return;
      }
      check(!found[one.slot], 'The file answers a unit twice.');
      found[one.slot] = one.answer;
    });
    return { answers: found, unknown };
  }

  // Takes answers into a record: of two on one unit the later stands, and of two as late the one that comes in.
  // Copies of one answer were received when the first of them was. Returns how many were new.
  function merge(study, record, given) {
    // The time spent goes on where nothing else changes.
    const said = (slot, one) => JSON.stringify(answers.written(study, slot, { ...one, seconds: 0, received_at: '' }));
    const taken = Object.keys(given).filter(slot => {
      const old = record.answers[slot];
      if (answers.isEmpty(old)) return true;
      if (said(slot, given[slot]) === said(slot, old)) {
        const received = [given[slot], old].map(one => one.received_at).filter(Boolean);
        if (received.length) [old.received_at] = received.sort((a, b) => answers.time(a) - answers.time(b));
        return false;
      }
      return (answers.when(given[slot]) - answers.when(old) || 0) >= 0;
    });
    taken.forEach(slot => { record.answers[slot] = given[slot]; });
    return taken.length;
  }

  unitAtlas.survey.file = { LONGEST, write, name, read, readAnswers, merge };
})();
