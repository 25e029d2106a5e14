// Draws points with WebGL. While the view moves only as many are drawn as keep it fluent: the buffer lies in random order, so
// that its beginning is a fair sample of all; at rest all follow, piece by piece.
import * as twgl from 'twgl.js';

const VERTEX = `#version 300 es
in vec2 place;
in vec4 colour;
uniform vec2 scale;
uniform vec2 shift;
uniform float size;
out vec4 seen;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  gl_PointSize = size;
  seen = colour;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 seen;
uniform float edge;
out vec4 drawn;
void main() {
  float far = length(gl_PointCoord - 0.5);
  float opacity = seen.a * (1.0 - smoothstep(0.5 - edge, 0.5, far));
  drawn = vec4(seen.rgb * opacity, opacity);
}`;
const PIECE = 50000; // points drawn in one frame at rest
const LEAST = 10000; // drawn while the view moves, however slow that is
const SLOW = 55; // milliseconds between frames: fewer points are drawn
const FAST = 30; // … more are
const SETTLED = 140; // milliseconds without a move: all are drawn

export class Points {
  /** Throws where the browser draws no WebGL. */
  constructor(canvas, places) {
    this.gl = canvas.getContext('webgl2', { antialias: false, preserveDrawingBuffer: true });
    if (!this.gl) throw new Error('no WebGL');
    this.canvas = canvas;
    this.count = places.length / 2;
    this.order = shuffled(this.count);
    this.places = new Float32Array(places.length);
    for (let i = 0; i < this.count; i++) {
      this.places[2 * i] = places[2 * this.order[i]];
      this.places[2 * i + 1] = places[2 * this.order[i] + 1];
    }
    this.colours = new Uint8Array(4 * this.count).fill(128);
    this.budget = Math.min(this.count, 40000);
    this.drawn = 0; // points of the frame that is being drawn
    this.waiting = false;
    this.moved = -Infinity;
    this.fresh = false; // the view has moved since the last frame
    this.going = false; // the frame before was one of a move
    this.last = 0;
    this.frames = []; // when the last were drawn, for who measures
    this.view = { scale: [1, 1], shift: [0, 0], size: 4 };
    this.finished = () => {};
    this.begin();
    canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => this.begin());
  }

  begin() {
    const { gl } = this;
    this.program = twgl.createProgramInfo(gl, [VERTEX, FRAGMENT]);
    this.buffers = twgl.createBufferInfoFromArrays(gl, {
      place: { numComponents: 2, data: this.places },
      colour: { numComponents: 4, data: this.colours, normalize: true, drawType: gl.DYNAMIC_DRAW },
    });
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA); // colours times their opacity
    this.again();
  }

  /** Red, green, blue and opacity of each row. */
  colour(rgb, opacity) {
    for (let i = 0; i < this.count; i++) {
      const row = this.order[i];
      this.colours[4 * i] = rgb[3 * row];
      this.colours[4 * i + 1] = rgb[3 * row + 1];
      this.colours[4 * i + 2] = rgb[3 * row + 2];
      this.colours[4 * i + 3] = opacity[row];
    }
    twgl.setAttribInfoBufferFromArray(this.gl, this.buffers.attribs.colour, this.colours);
    this.again();
  }

  /** The view has moved. */
  look(view) {
    this.view = view;
    this.fresh = true;
    this.moved = performance.now();
    this.again();
  }

  again() {
    this.drawn = 0;
    this.ask();
  }

  ask() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    this.waiting = false;
    const moving = this.fresh;
    this.fresh = false;
    if (!moving && this.drawn > 0 && performance.now() - this.moved < SETTLED) {
      this.going = false; // the view rests for a moment
      return this.ask();
    }
    if (moving && this.going) this.adapt(now - this.last);
    this.going = moving;
    this.last = now;
    if (this.drawn === 0) {
      this.frames.push(now);
      if (this.frames.length > 200) this.frames.shift();
    }
    const end = Math.min(this.count, this.drawn + (moving ? this.budget : Math.max(PIECE, this.budget)));
    this.draw(this.drawn, end);
    this.drawn = end;
    if (end < this.count) this.ask();
    else this.finished();
  }

  /** More or fewer points while moving, by how long the last frame took. */
  adapt(took) {
    if (took > SLOW) this.budget = Math.max(Math.min(LEAST, this.count), Math.floor(this.budget * 0.7));
    else if (took < FAST) this.budget = Math.min(this.count, Math.ceil(this.budget * 1.3));
  }

  draw(from, to) {
    const { gl, view } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    if (from === 0) {
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
    }
    gl.useProgram(this.program.program);
    twgl.setBuffersAndAttributes(gl, this.program, this.buffers);
    twgl.setUniforms(this.program, { ...view, edge: Math.min(0.5, 1 / view.size) });
    gl.drawArrays(gl.POINTS, from, to - from);
  }
}

/** 0…n−1 in an order that is random and the same each time. */
function shuffled(count) {
  const found = new Uint32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 4294967296) * (i + 1));
    found[i] = found[j];
    found[j] = i;
  }
  return found;
}
