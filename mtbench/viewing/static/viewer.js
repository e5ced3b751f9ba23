/* The viewer's page: faces, controls, curves and keys around one clock. Needs player.js and uPlot before it.
   Its data (#page-data) are made by mtbench/viewing/viewer.py. */
"use strict";

(() => {
  const { Topology, Motion, Camera, Clock, MeshPlayer, soundAddress, distancesMm, colorOf } = mtbenchPlayer;
  const find = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const complain = (text) => { find("trouble").textContent = text; find("trouble").hidden = false; };

  const data = JSON.parse(find("page-data").textContent);
  const fps = data.fps, seconds = data.frames / fps;
  const topologies = Object.fromEntries(Object.entries(data.topologies).map(([name, pack]) => [name, new Topology(pack)]));
  const camera = new Camera();
  const canvases = all("#faces canvas"), nows = all(".now");
  const truthFace = data.faces.find((face) => face.truth);
  const truth = truthFace && new Motion(truthFace.motion);
  const truthPositions = truth && new Float32Array(3 * truth.vertices);

  /* The faces that are shown, in their order: the last of data.faces may be the ground truth, there to measure by only. */
  let entries = 0;
  const faces = data.faces.slice(0, canvases.length).map((face, i) => {
    const motion = face.truth ? truth : new Motion(face.motion);
    const player = new MeshPlayer(canvases[i], topologies[face.topology], camera);
    player.show(motion);
    const color = face.truth ? "--truth" : `--face-${entries++}`;
    canvases[i].closest("figure").style.setProperty("--color", `var(${color})`);
    const errors = face.error ? new Float32Array(motion.vertices) : null;
    return { ...face, motion, player, color, errors, mean: null, label: canvases[i].closest("figure").querySelector(".now") };
  });

  /* ------------------------------------------------------------------ clock */

  const audio = find("sound");
  audio.src = soundAddress(data.sound);
  audio.addEventListener("error", () => complain("This browser cannot play the sound (FLAC); the faces can be scrubbed through."));
  const clock = new Clock(audio, seconds);
  let part = null; // the marked part, [from, to] in seconds

  const frameAt = (time) => Math.min(data.frames - 1, Math.max(0, Math.floor(time * fps + 1e-4)));
  const phoneAt = (time) => (data.phones.find(([, from, to]) => from <= time && time < to) || [null])[0];

  function meanErrors(face) {
    if (face.mean) return face.mean;
    const sum = new Float32Array(face.motion.vertices), own = new Float32Array(3 * sum.length), one = new Float32Array(sum.length);
    for (let t = 0; t < data.frames; t++) {
      const time = (t + 0.5) / fps;
      face.motion.positions(face.motion.frameAt(time), own);
      distancesMm(own, truth.positions(truth.frameAt(time), truthPositions), one);
      for (let v = 0; v < sum.length; v++) sum[v] += one[v] / data.frames;
    }
    return (face.mean = sum);
  }

  function draw(time) {
    const kind = find("colors") ? find("colors").value : "", end = find("end") ? Number(find("end").value) : 1;
    if (kind === "now") truth.positions(truth.frameAt(time), truthPositions);
    for (const face of faces) {
      if (!face.error || !kind) face.player.paint(null);
      else if (kind === "mean") face.player.paint(meanErrors(face), end);
      else {
        face.player.pose(time);
        face.player.paint(distancesMm(face.player.positions, truthPositions, face.errors), end);
      }
      face.player.draw(time);
      if (face.label) face.label.textContent = `${face.error[frameAt(time)].toFixed(2)} mm`;
    }
    tell(time);
  }

  function tell(time) {
    const frame = frameAt(time), phone = phoneAt(time);
    find("play").textContent = clock.playing ? "⏸ Pause" : "▶ Play";
    find("time").value = frame;
    const told = `${time.toFixed(2)} s, frame ${frame}` + (phone && phone !== "sil" ? `, phone ${phone}` : "");
    find("where").textContent = told;
    find("time").setAttribute("aria-valuetext", told);
    for (const plot of plots) plot.head.style.left = `${plot.chart.valToPos(time, "x")}px`;
  }

  /* ----------------------------------------------------------------- curves */

  const plots = [];
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const times = Array.from({ length: data.frames }, (_, t) => (t + 0.5) / fps);

  function addPlot(title, curves, { phones = false, fill = false } = {}) {
    const holder = document.createElement("div"), heading = document.createElement("h3"), place = document.createElement("div");
    holder.className = "plot";
    heading.append(`${title} `);
    for (const curve of curves.filter((one) => one.name)) {
      const key = document.createElement("bdi");
      key.className = curve.dash ? "key dashed" : "key";
      key.style.setProperty("--color", `var(${curve.color})`);
      key.textContent = curve.name;
      heading.append(key);
    }
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", describe(title, curves));
    holder.append(heading, place);
    find("plots").append(holder);
    const text = () => css("--quiet"), line = () => css("--line");
    const axis = { stroke: text, grid: { stroke: line, width: 0.5 }, ticks: { stroke: line, size: 4 }, font: "12px system-ui, sans-serif" };
    const chart = new uPlot({
      width: Math.max(200, place.clientWidth), height: phones ? 170 : fill ? 90 : 130,
      padding: [phones ? 24 : 6, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false, dist: 6 }, sync: { key: "clip" }, points: { show: false } },
      scales: { x: { time: false, range: [0, seconds] } },
      axes: [{ ...axis, values: (_, ticks) => ticks.map((t) => `${t} s`), size: 26 }, { ...axis, size: 46 }],
      series: [{}, ...curves.map((curve) => ({
        stroke: () => css(curve.color), width: curve.dash ? 1.5 : 2, dash: curve.dash, points: { show: false },
        fill: fill ? () => `${css(curve.color)}40` : undefined,
      }))],
      hooks: { setSelect: [marked], drawAxes: phones ? [drawPhones] : [] },
    }, [times, ...curves.map((curve) => curve.values)], place);
    const head = document.createElement("div"), range = document.createElement("div");
    head.className = "playhead";
    range.className = "range";
    chart.over.append(range, head);
    let from = 0;
    chart.over.addEventListener("pointerdown", (event) => { from = event.clientX; });
    chart.over.addEventListener("pointerup", (event) => {
      if (Math.abs(event.clientX - from) < 6) clock.seek(chart.posToVal(event.clientX - chart.over.getBoundingClientRect().left, "x"));
    });
    plots.push({ chart, head, range, place });
  }

  function describe(title, curves) {
    const each = curves.map(({ name, values }) => {
      const kept = values.filter((value) => value !== null);
      return `${name ? `${name}: ` : ""}${Math.min(...kept).toPrecision(3)} to ${Math.max(...kept).toPrecision(3)}`;
    });
    return `${title} over ${seconds.toFixed(1)} seconds. ${each.join("; ")}.`;
  }

  /* Phones stand above the first plot, their borders in it. */
  function drawPhones(chart) {
    const { ctx, bbox } = chart, scale = window.devicePixelRatio || 1;
    ctx.save();
    ctx.font = `${13 * scale}px system-ui, "Noto Sans", "DejaVu Sans", sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    ctx.fillStyle = css("--text");
    ctx.strokeStyle = css("--line");
    ctx.lineWidth = scale;
    let free = -Infinity; // of phones that crowd, those that fit are written
    for (const [symbol, from, to] of data.phones) {
      if (symbol === "sil") continue;
      const left = chart.valToPos(from, "x", true), right = chart.valToPos(to, "x", true);
      ctx.globalAlpha = 0.7;
      ctx.beginPath();
      for (const x of [left, right]) { ctx.moveTo(x, bbox.top - 4 * scale); ctx.lineTo(x, bbox.top + bbox.height); }
      ctx.stroke();
      ctx.globalAlpha = 1;
      const middle = (left + right) / 2, half = ctx.measureText(symbol).width / 2;
      if (middle - half < free) continue;
      ctx.fillText(symbol, middle, bbox.top - 5 * scale);
      free = middle + half + 2 * scale;
    }
    ctx.restore();
  }

  function marked(chart) {
    const { left, width } = chart.select;
    if (width < 4) return;
    mark(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  /* Marks a part and repeats it; at least two frames. */
  function mark(from, to) {
    const start = Math.max(0, Math.min(from, seconds - 2 / fps));
    part = [start, Math.min(seconds, Math.max(to, start + 2 / fps))];
    find("loop").value = "part";
    loop();
    if (clock.time < part[0] || clock.time > part[1]) clock.seek(part[0]);
  }

  function loop() {
    const kind = find("loop").value;
    if (kind === "part" && !part) part = [clock.time, Math.min(seconds, clock.time + 1)];
    if (kind === "part" && part[1] - part[0] < 2 / fps) part = [Math.max(0, seconds - 1), seconds];
    clock.loop = kind === "all" ? true : kind === "part" ? part : null;
    showRange();
  }

  function showRange() {
    const [from, to] = find("loop").value === "part" ? part : [0, 0];
    for (const { chart, range } of plots) {
      range.style.left = `${chart.valToPos(from, "x")}px`;
      range.style.width = `${to ? chart.valToPos(to, "x") - chart.valToPos(from, "x") : 0}px`;
    }
  }

  function drawCurves() {
    const curve = (face, values) => ({ name: face.name, values, color: face.color, dash: face.truth ? [6, 4] : undefined });
    const known = faces.some((face) => face.truth) || !truthFace ? faces : [...faces, { ...truthFace, color: "--truth" }];
    const open = known.filter((face) => face.aperture).map((face) => curve(face, face.aperture));
    const wrong = faces.filter((face) => face.error).map((face) => curve(face, face.error));
    if (open.length) addPlot("Lip aperture, mm", open, { phones: data.phones.length > 0 });
    if (wrong.length) addPlot("Lip vertex error, mm", wrong);
    addPlot("Loudness", [{ name: "", values: data.loudness, color: "--quiet" }], { phones: !open.length && data.phones.length > 0, fill: true });
    new ResizeObserver(() => {
      for (const { chart, place } of plots) chart.setSize({ width: Math.max(200, place.clientWidth), height: chart.height });
      tell(clock.time);
      showRange();
    }).observe(find("plots"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { plots.forEach(({ chart }) => chart.redraw(false)); legend(); });
  }

  /* ----------------------------------------------------------------- legend */

  function legend() {
    const kind = find("colors").value, end = Number(find("end").value), bar = find("bar").getContext("2d");
    find("legend").hidden = !kind;
    for (let x = 0; x < 512; x++) {
      bar.fillStyle = colorOf(x / 511);
      bar.fillRect(x, 0, 1, 16);
    }
    find("ticks").replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map((at) => {
      const tick = document.createElement("span");
      tick.style.left = `${100 * at}%`;
      tick.textContent = at === 1 ? `≥ ${end} mm` : `${Number((at * end).toPrecision(3))}`;
      return tick;
    }));
    draw(clock.time);
  }

  function pointAt(face, event) {
    if (!find("colors") || !find("colors").value || !face.error) return;
    const vertex = face.player.pick(event.offsetX, event.offsetY);
    const values = find("colors").value === "mean" ? meanErrors(face) : face.errors;
    find("under").textContent = vertex < 0 ? "Point at a face for a vertex's own." : `Vertex ${vertex} of ${face.name}: ${values[vertex].toFixed(2)} mm.`;
  }

  /* --------------------------------------------------------------- controls */

  const press = (select, values) => {
    const at = values.indexOf(select.value);
    select.value = values[(at + 1) % values.length];
    select.dispatchEvent(new Event("change"));
  };

  function look(name) {
    camera.look(name);
    all("[data-view]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === name)));
  }

  function listen() {
    find("play").addEventListener("click", () => clock.toggle());
    find("back").addEventListener("click", () => clock.step(-1, fps));
    find("forth").addEventListener("click", () => clock.step(1, fps));
    find("time").addEventListener("input", () => clock.seek((Number(find("time").value) + 0.5) / fps));
    find("speed").addEventListener("change", () => { clock.rate = Number(find("speed").value); });
    find("loop").addEventListener("change", loop);
    if (find("colors")) for (const id of ["colors", "end"]) find(id).addEventListener("change", legend);
    all("[data-view]").forEach((button) => button.addEventListener("click", () => look(button.dataset.view)));
    find("nearer").addEventListener("click", () => camera.magnify(1.25));
    find("farther").addEventListener("click", () => camera.magnify(0.8));
    all(".go").forEach((button) => button.addEventListener("click", () => {
      clock.pause();
      clock.seek((Number(button.dataset.frame) + 0.5) / fps);
    }));
    document.addEventListener("keydown", onKey);
    for (const face of faces) listenToPointer(face);
  }

  function listenToPointer(face) {
    const canvas = face.player.canvas, held = new Map();
    const apart = () => { const [a, b] = [...held.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = held.get(event.pointerId);
      if (!last) { pointAt(face, event); return; }
      const before = held.size === 2 ? apart() : 0;
      const dx = event.clientX - last.x, dy = event.clientY - last.y;
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (held.size === 2) { if (before > 0) camera.magnify(apart() / before); }
      else if (event.shiftKey || event.buttons & 6) camera.shift(dx / canvas.clientHeight, -dy / canvas.clientHeight);
      else camera.turn(dx * 0.008, event.pointerType === "touch" ? 0 : dy * 0.008);
    });
    for (const event of ["pointerup", "pointercancel"]) canvas.addEventListener(event, (e) => held.delete(e.pointerId));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      camera.magnify(Math.exp(-event.deltaY * (event.deltaMode ? 0.04 : 0.0015)));
    }, { passive: false });
  }

  const TURNS = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
  const KEYS = {
    " ": () => clock.toggle(),
    ",": () => clock.step(-1, fps),
    ".": () => clock.step(1, fps),
    ArrowLeft: () => clock.seek(clock.time - 0.5),
    ArrowRight: () => clock.seek(clock.time + 0.5),
    Home: () => clock.seek(0),
    End: () => clock.seek(seconds - 0.5 / fps),
    s: () => press(find("speed"), ["1", "0.5", "0.25"]),
    l: () => press(find("loop"), ["", "all"]),
    "[": () => mark(clock.time, part && part[1] > clock.time ? part[1] : seconds),
    "]": () => mark(part && part[0] < clock.time ? part[0] : 0, clock.time),
    e: () => find("colors") && press(find("colors"), ["", "now", "mean"]),
    1: () => look("face"), 2: () => look("mouth"), 3: () => look("angle"), 4: () => look("side"),
    "+": () => camera.magnify(1.25), "=": () => camera.magnify(1.25),
    "-": () => camera.magnify(0.8), "−": () => camera.magnify(0.8),
    0: () => look(camera.view),
  };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target, own = target.closest("select, input, button, a, [tabindex='0']");
    // What an element does with a key itself stays its own: Space on a button, arrows in a list or slider.
    if (own && (own.matches("select") || (own.matches("input") && /^(Arrow|Home|End|Page)/.test(event.key)))) return;
    if (own && event.key === " " && own.matches("button, a")) return;
    if (own && own.matches(".scroll") && /^(Arrow|Home|End)/.test(event.key)) return;
    const action = event.shiftKey && TURNS[event.key] ? () => camera.turn(...TURNS[event.key]) : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  drawCurves();
  listen();
  look(window.innerWidth < 600 && faces.length > 2 ? "mouth" : "face"); // so narrow that lips were dots
  if (find("colors")) legend();
  clock.onTick(draw);
  draw(0);
  /* For tests, and for the curious. */
  window.mtbenchViewer = { clock, camera, faces, truth, plots, draw };
})();
