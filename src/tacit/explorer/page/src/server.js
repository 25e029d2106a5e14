// What the page asks the server for. The token stands after the # of the address, which browsers send to nobody.

const token = location.hash.slice(1);

export class Refused extends Error {}

async function ask(path, parameters = {}, options = {}) {
  const query = new URLSearchParams(parameters);
  let answer;
  try {
    answer = await fetch(`api/${path}?${query}`, { ...options, headers: { 'x-tacit-token': token } });
  } catch {
    throw new Refused('tacit explore no longer answers; start it again and open the address that it prints.');
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(said.error ?? `The server answered ${answer.status}; see what tacit explore printed.`);
}

const json = async (...asked) => (await ask(...asked)).json();
const bytes = async (...asked) => (await ask(...asked)).arrayBuffer();

export const about = () => json('about');
export const points = async (table) => new Float32Array(await bytes('points', { table }));
export const matches = async () => new Int32Array(await bytes('matches'));
export const column = async (table, number, named) => {
  const values = await bytes('column', { table, column: number });
  return named ? new Int32Array(values) : new Float32Array(values);
};
export const near = (table, asked, top) => json('near', { table, top, ...asked });
export const nearFile = (table, file, top) => {
  const suffix = file.name.includes('.') ? file.name.slice(file.name.lastIndexOf('.')) : '';
  return json('near-file', { table, top, suffix }, { method: 'POST', body: file });
};
export const save = (table, rows, name) => json('selection', { table, name }, { method: 'POST', body: Int32Array.from(rows) });
export const changed = () => json('changed');
export const renew = () => json('renew', {}, { method: 'POST' });
export const run = (seen) => json('run', { seen });

// Rows that were told of are kept: hovering over the same points asks once.
const KEPT = 2000;
const told = new Map();

export async function rows(table, wanted) {
  const missing = [...new Set(wanted)].filter((row) => !told.has(`${table}/${row}`));
  for (let at = 0; at < missing.length; at += 100) {
    for (const one of await json('rows', { table, rows: missing.slice(at, at + 100).join(',') })) {
      told.set(`${table}/${one.row}`, one);
    }
  }
  const found = wanted.map((row) => told.get(`${table}/${row}`));
  for (const key of told.keys()) {
    if (told.size <= KEPT) break;
    told.delete(key);
  }
  return found;
}
