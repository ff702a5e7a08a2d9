// Sends a reader's answers to the server that the survey came from. The token comes in the link, after
// the `#`, which browsers send to nobody; it is kept for this window.
(function () {
  'use strict';
  const base = new URL('.', document.currentScript.src).href;
  const key = 'unit-atlas-collect-token';
  const given = /^#token=([0-9A-Za-z]+)$/.exec(window.location.hash);
  let token = given && given[1];
  try {
    if (token) window.sessionStorage.setItem(key, token); else token = window.sessionStorage.getItem(key);
  } catch (error) { /* the link is needed again */ }
  // Not in the address bar, where it would be seen.
  if (given) window.history.replaceState(null, '', window.location.pathname);

  function ask(options) {
    options.headers = Object.assign({ Authorization: 'Bearer ' + token }, options.headers);
    options.cache = 'no-store';
    return window.fetch(base + 'answers', options).then(
      answer => answer.json().catch(() => ({})).then(body => ({ status: answer.status, ok: answer.ok, body })));
  }

  window.unitAtlasCollector = {
    // Asks who the reader is and what was answered before.
    begin: function (accept, refuse) {
      if (!token) {
        refuse('Open the survey by the link you were sent.');
        return;
      }
      ask({}).then(result => {
        if (result.ok) accept(result.body.reader, result.body.answers);
        else refuse(result.body.error || 'The server refuses this link.');
      }, () => {
        refuse('The server does not answer; trying again.');
        setTimeout(() => window.unitAtlasCollector.begin(accept, refuse), 3000);
      });
    },
    // Sends one answer; then `done(null)`, or `done(problem, whether to try again)`.
    save: function (answer, done) {
      ask({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(answer) })
        .then(result => {
          if (result.ok) done(null);
          else done(result.body.error || 'the server refuses it', result.status === 429 || result.status >= 500);
        }, () => done('the server does not answer; trying again', true));
    }
  };
}());
