// Before the first paint: the reader's choices, so that nothing flickers; and `unitAtlas`, to which every
// script adds its part. They are classic scripts: a page opened from a disk may load no others.
(() => {
  'use strict';
  const root = document.documentElement;
  root.className = 'js';

  // What a browser keeps; without a place to keep it, nothing is found and nothing is kept.
  function storage(kind) {
    return {
      get: key => { try { return window[kind].getItem(key); } catch { return null; } },
      set: (key, value) => { try { window[kind].setItem(key, value); } catch { /* private mode */ } },
      remove: key => { try { window[kind].removeItem(key); } catch { /* was not kept */ } }
    };
  }
  const kept = storage('localStorage');

  const theme = kept.get('unit-atlas-theme');
  if (theme === 'light' || theme === 'dark') root.setAttribute('data-theme', theme);
  // What the reader chose on this page, as it stands in the address, so that a copied link shows the same.
  const asked = {
    get: name => new URLSearchParams(location.hash.slice(1)).get(name),
    // Null for what needs no mention.
    set(name, value) {
      const all = new URLSearchParams(location.hash.includes('=') ? location.hash.slice(1) : '');
      if (value === null) all.delete(name);
      else all.set(name, value);
      try { history.replaceState(null, '', `#${all}`); } catch { /* a page within a frame */ }
    }
  };

  // The template says which look is the page's own.
  const look = [asked.get('look'), kept.get('unit-atlas-look')]
    .find(one => ['dim', 'outline', 'heat', 'none'].includes(one));
  // A file by itself keeps its own.
  if (look && root.hasAttribute('data-root')) root.setAttribute('data-look', look);

  const above = root.getAttribute('data-root') || '';
  const link = path => above + path;
  // A page within a single file asks the file around it for addresses.
  const address = window.unitAtlasAddress || link;
  const data = path => (window.unitAtlasData || {})[path];
  const waiting = new Map();

  // Gives `then` the data of a script of the site, loaded on first use; null where there is none.
  function load(path, then) {
    if (data(path)) {
      then(data(path));
      return;
    }
    if (waiting.has(path)) {
      waiting.get(path).push(then);
      return;
    }
    waiting.set(path, [then]);
    const script = document.createElement('script');
    script.src = address(path);
    script.onload = script.onerror = () => {
      const list = waiting.get(path);
      waiting.delete(path);
      list.forEach(next => next(data(path) || null));
    };
    document.head.append(script);
  }

  window.unitAtlas = {
    // Address of something by its path below the root of the site.
    address,
    // A link to a page of the site, as it would stand in the markup.
    link,
    // The data that a script of the site has brought, by its path.
    data,
    load,
    asked,
    // What outlasts the browser, and what a window keeps until it is closed.
    kept,
    session: storage('sessionStorage')
  };
})();
