// Readers' answers: kept in this browser after every change, written to and read from files, put into an
// order of the reader's own. Nothing here touches the page.
//
// A record is what the browser keeps of one reader: { format, reader, answers, used }, where `answers`
// go by slot, the code of a unit, with `+` after it for its second presentation.
window.unitAtlasRecords = (function () {
  'use strict';
  const study = window.unitAtlasSurvey;
  const prefix = 'unit-atlas-survey:' + study.study + ':';
  const LONGEST_FILE = 8 << 20;
  const LONGEST_TEXT = 4000;

  const terms = new Map();
  study.groups.forEach(group => group.terms.forEach(term => terms.set(term.id, { term, group })));
  // A file may name units by code or, where the survey is not blind, by name.
  const codes = new Map();
  study.units.forEach(unit => {
    codes.set(unit.code, unit.code);
    if (unit.name) codes.set(unit.name, unit.code);
  });
  const names = new Map(study.units.map(unit => [unit.code, unit.name || unit.code]));

  // ---- Where records are kept

  let storage = null;
  try {
    const probe = prefix + ':probe';
    window.localStorage.setItem(probe, '1');
    window.localStorage.removeItem(probe);
    storage = window.localStorage;
  } catch (error) { /* no storage: answers live as long as the page */ }
  const fallback = new Map();

  function read(key) {
    const text = storage ? storage.getItem(key) : fallback.get(key);
    if (!text) return null;
    try {
      const record = JSON.parse(text);
      return record && record.format === 1 && typeof record.reader === 'string' &&
        record.answers && typeof record.answers === 'object' ? record : null;
    } catch (error) {
      return null;
    }
  }

  function write(key, record) {
    const text = JSON.stringify(record);
    if (storage) storage.setItem(key, text); else fallback.set(key, text);
  }

  // Two names that differ in case or blanks are one person, as for `labels import`.
  function keyOf(reader) {
    return prefix + reader.trim().toLowerCase();
  }

  function readers() {
    const keys = [];
    if (storage) {
      for (let i = 0; i < storage.length; i += 1) keys.push(storage.key(i));
    } else {
      keys.push(...fallback.keys());
    }
    return keys.filter(key => key.startsWith(prefix)).map(read).filter(Boolean)
      .map(record => record.reader).sort();
  }

  function open(reader) {
    const name = reader.trim().replace(/\s+/g, ' ');
    return read(keyOf(name)) || { format: 1, reader: name, answers: {}, used: [] };
  }

  // Changes a record where it is kept, so that two windows do not undo each other's work.
  function change(reader, edit) {
    const record = open(reader);
    edit(record);
    write(keyOf(reader), record);
    return record;
  }

  function forget(reader) {
    if (storage) storage.removeItem(keyOf(reader)); else fallback.delete(keyOf(reader));
  }

  // ---- Order

  // Numbers in [0, 1) that follow from a text: xmur3 into mulberry32, both public domain.
  function stream(text) {
    let h = 1779033703 ^ text.length;
    for (let i = 0; i < text.length; i += 1) {
      h = Math.imul(h ^ text.charCodeAt(i), 3432918353);
      h = h << 13 | h >>> 19;
    }
    h = Math.imul(h ^ h >>> 16, 2246822507);
    h = Math.imul(h ^ h >>> 13, 3266489909);
    let a = (h ^ h >>> 16) >>> 0;
    return function () {
      a = a + 0x6D2B79F5 | 0;
      let t = Math.imul(a ^ a >>> 15, 1 | a);
      t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
      return ((t ^ t >>> 14) >>> 0) / 4294967296;
    };
  }

  function shuffled(list, random) {
    const out = list.slice();
    for (let i = out.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  // All slots in the reader's order: the same on every computer. Units shown twice come back at least
  // half a survey later where they can.
  function order(reader) {
    const random = stream(study.study + '\n' + reader.trim().toLowerCase());
    const units = shuffled(study.units.map(unit => unit.code), random);
    const half = Math.ceil(units.length / 2);
    const count = units.length < 2 ? 0 : Math.round(study.repeats * units.length);
    // Those of the first half first: only they can wait so long.
    const early = shuffled(units.slice(0, units.length - half), random);
    const late = shuffled(units.slice(units.length - half), random);
    const again = early.concat(late).slice(0, count);
    const places = units.map((code, at) => ({ slot: code, at, tie: 0 }));
    again.forEach(code => {
      const first = units.indexOf(code);
      const from = Math.min(first + half, units.length - 1);
      const at = from + Math.floor(random() * (units.length - from));
      places.push({ slot: code + '+', at, tie: 1 + random() });
    });
    places.sort((a, b) => a.at - b.at || a.tie - b.tie);
    return places.map(place => place.slot);
  }

  // ---- Answers

  function blank(phenomenon) {
    return !phenomenon.description.trim() && phenomenon.terms.length === 0 && !phenomenon.association;
  }

  // What an answer still lacks, in words, with the field; `null` when it is complete.
  function lacking(answer) {
    if (!answer || !answer.recognizable) {
      return { field: 'recognizable', words: 'Say whether these patches show something recognisable.' };
    }
    if (answer.recognizable === 'no') return null;
    const said = answer.phenomena.filter(phenomenon => !blank(phenomenon));
    if (answer.recognizable === 'yes' && said.length === 0) {
      return { field: 'phenomenon', at: 0, words: 'Name a term or describe what you recognise.' };
    }
    for (let at = 0; at < answer.phenomena.length; at += 1) {
      const phenomenon = answer.phenomena[at];
      if (blank(phenomenon)) continue;
      if (!phenomenon.description.trim() && phenomenon.terms.length === 0) {
        return { field: 'phenomenon', at, words: 'Name a term or describe what you recognise.' };
      }
      if (!phenomenon.association) {
        return { field: 'association', at, words: 'Say how it is associated with breast cancer.' };
      }
    }
    return null;
  }

  function isEmpty(answer) {
    return !answer || (!answer.recognizable && !answer.confidence && !(answer.remarks || '').trim() &&
      answer.phenomena.every(blank));
  }

  // A complete answer as the labels format has it.
  function written(slot, answer) {
    const repeat = slot.endsWith('+');
    const code = repeat ? slot.slice(0, -1) : slot;
    const out = { unit: names.get(code) || code };
    if (repeat) out.repeat = true;
    out.recognizable = answer.recognizable;
    if (answer.recognizable !== 'no') {
      const said = answer.phenomena.filter(phenomenon => !blank(phenomenon));
      if (said.length) {
        out.phenomena = said.map(phenomenon => {
          const one = { description: phenomenon.description };
          if (phenomenon.terms.length) one.terms = phenomenon.terms.slice();
          one.association = phenomenon.association;
          return one;
        });
      }
    }
    if (answer.confidence) out.confidence = answer.confidence;
    if ((answer.remarks || '').trim()) out.remarks = answer.remarks;
    out.answered_at = answer.answered_at;
    out.seconds = Math.round(answer.seconds || 0);
    return out;
  }

  function known(slot) {
    return codes.has(slot.replace(/\+$/, ''));
  }

  // The reader's file. `earlier`: the answers on units that this survey no longer asks about.
  function file(record, earlier) {
    const slots = Object.keys(record.answers)
      .filter(slot => known(slot) !== Boolean(earlier) && !lacking(record.answers[slot]));
    const place = new Map(order(record.reader).map((slot, at) => [slot, at]));
    slots.sort((a, b) => (place.get(a) ?? 1e9) - (place.get(b) ?? 1e9) || (a < b ? -1 : 1));
    return {
      schema: 1,
      study: study.study,
      reader: record.reader,
      lexicon: study.lexicon,
      answers: slots.map(slot => written(slot, record.answers[slot]))
    };
  }

  function fileName(record, date) {
    const safe = text => text.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
    return [safe(study.study), safe(record.reader) || 'reader', date.toISOString().slice(0, 10)].join('_') +
      '.json';
  }

  // ---- Files of others

  function fail(words) {
    throw new Error(words);
  }

  // Reads a reader's file into { reader, answers, unknown }. Throws an Error that says what is wrong.
  function parse(text) {
    if (text.length > LONGEST_FILE) fail('The file is too large to be a reader’s file.');
    let file;
    try {
      file = JSON.parse(text);
    } catch (error) {
      fail('The file is not a saved file of this survey: it is not JSON.');
    }
    if (!file || typeof file !== 'object' || Array.isArray(file) || file.schema !== 1) {
      fail('The file is not a saved file of this survey.');
    }
    if (file.study !== study.study) {
      fail('The file belongs to another study, “' + String(file.study).slice(0, 60) + '”; this is “' +
        study.study + '”.');
    }
    if (file.lexicon !== study.lexicon) fail('The file uses another lexicon than this survey.');
    if (typeof file.reader !== 'string' || !file.reader.trim() || file.reader.length > 60) {
      fail('The file names no reader.');
    }
    if (!Array.isArray(file.answers) || file.answers.length > 20000) fail('The file has no list of answers.');
    const answers = {};
    let unknown = 0;
    file.answers.forEach((answer, at) => {
      const found = parseAnswer(answer, 'Answer ' + (at + 1) + ' of the file');
      if (!found.slot) { unknown += 1; return; }
      if (answers[found.slot]) fail('The file answers a unit twice.');
      answers[found.slot] = found.answer;
    });
    return { reader: file.reader.trim(), answers, unknown };
  }

  function parseAnswer(answer, place) {
    const text = (value, what) => {
      if (value === undefined || value === null) return '';
      if (typeof value !== 'string' || value.length > LONGEST_TEXT) fail(place + ': ' + what + ' is no text, or too long.');
      return value;
    };
    if (!answer || typeof answer !== 'object' || typeof answer.unit !== 'string') fail(place + ' names no unit.');
    const code = codes.get(answer.unit);
    const phenomena = answer.phenomena === undefined ? [] : answer.phenomena;
    if (['yes', 'no', 'unsure'].indexOf(answer.recognizable) < 0) fail(place + ': recognizable is not yes, no or unsure.');
    if (!Array.isArray(phenomena) || phenomena.length > 50) fail(place + ': phenomena is no list.');
    const whole = phenomena.map(phenomenon => {
      const chosen = (phenomenon && phenomenon.terms) || [];
      if (!phenomenon || typeof phenomenon !== 'object' || !Array.isArray(chosen) ||
          !chosen.every(id => terms.has(id))) {
        fail(place + ' has a term that is not in the lexicon.');
      }
      if (['malignant', 'benign', 'none', 'unsure'].indexOf(phenomenon.association) < 0) {
        fail(place + ': association is not malignant, benign, none or unsure.');
      }
      return {
        description: text(phenomenon.description, 'description'),
        terms: chosen.filter((id, i) => chosen.indexOf(id) === i),
        association: phenomenon.association
      };
    });
    const confidence = answer.confidence === undefined ? null : answer.confidence;
    if (confidence !== null && [1, 2, 3, 4, 5].indexOf(confidence) < 0) fail(place + ': confidence is not 1 to 5.');
    const at = text(answer.answered_at, 'answered_at');
    if (at && Number.isNaN(Date.parse(at))) fail(place + ': answered_at is no time.');
    const seconds = answer.seconds === undefined ? 0 : answer.seconds;
    if (typeof seconds !== 'number' || !(seconds >= 0)) fail(place + ': seconds is no number.');
    return {
      slot: code ? code + (answer.repeat === true ? '+' : '') : null,
      answer: {
        recognizable: answer.recognizable, phenomena: whole, confidence,
        remarks: text(answer.remarks, 'remarks'), answered_at: at, seconds
      }
    };
  }

  // Takes answers of a file into a record: of two on one unit the later stands. Returns how many were new.
  function merge(record, answers) {
    let taken = 0;
    Object.keys(answers).forEach(slot => {
      const old = record.answers[slot];
      const now = answers[slot];
      const later = !old || isEmpty(old) ||
        (Date.parse(now.answered_at) || 0) > (Date.parse(old.answered_at) || 0);
      if (later) {
        record.answers[slot] = now;
        taken += 1;
      }
    });
    return taken;
  }

  return {
    kept: Boolean(storage), readers, open, change, forget, keyOf, order, terms, lacking, isEmpty, blank, known,
    written, file, fileName, parse, merge
  };
}());
