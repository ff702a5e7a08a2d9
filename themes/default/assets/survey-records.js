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
      // What could not be kept lives as long as the page, before what was.
      const text = fallback.get(key) || (store && store.getItem(key));
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

    function isAbout(given) {
      try {
        return Boolean(given && unitAtlas.survey.about.read(given));
      } catch {
        return false;
      }
    }

    // A record without what is no answer: it would stop the survey at every unit.
    function sound(record) {
      const sounds = answers => Object.fromEntries(Object.entries(answers || {}).filter(([, one]) => isAnswer(one)));
      const { about, practice, ...others } = record;
      return {
        ...others,
        ...(isAbout(about) && { about }),
        ...(practice && { practice: sounds(practice) }),
        answers: sounds(record.answers),
        used: Array.isArray(record.used) ? record.used : []
      };
    }

    const plain = reader => reader.trim().replace(/\s+/g, ' ');
    // Two names that differ in case or blanks are one person.
    const keyOf = reader => prefix + plain(reader).toLowerCase();

    function readers() {
      const stored = Array.from({ length: store ? store.length : 0 }, (_, at) => store.key(at));
      const keys = [...new Set([...stored, ...fallback.keys()])];
      return keys.filter(key => key.startsWith(prefix)).map(read).filter(Boolean).map(record => record.reader).sort();
    }

    function open(reader) {
      return read(keyOf(reader)) || { format: 1, reader: plain(reader), answers: {}, used: [] };
    }

    // Changes a record where it is kept, so that two windows do not undo each other's work. Throws where it cannot be
    // kept: then it lives as long as the page.
    function change(reader, edit) {
      const record = open(reader);
      edit(record);
      const key = keyOf(reader);
      const unread = store && store.getItem(key) && !read(key) ? store.getItem(key) : null;
      fallback.set(key, JSON.stringify(record));
      if (!store) return record;
      // What cannot be read may be a later version's.
      if (unread) store.setItem(`${key}:set aside`, unread);
      store.setItem(key, fallback.get(key));
      fallback.delete(key);
      return record;
    }

    function forget(reader) {
      if (store) store.removeItem(keyOf(reader));
      fallback.delete(keyOf(reader));
    }

    return { kept: Boolean(store), readers, open, change, forget, keyOf };
  }

  unitAtlas.survey.storage = storage;
  unitAtlas.survey.records = records;
})();
