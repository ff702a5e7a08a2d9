// Marks what a search found on the page that it led to: `#find=words` in the address.
(() => {
  'use strict';
  const { element, make } = unitAtlas.page;
  const { searchIndex } = unitAtlas;
  const main = element('atlas-main');
  // Marks at most; and what has no text of its own to mark.
  const MOST = 300;
  const ASIDE = 'script, style, template, noscript, svg, select, textarea, [hidden]';
  const TEXTS = 4;

  function clear() {
    main.querySelectorAll('mark.found').forEach(mark => {
      const parent = mark.parentNode;
      mark.replaceWith(...mark.childNodes);
      parent.normalize();
    });
  }

  function texts() {
    const walker = document.createTreeWalker(main, TEXTS);
    const all = [];
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement.closest(ASIDE)) all.push(walker.currentNode);
    }
    return all;
  }

  function show() {
    const words = searchIndex.asked(location.hash);
    if (!main) return;
    clear();
    const marks = [];
    if (words.length) {
      texts().forEach(node => {
        const pieces = searchIndex.pieces(node.data, words);
        if (marks.length >= MOST || !pieces.some(([, found]) => found)) return;
        node.replaceWith(...pieces.map(([text, found]) => {
          if (!found) return text;
          const mark = make('mark', { class: 'found' }, text);
          marks.push(mark);
          return mark;
        }));
      });
    }
    // Of the rarest word the first: the others are likely to stand beside it.
    const rarest = words.map(word => marks.filter(mark => mark.textContent.toLowerCase() === word))
      .filter(own => own.length).sort((a, b) => a.length - b.length)[0];
    if (!rarest) return;
    const [first] = rarest;
    for (let box = first.closest('details'); box; box = box.parentElement.closest('details')) box.open = true;
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
    first.scrollIntoView({ block: 'center' });
  }

  window.addEventListener('hashchange', show);
  show();
})();
