// The page of a study: welcome, then one pair after another, then the end. Needs media.js, judgements.js, stage.js.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const study = JSON.parse(byId("study").textContent);
  const texts = JSON.parse(byId("texts").textContent);
  const asked = new URLSearchParams(`${location.search.slice(1)}&${location.hash.slice(1)}`);
  const KINDS = ["pair", "practice", "check"];
  const fixedRater = /^[1-9][0-9]{0,4}$/.test(asked.get("rater") ?? "") ? Number(asked.get("rater")) : null;
  const key = `mtbench-study-${study.id}${fixedRater ? `-${fixedRater}` : ""}`;
  const decode = (text) => new TextDecoder().decode(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));

  let state = readState();
  let say = texts.eng;
  let stage = null;
  let pair = null;      // what is shown now, see openPair
  let kept = true;

  // ---- languages

  /** The language among the texts that `tag` (BCP 47 or ISO 639-3) stands for, or undefined. */
  function findLanguage(tag) {
    const wanted = (tag ?? "").toLowerCase();
    return Object.keys(texts).find((code) => code === wanted)
      ?? Object.keys(texts).find((code) => wanted && texts[code].tag.split("-")[0] === wanted.split("-")[0]);
  }

  function chooseLanguage() {
    const spoken = Object.keys(study.groups).filter((name) => texts[name]);
    const only = spoken.length === 1 ? spoken[0] : undefined;
    const browser = navigator.languages.map(findLanguage).find(Boolean);
    return findLanguage(asked.get("lang")) ?? state?.language ?? findLanguage(asked.get("clips")) ?? only ?? browser ?? "eng";
  }

  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  function translate(code) {
    say = texts[code];
    document.documentElement.lang = say.tag;
    document.documentElement.dir = say.direction;
    document.title = say.title;
    document.querySelector(".skip").textContent = say.skip;
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = say[element.dataset.text];
    for (const number of [1, 2]) byId(`caption-${number}`).textContent = fill(say.face, { number });
    const name = (tag) => new Intl.DisplayNames([say.tag], { type: "language" }).of(tag);
    for (const option of byId("clips").options) {
      option.textContent = texts[option.value] ? name(texts[option.value].tag) : option.value === "mul" ? "*" : name(option.value);
    }
    showWelcome();
  }

  // ---- progress

  /** What was kept of an earlier visit, where it fits this study. */
  function readState() {
    const found = StudyJudgements.open(key);
    const fits = found && study.groups[found.group]?.schedules[found.schedule] && Array.isArray(found.answers);
    return fits ? found : null;
  }

  function begin() {
    const group = byId("clips").value;
    const schedules = study.groups[group].schedules.length;
    const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
    const number = fixedRater ? fixedRater - 1 : drawn;
    const rater = `${fixedRater ? `${fixedRater}-` : ""}${StudyJudgements.drawRater()}`;
    state = { rater, group, schedule: number % schedules, place: 0, answers: [], language: byId("language").value };
  }

  function keep() {
    kept = StudyJudgements.keep(key, state);
    if (!kept) report(say.not_kept);
  }

  function forget() {
    if (!window.confirm(say.again_sure)) return;
    StudyJudgements.forget(key);
    state = null;
    byId("agree").checked = false;
    showWelcome();
    show("welcome");
  }

  const schedule = () => study.groups[state.group].schedules[state.schedule];

  /** The showing at a place of the schedule: who is face 1 and face 2. */
  function readShowing(place) {
    const number = schedule()[place];
    const [kind, clip, a, b, codeA, codeB] = study.groups[state.group].items[number >> 1];
    const swapped = (number & 1) === 1;
    const [id, language, sound, seconds] = study.clips[clip];
    const codes = swapped ? [codeB, codeA] : [codeA, codeB];
    return { kind: KINDS[kind], id, language, sound, seconds, a, b, swapped, codes };
  }

  function makeRows() {
    const rows = [];
    for (const [place, answer] of (state?.answers ?? []).entries()) {
      if (!answer) continue;
      const showing = readShowing(place);
      if (showing.kind === "practice") continue;
      for (const [aspect] of study.aspects) {
        rows.push({
          rater: state.rater, clip: showing.id, language: showing.language, aspect,
          system_a: decode(study.names[showing.a]), system_b: decode(study.names[showing.b]),
          choice: answer.choices[aspect], first_shown: showing.swapped ? "b" : "a",
          check: showing.kind === "check" ? "a" : "", study: study.id, schedule: state.schedule + 1,
          trial: place, plays: answer.plays, seconds: answer.seconds,
        });
      }
    }
    return rows;
  }

  function save() {
    const name = `judgements-${state.rater}.csv`;
    StudyJudgements.save(name, StudyJudgements.formatCsv(makeRows()));
    byId("saved").textContent = `✓ ${name}`;
  }

  // ---- what is on the screen

  function report(text) {
    byId("problem").textContent = text ?? "";
    byId("problem").hidden = !text;
  }

  function show(name) {
    for (const id of ["welcome", "trial", "end"]) byId(id).hidden = id !== name;
    window.scrollTo(0, 0);
    byId(`${name}-title`).focus({ preventScroll: true });
  }

  function showWelcome() {
    const group = study.groups[state?.group ?? byId("clips").value];
    const first = group.schedules[state?.schedule ?? 0];
    const seconds = first.map((n) => study.clips[group.items[n >> 1][1]][3]).reduce((x, y) => x + y, 0);
    const minutes = Math.ceil((1.5 * (study.turns ? 2 : 1) * seconds + 5 * study.aspects.length * first.length) / 60) + 1;
    byId("amount").textContent = fill(say.amount, { trials: first.length - 1, minutes });
    byId("clips-label").hidden = byId("clips").options.length < 2;
    byId("clips").disabled = state !== null;
    byId("consent").replaceChildren(...(study.consent ?? [say.consent]).map((text) => {
      const paragraph = document.createElement("p");
      paragraph.dir = study.consent ? "auto" : say.direction;
      paragraph.textContent = text;
      return paragraph;
    }));
    byId("agree-row").hidden = state !== null;
    byId("start").textContent = state ? say.resume : say.start;
    byId("start").disabled = !state && !byId("agree").checked;
    document.querySelector("#welcome .another").hidden = state === null;
  }

  function showEnd() {
    pair = null;
    const given = state.answers.filter((answer, place) => answer && readShowing(place).kind !== "practice").length;
    byId("count").textContent = fill(say.answers, { number: given });
    byId("saved").textContent = "";
    show("end");
  }

  // ---- a pair

  const loadPair = (showing) => Promise.all([...showing.codes, showing.sound].map(StudyMedia.load));

  async function openPair() {
    if (state.place >= schedule().length) return showEnd();
    const showing = readShowing(state.place);
    const here = { showing, plays: 0, seen: false, playing: false, began: 0, ready: false, choices: {} };
    pair = here;
    const total = schedule().length - 1;
    const practice = showing.kind === "practice";
    byId("trial-title").textContent = practice ? say.practice_title : fill(say.progress, { number: state.place, total });
    byId("practice-note").hidden = !practice;
    byId("progress").max = total;
    byId("progress").value = Math.max(0, state.place - 1);
    buildQuestions();
    update();
    show("trial");
    byId("status").textContent = say.loading;
    try {
      const [first, second, sound] = await loadPair(showing);
      if (pair !== here) return;
      await stage.show([first, second], sound);
      if (pair !== here) return;
      here.ready = true;
      showing.codes.forEach((code, index) => { byId(`face-${index + 1}`).dataset.face = code; });
      byId("status").textContent = say.watch_first;
      update();
      for (const ahead of [1, 2]) {
        const place = state.place + ahead;
        if (place < schedule().length) loadPair(readShowing(place)).catch(() => {}); // asked for again when it is its turn
      }
    } catch (error) {
      console.warn(error);
      report(say.load_failed);
    }
  }

  function buildQuestions() {
    const choices = [["1", fill(say.face, { number: 1 })], ["0", say.tie], ["2", fill(say.face, { number: 2 })]];
    const offered = choices.filter(([value]) => value !== "0" || study.ties);
    byId("questions").replaceChildren(...study.aspects.map(([aspect, question]) => {
      const field = document.createElement("fieldset");
      field.dataset.aspect = aspect;
      const legend = document.createElement("legend");
      legend.dir = question ? "auto" : say.direction;
      legend.textContent = question ?? say[study.questions[aspect]];
      const answers = document.createElement("div");
      answers.className = study.ties ? "answers" : "answers two";
      for (const [value, text] of offered) {
        const label = document.createElement("label");
        const input = document.createElement("input");
        Object.assign(input, { type: "radio", name: aspect, value });
        input.setAttribute("aria-keyshortcuts", value);
        const caption = document.createElement("span");
        caption.textContent = text;
        label.append(input, caption);
        answers.append(label);
      }
      field.append(legend, answers);
      return field;
    }));
  }

  function update() {
    const { ready, seen, playing, plays, choices } = pair;
    byId("play").disabled = !ready || playing;
    byId("play").textContent = plays ? say.replay : say.play;
    for (const field of byId("questions").children) field.disabled = !seen;
    byId("next").disabled = !study.aspects.every(([aspect]) => choices[aspect]);
    document.querySelector("#trial .save").hidden = makeRows().length === 0;
  }

  async function play() {
    const here = pair;
    if (!here?.ready || here.playing) return;
    Object.assign(here, { playing: true, began: here.began || performance.now(), plays: here.plays + 1 });
    update();
    byId("status").textContent = study.turns ? say.turns : say.together;
    const ended = await stage.play(study.turns);
    if (pair !== here) return;
    here.playing = false;
    here.seen ||= ended;
    byId("status").textContent = here.seen ? say.choose_now : say.watch_first;
    update();
  }

  function choose(aspect, value) {
    const { swapped } = pair.showing;
    pair.choices[aspect] = value === "0" ? "tie" : (value === "1") !== swapped ? "a" : "b";
    pair.current = aspect;
    update();
  }

  /** Answer by key: the first question without an answer, else the one that was answered last. */
  function chooseByKey(value) {
    if (!pair.seen || (value === "0" && !study.ties)) return;
    const aspect = study.aspects.map(([name]) => name).find((name) => !pair.choices[name]) ?? pair.current;
    const input = byId("questions").querySelector(`[data-aspect="${aspect}"] input[value="${value}"]`);
    input.checked = true;
    input.focus();
    choose(aspect, value);
  }

  function goOn() {
    if (byId("next").disabled) return;
    stage.stop();
    const seconds = Math.round((performance.now() - pair.began) / 100) / 10;
    state.answers[state.place] = { choices: pair.choices, plays: pair.plays, seconds };
    state.place += 1;
    keep();
    openPair();
  }

  // ---- wiring

  async function start() {
    byId("start").disabled = true;
    try {
      stage ??= StudyStage.open([byId("face-1"), byId("face-2")], await Promise.all(study.topologies.map(StudyMedia.load)));
    } catch (error) {
      console.warn(error);
      return report(error.message === "webgl2" ? say.no_webgl : say.load_failed);
    }
    if (!state) {
      begin();
      keep();
    }
    openPair();
  }

  async function testSound() {
    try {
      const group = study.groups[state?.group ?? byId("clips").value];
      const practice = group.items[group.schedules[0][0] >> 1];
      await StudyStage.playSound(await StudyMedia.load(study.clips[practice[1]][2]));
    } catch (error) {
      console.warn(error);
      report(say.load_failed);
    }
  }

  function onKey(event) {
    if (byId("trial").hidden || event.ctrlKey || event.altKey || event.metaKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    if (event.key === " " && !onButton && !(event.target.type === "radio" && !event.target.checked)) {
      event.preventDefault();
      play();
    } else if (["0", "1", "2"].includes(event.key)) {
      event.preventDefault();
      chooseByKey(event.key);
    } else if (event.key === "Enter" && !onButton) {
      event.preventDefault();
      goOn();
    }
  }

  function wire() {
    for (const code of Object.keys(texts)) byId("language").add(new Option(texts[code].name, code));
    for (const option of byId("language").options) option.lang = texts[option.value].tag;
    for (const name of Object.keys(study.groups)) byId("clips").add(new Option(name, name));
    const language = chooseLanguage();
    byId("language").value = language;
    const group = findLanguage(asked.get("clips")) ?? asked.get("clips") ?? language;
    byId("clips").value = state?.group ?? (study.groups[group] ? group : Object.keys(study.groups)[0]);
    byId("language").addEventListener("change", () => {
      const code = byId("language").value;
      if (!state && study.groups[code]) byId("clips").value = code;
      if (state) state.language = code;
      translate(code);
    });
    byId("clips").addEventListener("change", showWelcome);
    byId("agree").addEventListener("change", showWelcome);
    byId("start").addEventListener("click", start);
    byId("test-sound").addEventListener("click", testSound);
    byId("play").addEventListener("click", play);
    byId("next").addEventListener("click", goOn);
    byId("questions").addEventListener("change", (event) => choose(event.target.name, event.target.value));
    byId("questions").addEventListener("submit", (event) => event.preventDefault());
    for (const button of document.querySelectorAll(".save")) button.addEventListener("click", save);
    for (const button of document.querySelectorAll(".another")) button.addEventListener("click", forget);
    document.addEventListener("keydown", onKey);
    document.addEventListener("visibilitychange", () => { if (document.hidden) stage?.stop(); });
    translate(language);
    if (state && state.place >= schedule().length) showEnd(); else show("welcome");
  }

  wire();
})();
