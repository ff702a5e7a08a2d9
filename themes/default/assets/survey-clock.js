// The time a reader is active: the page is visible, and something was done within the last minute. `spent`
// hears of seconds as they are counted, `hidden` that the page is no longer seen.
(() => {
  'use strict';
  const IDLE = 60000;

  unitAtlas.survey.clock = (spent, hidden) => {
    let lastDone = performance.now();
    let lastTick = lastDone;

    function count(now) {
      const until = Math.min(now, lastDone + IDLE);
      if (until > lastTick) spent((until - lastTick) / 1000);
    }

    // Counts what was spent until now.
    function tick() {
      const now = performance.now();
      if (document.visibilityState === 'visible') count(now);
      lastTick = now;
    }

    // Begins anew: what was before is nobody's.
    function restart() {
      lastDone = performance.now();
      lastTick = lastDone;
    }

    ['pointerdown', 'pointermove', 'keydown', 'wheel'].forEach(name => {
      document.addEventListener(name, () => {
        tick();
        lastDone = performance.now();
      }, { passive: true, capture: true });
    });
    document.addEventListener('visibilitychange', () => {
      const now = performance.now();
      if (document.visibilityState === 'hidden') {
        count(now);
        hidden();
      }
      lastTick = now;
    });

    return { tick, restart };
  };
})();
