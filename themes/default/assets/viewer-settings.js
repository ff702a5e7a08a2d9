// What the viewer remembers: window and level, the tool, what is drawn over pictures, and how pictures lie side by
// side. It is kept by the browser for all atlases, like the other looks; nothing that a reader answers is among it.
(() => {
  'use strict';
  const KEY = 'unit-atlas-viewer';
  const TOOLS = ['window', 'pan', 'zoom', 'lens', 'ruler'];
  const SWITCHES = { overlay: true, lesions: true, grid: false, heat: false, linked: true, pair: false, besidePatch: false, besidePicture: true };

  // Valid settings, whatever was kept. `touch`: a finger pans unless another tool was chosen.
  function read(text, touch) {
    let kept = null;
    try { kept = JSON.parse(text); } catch { /* not ours */ }
    const given = kept && typeof kept === 'object' ? kept : {};
    const tool = TOOLS.includes(given.tool) ? given.tool : TOOLS[touch ? 1 : 0];
    const switches = Object.entries(SWITCHES).map(([name, usual]) =>
      [name, typeof given[name] === 'boolean' ? given[name] : usual]);
    return { ...unitAtlas.greys.valid(given, unitAtlas.greys.WIDEST), tool, ...Object.fromEntries(switches) };
  }

  unitAtlas.viewerSettings = {
    TOOLS,
    read,
    load: () => read(unitAtlas.kept.get(KEY), window.matchMedia('(pointer: coarse)').matches),
    keep: settings => unitAtlas.kept.set(KEY, JSON.stringify(settings))
  };
})();
