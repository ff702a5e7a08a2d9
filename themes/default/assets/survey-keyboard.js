// A page for readers by keyboard: which presses act, and that they can be switched off. `hooks`: `reader()`, `isOpen()`
// for a unit or case, which `done()` goes on from and whose last change `undo()` takes back; `shortcut(event)` gives
// what a key does by itself, `enter()` does what Enter does elsewhere, `escape(isText)` ends.
(() => {
  'use strict';
  const { element } = unitAtlas.page;
  const SWITCH = 'unit-atlas-survey-keys';

  const isText = target => target.isContentEditable || /^(textarea|select)$/i.test(target.tagName) ||
    (/^input$/i.test(target.tagName) && !/^(radio|checkbox|range|button|submit)$/.test(target.type));
  const press = id => { if (!element(id).hidden) element(id).click(); };
  const openHelp = () => element('survey-help').showModal();

  // Arrows lead to what comes before and after, but for radio buttons and sliders, which have arrows of their own.
  function arrow({ key, target }, before, after) {
    const ways = { ArrowLeft: before, ArrowRight: after };
    return ways[key] && !/^input$/i.test(target.tagName) ? () => press(ways[key]) : null;
  }

  function keyboard(hooks) {
    const keysOn = element('survey-keys');
    const show = () => document.body.classList.toggle('keys-off', !keysOn.checked);
    keysOn.checked = unitAtlas.kept.get(SWITCH) !== 'off';
    keysOn.addEventListener('change', () => {
      show();
      unitAtlas.kept.set(SWITCH, keysOn.checked ? 'on' : 'off');
    });
    show();

    function enter() {
      if (hooks.isOpen()) hooks.done();
      else hooks.enter();
    }

    // What a key press does, other than what the browser would do.
    function actOf(event) {
      const { key, target } = event;
      const meta = event.ctrlKey || event.metaKey;
      if (key === 'Enter' && meta && hooks.isOpen()) return hooks.done;
      if (event.altKey || isText(target)) return null;
      if (meta) return hooks.undo && key.toLowerCase() === 'z' && !event.shiftKey && hooks.isOpen() ? hooks.undo : null;
      // What has the focus is pressed by it.
      if (key === 'Enter') return target.closest('button, a, summary') ? null : enter;
      if (!keysOn.checked) return null;
      return key === '?' ? openHelp : hooks.shortcut(event);
    }

    document.addEventListener('keydown', event => {
      if (document.querySelector('dialog[open]') || event.defaultPrevented || !hooks.reader()) return;
      // Held down it would go on from what was not looked at.
      if (event.key === 'Enter' && event.repeat && !/^textarea$/i.test(event.target.tagName)) {
        event.preventDefault();
        return;
      }
      if (event.key === 'Escape') {
        if (hooks.isOpen()) hooks.escape(isText(event.target));
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
  }

  Object.assign(unitAtlas.survey, { keyboard, press, arrow });
})();
