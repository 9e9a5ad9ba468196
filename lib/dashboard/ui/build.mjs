/*
 * Bundles the pages of the dashboard: `node lib/dashboard/ui/build.mjs <folder> …`. Each folder gets the script and the style
 * sheet under names with a hash of their content, `manifest.json` with these names, and the licences of what is bundled.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

const HERE = import.meta.dirname;
const BUNDLED = ['preact', 'cronstrue'];

const [folder, ...copies] = process.argv.slice(2);
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await bundle(folder);
await writeFile(join(folder, 'licenses.txt'), await licenses());
for (const copy of copies) {
  await rm(copy, { recursive: true, force: true });
  await cp(folder, copy, { recursive: true });
}

async function bundle(outdir) {
  const { metafile } = await build({
    entryPoints: [join(HERE, 'main.tsx'), join(HERE, 'styles/main.css')],
    tsconfig: join(HERE, 'tsconfig.json'),
    outdir,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none', // licenses.txt has them whole
    metafile: true,
    logLevel: 'warning',
  });
  const files = Object.keys(metafile.outputs).map((path) => basename(path));
  const manifest = Object.fromEntries(
    ['main.js', 'main.css'].map((name) => [name, files.find((file) => isHashed(file, name))]),
  );
  await writeFile(join(outdir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function isHashed(file, name) {
  const [stem, extension] = name.split('.');
  return file.startsWith(`${stem}-`) && file.endsWith(`.${extension}`);
}

async function licenses() {
  const { resolve } = createRequire(import.meta.url);
  const texts = BUNDLED.map(async (name) => {
    const packageFolder = dirname(resolve(`${name}/package.json`));
    return `${name}\n\n${await readFile(join(packageFolder, 'LICENSE'), 'utf8')}`;
  });
  return (await Promise.all(texts)).join('\n\n');
}
