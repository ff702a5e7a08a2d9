// Follows the builds of `unit-atlas serve`: reloads the page after each, shows why one failed.
(() => {
  'use strict';
  const { dataset, src } = document.currentScript;
  let build = Number(dataset.build);
  let notice = null;

  function show(error) {
    if (!notice) {
      notice = document.createElement('pre');
      notice.setAttribute('role', 'alert');
      notice.style.cssText = 'position:fixed;inset:auto 0 0 0;max-height:60vh;overflow:auto;margin:0;padding:1rem;' +
        'background:#1a1a1a;color:#fff;border-top:4px solid #e0a030;font:14px/1.4 monospace;white-space:pre-wrap;' +
        'z-index:1000';
      document.body.append(notice);
    }
    notice.textContent = `The last build failed; this is the page before it.\n\n${error}`;
  }

  // Waits for news, which the server has only after the next build.
  async function ask() {
    const answer = await window.fetch(new URL(`news?build=${build}`, src));
    const news = await answer.json();
    if (news.error) {
      ({ build } = news);
      show(news.error);
    } else if (news.build !== build) {
      location.reload();
      return;
    }
    follow();
  }

  function follow() {
    ask().catch(() => setTimeout(follow, 2000));
  }

  if (dataset.error) show(dataset.error);
  follow();
})();
