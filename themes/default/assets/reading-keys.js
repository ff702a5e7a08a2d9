// Reading cases by keyboard. `hooks`: `reader()`, `go(place)`, and the view of a case: `isOpen()`, `done()`, `view()`
// and `score`.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  // As in the survey of units.
  const SWITCH = 'unit-atlas-survey-keys';

  const isText = target => target.isContentEditable || /^(textarea|select)$/i.test(target.tagName) ||
    (/^input$/i.test(target.tagName) && !/^(radio|checkbox|range|button|submit)$/.test(target.type));
  const press = id => { if (!element(id).hidden) element(id).click(); };
  const openHelp = () => element('reading-help').showModal();

  unitAtlas.reading.keys = hooks => {
    const { score } = hooks;
    const keysOn = element('survey-keys');
    const show = () => document.body.classList.toggle('keys-off', !keysOn.checked);
    keysOn.checked = unitAtlas.kept.get(SWITCH) !== 'off';
    keysOn.addEventListener('change', () => {
      show();
      unitAtlas.kept.set(SWITCH, keysOn.checked ? 'on' : 'off');
    });
    show();

    const ofCase = {
      v: hooks.view, b: score.focusCategory, s: score.focus,
      r: () => { if (!element('reading-after').hidden) element('reading-remarks').focus(); }
    };

    function shortcut({ key, target }) {
      if (key === '?') return openHelp;
      if (key === 'o' && element('reading-overview').hidden) return () => hooks.go('overview');
      if (key === 'e') return () => hooks.go('send');
      if (!hooks.isOpen()) return null;
      if (/^\d$/.test(key)) return () => score.begin(key);
      if (key === 'ArrowLeft' || key === 'ArrowRight') {
        // Radio buttons and sliders have arrows of their own.
        if (/^input$/i.test(target.tagName)) return null;
        return () => press(key === 'ArrowLeft' ? 'reading-previous' : 'reading-next');
      }
      return ofCase[key] || null;
    }

    function enter() {
      if (hooks.isOpen()) hooks.done();
      else if (!element('reading-overview').hidden) press('reading-next-open');
      else if (!element('reading-send').hidden) press('reading-save');
    }

    // What a key press does, other than what the browser would do.
    function actOf(event) {
      const meta = event.ctrlKey || event.metaKey;
      if (event.key === 'Enter' && meta && hooks.isOpen()) return hooks.done;
      if (event.altKey || meta || isText(event.target)) return null;
      if (event.key !== 'Enter') return keysOn.checked ? shortcut(event) : null;
      // What has the focus is pressed by it, and a field sends its form.
      return event.target.closest('button, a, summary, input') ? null : enter;
    }

    document.addEventListener('keydown', event => {
      if (document.querySelector('dialog[open]') || event.defaultPrevented || !hooks.reader()) return;
      if (event.key === 'Escape') {
        if (hooks.isOpen() && isText(event.target)) element('reading-case-title').focus({ preventScroll: true });
        return;
      }
      const act = actOf(event);
      if (!act) return;
      event.preventDefault();
      act();
    });

    element('reading-help-open').addEventListener('click', openHelp);
    document.querySelectorAll('[data-key]').forEach(node => {
      const { key } = node.dataset;
      node.setAttribute('aria-keyshortcuts', { '←': 'ArrowLeft', '→': 'ArrowRight' }[key] || key);
    });
  };
})();
