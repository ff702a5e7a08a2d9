// What scripts share: elements found and made, things counted and numbered, whose a key press is.
(() => {
  'use strict';

  function fill(node, attributes, children) {
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    node.append(...children);
    return node;
  }

  // An element with its attributes and what it holds: texts and elements.
  function make(name, attributes = {}, ...children) {
    return fill(document.createElement(name), attributes, children);
  }

  // The same for a drawing.
  function draw(name, attributes = {}, ...children) {
    return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
  }

  // A mammogram with its lesions and, where `place` says it, the window of a patch. It says its own shape, so that
  // nothing moves once the picture is there.
  function film(mammogram, alt, place) {
    const [width, height] = mammogram.preview;
    const drawing = draw('svg', { viewBox: `0 0 ${mammogram.size.join(' ')}`, 'aria-hidden': 'true' },
      ...mammogram.lesions.flatMap(({ pathology, paths }) => paths.map(d => draw('path', { class: `lesion ${pathology}`, d }))));
    if (place) {
      drawing.append(draw('rect', { class: 'window', x: place.x, y: place.y, width: place.edge, height: place.edge }));
    }
    return make('div', { class: 'context-image' },
      make('img', { src: unitAtlas.address(mammogram.src), alt, width, height, style: `--wide:${width};--high:${height}` }),
      drawing);
  }

  // Whether someone is typing into an element.
  function typing(target) {
    return Boolean(target && (target.isContentEditable || /^(input|select|textarea)$/i.test(target.tagName || '')));
  }

  // Whether a key press belongs to a field the reader is typing in, or to the browser.
  function taken(event) {
    return event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey ||
      typing(event.target);
  }

  // Puts a text where the reader can paste it, then says so: `then(true)`, or `then(false)` where it cannot.
  function copy(text, then) {
    const byHand = () => {
      const field = make('textarea', { class: 'visually-hidden', 'aria-hidden': 'true', tabindex: '-1' });
      field.value = text;
      // Within an open dialog nothing outside can be selected.
      (document.querySelector('dialog[open]') || document.body).append(field);
      const before = document.activeElement;
      field.select();
      const done = document.execCommand('copy');
      field.remove();
      if (before) before.focus();
      then(done);
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => then(true), byHand);
    else byHand();
  }

  // Gives the reader a text as a file.
  function download(name, text) {
    const href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    const anchor = make('a', { href, download: name });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  }

  unitAtlas.page = {
    element: id => document.getElementById(id),
    make,
    draw,
    film,
    typing,
    taken,
    copy,
    download,
    counted: (n, one, many) => `${n} ${n === 1 ? one : many}`,
    // Words in small letters, as they are searched for.
    words: text => text.toLowerCase().split(/\s+/).filter(Boolean),
    // A unit's number as pages and files write it: four digits, or more where there are more.
    unitNumber: number => String(number).padStart(4, '0')
  };
})();
