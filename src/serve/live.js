// Follows the builds of `unit-atlas serve`: reloads the page after each, shows why one failed.
(function () {
  "use strict";
  var build = Number(document.currentScript.dataset.build);
  var failed = document.currentScript.dataset.error;
  var notice = null;

  function show(error) {
    if (!notice) {
      notice = document.createElement("pre");
      notice.setAttribute("role", "alert");
      notice.style.cssText =
        "position:fixed;inset:auto 0 0 0;max-height:60vh;overflow:auto;margin:0;padding:1rem;" +
        "background:#1a1a1a;color:#fff;border-top:4px solid #e0a030;font:14px/1.4 monospace;" +
        "white-space:pre-wrap;z-index:1000";
      document.body.append(notice);
    }
    notice.textContent = "The last build failed; this is the page before it.\n\n" + error;
  }

  function ask() {
    fetch("/_live/news?build=" + build)
      .then(function (answer) {
        return answer.json();
      })
      .then(function (news) {
        if (news.error) {
          build = news.build;
          show(news.error);
        } else if (news.build !== build) {
          location.reload();
          return;
        }
        ask();
      })
      .catch(function () {
        setTimeout(ask, 2000);
      });
  }
  if (failed) show(failed);
  ask();
})();
