// The rules of answers: what an answer holds, what it still lacks, how files write it, which of two stands.
// `labels import` and `serve --collect` have the same ones; tests/answers.json holds all three to them.
(() => {
  'use strict';
  const RECOGNIZABLE = ['yes', 'no', 'unsure'];
  const ASSOCIATIONS = ['malignant', 'benign', 'none', 'unsure'];
  const CONFIDENCES = [1, 2, 3, 4, 5];
  // Characters of a text, and patterns of an answer or terms of a pattern, at most.
  const LONGEST_TEXT = 4000;
  const LONGEST_LIST = 50;

  const phenomenon = () => ({ description: '', terms: [], association: '' });
  const answer = () => ({
    recognizable: '', phenomena: [phenomenon()], confidence: null, remarks: '', answered_at: '', seconds: 0
  });

  const isNamed = one => Boolean(one.description.trim()) || one.terms.length > 0;
  const isBlank = one => !isNamed(one) && !one.association;

  function isEmpty(given) {
    return !given || (!given.recognizable && !given.confidence && !given.remarks.trim() && given.phenomena.every(isBlank));
  }

  // The patterns that an answer describes: none where nothing is recognisable, whatever was typed before.
  function described(given) {
    return given.recognizable === 'no' ? [] : given.phenomena.filter(one => !isBlank(one));
  }

  // What an answer still lacks, in words, with the field; null when it is complete.
  function lacking(given) {
    if (!given || !given.recognizable) {
      return { field: 'recognizable', words: 'Say whether these patches show something recognisable.' };
    }
    const said = described(given);
    const open = said.find(one => !isNamed(one) || !one.association);
    const at = open ? given.phenomena.indexOf(open) : 0;
    if (open && isNamed(open)) return { field: 'association', at, words: 'Say how it is associated with breast cancer.' };
    return open || (given.recognizable === 'yes' && !said.length) ?
      { field: 'phenomenon', at, words: 'Name a term or describe what you recognise.' } : null;
  }

  // Milliseconds since 1970 of an RFC 3339 time such as 2026-11-20T10:12:00.5+01:00; null where a text is none.
  function time(given) {
    const form = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
    const found = form.exec(given);
    if (!found) return null;
    const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
    const [hours, minutes] = found.slice(9, 11).map(part => Number(part || 0));
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    // A day that the month does not have is one of the next.
    const exists = month >= 1 && month <= 12 && day >= 1 && date.getUTCDate() === day &&
      hour < 24 && minute < 60 && second <= 60 && hours < 24 && minutes < 60;
    if (!exists) return null;
    const offset = (found[8] === '-' ? -1 : 1) * (60 * hours + minutes);
    return date.getTime() + 1000 * (60 * (60 * hour + minute - offset) + second + Number(found[7] || 0));
  }

  // The moment that decides which of two answers stands, the later: when a server received it or, where none did,
  // when the device says it was given; before all others where neither is known.
  function when(given) {
    return time(given.received_at) ?? time(given.answered_at) ?? -Infinity;
  }

  // When an answer is given that takes the place of another: now, but never before that one, whatever the clock says.
  function now(other) {
    const after = other ? when(other) + 1 : -Infinity;
    return new Date(Math.max(Date.now(), Math.ceil(after))).toISOString();
  }

  // A complete answer as a file has it.
  function written(study, slot, given) {
    const out = { unit: study.unitOf(slot)?.name || study.codeOf(slot) };
    if (study.isRepeat(slot)) out.repeat = true;
    out.recognizable = given.recognizable;
    const said = described(given);
    if (said.length) {
      out.phenomena = said.map(({ description, terms, association }) =>
        (terms.length ? { description, terms: [...terms], association } : { description, association }));
    }
    if (given.confidence) out.confidence = given.confidence;
    if (given.remarks.trim()) out.remarks = given.remarks;
    out.answered_at = given.answered_at;
    if (given.received_at) out.received_at = given.received_at;
    out.seconds = Math.round(given.seconds);
    return out;
  }

  // ---- Reading

  function fail(words) {
    throw new Error(words);
  }

  function check(holds, words) {
    if (!holds) fail(words);
  }

  // A mapping that has no other keys than these.
  function mapping(value, keys, what) {
    check(value && typeof value === 'object' && !Array.isArray(value), `${what} is no mapping`);
    const other = Object.keys(value).find(key => !keys.includes(key));
    check(other === undefined, `“${String(other).slice(0, 60)}” is no part of ${what}`);
    return value;
  }

  function list(value, what) {
    if (value === undefined) return [];
    check(Array.isArray(value) && value.length <= LONGEST_LIST, `${what} is no list, or too long`);
    return value;
  }

  function text(value, what) {
    check(typeof value === 'string', `${what} is no text`);
    // Half of a character is in no file.
    check([...value].length <= LONGEST_TEXT && !/\p{Cs}/u.test(value), `${what} is no text, or too long`);
    return value;
  }

  function moment(value, what) {
    check(typeof value === 'string' && time(value) !== null, `${what} is no time such as 2026-11-20T10:12:00Z`);
    return value;
  }

  // What may be left out, or be null.
  function optional(value, usual, take) {
    return value === undefined || value === null ? usual : take(value);
  }

  function readPhenomenon(study, value) {
    const one = mapping(value, ['description', 'terms', 'association'], 'a pattern');
    const description = text(one.description, 'description');
    const chosen = list(one.terms, 'terms');
    check(chosen.every(study.hasTerm), 'has a term that is not in the lexicon');
    check(ASSOCIATIONS.includes(one.association), `association is not one of ${ASSOCIATIONS.join(', ')}`);
    const said = { description, terms: [...new Set(chosen)], association: one.association };
    check(isNamed(said), 'a pattern has no description and no terms');
    return said;
  }

  // Reads an answer of a file into { slot, answer }; the slot is null where the survey does not ask about the unit.
  // Throws an Error that says what is wrong.
  function read(study, value) {
    const given = mapping(value, ['unit', 'repeat', 'recognizable', 'phenomena', 'confidence', 'remarks',
      'answered_at', 'received_at', 'seconds'], 'an answer');
    check(typeof given.unit === 'string', 'names no unit');
    check([undefined, true, false].includes(given.repeat), 'repeat is not true or false');
    check(RECOGNIZABLE.includes(given.recognizable), `recognizable is not one of ${RECOGNIZABLE.join(', ')}`);
    const phenomena = list(given.phenomena, 'phenomena').map(one => readPhenomenon(study, one));
    check(given.recognizable !== 'no' || !phenomena.length, 'recognizable is no, yet patterns are described');
    const received = optional(given.received_at, '', one => moment(one, 'received_at'));
    return {
      slot: study.slotOf(given.unit, given.repeat),
      answer: {
        recognizable: given.recognizable,
        phenomena,
        confidence: optional(given.confidence, null, one => {
          check(CONFIDENCES.includes(one), 'confidence is not 1 to 5');
          return one;
        }),
        remarks: optional(given.remarks, '', one => text(one, 'remarks')),
        answered_at: optional(given.answered_at, '', one => moment(one, 'answered_at')),
        ...(received && { received_at: received }),
        seconds: optional(given.seconds, 0, one => {
          check(Number.isFinite(one) && one >= 0, 'seconds is no number of at least 0');
          return one;
        })
      }
    };
  }

  unitAtlas.survey.answers = { answer, phenomenon, isBlank, isEmpty, described, lacking, time, when, now, written, read };
})();
