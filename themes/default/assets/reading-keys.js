// The keys of reading cases. `hooks`: `reader()`, `go(place)`, and the view of a case: `isOpen()`, `done()`, `view()`
// and `score`.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const { keyboard, press, arrow } = unitAtlas.survey;

  unitAtlas.reading.keys = hooks => {
    const { score } = hooks;
    const ofCase = {
      v: hooks.view, b: score.focusCategory, s: score.focus,
      r: () => { if (!element('reading-after').hidden) element('reading-remarks').focus(); }
    };

    function shortcut(event) {
      const { key } = event;
      if (key === 'o' && element('reading-overview').hidden) return () => hooks.go('overview');
      if (key === 'e') return () => hooks.go('send');
      if (!hooks.isOpen()) return null;
      if (/^\d$/.test(key)) return () => score.begin(key);
      return arrow(event, 'reading-previous', 'reading-next') || ofCase[key] || null;
    }

    function enter() {
      if (!element('reading-overview').hidden) press('reading-next-open');
      else if (!element('reading-send').hidden) press('reading-save');
    }

    function escape(isText) {
      if (isText) element('reading-case-title').focus({ preventScroll: true });
    }

    keyboard({ ...hooks, shortcut, enter, escape });
  };
})();
