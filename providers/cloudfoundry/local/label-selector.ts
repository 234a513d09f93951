/** One requirement of a `label_selector`, as Kubernetes writes them. */
type Requirement =
  | { readonly kind: 'in' | 'notin'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'exists' | 'absent'; readonly key: string };

const KEY = '[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?';
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EQUAL = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*([A-Za-z0-9_.-]*)$`);
const EXISTS = new RegExp(`^(!?)(${KEY})$`);

/** Answers whether labels fit, or `undefined` when the selector cannot be read. */
export function parseLabelSelector(
  text: string,
): ((labels: Readonly<Record<string, string>>) => boolean) | undefined {
  const requirements: Requirement[] = [];
  // Commas inside `in (a,b)` do not separate requirements.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const requirement = parseRequirement(part.trim());
    if (!requirement) return undefined;
    requirements.push(requirement);
  }
  return (labels) => requirements.every((requirement) => fits(requirement, labels));
}

function parseRequirement(text: string): Requirement | undefined {
  const set = SET.exec(text);
  if (set) {
    const values = (set[4] ?? '').split(',').map((value) => value.trim());
    return { kind: set[3] === 'in' ? 'in' : 'notin', key: set[1] ?? '', values };
  }
  const equal = EQUAL.exec(text);
  if (equal)
    return { kind: equal[3] === '!=' ? 'notin' : 'in', key: equal[1] ?? '', values: [equal[4] ?? ''] };
  const exists = EXISTS.exec(text);
  if (exists) return { kind: exists[1] === '!' ? 'absent' : 'exists', key: exists[2] ?? '' };
  return undefined;
}

function fits(requirement: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[requirement.key];
  switch (requirement.kind) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
  }
}
