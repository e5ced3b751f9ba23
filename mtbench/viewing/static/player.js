/* Faces in motion on a canvas, and the clock that keeps them with their sound. WebGL2, no library, no network.

   A classic script: pages on disk (file://) may not load modules. It defines one name, `mtbenchPlayer`, with
     Topology(pack), Motion(pack)    packs as mtbench/viewing makes them
     soundAddress(pack)              an address for <audio src>
     Camera()                        looked through by any number of players at once
     Clock(audio, seconds)           the audio element is the master; everything else asks it for the time
     MeshPlayer(canvas, topology, camera)   .show(motion) .draw(seconds) .paint(values, end) .pick(x, y)
     colorOf(value)                  the color of an error, 0..1 of the scale
   See docs/viewer.md. */
"use strict";

const mtbenchPlayer = (() => {
  /* ------------------------------------------------------------------ data */

  function bytesOf(text) {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  function requireFormat(pack, format) {
    if (!pack || pack.format !== format) {
      throw new Error(`expected data of format ${format}, not ${pack && pack.format}: made by another version?`);
    }
  }

  const bit = (bytes, i) => (bytes[i >> 3] >> (7 - (i & 7))) & 1;

  function soundAddress(pack) {
    requireFormat(pack, "mtbench-sound-1");
    return URL.createObjectURL(new Blob([bytesOf(pack.data)], { type: pack.type }));
  }

  class Topology {
    constructor(pack) {
      requireFormat(pack, "mtbench-topology-1");
      this.name = pack.name;
      this.vertices = pack.vertices;
      const indices = bytesOf(pack.indices);
      this.indices = pack.wide ? new Uint32Array(indices.buffer) : new Uint16Array(indices.buffer);
      const colors = bytesOf(pack.colors), oral = bytesOf(pack.oral);
      this.surface = new Uint8Array(4 * this.vertices); // red, green, blue; 255 where no light falls
      for (let v = 0; v < this.vertices; v++) {
        this.surface.set(colors.subarray(3 * v, 3 * v + 3), 4 * v);
        this.surface[4 * v + 3] = 255 * bit(oral, v);
      }
      this.lips = new Uint32Array(bytesOf(pack.lips).buffer);
      this.upper = new Uint32Array(bytesOf(pack.upper).buffer);
    }

    /* Area-weighted normals, not of unit length: the shader makes them so. */
    normals(positions, out) {
      out.fill(0);
      const index = this.indices;
      for (let i = 0; i < index.length; i += 3) {
        const a = 3 * index[i], b = 3 * index[i + 1], c = 3 * index[i + 2];
        const ax = positions[a], ay = positions[a + 1], az = positions[a + 2];
        const ux = positions[b] - ax, uy = positions[b + 1] - ay, uz = positions[b + 2] - az;
        const wx = positions[c] - ax, wy = positions[c + 1] - ay, wz = positions[c + 2] - az;
        // Scaled, because squares of millimetres are close to the smallest numbers of a shader.
        const nx = 1e6 * (uy * wz - uz * wy), ny = 1e6 * (uz * wx - ux * wz), nz = 1e6 * (ux * wy - uy * wx);
        out[a] += nx; out[a + 1] += ny; out[a + 2] += nz;
        out[b] += nx; out[b + 1] += ny; out[b + 2] += nz;
        out[c] += nx; out[c + 1] += ny; out[c + 2] += nz;
      }
    }
  }

  class Motion {
    constructor(pack) {
      requireFormat(pack, "mtbench-motion-1");
      this.topology = pack.topology;
      this.vertices = pack.vertices;
      this.frames = pack.frames;
      this.fps = pack.fps;
      this.errorMm = pack.error_mm;
      this.seconds = pack.frames / pack.fps;
      const rest = new Uint16Array(bytesOf(pack.rest).buffer);
      this.rest = new Float32Array(rest.length);
      for (let i = 0; i < rest.length; i++) this.rest[i] = pack.rest_low[i % 3] + pack.rest_step[i % 3] * rest[i];
      const moving = bytesOf(pack.moving), places = [];
      for (let v = 0; v < pack.vertices; v++) if (bit(moving, v)) places.push(3 * v);
      this.places = Uint32Array.from(places);
      this.weights = new Int16Array(bytesOf(pack.weights).buffer);
      this.shapes = Motion.unpack(bytesOf(pack.shapes), pack.rank, 3 * places.length, pack.step);
      this.moved = new Float32Array(3 * places.length);
    }

    /* Rice's code in blocks of 96 numbers, as mtbench/viewing/whole_numbers.py writes it. */
    static unpack(bytes, rank, count, step) {
      let at = 0, k = 0;
      const read = (width) => {
        let value = 0;
        for (let i = 0; i < width; i++) value = 2 * value + bit(bytes, at++);
        return value;
      };
      const all = new Float32Array(rank * count);
      for (let i = 0; i < all.length; i++) {
        if (i % 96 === 0) k = read(5);
        let high = 0;
        while (bit(bytes, at++)) high++;
        const value = high * 2 ** k + read(k);
        all[i] = step * (value % 2 ? -(value + 1) / 2 : value / 2);
      }
      return Array.from({ length: rank }, (_, n) => all.subarray(n * count, (n + 1) * count));
    }

    /* Frame t shows the interval from t / fps to (t + 1) / fps. The hair that is added keeps 3 / 25 * 25 from being 2. */
    frameAt(seconds) {
      return Math.min(this.frames - 1, Math.max(0, Math.floor(seconds * this.fps + 1e-4)));
    }

    /* Fills out (3 V) with the positions of a frame, metres. */
    positions(frame, out) {
      const moved = this.moved, places = this.places;
      moved.fill(0);
      this.shapes.forEach((shape, k) => {
        const weight = this.weights[k * this.frames + frame] / 32767;
        if (weight) for (let i = 0; i < moved.length; i++) moved[i] += weight * shape[i];
      });
      out.set(this.rest);
      for (let m = 0; m < places.length; m++) {
        const at = places[m];
        out[at] += moved[3 * m]; out[at + 1] += moved[3 * m + 1]; out[at + 2] += moved[3 * m + 2];
      }
      return out;
    }
  }

  /* Fills out (V) with the distances of two faces, millimetres. */
  function distancesMm(one, other, out) {
    for (let v = 0; v < out.length; v++) {
      const x = one[3 * v] - other[3 * v], y = one[3 * v + 1] - other[3 * v + 1], z = one[3 * v + 2] - other[3 * v + 2];
      out[v] = 1000 * Math.sqrt(x * x + y * y + z * z);
    }
    return out;
  }

  /* ----------------------------------------------------------------- colors */

  // As mtbench/viewing/color_scale.py has them; a test compares.
  const STOPS = ["#f3efe6", "#f7cf6b", "#ee8a3a", "#cf3f45", "#8b1c63", "#35104a"];
  const STOP_VALUES = STOPS.map((stop) => [1, 3, 5].map((i) => parseInt(stop.slice(i, i + 2), 16)));

  function colorOf(value) {
    const at = Math.min(Math.max(value, 0), 1) * (STOPS.length - 1), below = Math.min(Math.floor(at), STOPS.length - 2);
    const [a, b] = [STOP_VALUES[below], STOP_VALUES[below + 1]];
    return "#" + a.map((x, i) => Math.floor(x + (at - below) * (b[i] - x) + 0.5).toString(16).padStart(2, "0")).join("");
  }

  /* ----------------------------------------------------------------- camera */

  const VIEWS = {
    face: { focus: "face", yaw: 0, pitch: 0, zoom: 1 },
    mouth: { focus: "mouth", yaw: 0, pitch: 0, zoom: 1 },
    side: { focus: "mouth", yaw: -1.25, pitch: 0, zoom: 0.8 },
    angle: { focus: "face", yaw: -0.6, pitch: 0.06, zoom: 1 },
  };
  const FIELD = 0.33; // radians from the top of the picture to its bottom: a long lens, which does not bend faces

  class Camera {
    constructor() {
      this.version = 0;
      this.listeners = [];
      this.look("face");
    }

    changed() {
      this.version += 1;
      this.listeners.forEach((listener) => listener());
    }

    /* One of VIEWS by name: "face", "mouth", "side", "angle". */
    look(name) {
      Object.assign(this, VIEWS[name], { view: name, right: 0, up: 0 });
      this.changed();
    }

    turn(yaw, pitch) {
      this.yaw = Math.min(Math.PI, Math.max(-Math.PI, this.yaw + yaw));
      this.pitch = Math.min(1.4, Math.max(-1.4, this.pitch + pitch));
      this.changed();
    }

    magnify(factor) {
      this.zoom = Math.min(12, Math.max(0.35, this.zoom * factor));
      this.changed();
    }

    /* In parts of the picture's height. */
    shift(right, up) {
      this.right = Math.min(2, Math.max(-2, this.right + right / this.zoom));
      this.up = Math.min(2, Math.max(-2, this.up + up / this.zoom));
      this.changed();
    }

    /* Clip-from-world (columns first) and view-from-world rotation for a face with these places to look at. */
    matrices(places, aspect) {
      const { center, height } = places[this.focus];
      const distance = height / (2 * Math.tan(FIELD / 2) * this.zoom);
      const cy = Math.cos(this.yaw), sy = Math.sin(this.yaw), cp = Math.cos(this.pitch), sp = Math.sin(this.pitch);
      const turn = [[cy, 0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]];
      const moved = turn.map((row) => -(row[0] * center[0] + row[1] * center[1] + row[2] * center[2]));
      moved[0] += this.right * height;
      moved[1] += this.up * height;
      moved[2] -= distance;
      const near = Math.max(0.02, distance - 0.6), far = distance + 0.8;
      const f = 1 / Math.tan(FIELD / 2), a = (far + near) / (near - far), b = (2 * far * near) / (near - far);
      const clip = new Float32Array(16), rotation = new Float32Array(9);
      for (let c = 0; c < 4; c++) {
        const column = c < 3 ? [turn[0][c], turn[1][c], turn[2][c]] : moved;
        clip[4 * c] = (f / aspect) * column[0];
        clip[4 * c + 1] = f * column[1];
        clip[4 * c + 2] = a * column[2] + (c === 3 ? b : 0);
        clip[4 * c + 3] = -column[2];
        if (c < 3) rotation.set(column, 3 * c);
      }
      return { clip, rotation };
    }
  }

  /* ------------------------------------------------------------------ clock */

  class Clock {
    /* `currentTime` of an audio element is the time of what is heard, the delay of the output taken off by the browser:
       pictures are drawn for it and never run by themselves, not even between two of its renewals: guessing ahead would
       show frames that are taken back. */
    constructor(audio, seconds) {
      this.audio = audio;
      this.seconds = seconds;
      this.range = null; // [from, to] in seconds that is repeated
      this.listeners = [];
      this.wanted = null; // the time that was sought, until the element is there
      this.asked = false;
      audio.addEventListener("seeked", () => { this.wanted = null; this.wake(); });
      for (const event of ["play", "playing", "pause", "ended", "ratechange", "loadeddata"]) {
        audio.addEventListener(event, () => this.wake());
      }
    }

    get playing() { return !this.audio.paused && !this.audio.ended; }

    get time() {
      if (this.wanted !== null) return this.wanted;
      return Math.min(this.seconds, Math.max(0, this.audio.currentTime));
    }

    /* listener(seconds) is called in an animation frame whenever the time, or whether it runs, may have changed. */
    onTick(listener) { this.listeners.push(listener); this.wake(); }

    wake() {
      if (this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => { this.asked = false; this.tick(); });
    }

    tick() {
      const [from, to] = this.range || [0, this.seconds];
      if (this.range && this.wanted === null && (this.time >= to - 1e-3 || this.audio.ended)) {
        const ran = this.playing || this.audio.ended;
        if (ran) { this.seek(from); this.audio.play().catch(() => {}); }
      }
      const time = this.time;
      this.listeners.forEach((listener) => listener(time));
      if (this.playing) this.wake();
    }

    /* Resolves to whether it plays: browsers refuse before the reader has touched the page. */
    async play() {
      const [from, to] = this.range || [0, this.seconds];
      if (this.time >= to - 1e-3 || this.time < from - 1e-3) this.seek(from);
      try { await this.audio.play(); return true; } catch { return false; } finally { this.wake(); }
    }

    pause() { this.audio.pause(); this.wake(); }

    toggle() { return this.playing ? this.pause() : this.play(); }

    seek(seconds) {
      const aim = Math.min(this.seconds, Math.max(0, seconds));
      this.wanted = aim;
      // Before anything is loaded the element takes the time for its beginning, and says nothing of arriving.
      if (this.audio.readyState === 0) this.audio.addEventListener("loadeddata", () => { this.wanted = null; }, { once: true });
      this.audio.currentTime = aim;
      this.wake();
    }

    /* To the middle of a neighboring frame, so that rounding cannot show another one. */
    step(frames, fps) {
      this.pause();
      const now = Math.floor(this.time * fps + 1e-4), last = Math.ceil(this.seconds * fps - 1e-4) - 1;
      this.seek((Math.min(last, Math.max(0, now + frames)) + 0.5) / fps);
    }

    set rate(rate) {
      this.audio.preservesPitch = true;
      this.audio.defaultPlaybackRate = rate;
      this.audio.playbackRate = rate;
    }

    get rate() { return this.audio.playbackRate; }

    /* null for no loop, true for all of it, [from, to] in seconds for a part. */
    set loop(range) {
      this.audio.loop = range === true;
      this.range = Array.isArray(range) ? range : null;
      this.wake();
    }

    get loop() { return this.range || this.audio.loop; }
  }

  /* ----------------------------------------------------------------- shaders */

  const VERTEX = `#version 300 es
    in vec3 position; in vec3 normal; in vec4 surface; in float value;
    uniform mat4 clip; uniform mat3 rotation; uniform float nudge;
    centroid out vec3 toward; centroid out vec4 paint; centroid out float error;
    void main() {
      gl_Position = clip * vec4(position, 1.0);
      gl_Position.z -= nudge * gl_Position.w;
      toward = rotation * normal; paint = surface; error = value;
    }`;

  // Light: a key from above left, a fill from the right, sky and ground; a gloss that follows the lips' edges. What is seen from
  // behind can be seen through the mouth only: dark, so that the opening reads on every topology, teeth and tongue lit.
  const FRAGMENT = `#version 300 es
    precision highp float;
    centroid in vec3 toward; centroid in vec4 paint; centroid in float error;
    uniform float heat; uniform float end; uniform vec3 stops[${STOPS.length}];
    out vec4 color;
    const vec3 KEY = vec3(-0.42, 0.46, 0.78), FILL = vec3(0.75, 0.05, 0.66);
    void main() {
      vec3 n = normalize(toward);
      // At the edges of folds slivers are seen from behind, too; their normals hardly turn away.
      if (!gl_FrontFacing && n.z < -0.3) { color = vec4(0.07, 0.045, 0.045, 1.0); return; }
      if (heat > 0.5) {
        float at = clamp(error / end, 0.0, 1.0) * ${(STOPS.length - 1).toFixed(1)};
        int below = min(int(at), ${STOPS.length - 2});
        vec3 flat_color = mix(stops[below], stops[below + 1], at - float(below));
        // Full color where the surface faces the reader, so that it is the legend's; darker towards the rim, for the shape.
        float facing = clamp(n.z, 0.0, 1.0);
        float shape = mix(0.5, 1.0, smoothstep(0.0, 0.75, facing));
        color = vec4(mix(flat_color * shape, vec3(0.10, 0.07, 0.08), 0.8 * paint.a), 1.0);
        return;
      }
      float key = max(0.0, dot(n, normalize(KEY))), fill = max(0.0, dot(n, normalize(FILL)));
      float sky = 0.5 + 0.5 * n.y;
      vec3 light = vec3(1.0, 0.965, 0.92) * (0.88 * key) + vec3(0.80, 0.88, 1.0) * (0.20 * fill)
        + mix(vec3(0.13, 0.11, 0.10), vec3(0.24, 0.26, 0.29), sky);
      vec3 halfway = normalize(normalize(KEY) + vec3(0.0, 0.0, 1.0));
      float gloss = 0.10 * pow(max(0.0, dot(n, halfway)), 28.0);
      vec3 linear = paint.rgb * light * mix(1.0, 0.28, paint.a) + gloss * (1.0 - paint.a);
      color = vec4(pow(min(linear, vec3(1.0)), vec3(1.0 / 2.2)), 1.0);
    }`;

  function compile(gl) {
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    ["position", "normal", "surface", "value"].forEach((name, at) => gl.bindAttribLocation(program, at, name));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`the shaders cannot be used here: ${gl.getProgramInfoLog(program)}`);
    }
    return program;
  }

  /* ------------------------------------------------------------------ player */

  const NO_WEBGL = "This browser shows no WebGL2, so that faces cannot be drawn. Sound, curves and numbers are all here.";
  const LOST = "The graphics card took the picture away; it comes back by itself.";

  class MeshPlayer {
    /* onMessage(text or "") says in words why nothing is drawn; by default it is said on the canvas's place. */
    constructor(canvas, topology, camera = new Camera(), { onMessage = null } = {}) {
      this.canvas = canvas;
      this.topology = topology;
      this.camera = camera;
      this.onMessage = onMessage || ((text) => this.say(text));
      this.motion = null;
      this.time = 0;
      this.frame = -1;
      this.positions = new Float32Array(3 * topology.vertices);
      this.directions = new Float32Array(3 * topology.vertices);
      this.values = new Float32Array(topology.vertices);
      this.end = 0; // of the scale in millimetres; 0: natural colors
      this.drawn = "";
      this.gl = canvas.getContext("webgl2", { antialias: true, alpha: true, powerPreference: "low-power" });
      if (!this.gl) { this.onMessage(NO_WEBGL); return; }
      canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.onMessage(LOST); });
      canvas.addEventListener("webglcontextrestored", () => { this.onMessage(""); this.prepare(); this.draw(this.time); });
      this.prepare();
      new ResizeObserver(() => this.draw(this.time)).observe(canvas);
      camera.listeners.push(() => this.draw(this.time));
    }

    say(text) {
      let told = this.canvas.nextElementSibling;
      if (!told || !told.classList.contains("player-message")) {
        told = document.createElement("p");
        told.className = "player-message";
        told.setAttribute("role", "status");
        this.canvas.after(told);
      }
      told.textContent = text;
      told.hidden = !text;
    }

    prepare() {
      const gl = this.gl, topology = this.topology;
      this.program = compile(gl);
      const names = ["clip", "rotation", "nudge", "heat", "end", "stops"];
      this.uniforms = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(this.program, name)]));
      gl.bindVertexArray(gl.createVertexArray());
      const attribute = (at, data, size, kind, normalized, usage) => {
        const buffer = gl.createBuffer();
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        gl.bufferData(gl.ARRAY_BUFFER, data, usage);
        gl.enableVertexAttribArray(at);
        gl.vertexAttribPointer(at, size, kind, normalized, 0, 0);
        return buffer;
      };
      this.buffers = {
        positions: attribute(0, this.positions, 3, gl.FLOAT, false, gl.DYNAMIC_DRAW),
        directions: attribute(1, this.directions, 3, gl.FLOAT, false, gl.DYNAMIC_DRAW),
        surface: attribute(2, topology.surface, 4, gl.UNSIGNED_BYTE, true, gl.STATIC_DRAW),
        values: attribute(3, this.values, 1, gl.FLOAT, false, gl.DYNAMIC_DRAW),
      };
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, topology.indices, gl.STATIC_DRAW);
      gl.enable(gl.DEPTH_TEST);
      gl.enable(gl.CULL_FACE);
      this.uploaded = -1;
      this.drawn = "";
    }

    show(motion) {
      if (motion.vertices !== this.topology.vertices) {
        throw new Error(`motion of ${motion.vertices} vertices does not fit ${this.topology.name}`);
      }
      this.motion = motion;
      this.frame = this.uploaded = -1; // the same frame of another motion is another picture
      this.drawn = "";
      this.places = this.findPlaces(motion.rest);
      this.draw(this.time);
    }

    /* Where to look, in metres: at the face between upper face and lips, and at the mouth. */
    findPlaces(face) {
      const middle = (indices) => {
        const sum = [0, 0, 0];
        for (const v of indices) for (let k = 0; k < 3; k++) sum[k] += face[3 * v + k] / indices.length;
        return sum;
      };
      const lips = middle(this.topology.lips), upper = middle(this.topology.upper);
      const apart = Math.hypot(upper[1] - lips[1], upper[2] - lips[2]);
      let left = Infinity, right = -Infinity;
      for (const v of this.topology.lips) { left = Math.min(left, face[3 * v]); right = Math.max(right, face[3 * v]); }
      const center = lips.map((x, k) => x + 0.4 * (upper[k] - x));
      center[2] = lips[2] - 0.25 * apart;
      return {
        face: { center, height: 2.9 * apart },
        mouth: { center: [lips[0], lips[1], lips[2]], height: 1.75 * (right - left) },
      };
    }

    /* Values (V) in millimetres, drawn in the colors of the scale up to `end`; null for natural colors. */
    paint(values, end = 1) {
      this.end = values ? end : 0;
      if (values && values !== this.values) this.values.set(values);
      this.painted = (this.painted || 0) + 1;
    }

    /* Computes the positions of the frame at this time; returns its number. Nothing is drawn. */
    pose(seconds) {
      this.time = seconds;
      if (!this.motion) return -1;
      const frame = this.motion.frameAt(seconds);
      if (frame !== this.frame) {
        this.frame = frame;
        this.motion.positions(frame, this.positions);
      }
      return frame;
    }

    /* Draws the frame at this time; returns its number. */
    draw(seconds) {
      const frame = this.pose(seconds), gl = this.gl;
      if (frame < 0 || !gl || gl.isContextLost()) return frame;
      const canvas = this.canvas, scale = Math.min(2.5, window.devicePixelRatio || 1);
      const width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
      if (!width || !height) return frame;
      const state = [frame, width, height, this.camera.version, this.end, this.painted].join();
      if (state === this.drawn) return frame;
      if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
      if (this.uploaded !== frame) {
        this.topology.normals(this.positions, this.directions);
        this.upload("positions", this.positions);
        this.upload("directions", this.directions);
        this.uploaded = frame;
      }
      if (this.end) this.upload("values", this.values);
      const { clip, rotation } = this.camera.matrices(this.places, width / height);
      gl.viewport(0, 0, width, height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.useProgram(this.program);
      gl.uniformMatrix4fv(this.uniforms.clip, false, clip);
      gl.uniformMatrix3fv(this.uniforms.rotation, false, rotation);
      gl.uniform1f(this.uniforms.heat, this.end ? 1 : 0);
      gl.uniform1f(this.uniforms.end, this.end || 1);
      gl.uniform3fv(this.uniforms.stops, STOP_VALUES.flat().map((x) => x / 255));
      const kind = this.topology.indices instanceof Uint32Array ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT;
      // What is seen from behind first, then the rest about a millimetre nearer: at folds, slivers of the back stay hidden.
      for (const [hidden, nudge] of [[gl.FRONT, 0], [gl.BACK, 1e-3]]) {
        gl.cullFace(hidden);
        gl.uniform1f(this.uniforms.nudge, nudge);
        gl.drawElements(gl.TRIANGLES, this.topology.indices.length, kind, 0);
      }
      this.drawn = state;
      return frame;
    }

    upload(name, data) {
      const gl = this.gl;
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, data);
    }

    /* Where a vertex is on the canvas, CSS pixels, and how deep: {x, y, depth}. */
    place(vertex, clip = null) {
      const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
      clip = clip || this.camera.matrices(this.places, width / height).clip;
      const [x, y, z] = this.positions.subarray(3 * vertex, 3 * vertex + 3);
      const [cx, cy, cz, cw] = [0, 1, 2, 3].map((r) => clip[r] * x + clip[4 + r] * y + clip[8 + r] * z + clip[12 + r]);
      return { x: (0.5 + 0.5 * cx / cw) * width, y: (0.5 - 0.5 * cy / cw) * height, depth: cz / cw };
    }

    /* The vertex nearest to a point of the canvas (CSS pixels) on the surface that is seen there; -1 beside the face. */
    pick(x, y) {
      if (!this.motion) return -1;
      const { clip } = this.camera.matrices(this.places, this.canvas.clientWidth / this.canvas.clientHeight);
      const places = Array.from({ length: this.topology.vertices }, (_, v) => this.place(v, clip));
      let found = -1, least = Infinity;
      const index = this.topology.indices;
      for (let i = 0; i < index.length; i += 3) {
        const a = places[index[i]], b = places[index[i + 1]], c = places[index[i + 2]];
        const area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
        if (!area) continue;
        const u = ((b.x - x) * (c.y - y) - (c.x - x) * (b.y - y)) / area;
        const w = ((c.x - x) * (a.y - y) - (a.x - x) * (c.y - y)) / area;
        if (u < 0 || w < 0 || u + w > 1) continue;
        const depth = u * a.depth + w * b.depth + (1 - u - w) * c.depth;
        if (depth >= least) continue;
        least = depth;
        found = u > w && u > 1 - u - w ? index[i] : w > 1 - u - w ? index[i + 1] : index[i + 2];
      }
      return found;
    }
  }

  return { Topology, Motion, Camera, Clock, MeshPlayer, soundAddress, distancesMm, colorOf, STOPS, VIEWS, bytesOf };
})();
