// The time a reader is active: the page is visible, and something was done within the last minute. `spent`
// hears of seconds as they are counted, `hidden` that the page is no longer seen.
(() => {
  'use strict';
  const IDLE = 60000;

  // Answers that tell a reader's pace.
  const LEAST = 5;

  // Seconds that a reader takes for a unit, the median; null where too few answers tell.
  function pace(answers) {
    const seconds = answers.map(answer => answer.seconds).filter(Number.isFinite).sort((a, b) => a - b);
    return seconds.length < LEAST ? null : seconds[Math.floor(seconds.length / 2)];
  }

  // A time in words, roundly: `40 minutes`, `2 hours`.
  function minutes(seconds) {
    const all = Math.max(1, Math.round(seconds / 60));
    if (all < 10) return unitAtlas.page.counted(all, 'minute', 'minutes');
    if (all < 95) return `${5 * Math.round(all / 5)} minutes`;
    const halves = Math.round(all / 30);
    return `${Math.floor(halves / 2)}${halves % 2 ? '½' : ''} hours`;
  }

  Object.assign(unitAtlas.survey, { pace, minutes });

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
