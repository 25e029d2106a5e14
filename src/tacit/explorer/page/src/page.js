// The page: what is picked and selected is one state for all that shows it.
import * as server from './server.js';
import { NAMES, colourRows, named, range, scale, unknown } from './colours.js';
import { details, element, list, number, tip } from './lists.js';
import { PlaceMap, namePlaces } from './map.js';
import { Table } from './table.js';
import { watch } from './training.js';

const TOP = 12; // neighbours
const SHOWN = 24; // of a selection, in the panel
const BRIGHT = 0.85; // opacity of points
const FAINT = 0.1; // … of those that are not selected
const PATIENCE = 400; // milliseconds without an answer
const CHECKED = 15000; // milliseconds between looks at whether the table has changed

const NOUNS = { // of kinds of data: one sample, and many
  audio: ['sound', 'sounds'], cloud: ['point cloud', 'point clouds'], graph: ['node', 'nodes'], graphs: ['graph', 'graphs'],
  pair: ['image', 'pairs'], series: ['series', 'series'], table: ['row under a line of names', 'rows'],
};
const one = (kind) => NOUNS[kind]?.[0] ?? kind;
const many = (kind) => NOUNS[kind]?.[1] ?? `${kind}s`;

const $ = (id) => document.getElementById(id);
const count = (value) => value.toLocaleString('en');

class Page {
  constructor(about) {
    this.about = about;
    this.shown = about.tables.map((table, number) => ({ about: table, number, selection: new Int32Array(0) }));
    this.column = null;
    this.columnNumber = -1;
    this.picked = null; // { table, row, near: [hits of each table] }
    document.title = [...about.tables.map((table) => table.name), 'tacit explore'].join(' · ');
    $('what').textContent = about.tables.map((table) =>
      `${table.name}: ${count(table.rows)} ${many(table.kind)}, each ${table.dim} numbers, by ${table.similarity}`).join('  |  ') || 'A training as it runs';
  }

  async begin() {
    if (this.about.run) {
      $('training').hidden = false;
      watch($('run'), (sentence) => this.say(sentence));
    }
    document.body.classList.toggle('alone', !this.shown.length);
    if (!this.shown.length) return document.body.setAttribute('data-ready', '');
    for (const id of ['maps', 'colours', 'sample', 'selection', 'search']) $(id).hidden = false;
    this.controls();
    await Promise.all(this.shown.map((one) => this.load(one)));
    if (this.shown.length === 2) this.match(await server.matches());
    await this.colour(this.usual());
    this.tell();
    this.look();
    setInterval(() => this.look(), CHECKED);
  }

  /** The points of a table, drawn; or its rows in a list where there is no WebGL. */
  async load(one) {
    const box = element('div', {
      class: 'map', tabindex: '0', role: 'application',
      'aria-label': `Map of ${one.about.name}. Arrow keys move it, plus and minus look closer, Enter picks what is in the middle, question mark tells all keys.`,
    },
    element('canvas', { class: 'points', 'aria-hidden': 'true' }), element('canvas', { class: 'marks', 'aria-hidden': 'true' }),
    element('p', { class: 'loading' }, `Loading ${count(one.about.rows)} points…`),
    element('div', { class: 'tip', 'aria-hidden': 'true' }));
    const frame = element('figure', {}, box);
    if (this.shown.length > 1) frame.prepend(element('figcaption', {}, one.about.name));
    one.box = box;
    $('maps').append(frame);
    one.places = await server.points(one.number);
    const heard = {
      hover: (row, x, y) => this.hover(one, row, x, y),
      pick: (row) => this.pick(one.number, row),
      around: (rows, added) => this.select(one.number, rows, added),
      finished: () => {
        box.querySelector('.loading')?.remove();
        if (this.shown.every((other) => !other.box.querySelector('.loading'))) document.body.setAttribute('data-ready', '');
      },
    };
    try {
      one.map = new PlaceMap(box, one.places, heard);
      this.toolbar(one, frame);
    } catch (error) {
      if (error.message !== 'no WebGL') throw error;
      this.listed(one, frame, heard);
    }
  }

  listed(one, frame, heard) {
    const box = element('div', { class: 'rows' });
    frame.querySelector('.map').replaceWith(
      element('p', { class: 'note' }, 'This browser draws no WebGL, so there is no map. Searching, looking at samples and selecting work in this list; the map needs a browser with WebGL, or hardware acceleration switched on in its settings.'), box);
    one.list = new Table(box, one.number, one.about.rows, heard);
    one.list.draw().then(() => document.body.setAttribute('data-ready', ''), (error) => this.say(error.message));
  }

  toolbar(one, frame) {
    const { map } = one;
    const button = (text, label, heard, pressed) =>
      element('button', { type: 'button', title: label, 'aria-label': label, 'aria-pressed': pressed, onclick: heard }, text);
    const draw = button('Select', 'Draw around points', () => this.draws(!map.drawing), 'false');
    one.draw = draw;
    frame.append(element('div', { class: 'tools', role: 'toolbar', 'aria-label': `Tools of the map of ${one.about.name}` },
      draw, button('+', 'Closer', () => map.closer(1.6)), button('−', 'Farther', () => map.closer(1 / 1.6)),
      button('Fit', 'All of it', () => map.all()), button('?', 'Keys', () => $('help').showModal())));
    one.box.addEventListener('keydown', (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey && map.key(event)) event.preventDefault();
    });
    for (const name of ['focus', 'blur']) one.box.addEventListener(name, () => map.mark());
  }

  draws(on) {
    for (const { map, draw } of this.shown) {
      map?.draws(on);
      draw?.setAttribute('aria-pressed', String(on));
    }
  }

  controls() {
    const [first] = this.shown;
    for (const [place, column] of first.about.columns.entries()) $('colour').append(new Option(column.title, place));
    $('colour').append(new Option('nothing', -1));
    $('colour').addEventListener('change', () => this.try(this.colour(Number($('colour').value))));
    const able = first.about;
    $('query').placeholder = able.words ? 'Words, or an id' : 'An id';
    $('query').setAttribute('aria-label', able.words ? 'Search in words, or by id' : 'Search by id');
    $('search').addEventListener('submit', (event) => {
      event.preventDefault();
      if ($('query').value.trim()) this.waiting(this.search($('query').value.trim()));
    });
    $('upload').hidden = !able.files.length;
    $('file').accept = able.files.join(',');
    $('upload').title = `Search with a file that holds one ${one(able.kind)} (${able.files.join(', ')})`;
    $('file').addEventListener('change', () => {
      const [file] = $('file').files;
      if (file) this.waiting(this.asked(`file ${file.name}`, (table) => server.nearFile(table, file, TOP)));
      $('file').value = '';
    });
    $('save').addEventListener('submit', (event) => {
      event.preventDefault();
      this.try(this.save());
    });
    $('clear').addEventListener('click', () => this.select(0, new Int32Array(0), false));
    document.addEventListener('keydown', (event) => this.key(event));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.recolour());
  }

  key(event) {
    if (event.target.matches('input, select, textarea') || event.ctrlKey || event.metaKey || event.altKey || $('help').open) return;
    if (event.key === '/') $('query').focus();
    else if (event.key === '?') $('help').showModal();
    else if (event.key === 'Escape') this.select(0, new Int32Array(0), false);
    else if (event.key === 'l' || event.key === 'L') this.draws(!this.shown[0].map?.drawing);
    else if (event.key === 'n' || event.key === 'N') this.next(1);
    else if (event.key === 'p' || event.key === 'P') this.next(-1);
    else return;
    event.preventDefault();
  }

  /** Go on among the neighbours of what was picked first. */
  next(by) {
    if (!this.walk) return;
    this.walk.at = (this.walk.at + by + this.walk.rows.length) % this.walk.rows.length;
    this.pick(this.walk.table, this.walk.rows[this.walk.at], this.walk);
  }

  match(rows) {
    const [first, second] = this.shown;
    second.first = rows;
    first.second = new Int32Array(first.about.rows).fill(-1);
    rows.forEach((row, own) => {
      if (row >= 0) first.second[row] = own;
    });
  }

  /** A row of one table in another; −1 where that has none. */
  across(from, to, row) {
    if (from === to || row < 0) return row;
    return from === 0 ? this.shown[0].second[row] : this.shown[1].first[row];
  }

  usual() {
    const { columns } = this.shown[0].about;
    const wanted = [(column) => column.title === 'label', (column) => column.names.length > 1, () => true];
    for (const fits of wanted) {
      const found = columns.findIndex(fits);
      if (found >= 0) return found;
    }
    return -1;
  }

  async colour(place) {
    const [first, second] = this.shown;
    $('colour').value = String(place);
    const about = first.about.columns[place];
    if (about) {
      const values = await server.column(0, place, about.names.length);
      this.column = { ...about, values, range: about.names.length ? null : range(values) };
    } else this.column = null;
    for (const one of this.shown) {
      one.column = this.column;
      if (one === second && this.column) {
        const values = this.column.names.length ? new Int32Array(one.about.rows).fill(-1) : new Float32Array(one.about.rows).fill(NaN);
        one.first.forEach((row, own) => {
          if (row >= 0) values[own] = this.column.values[row];
        });
        one.column = { ...this.column, values };
      }
    }
    this.recolour();
  }

  recolour() {
    for (const one of this.shown) {
      if (!one.map) continue;
      const opacity = new Uint8Array(one.about.rows).fill(255 * (one.selection.length ? FAINT : BRIGHT));
      for (const row of one.selection) opacity[row] = 255;
      one.map.points.colour(colourRows(one.column, one.about.rows), opacity);
      one.map.mark({ names: one.column?.names.length ? namePlaces(one.column, one.places, NAMES) : [] });
    }
    this.legend();
  }

  legend() {
    const { column } = this;
    if (!column) return $('legend').replaceChildren(element('p', { class: 'hint' }, 'All points have one colour.'));
    if (!column.names.length) {
      const bar = element('span', { class: 'bar' });
      bar.style.background = `linear-gradient(to right, ${scale().join(',')})`;
      return $('legend').replaceChildren(bar, element('p', { class: 'ends' }, element('span', {}, number(column.range[0])), element('span', {}, number(column.range[1]))));
    }
    const sizes = new Uint32Array(column.names.length);
    let none = 0;
    for (const value of column.values) value < 0 ? none++ : sizes[value]++;
    const entry = (name, value, size) => {
      const swatch = element('span', { class: 'swatch' });
      swatch.style.background = value < 0 ? unknown() : named(value);
      return element('li', {}, element('button', {
        type: 'button', title: `Select ${count(size)} of ${name}`,
        onclick: (event) => this.select(0, this.valued(value), event.ctrlKey || event.metaKey),
      }, swatch, element('span', { class: 'name' }, name), element('span', { class: 'size' }, count(size))));
    };
    const entries = column.names.map((name, value) => entry(name, value, sizes[value]));
    if (none) entries.push(entry('not known', -1, none));
    const more = column.names.length > NAMES ? element('p', { class: 'hint' }, `The ${NAMES} commonest have a colour; all can be selected.`) : null;
    $('legend').replaceChildren(element('ul', { 'aria-label': 'Names; each selects its points' }, ...entries), ...(more ? [more] : []));
  }

  /** The rows of one name. */
  valued(value) {
    const found = [];
    this.column.values.forEach((own, row) => {
      if (own === value) found.push(row);
    });
    return Int32Array.from(found);
  }

  async hover(one, row, x, y) {
    const box = one.box.querySelector('.tip');
    for (const other of this.shown) if (other !== one) other.map?.mark({ hover: this.across(one.number, other.number, row) });
    one.hovered = row;
    if (row < 0) return box.classList.remove('on');
    try {
      const [sample] = await server.rows(one.number, [row]);
      if (one.hovered !== row) return;
      box.replaceChildren(tip(sample));
      box.classList.add('on');
      const { width, height } = one.map;
      box.style.left = `${Math.max(4, Math.min(x + 14, width - box.offsetWidth - 4))}px`;
      box.style.top = `${y + 14 + box.offsetHeight > height ? Math.max(4, y - box.offsetHeight - 14) : y + 14}px`;
    } catch (error) {
      this.say(error.message);
    }
  }

  /** Like `try`, and says that it is worked on where that takes a while: the first search reads what it needs. */
  async waiting(promise) {
    const looking = element('p', { class: 'hint' }, 'Looking for what is near…');
    const timer = setTimeout(() => $('nearest').replaceChildren(looking), PATIENCE);
    await this.try(promise);
    clearTimeout(timer);
    looking.remove();
  }

  async try(promise) {
    try {
      await promise;
    } catch (error) {
      this.say(error.message);
    }
  }

  /** Look at a row and at what is nearest to it, by every table. */
  pick(table, row, walk = null) {
    return this.waiting((async () => {
      this.say('');
      const own = this.shown.map((one) => this.across(table, one.number, row));
      const found = await Promise.all(own.map((at, number) => (at < 0 ? null : server.near(number, { row: at }, TOP))));
      this.walk = walk ?? { table, rows: [row, ...found[table].hits.map((hit) => hit.row)], at: 0 };
      await this.present(table, row, found.map((answer) => answer?.hits ?? []), own);
    })());
  }

  async search(words) {
    const [first] = this.shown;
    let answer = null;
    try {
      answer = await server.near(0, { id: words }, 1);
    } catch (error) {
      if (!first.about.words || !error.message.startsWith('There is no id')) throw error;
    }
    if (answer) return this.pick(0, answer.row);
    return this.asked(`“${words}”`, (table) => server.near(table, { words }, TOP));
  }

  /** What is nearest to a query that is no row. */
  async asked(name, ask) {
    this.say('');
    $('details').replaceChildren(element('p', { class: 'id' }, `Nearest to ${name}`));
    const answers = [];
    for (const one of this.shown) answers.push(one.about.files.length || one.about.words ? (await ask(one.number)).hits : []);
    await this.present(0, -1, answers, this.shown.map(() => -1), name);
  }

  async present(table, row, hits, own, name = '') {
    const [sample] = row >= 0 ? await server.rows(table, [row]) : [null];
    $('details').replaceChildren(sample ? details(sample) : element('p', { class: 'id' }, `Nearest to ${name}`));
    const lists = [];
    for (const one of this.shown) {
      const near = hits[one.number];
      one.map?.mark({ picked: own[one.number], near: near.map((hit) => hit.row) });
      if (own[one.number] < 0 && row >= 0) {
        lists.push(element('p', { class: 'hint' }, `${one.about.name} has no such id.`));
        continue;
      }
      const samples = await server.rows(one.number, near.map((hit) => hit.row));
      lists.push(
        element('h3', {}, this.shown.length > 1 ? `Nearest in ${one.about.name}` : 'Nearest'),
        samples.length
          ? list(samples, { notes: near.map((hit) => hit.score.toFixed(2)), chosen: (at) => this.pick(one.number, at) })
          : element('p', { class: 'hint' }, 'There is nothing else in this table.'));
    }
    if (this.shown.length > 1 && row >= 0 && own.every((at) => at >= 0)) {
      const mine = new Set(hits[0].map((hit) => hit.row));
      const shared = hits[1].filter((hit) => mine.has(this.across(1, 0, hit.row))).length;
      lists.push(element('p', { class: 'hint' }, `${shared} of ${hits[0].length} neighbours are the same.`));
    }
    $('nearest').replaceChildren(...lists);
    if (row >= 0) for (const one of this.shown) if (own[one.number] >= 0) one.map?.show(own[one.number]);
  }

  /** Select rows of one table, and the same samples of the other. */
  select(table, rows, added) {
    for (const one of this.shown) {
      const own = one.number === table ? rows : Int32Array.from(rows, (row) => this.across(table, one.number, row)).filter((row) => row >= 0);
      one.selection = added ? Int32Array.from(new Set([...one.selection, ...own])) : own;
      one.selection.sort();
      if (one.list && one.number !== table) one.list.select(one.selection);
    }
    if (!rows.length) for (const one of this.shown) one.list?.select([]);
    this.recolour();
    this.tell();
  }

  async tell() {
    const [first] = this.shown;
    const rows = first.selection;
    $('save').hidden = !rows.length;
    $('saved').textContent = '';
    $('selected').textContent = rows.length
      ? `${count(rows.length)} of ${count(first.about.rows)} are selected.`
      : 'Nothing is selected. Choose a name above, or press Select and draw around points.';
    const step = Math.max(1, Math.floor(rows.length / SHOWN));
    const some = Array.from(rows).filter((_, place) => place % step === 0).slice(0, SHOWN);
    const samples = await server.rows(0, some).catch((error) => (this.say(error.message), []));
    if (rows !== first.selection) return;
    $('some').replaceChildren(...(samples.length ? [list(samples, { chosen: (row) => this.pick(0, row) })] : []));
    if (rows.length > samples.length && samples.length) $('some').append(element('p', { class: 'hint' }, `${samples.length} of them are shown.`));
  }

  async save() {
    $('saved').textContent = 'Saving…';
    try {
      const { path, kept } = await server.save(0, this.shown[0].selection, $('name').value);
      $('saved').replaceChildren(`${path} keeps ${count(kept)}. Next: `, element('code', {}, `tacit pretrain ${path}`));
    } catch (error) {
      $('saved').textContent = error.message;
    }
  }

  /** Whether the tables on disk are still those that are shown; else they can be shown anew. */
  look() {
    if (this.renewing) return;
    this.try(server.changed().then(({ changed, marks }) => {
      const old = this.shown.filter((one) => changed.includes(one.about.name) || one.about.mark !== marks[one.number]);
      if (!old.length || this.renewing) return;
      this.say(`${old.map((one) => one.about.name).join(' and ')} has changed since this page was opened, and what is shown is what it was then.`);
      $('banner').append(element('button', { type: 'button', onclick: () => this.renew() }, 'Show it as it is now'));
    }));
  }

  async renew() {
    this.renewing = true;
    this.say('The map is made anew; of more than 30 000 rows that takes minutes.');
    try {
      await server.renew();
      location.reload();
    } catch (error) {
      this.renewing = false;
      this.say(error.message);
    }
  }

  say(sentence) {
    $('banner').textContent = sentence;
    $('banner').hidden = !sentence;
  }
}

async function main() {
  try {
    const page = new Page(await server.about());
    globalThis.page = page; // for the console, and for who measures
    await page.begin();
  } catch (error) {
    $('banner').textContent = error.message;
    $('banner').hidden = false;
    document.body.setAttribute('data-ready', '');
  }
}

main();
