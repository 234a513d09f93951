import { type Line, span, wrap } from './cells.ts';
import { KEYS } from './keys.ts';
import type { Look } from './look.ts';
import type { Page } from './model.ts';
import { ruleLine } from './panels.ts';

/** What covers the table and the events while it is open. */
export function pageLines(page: Exclude<Page, { kind: 'none' }>, look: Look, width: number, height: number) {
  return page.kind === 'help' ? helpPage(look, width) : explainPage(page, look, width, height);
}

function helpPage(look: Look, width: number): readonly Line[] {
  return [
    ruleLine('keys', look, width),
    ...KEYS.map(
      (binding): Line => [span(`  ${binding.shown.padEnd(6)}`, 'strong'), span(look.clean(binding.help))],
    ),
    [],
    [span(`  ${look.icons.up} up  ${look.icons.degraded} degraded  ${look.icons.down} down  `, 'dim')].concat(
      span(`${look.icons.starting} starting  ${look.icons.unknown} unknown`, 'dim'),
    ),
    [span('  rates are means over the last 10 s; times are UTC', 'dim')],
  ];
}

function explainPage(
  page: Extract<Page, { kind: 'explain' }>,
  look: Look,
  width: number,
  height: number,
): readonly Line[] {
  const title = ruleLine(`why: ${look.clean(page.application)}`, look, width);
  const { answer } = page;
  if (answer.state === 'asked') return [title, [span('asking the server', 'dim')]];
  if (answer.state === 'failed') return [title, [span(look.clean(answer.why), 'bad')]];
  const { summary, steps } = answer.explanation;
  const head: readonly Line[] = [
    title,
    ...wrap(look.clean(summary), width).map((line): Line => [span(line, 'strong')]),
  ];
  const body = steps.flatMap((step): Line[] => [
    [span(`  ${step.stage}`, 'busy')],
    ...step.lines.flatMap((line) =>
      wrap(`    ${look.clean(line)}`, width, 6).map((one): Line => [span(one)]),
    ),
  ]);
  const room = Math.max(1, height - head.length - 1);
  const start = Math.max(0, Math.min(page.scroll, body.length - room));
  const below = body.length - start - room;
  const more = below > 0 ? `${below} more lines (${look.arrows})` : '';
  return [...head, ...body.slice(start, start + room), [span(more, 'dim')]];
}
