// Marks the part of the page that is being read in its contents.
(() => {
  'use strict';
  const links = Array.from(document.querySelectorAll('.contents a'));
  const parts = links.map(link => document.querySelector(link.hash)).filter(Boolean);
  if (!parts.length) return;

  function mark() {
    // The last heading above the middle of the window.
    const above = parts.filter(part => part.getBoundingClientRect().top < window.innerHeight / 2);
    const read = above[above.length - 1] || parts[0];
    links.forEach(link => {
      if (link.hash === `#${read.id}`) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    });
  }

  let asked = false;
  window.addEventListener('scroll', () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      mark();
    });
  }, { passive: true });
  mark();
})();
