/**
 * The part of Kubernetes' JSONPath that templates use to say what they hand out: text around `{.data['user']}`, with
 * members, indexes and `[?(.name=="web")]`. Undefined where nothing is there.
 */
export function evaluateTemplate(text: string, object: unknown): string | undefined {
  let missing = false;
  const filled = text.replace(/\{((?:[^{}"]|"[^"]*")*)\}/g, (_whole, path: string) => {
    const found = follow(path.trim(), object);
    if (found === undefined || found === null) missing = true;
    return typeof found === 'string' ? found : JSON.stringify(found ?? '');
  });
  return missing ? undefined : filled;
}

const STEP =
  /^(?:\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\?\(@?\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\])/;

function follow(path: string, object: unknown): unknown {
  let rest = path;
  let value = object;
  while (rest !== '') {
    const step = STEP.exec(rest);
    if (step === null) return undefined;
    rest = rest.slice(step[0].length);
    const [, member, index, quoted, key, wanted] = step;
    if (index !== undefined) value = Array.isArray(value) ? value[Number(index)] : undefined;
    else if (key !== undefined) {
      const all: readonly unknown[] = Array.isArray(value) ? value : [];
      value = all.find((one) => String(at(one, key)) === wanted);
    } else value = at(value, member ?? (quoted ?? '').replace(/\\(.)/g, '$1'));
  }
  return value;
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
