// One table as a map: moving, looking closer, drawing around points, and what is marked on it.
import KDBush from 'kdbush';
import { select } from 'd3-selection';
import { zoom, zoomIdentity } from 'd3-zoom';
import { Points } from './points.js';

const NEAR = 14; // pixels around the pointer in which a point is found
const CLOSEST = 2000; // times
const STEP = 60; // pixels that an arrow key moves

export class PlaceMap {
  /**
   * box     the element that the map is drawn into; `places` x and y of each row
   * heard   what is called: hover(row or −1, x, y), pick(row), around(rows, added), finished()
   */
  constructor(box, places, heard) {
    Object.assign(this, { box, places, heard, count: places.length / 2 });
    this.canvas = box.querySelector('.points');
    this.over = box.querySelector('.marks');
    this.marks = { hover: -1, picked: -1, near: [], names: [] };
    this.drawing = false; // the pointer draws around points
    this.lasso = null;
    this.transform = zoomIdentity;
    this.points = new Points(this.canvas, places);
    this.points.finished = () => {
      this.index ??= indexed(places);
      heard.finished();
    };
    this.zoom = zoom()
      .scaleExtent([0.5, CLOSEST])
      .filter((event) => (event.type === 'wheel' ? true : !event.button && !event.shiftKey && !this.drawing))
      .on('zoom', ({ transform }) => this.moved(transform));
    select(this.over).call(this.zoom).on('dblclick.zoom', null);
    this.listen();
    new ResizeObserver(() => this.resize()).observe(box);
    this.resize();
  }

  listen() {
    const { over } = this;
    over.addEventListener('pointerdown', (event) => {
      this.down = [event.offsetX, event.offsetY];
      if (event.button || !(this.drawing || event.shiftKey)) return;
      over.setPointerCapture(event.pointerId);
      this.lasso = [this.down];
    });
    over.addEventListener('pointermove', (event) => {
      if (this.lasso) {
        this.lasso.push([event.offsetX, event.offsetY]);
        return this.mark();
      }
      this.pointer = [event.offsetX, event.offsetY];
      this.look ??= requestAnimationFrame(() => {
        this.look = null;
        this.hover(this.pointer ? this.at(...this.pointer) : -1);
      });
    });
    over.addEventListener('pointerleave', () => {
      this.pointer = null;
      this.hover(-1);
    });
    over.addEventListener('pointerup', (event) => {
      const line = this.lasso;
      this.lasso = null;
      if (line && line.length > 3) this.heard.around(this.within(line), event.ctrlKey || event.metaKey);
      this.mark();
    });
    over.addEventListener('click', (event) => {
      const [x, y] = this.down ?? [event.offsetX, event.offsetY];
      if (Math.hypot(event.offsetX - x, event.offsetY - y) > 4 || event.shiftKey) return;
      const row = this.at(event.offsetX, event.offsetY);
      if (row >= 0) this.heard.pick(row);
    });
  }

  resize() {
    const { width, height } = this.box.getBoundingClientRect();
    if (!width || !height) return;
    this.width = width;
    this.height = height;
    this.density = Math.min(devicePixelRatio || 1, 2);
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = Math.round(width * this.density);
      canvas.height = Math.round(height * this.density);
    }
    this.blank = true;
    this.zoom.extent([[0, 0], [width, height]]).translateExtent([[-width, -height], [2 * width, 2 * height]]);
    this.moved(this.transform);
  }

  /** Pixels of a unit of the map before looking closer. */
  get unit() {
    return Math.min(this.width, this.height) / 2;
  }

  moved(transform) {
    this.transform = transform;
    const { width, height, unit, density } = this;
    const { k, x, y } = transform;
    const usual = Math.sqrt((width * height) / this.count) * 0.42;
    const size = Math.min(Math.max(usual, 2), 7) * Math.min(k ** 0.3, 3);
    this.points.look({
      scale: [(2 * unit * k) / width, (2 * unit * k) / height],
      shift: [k - 1 + (2 * x) / width, 1 - k - (2 * y) / height],
      size: size * density,
    });
    this.radius = size / 2;
    this.mark();
  }

  /** Where a row lies, in pixels. */
  where(row) {
    return this.transform.apply([
      this.width / 2 + this.places[2 * row] * this.unit,
      this.height / 2 - this.places[2 * row + 1] * this.unit,
    ]);
  }

  /** The place under a pixel. */
  under(px, py) {
    const [x, y] = this.transform.invert([px, py]);
    return [(x - this.width / 2) / this.unit, (this.height / 2 - y) / this.unit];
  }

  /** The row nearest to a pixel, −1 where none is near. */
  at(px, py, near = NEAR) {
    if (!this.index) return -1;
    const [x, y] = this.under(px, py);
    const radius = near / (this.unit * this.transform.k);
    let best = -1;
    let least = Infinity;
    for (const row of this.index.within(x, y, radius)) {
      const far = (this.places[2 * row] - x) ** 2 + (this.places[2 * row + 1] - y) ** 2;
      if (far < least) [best, least] = [row, far];
    }
    return best;
  }

  /** The rows inside of a line of pixels. */
  within(line) {
    const places = line.map(([x, y]) => this.under(x, y));
    const xs = places.map((place) => place[0]);
    const ys = places.map((place) => place[1]);
    const found = this.index?.range(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)) ?? [];
    return Int32Array.from(found.filter((row) => inside(this.places[2 * row], this.places[2 * row + 1], xs, ys))).sort();
  }

  hover(row) {
    if (row === this.marks.hover) return;
    this.marks.hover = row;
    this.over.style.cursor = row >= 0 ? 'pointer' : '';
    const [x, y] = row >= 0 ? this.where(row) : [0, 0];
    this.heard.hover(row, x, y);
    this.mark();
  }

  draws(on) {
    this.drawing = on;
    this.box.classList.toggle('drawing', on);
  }

  closer(factor) {
    select(this.over).call(this.zoom.scaleBy, factor);
  }

  all() {
    select(this.over).call(this.zoom.transform, zoomIdentity);
  }

  /** Move by so many pixels. */
  by(dx, dy) {
    select(this.over).call(this.zoom.translateBy, dx / this.transform.k, dy / this.transform.k);
  }

  /** Move so that a row can be seen. */
  show(row) {
    const [x, y] = this.where(row);
    const margin = 40;
    if (x > margin && y > margin && x < this.width - margin && y < this.height - margin) return;
    select(this.over).call(this.zoom.translateTo, this.width / 2 + this.places[2 * row] * this.unit,
      this.height / 2 - this.places[2 * row + 1] * this.unit);
  }

  /** The keys of a map that has the focus; whether one of them was pressed. */
  key(event) {
    const by = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
    if (by) this.by(...by);
    else if (event.key === '+' || event.key === '=') this.closer(1.4);
    else if (event.key === '-' || event.key === '−') this.closer(1 / 1.4);
    else if (event.key === '0') this.all();
    else if (event.key === 'Enter') {
      const row = this.at(this.width / 2, this.height / 2, Math.max(this.width, this.height));
      if (row >= 0) this.heard.pick(row);
    } else if (event.key === 's' || event.key === 'S') {
      const { width, height } = this;
      this.heard.around(this.within([[0, 0], [width, 0], [width, height], [0, height]]), false);
    } else return false;
    return true;
  }

  /** Mark these anew: { hover, picked, near, names }. */
  mark(changed = {}) {
    Object.assign(this.marks, changed);
    this.marking ??= requestAnimationFrame(() => {
      this.marking = null;
      this.paint();
    });
  }

  paint() {
    const pen = this.over.getContext('2d');
    const style = getComputedStyle(this.box);
    const [ink, paper, accent] = ['--ink', '--paper', '--accent'].map((name) => style.getPropertyValue(name));
    const { hover, picked, near, names } = this.marks;
    const empty = hover < 0 && picked < 0 && !near.length && !names.length && !this.lasso && !this.box.matches(':focus-visible');
    if (empty && this.blank) return; // a frame less to put together
    this.blank = empty;
    pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.font = `600 13px ${style.fontFamily}`;
    for (const { name, place } of names) {
      const [x, y] = this.transform.apply([this.width / 2 + place[0] * this.unit, this.height / 2 - place[1] * this.unit]);
      pen.lineWidth = 4;
      pen.lineJoin = 'round';
      pen.strokeStyle = paper;
      pen.strokeText(name, x, y);
      pen.fillStyle = ink;
      pen.fillText(name, x, y);
    }
    const ring = (row, radius, colour, width) => {
      const [x, y] = this.where(row);
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.lineWidth = width + 2;
      pen.strokeStyle = paper;
      pen.stroke();
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.stroke();
    };
    if (picked >= 0) {
      const [x, y] = this.where(picked);
      pen.lineWidth = 1;
      pen.globalAlpha = 0.55;
      pen.strokeStyle = ink;
      pen.beginPath();
      for (const row of near) {
        pen.moveTo(x, y);
        pen.lineTo(...this.where(row));
      }
      pen.stroke();
      pen.globalAlpha = 1;
    }
    for (const row of near) ring(row, this.radius + 3, ink, 1.5);
    if (picked >= 0) ring(picked, this.radius + 5, accent, 3);
    if (hover >= 0) ring(hover, this.radius + 3, accent, 2);
    if (this.lasso) {
      pen.beginPath();
      for (const [x, y] of this.lasso) pen.lineTo(x, y);
      pen.closePath();
      pen.globalAlpha = 0.12;
      pen.fillStyle = accent;
      pen.fill();
      pen.globalAlpha = 1;
      pen.lineWidth = 1.5;
      pen.strokeStyle = accent;
      pen.stroke();
    }
    if (this.box.matches(':focus-visible')) {
      const [x, y] = [this.width / 2, this.height / 2];
      pen.lineWidth = 1.5;
      pen.strokeStyle = ink;
      pen.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        pen.moveTo(x + 4 * dx, y + 4 * dy);
        pen.lineTo(x + 11 * dx, y + 11 * dy);
      }
      pen.stroke();
    }
  }
}

function indexed(places) {
  const index = new KDBush(places.length / 2, 64, Float32Array);
  for (let i = 0; i < places.length; i += 2) index.add(places[i], places[i + 1]);
  return index.finish();
}

/** Whether a place lies inside of a closed line: a ray from it crosses the line an odd number of times. */
export function inside(x, y, xs, ys) {
  let odd = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) odd = !odd;
  }
  return odd;
}

const CELLS = 24; // along a side, in which the densest of a name's places are looked for

/** Where the names of a column are written: amid the densest places of each. */
export function namePlaces(column, places, most) {
  const count = Math.min(column.names.length, most);
  const sums = new Float32Array(count * CELLS * CELLS * 3);
  for (let row = 0; row < column.values.length; row++) {
    const name = column.values[row];
    if (name < 0 || name >= count) continue;
    const x = places[2 * row];
    const y = places[2 * row + 1];
    const cell = Math.floor(((y + 1) / 2) * CELLS) * CELLS + Math.floor(((x + 1) / 2) * CELLS);
    const at = 3 * (name * CELLS * CELLS + cell);
    sums[at] += 1;
    sums[at + 1] += x;
    sums[at + 2] += y;
  }
  const found = [];
  for (let name = 0; name < count; name++) {
    let best = 3 * name * CELLS * CELLS;
    for (let at = best; at < 3 * (name + 1) * CELLS * CELLS; at += 3) if (sums[at] > sums[best]) best = at;
    if (sums[best]) found.push({ name: column.names[name], place: [sums[best + 1] / sums[best], sums[best + 2] / sums[best]] });
  }
  return found;
}
