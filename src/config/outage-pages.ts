import type { OutagePage } from '../core/settings.ts';
import { remedyFor } from './did-you-mean.ts';
import type { ConfigDocument } from './document.ts';
import { type Fault, keyFault, valueFault } from './fault.ts';
import { absolute, homeless, type LoadOptions } from './options.ts';
import { isMap, mapAt, type Path, pathKey, valueAt } from './path.ts';
import { whyUnreadable } from './references.ts';

/** Every worker keeps all of them, and they are sent when there is least of everything. */
const MOST_BYTES = 64 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  json: 'application/json',
  xml: 'application/xml',
  svg: 'image/svg+xml',
};

/** What `page` stands for: nobody can serve, or who could did not. */
const OUTAGES = [502, 503, 504];

const STATUSES = new Set(['404', '413', '429', '502', '503', '504']);

/** The files below `gateway.outage`, read and checked. */
export function readOutagePages(
  root: unknown,
  document: Pick<ConfigDocument, 'faulty'>,
  options: LoadOptions,
): { readonly pages: readonly OutagePage[]; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];

  function read(path: Path): Pick<OutagePage, 'type' | 'text'> | undefined {
    const given = valueAt(root, path);
    // Of another shape or unresolved: somebody else has said so.
    if (typeof given !== 'string' || given === '' || document.faulty.has(pathKey(path))) return undefined;
    const file = absolute(given, options);
    const made = file === undefined ? homeless(path) : page(file, path, options);
    if (!('severity' in made)) return made;
    faults.push(made);
    return undefined;
  }

  function pagesAt(path: Path, application: string | undefined): readonly OutagePage[] {
    const of = application === undefined ? {} : { application };
    const common = read([...path, 'page']);
    const single = Object.keys(mapAt(root, [...path, 'statuses'])).flatMap((status): OutagePage[] => {
      // Of any other the schema says that it does not go.
      if (!STATUSES.has(status)) return [];
      const own = read([...path, 'statuses', status]);
      return own === undefined ? [] : [{ ...of, status: Number(status), ...own }];
    });
    const taken = new Set(single.map(({ status }) => status));
    const rest = common === undefined ? [] : OUTAGES.filter((status) => !taken.has(status));
    return [...single, ...rest.map((status) => ({ ...of, status, ...(common ?? NOTHING) }))];
  }

  const at = ['gateway', 'outage'];
  const known = Object.keys(mapAt(root, ['applications']));
  const own = Object.entries(mapAt(root, [...at, 'applications'])).flatMap(([name, given]) => {
    const path = [...at, 'applications', name];
    if (!known.includes(name)) {
      faults.push(keyFault(path, 'no application has this name', remedyFor(name, known)));
      return [];
    }
    return isMap(given) ? pagesAt(path, name) : [];
  });
  return { pages: [...own, ...pagesAt(at, undefined)], faults };
}

const NOTHING = { type: '', text: '' };

function page(file: string, path: Path, options: LoadOptions): Pick<OutagePage, 'type' | 'text'> | Fault {
  const type = TYPES[/\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? ''];
  if (type === undefined) {
    const known = Object.keys(TYPES)
      .map((ending) => `.${ending}`)
      .join(', ');
    return valueFault(path, 'its name does not say what it is', `let it end in one of ${known}`);
  }
  let text: string;
  try {
    text = options.read(file);
  } catch (caught) {
    const summary = `cannot read the page: ${whyUnreadable(caught)}`;
    return valueFault(path, summary, 'correct the path; it starts at the folder of this file');
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_BYTES) {
    const summary = `the page has ${Math.ceil(bytes / 1024)} KiB, more than the ${MOST_BYTES / 1024} KiB it may have`;
    return valueFault(
      path,
      summary,
      'make it smaller; what it shows beside text must be in it, or elsewhere',
    );
  }
  if (text.trim() === '') return valueFault(path, 'the page is empty', 'write something into it');
  if (text.includes('\uFFFD')) return valueFault(path, 'the page is not UTF-8 text', 'save it as UTF-8');
  if (type === TYPES['json'] && !isJson(text))
    return valueFault(path, 'the page is not valid JSON', 'correct it; some tool reads it when all is down');
  return { type, text };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
