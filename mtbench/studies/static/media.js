// Files of faces, sounds and topologies beside the page: each is a script, loaded once, some pairs ahead.
"use strict";

const StudyMedia = (() => {
  const asked = new Map();

  function load(code) {
    if (!asked.has(code)) {
      asked.set(code, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        const fail = () => { asked.delete(code); script.remove(); reject(new Error(`media/${code}.js`)); };
        script.src = `media/${code}.js`;
        script.onload = () => {
          const found = window.mtbenchMedia?.[code];
          if (found) resolve(found); else fail();
        };
        script.onerror = fail;
        document.head.append(script);
      }));
    }
    return asked.get(code);
  }

  return { load };
})();
