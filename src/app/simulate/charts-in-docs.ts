import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPolicy } from '../../config/preset-policy.ts';
import { packagePresets, packageRoot } from '../../config/presets.ts';
import { readScenario } from '../../config/scenario.ts';
import { SluiceError } from '../../core/errors.ts';
import { chart } from './chart.ts';
import { verify } from './expectations.ts';
import { type Simulation, simulate } from './run.ts';

const COLUMNS = 60;

/** The presets that come with a scenario of the same name in config/scenarios, played. */
export function shownPresets(): readonly { readonly name: string; readonly simulation: Simulation }[] {
  const folder = join(packageRoot(), 'config', 'scenarios');
  const presets = packagePresets();
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => {
      const name = file.slice(0, -'.yaml'.length);
      if (!Object.hasOwn(presets, name)) return [];
      const { policy } = readPolicy(name, presets);
      const read = readScenario(file, readFileSync(join(folder, file), 'utf8'));
      if (policy === undefined || !read.ok) throw new SluiceError('BUG', `${file} cannot be played`);
      return [{ name, simulation: simulate(policy, read.scenario) }];
    });
}

/** `text` with each chart between `<!-- chart NAME -->` and `<!-- /chart -->` as the simulation prints it. */
export function withCharts(text: string): string {
  const charts = new Map(shownPresets().map(({ name, simulation }) => [name, linesOf(simulation)]));
  return text.replace(
    /(<!-- chart (\S+) -->\n)[\s\S]*?(<!-- \/chart -->)/g,
    (_whole, begin: string, name: string, end: string) => {
      const lines = charts.get(name);
      if (lines === undefined)
        throw new SluiceError('BUG', `docs show a chart of ${name}, which has no scenario`);
      return `${begin}\`\`\`\n${lines.join('\n')}\n\`\`\`\n${end}`;
    },
  );
}

function linesOf(simulation: Simulation): readonly string[] {
  return [
    `$ sluice simulate ${simulation.policy.name} --scenario config/scenarios/${simulation.policy.name}.yaml`,
    simulation.scenario.name,
    '',
    ...chart(simulation, COLUMNS),
    '',
    ...verify(simulation).map(({ ok, line }) => `${ok ? 'ok  ' : 'MISS'} ${line}`),
  ];
}
