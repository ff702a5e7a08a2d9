// Shows a site that lies compressed, and encrypted if wanted, within this file: its pages in a frame, each with
// addresses of the files that it needs.
(() => {
  'use strict';
  const TYPES = {
    html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml', jpg: 'image/jpeg', csv: 'text/csv',
    png: 'image/png'
  };
  // How the content is encrypted (`Lock` in single.rs); null where it is not.
  const lock = JSON.parse(document.getElementById('sealed').textContent);
  const gate = document.getElementById('gate');
  const said = document.getElementById('said');
  // The files by their path, and addresses of those that were asked for.
  let files = null;
  const addresses = new Map();
  // The pages to begin with.
  let start = [];
  // The page that is shown, and its frame.
  let shown = null;
  let frame = null;

  function decoded(text) {
    return Uint8Array.from(atob(text.trim()), one => one.charCodeAt(0));
  }

  const pieces = () => Array.from(document.querySelectorAll('script[type="application/octet-stream"]'));

  function content() {
    return new Blob(pieces().map(piece => decoded(piece.textContent))).arrayBuffer();
  }

  async function opened(bytes, passphrase) {
    const { subtle } = crypto;
    const words = await subtle.importKey('raw', new TextEncoder().encode(passphrase), 'PBKDF2', false, ['deriveKey']);
    const key = await subtle.deriveKey(
      { name: 'PBKDF2', salt: decoded(lock.salt), iterations: lock.rounds, hash: 'SHA-256' },
      words, { name: 'AES-GCM', length: 256 }, false, ['decrypt']);
    return subtle.decrypt({ name: 'AES-GCM', iv: decoded(lock.nonce) }, key, bytes);
  }

  // The container is described in single.rs.
  async function unpack(bytes) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const whole = await new Response(stream).arrayBuffer();
    const length = new DataView(whole).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, length)));
    let at = 4 + length;
    files = new Map(header.files.map(file => {
      const from = at;
      at += file.bytes;
      return [file.path, new Uint8Array(whole, from, file.bytes)];
    }));
    document.title = header.title;
    ({ start } = header);
    pieces().forEach(piece => piece.remove());
    route();
  }

  // Address of a file by its path; a path that is not within leads nowhere.
  function address(asked) {
    const [path] = asked.split(/[?#]/);
    if (!files.has(path)) return 'data:,';
    if (!addresses.has(path)) {
      const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] || 'application/octet-stream';
      addresses.set(path, URL.createObjectURL(new Blob([files.get(path)], { type })));
    }
    return addresses.get(path);
  }

  // Path of a relative link on a page.
  function resolve(page, link) {
    const parts = page.split('/').slice(0, -1);
    link.split('/').forEach(part => {
      if (part === '..') parts.pop();
      else if (part && part !== '.') parts.push(part);
    });
    return decodeURIComponent(parts.join('/'));
  }

  const isOutward = link => /^[a-z][a-z0-9+.-]*:/i.test(link) || link.startsWith('//');

  // What a page runs before its own scripts: it asks this file for addresses, and hands clicks to it.
  const FOLLOW = 'document.addEventListener("click", parent.unitAtlasFollow);';
  const FIRST = `window.unitAtlasAddress = parent.unitAtlasAddress; ${FOLLOW}`;

  function pageOf(path) {
    const page = new DOMParser().parseFromString(new TextDecoder().decode(files.get(path)), 'text/html');
    ['src', 'href'].forEach(name => {
      page.querySelectorAll('script[src], img[src], link[href]').forEach(element => {
        const link = element.getAttribute(name);
        if (link && !isOutward(link)) element.setAttribute(name, address(resolve(path, link)));
      });
    });
    const first = page.createElement('script');
    first.textContent = FIRST;
    page.head.prepend(first);
    return page;
  }

  function missing() {
    const page = document.implementation.createHTMLDocument('Not here');
    page.head.appendChild(page.createElement('script')).textContent = FOLLOW;
    page.body.innerHTML = '<main style="font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem"><h1>Not in this file</h1><p>This file holds a part of the atlas; the page is not among it.</p><p><a href="#back">Back</a></p></main>';
    return page;
  }

  function show(path, place) {
    shown = path;
    const page = files.has(path) ? pageOf(path) : missing();
    const next = document.createElement('iframe');
    next.title = document.title;
    next.srcdoc = `<!DOCTYPE html>${page.documentElement.outerHTML}`;
    next.addEventListener('load', () => {
      const inner = next.contentDocument;
      if (!inner) return;
      document.title = inner.title || document.title;
      next.title = document.title;
      const target = place && inner.getElementById(place);
      if (target) target.scrollIntoView();
      else if (place) next.contentWindow.location.hash = place;
      next.contentWindow.focus();
    });
    if (frame) frame.remove();
    gate.hidden = true;
    frame = document.body.appendChild(next);
  }

  function save(path) {
    const link = document.createElement('a');
    link.href = address(path);
    link.download = path.split('/').pop();
    link.click();
  }

  // What a click in a page leads to.
  function follow(event) {
    const link = event.target.closest && event.target.closest('a[href]');
    if (!link || event.defaultPrevented) return;
    const href = link.getAttribute('href');
    event.preventDefault();
    // A place of the page itself. The browser would count it from the address of this file, and open that in the frame.
    if (href.startsWith('#') && href !== '#back') {
      frame.contentWindow.location.hash = href;
      return;
    }
    const [target] = href.split('#');
    const path = resolve(shown, target);
    if (href === '#back') history.back();
    else if (isOutward(href)) window.open(href, '_blank', 'noopener');
    else if (link.hasAttribute('download') && files.has(path)) save(path);
    else if (!path.endsWith('.html') && files.has(path)) window.open(address(path));
    else location.hash = `#/${path}${href.slice(target.length)}`;
  }

  function contents() {
    if (frame) frame.remove();
    frame = null;
    gate.hidden = false;
    said.textContent = '';
    document.getElementById('lock').hidden = true;
    gate.querySelector('h1').textContent = document.title;
    const list = document.getElementById('contents');
    list.hidden = false;
    list.replaceChildren(...start.map(({ title, path }) => {
      const link = document.createElement('a');
      link.href = `#/${path}`;
      link.textContent = title;
      const item = document.createElement('li');
      item.append(link);
      return item;
    }));
  }

  function route() {
    const asked = /^#\/([^#]+)(?:#(.*))?$/.exec(location.hash);
    if (asked) show(asked[1], asked[2]);
    else if (start.length === 1) show(start[0].path);
    else contents();
  }

  function failed(error) {
    said.textContent = `The file is damaged: ${error}`;
  }

  function askPassphrase() {
    const form = document.getElementById('lock');
    const field = form.querySelector('input');
    form.hidden = false;
    said.textContent = '';
    field.focus();
    form.addEventListener('submit', event => {
      event.preventDefault();
      said.textContent = 'Opening …';
      content().then(bytes => opened(bytes, field.value)).then(plain => unpack(plain).catch(failed), () => {
        said.textContent = 'The passphrase does not open it.';
        field.select();
      });
    });
  }

  window.unitAtlasAddress = address;
  window.unitAtlasFollow = follow;
  window.addEventListener('hashchange', () => { if (files) route(); });
  if (!window.DecompressionStream || (lock && !(window.crypto && crypto.subtle))) {
    said.textContent = 'This browser cannot open the file. A current Chrome, Edge, Firefox or Safari can.';
  } else if (lock) {
    askPassphrase();
  } else {
    content().then(unpack).catch(failed);
  }
})();
