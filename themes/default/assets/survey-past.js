// How an answer stood before each change to it, but for what was typed: letters are no change of their own.
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

    // The answer before the last change, which is then forgotten; null where there was none.
    function back() {
      if (!before.length) return null;
      now = before.pop();
      return copy(now);
    }

    return { begin, note, back, any: () => before.length > 0 };
  };
})();
