// The reader survey: its views and the way between them. The other survey-*.js do the work: what is kept, sent,
// shown and typed. Works from a disk: data come as scripts, nothing is requested.
(function () {
  'use strict';
  const study = window.unitAtlasSurvey;
  const records = window.unitAtlasRecords;
  const patches = window.unitAtlasPatches;
  const clock = window.unitAtlasClock(spend, () => { if (answer && !records.isEmpty(answer)) keep(false); });
  const report = window.unitAtlasReport({ changed: () => keep(true), use, used, done });
  const { element, make, counted } = window.unitAtlasPage;
  const views = ['welcome', 'overview', 'unit', 'send'];
  const sending = window.unitAtlasSending({
    reader: () => reader, change, warn: words => warn(words || (records.kept ? '' : unkept))
  });
  const QUICK = 9;

  let reader = null;
  let slots = [];
  // The open unit: its place in `slots`, and its answer as it stands.
  let at = -1;
  let answer = null;

  // ---- Words

  function say(words) {
    element('survey-said').textContent = words;
  }

  function warn(words) {
    const box = element('survey-warning');
    box.hidden = !words;
    box.textContent = words || '';
  }

  const termName = id => (records.terms.has(id) ? records.terms.get(id).term.name : id);
  const codeOf = slot => slot.replace(/\+$/, '');
  const unitOf = new Map(study.units.map(unit => [unit.code, unit]));

  // ---- Keeping

  const unkept = 'This browser keeps nothing for this page (a private window, or a setting). Answers last only ' +
    'until it is closed: save the file before that.';
  let unsaved = false;

  function change(edit) {
    try {
      return records.change(reader, edit);
    } catch (error) {
      warn('The last change could not be kept in this browser (' + error.name + '). Save the file now, with “Save ' +
        'and send”, and make room or use another browser.');
      const record = records.open(reader);
      edit(record);
      return record;
    }
  }

  // Keeps the open answer. `said`: what it says has changed, not only the time spent on it.
  function keep(said) {
    if (!answer || at < 0) return;
    if (said) answer.answered_at = new Date().toISOString();
    const slot = slots[at];
    const stored = JSON.parse(JSON.stringify(answer));
    change(record => {
      // The time spent must not bring back what another window has changed since.
      const other = record.answers[slot];
      if (!said && other && Date.parse(other.answered_at) > (Date.parse(stored.answered_at) || 0)) return;
      record.answers[slot] = stored;
      if (said) record.changed = Date.now();
      if (said) sending.mark(record, [slot]);
    });
    if (said) {
      unsaved = true;
      showState();
      element('survey-saved').textContent = records.kept ? 'Kept in this browser' : 'Not kept';
      sending.soon(1000);
    }
  }

  // Terms that the reader has chosen keep the number of their first use for the whole survey.
  function used() {
    return (records.open(reader).used || []).slice(0, QUICK);
  }

  function use(id) {
    change(record => {
      record.used = record.used || [];
      if (record.used.indexOf(id) < 0 && record.used.length < QUICK) record.used.push(id);
    });
  }

  window.addEventListener('storage', event => {
    // The same reader in another window: the later change stands, unit by unit.
    if (!reader || event.key !== records.keyOf(reader)) return;
    if (at >= 0) {
      const other = records.open(reader).answers[slots[at]];
      if (other && Date.parse(other.answered_at) > (Date.parse(answer.answered_at) || 0)) {
        say('Changed in another window.');
        showUnit(at);
      }
    } else {
      route();
    }
  });

  window.addEventListener('beforeunload', event => {
    clock.tick();
    keep(false);
    if (!records.kept && unsaved) event.preventDefault();
  });

  function spend(seconds) {
    if (answer) answer.seconds = (answer.seconds || 0) + seconds;
  }

  // ---- Views

  function show(name, title) {
    views.forEach(view => { element('survey-' + view).hidden = view !== name; });
    document.title = title + ' – Reader survey';
    element('survey-who').hidden = !reader;
    if (reader) element('survey-who').querySelector('.survey-reader').textContent = reader;
    element('survey-leave').hidden = Boolean(sending.collector);
    window.scrollTo(0, 0);
    // Keys must not go to what has just been hidden, and a screen reader goes on from here.
    element('survey-' + name + '-title').focus({ preventScroll: true });
  }

  function leaveUnit() {
    if (at < 0) return;
    clock.tick();
    if (!records.isEmpty(answer)) keep(false);
    sending.soon(0);
    at = -1;
    answer = null;
  }

  function route() {
    leaveUnit();
    // Links of the page name its parts, which are the views.
    const place = window.location.hash.slice(1).replace(/^survey-/, '');
    const number = /^unit-(\d+)$/.exec(place);
    if (!reader) showWelcome();
    else if (number && slots[number[1] - 1]) showUnit(number[1] - 1);
    else if (place === 'send') showSend();
    else showOverview();
  }

  function go(place) {
    if (window.location.hash === '#' + place) route(); else window.location.hash = place;
  }

  window.addEventListener('hashchange', () => {
    // The link that skips to the content leads to no view.
    if (window.location.hash !== '#survey-main') route();
  });

  function enter(name) {
    reader = records.open(name).reader;
    slots = records.order(reader);
    try { window.sessionStorage.setItem('unit-atlas-survey-reader', reader); } catch (error) { /* asked again */ }
    if (window.navigator.storage && window.navigator.storage.persist) window.navigator.storage.persist().catch(() => {});
  }

  // Welcome

  function showWelcome() {
    show('welcome', 'Begin');
    const all = records.readers();
    element('survey-known').hidden = all.length === 0;
    element('survey-readers').replaceChildren(...all.map(name => {
      const record = records.open(name);
      const done = Object.values(record.answers).filter(one => !records.lacking(one)).length;
      const item = make('li');
      const button = make('button', 'survey-button', 'Go on as ' + name);
      button.type = 'button';
      button.addEventListener('click', () => { enter(name); go('overview'); });
      const remove = make('button', 'quiet', 'Remove');
      remove.type = 'button';
      remove.setAttribute('aria-label', 'Remove ' + name + ' from this computer');
      remove.addEventListener('click', () => {
        const sure = window.confirm('Remove the ' + counted(done, 'answer', 'answers') + ' of ' + name +
          ' from this computer? Only a saved file would bring them back.');
        if (!sure) return;
        records.forget(name);
        showWelcome();
      });
      item.append(button, ' ', make('span', 'faint', counted(done, 'answer', 'answers')), ' ', remove);
      return item;
    }));
    element('survey-storage-note').textContent = window.location.protocol === 'file:'
      ? 'This page was opened from a disk. Some browsers forget what such pages keep, and private windows always do: save the file before you close the browser.'
      : 'In a private window answers vanish when it is closed: use a normal one.';
  }

  element('survey-start').addEventListener('submit', event => {
    event.preventDefault();
    const name = element('survey-name').value.replace(/[\u0000-\u001f\u007f]/g, ' ').trim();
    if (!name) return;
    enter(name);
    change(() => {});
    go('overview');
  });

  element('survey-leave').addEventListener('click', () => {
    leaveUnit();
    reader = null;
    try { window.sessionStorage.removeItem('unit-atlas-survey-reader'); } catch (error) { /* was not kept */ }
    go('welcome');
  });

  function readFile(input, then, problem) {
    const file = input.files && input.files[0];
    if (!file) return;
    problem('');
    if (file.size > 8 << 20) {
      problem('The file is too large to be a reader’s file.');
      input.value = '';
      return;
    }
    const reading = new FileReader();
    reading.onload = () => {
      input.value = '';
      try {
        then(records.parse(String(reading.result)));
      } catch (error) {
        problem(error.message);
      }
    };
    reading.onerror = () => problem('The file could not be read.');
    reading.readAsText(file);
  }

  function take(found) {
    let taken = 0;
    change(record => {
      taken = records.merge(record, found.answers);
      if (taken) record.changed = Date.now();
      sending.mark(record, Object.keys(found.answers));
    });
    return counted(taken, 'answer', 'answers') + ' taken from the file' +
      (found.unknown ? '; ' + counted(found.unknown, 'answer concerns a unit', 'answers concern units') +
        ' that this survey does not ask about' : '') + '.';
  }

  element('survey-file').addEventListener('change', event => {
    const problem = words => { element('survey-file-problem').textContent = words; };
    readFile(event.target, found => {
      enter(found.reader);
      const words = take(found);
      go('overview');
      say(words);
    }, problem);
  });

  element('survey-merge').addEventListener('change', event => {
    const words = text => { element('survey-merge-words').textContent = text; };
    readFile(event.target, found => {
      if (records.keyOf(found.reader) !== records.keyOf(reader)) {
        words('The file holds answers of ' + found.reader + ', not of ' + reader + '. Change the reader first.');
        return;
      }
      const said = take(found);
      showSend();
      words(said);
    }, words);
  });

  // Overview

  function stateOf(answered) {
    if (records.isEmpty(answered)) return { done: false, words: 'open' };
    const lack = records.lacking(answered);
    if (lack) return { done: false, words: 'begun' };
    const said = answered.recognizable === 'no' ? [] : answered.phenomena.filter(one => !records.blank(one));
    const words = said.map(one => [one.terms.map(termName).join(', '), one.description.trim()]
      .filter(Boolean).join(': ')).join('; ');
    const short = words.length > 140 ? words.slice(0, 139) + '…' : words;
    return { done: true, words: { yes: 'yes', no: 'no', unsure: 'not sure' }[answered.recognizable] + (short ? '; ' + short : '') };
  }

  function nextOpen(record, from) {
    for (let step = 0; step < slots.length; step += 1) {
      const place = (from + step) % slots.length;
      if (records.lacking(record.answers[slots[place]])) return place;
    }
    return -1;
  }

  function showOverview() {
    show('overview', 'Units');
    const record = records.open(reader);
    let done = 0;
    element('survey-units').replaceChildren(...slots.map((slot, place) => {
      const unit = unitOf.get(codeOf(slot));
      const state = stateOf(record.answers[slot]);
      if (state.done) done += 1;
      const item = make('li', state.done ? 'done' : 'open');
      const link = make('a');
      link.href = '#unit-' + (place + 1);
      const strip = make('span', 'strip');
      strip.append(...unit.patches.map(patch => patches.picture(patch, '')));
      strip.setAttribute('aria-hidden', 'true');
      link.append(make('span', 'survey-number', 'Unit ' + (place + 1)), ' ', make('span', 'survey-answered', state.words), strip);
      item.append(link);
      if (!study.blind) {
        const signs = unit.patches.map(patch => (patch.positive ? '+' : '\u2212')).join(' ');
        const line = make('p', 'survey-signs', unit.name + '  ' + signs);
        line.setAttribute('aria-label', unit.name + '; patches with cancer: ' +
          unit.patches.filter(patch => patch.positive).length + ' of ' + unit.patches.length);
        line.setAttribute('role', 'note');
        item.append(line);
      }
      return item;
    }));
    const bar = element('survey-progress');
    bar.max = slots.length;
    bar.value = done;
    element('survey-progress-words').textContent = done + ' of ' + slots.length + ' answered';
    const open = nextOpen(record, 0);
    const next = element('survey-next-open');
    next.hidden = open < 0;
    next.href = '#unit-' + (open + 1);
    sending.show(record);
  }

  // A unit

  function showUnit(place) {
    at = place;
    const slot = slots[at];
    const code = codeOf(slot);
    const record = records.open(reader);
    const kept = record.answers[slot];
    answer = kept ? JSON.parse(JSON.stringify(kept))
      : { recognizable: '', phenomena: [], confidence: null, remarks: '', answered_at: '', seconds: 0 };
    if (answer.phenomena.length === 0) answer.phenomena.push({ description: '', terms: [], association: '' });
    clock.restart();
    show('unit', 'Unit ' + (at + 1) + ' of ' + slots.length);
    const unit = unitOf.get(code);
    element('survey-unit-title').textContent = 'Unit ' + (at + 1) + ' of ' + slots.length;
    link('survey-previous', at - 1);
    link('survey-next', at + 1);
    element('survey-done').textContent = at + 1 < slots.length ? 'Next unit' : 'Finish';
    element('survey-saved').textContent = '';
    patches.clear();
    patches.load(code, data => {
      if (at >= 0 && codeOf(slots[at]) === data.code) patches.show(data);
    }, () => warn('The pictures of this unit could not be loaded. Is the whole folder of the survey there?'));
    if (slots[at + 1]) patches.load(codeOf(slots[at + 1]));
    report.open(answer);
    showState();
  }

  function link(id, place) {
    const anchor = element(id);
    const there = place >= 0 && place < slots.length;
    anchor.hidden = !there;
    anchor.href = '#unit-' + (place + 1);
  }

  function showState() {
    const name = unitOf.get(codeOf(slots[at])).name;
    const lack = records.lacking(answer);
    const words = records.isEmpty(answer) ? 'Open' : lack ? 'Begun' : 'Answered';
    element('survey-state').textContent = (name ? name + '. ' : '') + words + '.';
    element('survey-state').dataset.state = words.toLowerCase();
  }

  // On to the next unit when this one is answered; otherwise says what is missing.
  function done() {
    const lack = records.lacking(answer);
    if (lack) report.missing(lack);
    else go(at + 1 < slots.length ? 'unit-' + (at + 2) : 'overview');
  }

  // ---- Save and send

  function showSend() {
    show('send', 'Save and send');
    const record = records.open(reader);
    const open = slots.map((slot, place) => ({ place, answered: record.answers[slot] }))
      .filter(one => records.lacking(one.answered));
    const begun = open.filter(one => !records.isEmpty(one.answered));
    const done = slots.length - open.length;
    element('survey-send-words').textContent = done + ' of ' + slots.length + ' units are answered.' +
      (open.length ? ' You can save and send now and again later; a later file replaces an earlier one.' : '') +
      (begun.length ? ' These are begun, and not in the file:' : '');
    element('survey-send-open').replaceChildren(...begun.map(one => {
      const item = make('li');
      const anchor = make('a', '', 'Unit ' + (one.place + 1));
      anchor.href = '#unit-' + (one.place + 1);
      item.append(anchor);
      return item;
    }));
    element('survey-text').value = text(record, false);
    element('survey-sent').textContent = record.saved
      ? 'Last saved on ' + new Date(record.saved).toLocaleString() + '.' +
        (record.changed > record.saved ? ' Answers have changed since.' : '') : '';
    const earlier = records.file(record, true).answers.length;
    const box = element('survey-send-earlier');
    box.hidden = earlier === 0;
    box.firstElementChild.textContent = counted(earlier, 'answer concerns a unit', 'answers concern units') +
      ' that this survey no longer asks about. They are kept, and not in the file.';
    sending.show(record);
  }

  function text(record, earlier) {
    return JSON.stringify(records.file(record, earlier), null, 2) + '\n';
  }

  function save(earlier) {
    const record = records.open(reader);
    const name = records.fileName(record, new Date()).replace('.json', earlier ? '_earlier.json' : '.json');
    const blob = new Blob([text(record, earlier)], { type: 'application/json' });
    const anchor = make('a');
    anchor.href = URL.createObjectURL(blob);
    anchor.download = name;
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
    if (earlier) return;
    change(now => { now.saved = Date.now(); });
    unsaved = false;
    element('survey-sent').textContent = 'Saved as ' + name + ', usually in the folder of downloads. Send this file' +
      (study.contact ? ' to ' + study.contact : ' to the authors of the study') + '.';
  }

  element('survey-save').addEventListener('click', () => save(false));
  element('survey-send-earlier').querySelector('button').addEventListener('click', () => save(true));

  window.unitAtlasKeys({ reader: () => reader, inUnit: () => at >= 0, go, done, report, patches });

  // ---- Begin

  document.querySelectorAll('.survey-count').forEach(node => {
    node.textContent = counted(study.units.length, 'unit', 'units');
  });
  if (!records.kept) warn(unkept);
  if (sending.collector) {
    say('Asking the server.');
    sending.collector.begin((name, answers) => {
      warn(records.kept ? '' : unkept);
      enter(name);
      try {
        const found = records.parse(JSON.stringify({
          schema: 1, study: study.study, lexicon: study.lexicon, reader: name, answers
        }));
        change(record => { records.merge(record, found.answers); });
      } catch (error) {
        warn('The answers on the server could not be read: ' + error.message);
      }
      if (/^#?$/.test(window.location.hash)) window.location.hash = 'overview';
      route();
      sending.soon(0);
    }, words => warn(words));
  } else {
    let last = null;
    try { last = window.sessionStorage.getItem('unit-atlas-survey-reader'); } catch (error) { /* asked again */ }
    if (last && records.readers().indexOf(last) >= 0) enter(last);
    route();
  }
}());
