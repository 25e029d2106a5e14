// The rows of a table, page by page: what is shown where there is no map.
import * as server from './server.js';
import { element, look } from './lists.js';

const PAGE = 50;

export class Table {
  /** heard: pick(row), around(rows, added) */
  constructor(box, table, count, heard) {
    Object.assign(this, { box, table, count, heard, start: 0, selected: new Set() });
  }

  select(rows) {
    this.selected = new Set(rows);
    this.draw();
  }

  async draw() {
    const end = Math.min(this.start + PAGE, this.count);
    const rows = Array.from({ length: end - this.start }, (_, i) => this.start + i);
    const samples = await server.rows(this.table, rows);
    const titles = samples[0]?.known.map(([title]) => title) ?? [];
    const go = (to) => () => {
      this.start = Math.max(0, Math.min(to, this.count - 1));
      this.draw();
    };
    this.box.replaceChildren(
      element(
        'table',
        {},
        element('thead', {}, element('tr', {}, ...['', '', 'id', ...titles].map((title) => element('th', { scope: 'col' }, title)))),
        element('tbody', {}, ...samples.map((sample) => this.line(sample))),
      ),
      element(
        'nav',
        { 'aria-label': 'Pages of the list' },
        element('button', { type: 'button', disabled: !this.start, onclick: go(this.start - PAGE) }, 'Previous'),
        element('span', {}, `${(this.start + 1).toLocaleString('en')} to ${end.toLocaleString('en')} of ${this.count.toLocaleString('en')}`),
        element('button', { type: 'button', disabled: end >= this.count, onclick: go(end) }, 'Next'),
      ),
    );
  }

  line(sample) {
    const box = element('input', { type: 'checkbox', 'aria-label': `Select ${sample.id}` });
    box.checked = this.selected.has(sample.row);
    box.addEventListener('change', () => {
      if (box.checked) this.selected.add(sample.row);
      else this.selected.delete(sample.row);
      this.heard.around(Int32Array.from(this.selected).sort(), false);
    });
    return element(
      'tr',
      {},
      element('td', {}, box),
      element('td', {}, look(sample)),
      element('td', {}, element('button', { type: 'button', class: 'link', onclick: () => this.heard.pick(sample.row) }, sample.id)),
      ...sample.known.map(([, value]) => element('td', {}, value == null ? '' : String(value))),
    );
  }
}
