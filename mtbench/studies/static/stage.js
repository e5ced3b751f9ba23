// Two faces and one sound: shows a pair, plays it together or in turns, says whether it was played to its end.
"use strict";

const StudyStage = (() => {
  const PAUSE = 600; // milliseconds between the turns of two faces

  /** The place of a face: a canvas and a player for each topology that comes up in it. */
  class Place {
    constructor(figure, caption, topologies, camera) {
      Object.assign(this, { figure, caption, topologies, camera, players: new Map(), player: null });
    }

    show(motion) {
      if (!this.players.has(motion.topology)) this.players.set(motion.topology, this.build(motion.topology));
      this.player = this.players.get(motion.topology);
      for (const { canvas } of this.players.values()) canvas.hidden = canvas !== this.player.canvas;
      this.player.time = 0;
      this.player.show(motion);
      this.player.draw(0);
    }

    build(name) {
      const canvas = document.createElement("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-labelledby", this.caption.id);
      this.figure.prepend(canvas);
      return new mtbenchPlayer.MeshPlayer(canvas, this.topologies.get(name), this.camera);
    }
  }

  class Stage {
    constructor(figures, topologies) {
      const camera = new mtbenchPlayer.Camera();
      this.places = figures.map((figure) => new Place(figure, figure.querySelector("figcaption"), topologies, camera));
      this.audio = null;
      this.finish = null;
    }

    /** Put a pair on the stage; resolves when its sound can be played to the end without waiting. */
    async show(motions, sound) {
      this.stop();
      if (this.audio) URL.revokeObjectURL(this.audio.src);
      const audio = new Audio();
      this.audio = audio;
      audio.preload = "auto";
      audio.addEventListener("ended", () => this.finish?.(true));
      audio.addEventListener("pause", () => { if (!audio.ended) this.finish?.(false); });
      motions.forEach((pack, index) => this.places[index].show(new mtbenchPlayer.Motion(pack)));
      this.light([]);
      const ready = new Promise((resolve, reject) => {
        audio.addEventListener("canplaythrough", resolve, { once: true });
        audio.addEventListener("error", () => reject(new Error("this browser does not play the sound")), { once: true });
      });
      audio.src = mtbenchPlayer.soundAddress(sound);
      this.clock = new mtbenchPlayer.Clock(audio, sound.seconds);
      this.clock.onTick((seconds) => this.speaking.forEach((place) => place.player.draw(seconds)));
      await ready;
    }

    light(speaking) {
      this.speaking = speaking;
      for (const place of this.places) {
        place.figure.classList.toggle("speaking", speaking.includes(place));
        place.figure.classList.toggle("waiting", speaking.length > 0 && !speaking.includes(place));
      }
    }

    /** Play both faces, or one after the other; resolves to whether the end was reached. */
    async play(turns) {
      const audio = this.audio;
      for (const [turn, speaking] of (turns ? this.places.map((place) => [place]) : [this.places]).entries()) {
        if (turn) await new Promise((resolve) => { setTimeout(resolve, PAUSE); });
        if (this.audio !== audio || (turn && this.stopped)) return false;
        this.stopped = false;
        this.light(speaking);
        const ended = await this.run();
        this.light([]);
        if (!ended) return false;
      }
      return true;
    }

    run() {
      return new Promise((resolve) => {
        this.finish = (ended) => { this.finish = null; resolve(ended); };
        this.clock.play().then((plays) => { if (!plays) this.finish?.(false); });
      });
    }

    stop() {
      this.stopped = true;
      this.audio?.pause();
      this.finish?.(false);
    }
  }

  /** Throws "webgl2" where this browser cannot show faces. */
  function open(figures, packs) {
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error("webgl2");
    return new Stage(figures, new Map(packs.map((pack) => [pack.name, new mtbenchPlayer.Topology(pack)])));
  }

  function playSound(pack) {
    const audio = new Audio(mtbenchPlayer.soundAddress(pack));
    audio.addEventListener("ended", () => URL.revokeObjectURL(audio.src), { once: true });
    return audio.play();
  }

  return { open, playSound };
})();
