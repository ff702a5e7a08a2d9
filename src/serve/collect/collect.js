// Sends a reader's answers to the server that the survey came from. The token comes in the link, after
// the `#`, which browsers send to nobody; it is kept for this window.
(() => {
  'use strict';
  const KEY = 'unit-atlas-collect-token';
  const AGAIN = 3000;
  const base = new URL('.', document.currentScript.src).href;
  const token = takeToken();

  function takeToken() {
    const given = /^#token=([0-9A-Za-z]+)$/.exec(window.location.hash);
    // Not in the address bar, where it would be seen.
    if (given) window.history.replaceState(null, '', window.location.pathname);
    try {
      if (!given) return window.sessionStorage.getItem(KEY);
      window.sessionStorage.setItem(KEY, given[1]);
    } catch { /* the link is needed again */ }
    return given && given[1];
  }

  async function ask(route, options) {
    const headers = { Authorization: `Bearer ${token}`, ...options.headers };
    const answer = await window.fetch(`${base}${route}`, { ...options, headers, cache: 'no-store' });
    const body = await answer.json().catch(() => ({}));
    return { status: answer.status, ok: answer.ok, body };
  }

  // Asks who the reader is and what was answered before.
  function begin(accept, refuse) {
    if (!token) {
      refuse('Open the survey by the link you were sent.');
      return;
    }
    ask('answers', {}).then(({ ok, body }) => {
      if (ok) accept(body.reader, body.answers, body.about);
      else refuse(body.error || 'The server refuses this link.');
    }, () => {
      refuse('The server does not answer; trying again.');
      setTimeout(() => begin(accept, refuse), AGAIN);
    });
  }

  // Sends one answer; then `done(null, false, { stands })` with the answer that stands there now, or
  // `done(problem, again, { now })`: whether to try again, and the time of the server where the answer is later.
  const save = (answer, done) => post('answers', answer, done);

  // Sends what the reader says of themselves; then `done(problem, again)` as above.
  const tell = (about, done) => post('about', about, done);

  function post(route, value, done) {
    ask(route, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) })
      .then(({ ok, status, body }) => {
        if (ok) done(null, false, body);
        else done(body.error || 'the server refuses it', [401, 429].includes(status) || status >= 500, body);
      }, () => done('the server does not answer; trying again', true, {}));
  }

  window.unitAtlasCollector = { begin, save, tell };
})();
