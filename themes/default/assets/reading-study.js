// The rules of reading cases: what is scored (`survey/cases/data.js`, `Scored` in src/atlas/script.rs), what is kept
// of a case, and when it may still change. Touches no page.
//
// Of a case there are two parts, `before` and `after` its explanation, each { score, birads, seconds, scored_at }. The
// first has `scored_at` from the moment at which the explanation is shown, and then never changes; the second once it
// is confirmed.
(() => {
  'use strict';
  const MOST = 100;
  // Assessment categories of BI-RADS that a reader may give to a mammogram.
  const CATEGORIES = ['0', '1', '2', '3', '4A', '4B', '4C', '5'];

  function study(data) {
    const cases = new Map(data.cases.map(one => [one.code, one]));
    // To the scripts of the survey a case is a unit that is shown once.
    return { ...data, units: data.cases, repeats: 0, isAsked: code => cases.has(code), caseOf: code => cases.get(code) };
  }

  const part = () => ({ score: null, birads: '', seconds: 0, scored_at: '' });
  const answer = () => ({ before: part(), after: part(), remarks: '' });

  // A typed score: a whole number from 0 to 100; null where it is none.
  function score(text) {
    const found = /^\s*(\d{1,3})\s*$/.exec(text);
    return found && Number(found[1]) <= MOST ? Number(found[1]) : null;
  }

  // Whether what is kept is a case at all: it may have been damaged.
  const isScore = one => one === null || (Number.isInteger(one) && one >= 0 && one <= MOST);
  const isPart = one => Boolean(one) && isScore(one.score) && (one.birads === '' || CATEGORIES.includes(one.birads)) &&
    Number.isFinite(one.seconds) && one.seconds >= 0 && (one.scored_at === '' || Number.isFinite(Date.parse(one.scored_at)));
  const isCase = given => Boolean(given) && isPart(given.before) && isPart(given.after) && typeof given.remarks === 'string';

  // How far a case is: open, begun (scored, but not fixed), explained (the first score is fixed) or done.
  function stage(given) {
    if (!isCase(given)) return 'open';
    if (given.before.scored_at) return given.after.scored_at ? 'done' : 'explained';
    return given.before.score === null && !given.before.birads ? 'open' : 'begun';
  }

  const isExplained = given => isCase(given) && Boolean(given.before.scored_at);

  // The part that a reader may change.
  const current = given => (isExplained(given) ? given.after : given.before);

  // Takes a change of that part. A second score stays confirmed when it changes, unless there is none any more.
  function change(given, value, now) {
    const changed = current(given);
    Object.assign(changed, value);
    if (changed.scored_at) changed.scored_at = value.score === null ? '' : now;
  }

  // Fixes the first score; the second begins with it. False where there is none to fix.
  function explain(given, now) {
    if (isExplained(given) || given.before.score === null) return false;
    given.before.scored_at = now;
    Object.assign(given.after, { score: given.before.score, birads: given.before.birads });
    return true;
  }

  // Makes the second score stand as it is. False where there is none, or no explanation was shown.
  function confirm(given, now) {
    if (!isExplained(given) || given.after.score === null) return false;
    given.after.scored_at = now;
    return true;
  }

  // Takes the time that a window counted into what is kept, and nothing else: another window may have changed that.
  function spend(kept, shown) {
    ['before', 'after'].forEach(name => { kept[name].seconds = Math.max(kept[name].seconds, shown[name].seconds); });
  }

  // Whether two say the same, whatever the time spent on them.
  function agrees(one, other) {
    const says = given => JSON.stringify(given, (key, value) => (key === 'seconds' ? undefined : value));
    return says(one) === says(other);
  }

  // The first case in an order that is not done, from a place on and then from the start; -1 where all are.
  function nextOpen(slots, answers, from) {
    const open = slots.map((code, at) => at).filter(at => stage(answers[slots[at]]) !== 'done');
    return open.length ? open.find(at => at >= from) ?? open[0] : -1;
  }

  unitAtlas.reading = {
    CATEGORIES, study, answer, score, isCase, stage, isExplained, current, change, explain, confirm, spend, agrees, nextOpen
  };
})();
