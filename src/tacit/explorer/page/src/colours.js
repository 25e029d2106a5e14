// Colours that the colour-blind can tell apart: Paul Tol's "muted" for names, cividis for numbers; lighter on black.

const NAMED = {
  light: ['#332288', '#cc6677', '#117733', '#88ccee', '#aa4499', '#999933', '#882255', '#44aa99', '#ddaa33', '#6b6f76'],
  dark: ['#8c83e8', '#e58a98', '#4fb873', '#a5daf3', '#cf7fc3', '#bdbd5c', '#c65e86', '#5fc9b8', '#ecc45f', '#a4a8b0'],
};
const GREY = { light: '#b4b7bd', dark: '#565a62' };
const SCALE = ['#00224e', '#35456c', '#666970', '#948e77', '#c8b866', '#fee838']; // cividis, at even steps
const SCALE_DARK = ['#3f5f9f', '#6a7397', '#8d8c90', '#b0a578', '#d6c35f', '#fee838'];

export const NAMES = NAMED.light.length; // names that have a colour of their own

export const theme = () => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
export const named = (number) => NAMED[theme()][number] ?? GREY[theme()];
export const unknown = () => GREY[theme()];
export const scale = () => (theme() === 'dark' ? SCALE_DARK : SCALE);

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** 256 colours, red, green and blue one after another, of which the last is for what is not known. */
function table(column) {
  const found = new Uint8Array(256 * 3);
  const stops = scale().map(rgb);
  for (let i = 0; i < 255; i++) {
    if (column.names.length) {
      found.set(rgb(named(i)), 3 * i);
      continue;
    }
    const at = (i / 254) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 3; c++) found[3 * i + c] = stops[low][c] + (stops[low + 1][c] - stops[low][c]) * (at - low);
  }
  found.set(rgb(unknown()), 3 * 255);
  return found;
}

/** Where a measured column begins and ends, but for one in a hundred on either side. */
export function range(values) {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const some = [];
  for (let i = 0; i < values.length; i += step) if (Number.isFinite(values[i])) some.push(values[i]);
  some.sort((a, b) => a - b);
  const low = some[Math.floor(some.length * 0.01)] ?? 0;
  const high = some[Math.ceil(some.length * 0.99) - 1] ?? 1;
  return low < high ? [low, high] : [low, low + 1];
}

/** Red, green and blue of each row of a column; all of one colour without a column. */
export function colourRows(column, count) {
  const found = new Uint8Array(3 * count);
  if (!column) {
    const one = rgb(named(0));
    for (let i = 0; i < 3 * count; i++) found[i] = one[i % 3];
    return found;
  }
  const colours = table(column);
  const [low, high] = column.names.length ? [0, 1] : column.range;
  for (let i = 0; i < count; i++) {
    const value = column.values[i];
    let place = 255;
    if (column.names.length) {
      if (value >= 0) place = Math.min(value, NAMES);
    } else if (Number.isFinite(value)) place = Math.round(Math.min(Math.max((value - low) / (high - low), 0), 1) * 254);
    found[3 * i] = colours[3 * place];
    found[3 * i + 1] = colours[3 * place + 1];
    found[3 * i + 2] = colours[3 * place + 2];
  }
  return found;
}
