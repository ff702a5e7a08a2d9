// The survey by keyboard. `hooks`: `reader()`, `inUnit()`, `go(place)`, `done()` to go on from a unit, and
// `report` and `patches`, which keys act on.
window.unitAtlasKeys = function (hooks) {
  'use strict';
  const { element } = window.unitAtlasPage;
  const { report, patches } = hooks;
  const keysOn = element('survey-keys');
  try { keysOn.checked = window.localStorage.getItem('unit-atlas-survey-keys') !== 'off'; } catch (error) { /* on */ }
  keysOn.addEventListener('change', () => {
    document.body.classList.toggle('keys-off', !keysOn.checked);
    try { window.localStorage.setItem('unit-atlas-survey-keys', keysOn.checked ? 'on' : 'off'); } catch (error) { /* not remembered */ }
  });
  document.body.classList.toggle('keys-off', !keysOn.checked);

  const isText = target => target.isContentEditable || /^(textarea|select)$/i.test(target.tagName) ||
    (/^input$/i.test(target.tagName) && !/^(radio|checkbox|range|button|submit)$/.test(target.type));
  const press = id => { if (!element(id).hidden) element(id).click(); };

  const unitKeys = {
    y: () => report.setRecognizable('yes'), n: () => report.setRecognizable('no'),
    u: () => report.setRecognizable('unsure'),
    m: () => report.setAssociation('malignant'), b: () => report.setAssociation('benign'),
    x: () => report.setAssociation('none'), s: () => report.setAssociation('unsure'),
    t: report.find, d: report.words, a: report.add, r: () => element('survey-remarks').focus(),
    i: () => element('survey-invert').click(), h: () => press('survey-look'), z: () => press('survey-zoom'),
    '0': () => press('survey-reset'),
    '[': () => patches.slide(patches.display.brightness, -1), ']': () => patches.slide(patches.display.brightness, 1),
    '{': () => patches.slide(patches.display.contrast, -1), '}': () => patches.slide(patches.display.contrast, 1),
    '-': () => patches.slide(patches.display.size, -1), '+': () => patches.slide(patches.display.size, 1)
  };

  document.addEventListener('keydown', event => {
    const target = event.target;
    if (element('survey-help').open || event.defaultPrevented || !hooks.reader()) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && hooks.inUnit()) {
      event.preventDefault();
      hooks.done();
      return;
    }
    if (event.key === 'Escape' && hooks.inUnit()) {
      if (isText(target)) element('survey-unit-title').focus({ preventScroll: true });
      else patches.closeContext();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isText(target)) return;
    if (event.key === 'Enter') {
      if (target.closest && target.closest('button, a, summary')) return;
      event.preventDefault();
      if (hooks.inUnit()) hooks.done();
      else if (!element('survey-overview').hidden) press('survey-next-open');
      else if (!element('survey-send').hidden) press('survey-save');
      return;
    }
    if (!keysOn.checked) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code || '');
    let act = null;
    if (event.key === '?') act = openHelp;
    else if (event.key === 'o' && element('survey-overview').hidden) act = () => hooks.go('overview');
    else if (event.key === 'e') act = () => hooks.go('send');
    else if (hooks.inUnit() && event.shiftKey && digit && Number(digit[1]) <= 5) act = () => report.setConfidence(Number(digit[1]));
    else if (hooks.inUnit() && !event.shiftKey && /^[1-9]$/.test(event.key)) act = () => report.quick(Number(event.key) - 1);
    else if (hooks.inUnit() && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      // Radio buttons and sliders have arrows of their own.
      if (/^input$/i.test(target.tagName)) return;
      act = () => press(event.key === 'ArrowLeft' ? 'survey-previous' : 'survey-next');
    } else if (hooks.inUnit()) act = unitKeys[event.key] || null;
    if (!act) return;
    event.preventDefault();
    act();
  });

  function openHelp() {
    element('survey-help').showModal();
  }
  element('survey-help-open').addEventListener('click', openHelp);
  document.querySelectorAll('[data-key]').forEach(node => {
    node.setAttribute('aria-keyshortcuts', { '←': 'ArrowLeft', '→': 'ArrowRight' }[node.dataset.key] || node.dataset.key);
  });
};
