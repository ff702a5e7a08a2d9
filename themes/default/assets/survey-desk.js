// What the views of a page for readers share: the reader, the record that the browser keeps of them, and the way
// between the views, `<prefix>-<view>` in the page. `hooks`: `route()` shows the view that the address names,
// `leave()` ends what is open, `changed()` hears that the same reader has changed something in another window.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const { file, order } = unitAtlas.survey;

  // `page`: `prefix`, `views`, `title` in the window's title, `session` for the reader, `noun` for what is given.
  function desk(study, records, { prefix, views, title, session, noun }, hooks) {
    const UNKEPT = 'This browser keeps nothing for this page (a private window, or a setting). ' +
      `${noun} last only until it is closed: save the file before that.`;
    // `unsaved`: something was given that is in no file yet.
    const self = {
      study, records, reader: null, slots: [], unsaved: false, say, warn, change, show, go, enter, resume, leave
    };

    function say(words) {
      element('survey-said').textContent = words;
    }

    function warn(words) {
      const said = words || (records.kept ? '' : UNKEPT);
      const box = element('survey-warning');
      box.hidden = !said;
      box.textContent = said;
    }

    // Changes the reader's record, and says so where the browser cannot keep it.
    function change(edit) {
      try {
        return records.change(self.reader, edit);
      } catch (error) {
        warn(`The last change could not be kept in this browser (${error.name}). Save the file now, with “Save ` +
          'and send”, and make room or use another browser.');
        return records.open(self.reader);
      }
    }

    function show(name, words) {
      views.forEach(view => { element(`${prefix}-${view}`).hidden = view !== name; });
      document.title = `${words} – ${title}`;
      const who = element('survey-who');
      who.hidden = !self.reader;
      if (self.reader) who.querySelector('.survey-reader').textContent = self.reader;
      window.scrollTo(0, 0);
      // Keys must not go to what has just been hidden, and a screen reader goes on from here.
      element(`${prefix}-${name}-title`).focus({ preventScroll: true });
    }

    function route() {
      hooks.leave();
      // Of what is left.
      const viewer = document.querySelector('dialog.viewer[open]');
      if (viewer) viewer.close();
      // Links of the page name its parts, which are the views.
      hooks.route(window.location.hash.slice(1).replace(new RegExp(`^${prefix}-`), ''));
    }

    function go(place) {
      if (window.location.hash === `#${place}`) route();
      else window.location.hash = place;
    }

    function enter(name) {
      self.reader = records.open(name).reader;
      self.slots = order(study, self.reader);
      unitAtlas.session.set(session, self.reader);
      const { storage } = window.navigator;
      if (storage && storage.persist) storage.persist().catch(() => {});
    }

    // Begins where the reader of this window was.
    function resume() {
      const last = unitAtlas.session.get(session);
      if (last && records.readers().includes(last)) enter(last);
      route();
    }

    function leave() {
      hooks.leave();
      self.reader = null;
      unitAtlas.session.remove(session);
      go('welcome');
    }

    window.addEventListener('hashchange', () => {
      // The link that skips to the content leads to no view.
      if (window.location.hash !== '#survey-main') route();
    });
    window.addEventListener('storage', event => {
      if (self.reader && event.key === records.keyOf(self.reader)) hooks.changed(route);
    });
    window.addEventListener('beforeunload', event => {
      if (!records.kept && self.unsaved) event.preventDefault();
    });
    element('survey-leave').addEventListener('click', leave);
    return self;
  }

  // Has `read` the file that a field of the page was given: `then(found)`, or `problem(words)`.
  function readInput(read, input, then, problem) {
    const given = input.files && input.files[0];
    if (!given) return;
    problem('');
    if (given.size > file.LONGEST) {
      problem('The file is too large to be a reader’s file.');
      input.value = '';
      return;
    }
    const reading = new FileReader();
    reading.onload = () => {
      input.value = '';
      try {
        then(read(String(reading.result)));
      } catch (error) {
        problem(error.message);
      }
    };
    reading.onerror = () => problem('The file could not be read.');
    reading.readAsText(given);
  }

  Object.assign(unitAtlas.survey, { desk, readInput });
})();
