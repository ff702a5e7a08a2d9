// The survey's keys. `hooks`: `reader()`, `isOpen()`, `go(place)`, `done()` to go on from a unit, `undo()`, and
// `report`, `patches` and `display`, which keys act on.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const { keyboard, press, arrow } = unitAtlas.survey;

  // What keys without others do on a unit.
  function unitKeys({ report, display, patches }) {
    return {
      y: () => report.setRecognizable('yes'), n: () => report.setRecognizable('no'),
      u: () => report.setRecognizable('unsure'),
      m: () => report.setAssociation('malignant'), b: () => report.setAssociation('benign'),
      x: () => report.setAssociation('none'), s: () => report.setAssociation('unsure'),
      t: report.find, d: report.words, a: report.add, r: () => element('survey-remarks').focus(),
      i: () => element('survey-invert').click(), h: () => press('survey-look'), z: () => press('survey-zoom'),
      v: patches.view, 0: () => press('survey-reset'),
      '[': () => display.slide('brightness', -1), ']': () => display.slide('brightness', 1),
      '{': () => display.slide('contrast', -1), '}': () => display.slide('contrast', 1),
      '-': () => display.slide('size', -2), '+': () => display.slide('size', 2)
    };
  }

  unitAtlas.survey.keys = hooks => {
    const { report, patches } = hooks;
    const unit = unitKeys(hooks);

    // What a key does that stands for something by itself; null where it does not.
    function shortcut(event) {
      const { key } = event;
      if (key === 'o' && element('survey-overview').hidden) return () => hooks.go('overview');
      if (key === 'e') return () => hooks.go('send');
      if (!hooks.isOpen()) return null;
      const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code || '');
      if (event.shiftKey && digit) return () => report.setConfidence(Number(digit[1]));
      if (!event.shiftKey && /^[1-9]$/.test(key)) return () => report.quick(Number(key) - 1);
      return arrow(event, 'survey-previous', 'survey-next') || unit[key] || null;
    }

    function enter() {
      if (!element('survey-overview').hidden) press('survey-next-open');
      else if (!element('survey-send').hidden) press('survey-save');
    }

    function escape(isText) {
      if (isText) element('survey-unit-title').focus({ preventScroll: true });
      else patches.closeContext();
    }

    keyboard({ ...hooks, shortcut, enter, escape });
  };
})();
