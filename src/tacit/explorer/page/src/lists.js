// Samples as the panel shows them: a picture or a text, and what is known of each.

export function element(kind, attributes = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

export const number = (value) => (Number.isInteger(value) ? value.toLocaleString('en') : value.toPrecision(3));

const TOLD = 9; // cells of a row beside its point
const GLANCED = 30; // … in a line

/** A sample's picture, the beginning of its text, the cells of its row in a line, or its label where nothing can be seen. */
export function look(sample) {
  if (sample.picture) return element('img', { src: sample.picture, alt: '' });
  const text = sample.text ?? sample.cells.slice(0, GLANCED).map(([name, value]) => `${name} ${said(value)}`).join(' · ');
  return element('span', { class: text ? 'look text' : 'look' }, text || first(sample) || sample.id);
}

const said = (value) => (value == null ? '–' : String(value));

/** A row's cells, the first of them where there are more. */
function cells(sample, most) {
  const shown = sample.cells.slice(0, most);
  const more = sample.cells.length - shown.length;
  const lines = shown.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, said(value))]);
  return element('dl', { class: 'cells' }, ...lines, more ? element('dt', { class: 'more' }, `and ${more} more`) : null);
}

const first = (sample) => sample.known.find(([title, value]) => title === 'label' && value != null)?.[1];

/** All that is known of a sample. */
export function details(sample) {
  const own = new Set(sample.cells.map(([name]) => name));
  const known = sample.known.filter(([title, value]) => value != null && !own.has(title));
  const facts = known.map(([title, value]) => [title, typeof value === 'number' ? number(value) : value]);
  if (sample.path) facts.push(['file', sample.path]);
  return element(
    'div',
    { class: 'details' },
    sample.picture || sample.text ? look(sample) : null,
    element('p', { class: 'id' }, sample.id),
    element('dl', {}, ...facts.flatMap(([title, value]) => [element('dt', {}, title), element('dd', {}, value)])),
    sample.cells.length ? cells(sample, Infinity) : null,
  );
}

/** Samples in a list of buttons, each with a note. */
export function list(samples, { notes = [], pressed = -1, chosen }) {
  return element(
    'ol',
    { class: samples.some((sample) => !sample.picture && (sample.text || sample.cells.length)) ? 'samples texts' : 'samples' },
    ...samples.map((sample, place) =>
      element(
        'li',
        {},
        element(
          'button',
          {
            type: 'button',
            title: sample.id,
            'aria-label': [sample.id, first(sample), notes[place]].filter(Boolean).join(', '),
            'aria-current': sample.row === pressed,
            onclick: () => chosen(sample.row),
          },
          look(sample),
          element('span', { class: 'under' }, [first(sample), notes[place]].filter(Boolean).join(' · ') || sample.id),
        ),
      ),
    ),
  );
}

/** What floats beside a point. */
export function tip(sample) {
  return element(
    'div',
    {},
    sample.picture || sample.text ? look(sample) : sample.cells.length ? cells(sample, TOLD) : null,
    element('b', {}, first(sample) ?? ''),
    element('span', {}, sample.id),
  );
}
