// The survey by keyboard. `hooks`: `reader()`, `inUnit()`, `go(place)`, `done()` to go on from a unit, `undo()`, and
// `report`, `patches` and `display`, which keys act on.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const SWITCH = 'unit-atlas-survey-keys';

  const isText = target => target.isContentEditable || /^(textarea|select)$/i.test(target.tagName) ||
    (/^input$/i.test(target.tagName) && !/^(radio|checkbox|range|button|submit)$/.test(target.type));
  const press = id => { if (!element(id).hidden) element(id).click(); };
  const openHelp = () => element('survey-help').showModal();

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
    const keysOn = element('survey-keys');
    const show = () => document.body.classList.toggle('keys-off', !keysOn.checked);
    keysOn.checked = unitAtlas.kept.get(SWITCH) !== 'off';
    keysOn.addEventListener('change', () => {
      show();
      unitAtlas.kept.set(SWITCH, keysOn.checked ? 'on' : 'off');
    });
    show();

    // What a key does that stands for something by itself; null where it does not.
    function shortcut(event) {
      const { key, target } = event;
      if (key === '?') return openHelp;
      if (key === 'o' && element('survey-overview').hidden) return () => hooks.go('overview');
      if (key === 'e') return () => hooks.go('send');
      if (!hooks.inUnit()) return null;
      const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code || '');
      if (event.shiftKey && digit) return () => report.setConfidence(Number(digit[1]));
      if (!event.shiftKey && /^[1-9]$/.test(key)) return () => report.quick(Number(key) - 1);
      if (key === 'ArrowLeft' || key === 'ArrowRight') {
        // Radio buttons and sliders have arrows of their own.
        if (/^input$/i.test(target.tagName)) return null;
        return () => press(key === 'ArrowLeft' ? 'survey-previous' : 'survey-next');
      }
      return unit[key] || null;
    }

    function enter() {
      if (hooks.inUnit()) hooks.done();
      else if (!element('survey-overview').hidden) press('survey-next-open');
      else if (!element('survey-send').hidden) press('survey-save');
    }

    function escape(target) {
      if (isText(target)) element('survey-unit-title').focus({ preventScroll: true });
      else patches.closeContext();
    }

    // What a key press does, other than what the browser would do.
    function actOf(event) {
      const meta = event.ctrlKey || event.metaKey;
      if (event.key === 'Enter' && meta && hooks.inUnit()) return hooks.done;
      if (event.altKey || isText(event.target)) return null;
      if (meta) return event.key.toLowerCase() === 'z' && !event.shiftKey && hooks.inUnit() ? hooks.undo : null;
      if (event.key !== 'Enter') return keysOn.checked ? shortcut(event) : null;
      // What has the focus is pressed by it.
      return event.target.closest('button, a, summary') ? null : enter;
    }

    document.addEventListener('keydown', event => {
      if (document.querySelector('dialog[open]') || event.defaultPrevented || !hooks.reader()) return;
      if (event.key === 'Escape') {
        if (hooks.inUnit()) escape(event.target);
        return;
      }
      const act = actOf(event);
      if (!act) return;
      event.preventDefault();
      act();
    });

    element('survey-help-open').addEventListener('click', openHelp);
    document.querySelectorAll('[data-key]').forEach(node => {
      const { key } = node.dataset;
      node.setAttribute('aria-keyshortcuts', { '←': 'ArrowLeft', '→': 'ArrowRight', 'Ctrl+Z': 'Control+Z' }[key] || key);
    });
  };
})();
