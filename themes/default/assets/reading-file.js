// A reader's file of case scores: written from what the browser keeps, read, and merged into it. `study mrmc` reads it
// (src/study/scores/saved.rs).
(() => {
  'use strict';
  const { CATEGORIES, answer, isExplained, stage } = unitAtlas.reading;
  const LONGEST = 8 << 20;
  const LONGEST_NAME = 60;
  const LONGEST_TEXT = 4000;
  const MOST_CASES = 5000;

  const moment = text => Date.parse(text);

  function written({ score, birads, seconds, scored_at: at }) {
    return { score, ...(birads ? { birads } : {}), seconds: Math.round(seconds), scored_at: at };
  }

  function caseOf(code, given) {
    const remarks = given.remarks.trim();
    return {
      case: code,
      before: written(given.before),
      ...(stage(given) === 'done' ? { after: written(given.after) } : {}),
      ...(remarks ? { remarks } : {})
    };
  }

  // The file: every case whose first score is fixed, in the order in which the reader saw them.
  function write(study, record, now) {
    const slots = unitAtlas.survey.order(study, record.reader).filter(code => isExplained(record.answers[code]));
    return {
      schema: 1,
      kind: 'cases',
      study: study.study,
      reader: record.reader,
      saved_at: now.toISOString(),
      cases: slots.map(code => caseOf(code, record.answers[code]))
    };
  }

  const name = (study, reader, date) =>
    unitAtlas.survey.file.name({ study: `${study.study}_cases` }, reader, date);

  function check(holds, words) {
    if (!holds) throw new Error(words);
  }

  function readPart(given, place) {
    const good = given && typeof given === 'object' && Number.isInteger(given.score) && given.score >= 0 &&
      given.score <= 100 && (given.birads === undefined || CATEGORIES.includes(given.birads)) &&
      Number.isFinite(given.seconds) && given.seconds >= 0 && Number.isFinite(moment(given.scored_at));
    check(good, `${place} has a score that this page does not write.`);
    return { score: given.score, birads: given.birads || '', seconds: given.seconds, scored_at: given.scored_at };
  }

  // Reads the text of a file into { reader, answers, unknown }. Throws an Error that says what is wrong.
  function read(study, text) {
    check(text.length <= LONGEST, 'The file is too large to be a reader’s file.');
    let file = null;
    try {
      file = JSON.parse(text);
    } catch {
      check(false, 'The file is not a saved file of this page: it is not JSON.');
    }
    check(file && typeof file === 'object' && file.schema === 1 && file.kind === 'cases',
      'The file is not a saved file of this page.');
    check(file.study === study.study,
      `The file belongs to another study, “${String(file.study).slice(0, 60)}”; this is “${study.study}”.`);
    check(typeof file.reader === 'string' && file.reader.trim() && file.reader.length <= LONGEST_NAME,
      'The file names no reader.');
    check(Array.isArray(file.cases) && file.cases.length <= MOST_CASES, 'The file has no list of cases.');
    const found = {};
    let unknown = 0;
    file.cases.forEach((one, at) => {
      const place = `Case ${at + 1} of the file`;
      check(one && typeof one.case === 'string' && !found[one.case], `${place} is not written as this page does.`);
      const remarks = one.remarks === undefined ? '' : one.remarks;
      check(typeof remarks === 'string' && remarks.length <= LONGEST_TEXT, `${place} has remarks that are no text.`);
      const given = { ...answer(), before: readPart(one.before, place), remarks };
      if (one.after !== undefined) given.after = readPart(one.after, place);
      else Object.assign(given.after, { score: given.before.score, birads: given.before.birads });
      if (study.isAsked(one.case)) found[one.case] = given;
      else unknown += 1;
    });
    return { reader: file.reader.trim(), answers: found, unknown };
  }

  const isLater = (one, other) => moment(one.scored_at) > moment(other.scored_at);

  // Whether a case of a file takes the place of what is kept. A first score that is fixed stays: of two the earlier
  // one, which the reader gave without having seen the explanation.
  function replaces(given, kept) {
    if (!isExplained(kept)) return true;
    if (given.before.scored_at !== kept.before.scored_at) return isLater(kept.before, given.before);
    return stage(given) === 'done' && (stage(kept) !== 'done' || isLater(given.after, kept.after));
  }

  // Takes cases into a record. Returns how many it took.
  function merge(record, given) {
    const taken = Object.keys(given).filter(code => replaces(given[code], record.answers[code]));
    taken.forEach(code => { record.answers[code] = given[code]; });
    return taken.length;
  }

  unitAtlas.reading.file = { write, name, read, merge };
})();
