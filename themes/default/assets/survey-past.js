// How an answer stood before each change to it, but for what was typed: letters are no change of their own, and
// stay when a change is taken back.
(() => {
  'use strict';
  const copy = answer => JSON.parse(JSON.stringify(answer));
  const TYPED = ['description', 'remarks', 'seconds', 'answered_at', 'received_at'];
  const chosen = answer => JSON.stringify(answer, (key, value) => (TYPED.includes(key) ? undefined : value));

  unitAtlas.survey.past = () => {
    let before = [];
    let now = null;

    // Another unit is open, with this answer.
    function begin(answer) {
      before = [];
      now = copy(answer);
    }

    // The answer has become this.
    function note(answer) {
      if (chosen(answer) !== chosen(now)) before.push(now);
      now = copy(answer);
    }

    // The answer before the last change, which is then forgotten, with what is typed by now; null where there was
    // no change.
    function back() {
      if (!before.length) return null;
      const typed = now;
      now = { ...before.pop(), remarks: typed.remarks };
      const { length } = now.phenomena;
      // One that was taken out comes back with its own words, and so do those after it.
      if (length <= typed.phenomena.length) {
        now.phenomena = now.phenomena.map((one, at) => ({ ...one, description: typed.phenomena[at].description }));
        now.phenomena.push(...typed.phenomena.slice(length).filter(one => one.description.trim()));
      }
      return copy(now);
    }

    return { begin, note, back, any: () => before.length > 0 };
  };
})();
