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

/** A sample's picture, or the beginning of its text, or its label where nothing can be seen. */
export function look(sample) {
  if (sample.picture) return element('img', { src: sample.picture, alt: '' });
  return element('span', { class: sample.text ? 'look text' : 'look' }, sample.text ?? first(sample) ?? sample.id);
}

const first = (sample) => sample.known.find(([title, value]) => title === 'label' && value != null)?.[1];

/** All that is known of a sample. */
export function details(sample) {
  const known = sample.known.filter(([, value]) => value != null);
  const facts = known.map(([title, value]) => [title, typeof value === 'number' ? number(value) : value]);
  if (sample.path) facts.push(['file', sample.path]);
  return element(
    'div',
    { class: 'details' },
    sample.picture || sample.text ? look(sample) : null,
    element('p', { class: 'id' }, sample.id),
    element('dl', {}, ...facts.flatMap(([title, value]) => [element('dt', {}, title), element('dd', {}, value)])),
  );
}

/** Samples in a list of buttons, each with a note. */
export function list(samples, { notes = [], pressed = -1, chosen }) {
  return element(
    'ol',
    { class: samples.some((sample) => !sample.picture && sample.text) ? 'samples texts' : 'samples' },
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
    sample.picture || sample.text ? look(sample) : null,
    element('b', {}, first(sample) ?? ''),
    element('span', {}, sample.id),
  );
}
