// What the browser keeps of each reader, after every change: a record { format, reader, answers, used }, whose
// answers go by slot and whose `used` are the terms chosen before. Where the study asks for more there are also
// `about` and, by code, the answers to units to practise on, `practice`.
(() => {
  'use strict';

  // Where records can be kept; null in a private window and the like.
  function storage() {
    try {
      const probe = 'unit-atlas-survey:probe';
      window.localStorage.setItem(probe, '1');
      window.localStorage.removeItem(probe);
      return window.localStorage;
    } catch {
      return null;
    }
  }

  // The records of a study, those of its survey or of its `reading` of cases. Without a storage they live as long as
  // the page.
  function records(study, store, kind = 'survey') {
    const prefix = `unit-atlas-${kind}:${study.study}:`;
    const fallback = new Map();

    function read(key) {
      const text = store ? store.getItem(key) : fallback.get(key);
      try {
        const record = JSON.parse(text || 'null');
        return record && record.format === 1 && typeof record.reader === 'string' &&
          record.answers && typeof record.answers === 'object' ? sound(record) : null;
      } catch {
        return null;
      }
    }

    const isPattern = one => Boolean(one) && Array.isArray(one.terms) && typeof one.description === 'string';
    const isAnswer = one => Boolean(one) && typeof one === 'object' &&
      (one.phenomena === undefined || (Array.isArray(one.phenomena) && one.phenomena.every(isPattern)));

    // A record without what is no answer: it would stop the survey at every unit.
    function sound(record) {
      const sounds = answers => Object.fromEntries(Object.entries(answers || {}).filter(([, one]) => isAnswer(one)));
      const { about, practice, ...others } = record;
      return {
        ...others,
        ...(about && typeof about.given_at === 'string' && { about }),
        ...(practice && { practice: sounds(practice) }),
        answers: sounds(record.answers),
        used: Array.isArray(record.used) ? record.used : []
      };
    }

    const plain = reader => reader.trim().replace(/\s+/g, ' ');
    // Two names that differ in case or blanks are one person.
    const keyOf = reader => prefix + plain(reader).toLowerCase();

    function readers() {
      const keys = store ? Array.from({ length: store.length }, (_, at) => store.key(at)) : [...fallback.keys()];
      return keys.filter(key => key.startsWith(prefix)).map(read).filter(Boolean).map(record => record.reader).sort();
    }

    function open(reader) {
      return read(keyOf(reader)) || { format: 1, reader: plain(reader), answers: {}, used: [] };
    }

    // Changes a record where it is kept, so that two windows do not undo each other's work.
    function change(reader, edit) {
      const record = open(reader);
      edit(record);
      const text = JSON.stringify(record);
      // What cannot be read may be a later version's.
      if (store && store.getItem(keyOf(reader)) && !read(keyOf(reader))) {
        store.setItem(`${keyOf(reader)}:set aside`, store.getItem(keyOf(reader)));
      }
      if (store) store.setItem(keyOf(reader), text);
      else fallback.set(keyOf(reader), text);
      return record;
    }

    function forget(reader) {
      if (store) store.removeItem(keyOf(reader));
      else fallback.delete(keyOf(reader));
    }

    return { kept: Boolean(store), readers, open, change, forget, keyOf };
  }

  unitAtlas.survey.storage = storage;
  unitAtlas.survey.records = records;
})();
