// A training as it runs: asked for again every two seconds until it is finished.
import * as server from './server.js';
import { element, number } from './lists.js';

const EVERY = 2000; // milliseconds
const NAMES = { effective_rank: 'effective rank', knn: 'kNN accuracy' };

export async function watch(box, failed) {
  let seen = '';
  for (;;) {
    try {
      const told = await server.run(seen);
      if (told.state !== seen) show(box, told);
      seen = told.state;
      failed('');
    } catch (error) {
      failed(error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

function show(box, told) {
  const facts = Object.entries(told.now).flatMap(([name, value]) => [
    element('dt', {}, NAMES[name] ?? name),
    element('dd', {}, number(value)),
  ]);
  const charts = element('div', { class: 'curves' });
  charts.innerHTML = told.curves; // made by the server of numbers and escaped names; no script of it would run
  box.replaceChildren(
    element('p', { class: 'id' }, told.title),
    ...told.faults.map((said) => element('p', { class: 'alarm' }, said)),
    told.faults.length
      ? ''
      : element('p', { class: 'well' }, !told.curves && told.finished ? 'Nothing was logged.' : told.curves ? (told.finished ? 'No alarm stands.' : 'No alarm so far.') : 'Nothing is logged yet; the first line comes after some steps.'),
    ...told.hints.map((said) => element('p', { class: 'hint' }, said)),
    element('dl', { class: 'now' }, ...facts),
    charts,
  );
}
