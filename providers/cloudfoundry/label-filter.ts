import { hasClass } from '../../src/core/errors.ts';

/** The API takes no such parameter in this list, and says so. */
export function isUnknownParameter(error: unknown, name: string): boolean {
  return (
    hasClass(error, 'invalid') &&
    new RegExp(`unknown query parameter[^.]*${name}`, 'i').test(error.details.why ?? '')
  );
}

/** Does it carry what a selector of ours asks for: `name=value` or `name`, joined by commas. */
export function carries(thing: unknown, selector: string): boolean {
  const labels = labelsOf(thing);
  return selector.split(',').every((part) => {
    const [name = '', value] = part.split('=');
    const found = labels[name];
    return value === undefined ? found != null : found === value;
  });
}

function labelsOf(thing: unknown): Readonly<Record<string, unknown>> {
  const { metadata } = thing as {
    readonly metadata?: { readonly labels?: Readonly<Record<string, unknown>> };
  };
  return metadata?.labels ?? {};
}
