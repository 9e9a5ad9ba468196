import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { JobsError } from '../../job/errors.js';
import type { Answer } from './http.js';
import { ownFile } from './own-file.js';

const TYPES: Readonly<Record<string, Answer['type']>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The name of a file changes with its content. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** The bundled pages. Only the files that their manifest names are served. */
export class Assets {
  private readonly files: ReadonlyMap<string, Answer>;
  private readonly manifest: Readonly<Record<string, string>>;

  /** @throws JobsError where they are not there */
  constructor(folder = join(dirname(ownFile()), '../assets')) {
    try {
      this.manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as typeof this.manifest;
      this.files = new Map(Object.values(this.manifest).map((name) => [name, fileOf(folder, name)]));
      this.main = { js: this.named('main.js'), css: this.named('main.css') };
    } catch (cause) {
      throw new JobsError(
        `The pages of the dashboard are not in ${folder}. Where the application is bundled into one file, copy dist/dashboard/assets of ` +
          'this package beside it, and give the folder as assetsFolder.',
        { cause },
      );
    }
  }

  readonly main: { readonly js: string; readonly css: string };

  get(name: string): Answer | undefined {
    return this.files.get(name);
  }

  private named(file: string): string {
    const name = this.manifest[file];
    if (name === undefined) throw new JobsError(`manifest.json does not name ${file}.`);
    return name;
  }
}

function fileOf(folder: string, name: string): Answer {
  const type = TYPES[extname(name)];
  if (type === undefined) throw new JobsError(`${name} is of a type that is not served.`);
  return { status: 200, type, text: readFileSync(join(folder, name), 'utf8'), cacheControl: FOR_EVER };
}
