// Writes ../bundle: what the server sends, in one script and one style sheet, and the licences of what is in them.
import { build } from 'esbuild';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
const out = new URL(process.argv[2] ? `file://${process.argv[2]}/` : '../bundle/', here);
mkdirSync(out, { recursive: true });

const result = await build({
  entryPoints: ['src/page.js', 'src/page.css'],
  absWorkingDir: here.pathname,
  outdir: out.pathname,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none', // they stand in licences.txt, whole
  metafile: true,
});
copyFileSync(new URL('src/index.html', here), new URL('index.html', out));

const packages = new Set();
for (const input of Object.keys(result.metafile.inputs)) {
  const found = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
const licences = [...packages].sort().map((name) => {
  const folder = new URL(`node_modules/${name}/`, here);
  const { version, license } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  const file = ['LICENSE', 'LICENSE.md'].map((one) => new URL(one, folder)).find((one) => existsSync(one));
  if (!file) throw new Error(`${name} has no licence beside it`);
  return `${name} ${version} (${license})\n\n${readFileSync(file, 'utf8').trim()}\n`;
});
writeFileSync(new URL('licences.txt', out), licences.join(`\n${'-'.repeat(72)}\n\n`));
