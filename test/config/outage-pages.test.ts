import { describe, expect, it } from '@jest/globals';
import { FOLDER, faultsOf, loadText, soundFile } from './support.ts';

const FILES: Readonly<Record<string, string>> = {
  [`${FOLDER}/out/sorry.html`]: '<h1>Sorry</h1>',
  [`${FOLDER}/out/full.txt`]: 'full',
  [`${FOLDER}/out/shop.json`]: '{"sorry":true}',
  [`${FOLDER}/out/broken.json`]: '{"sorry":',
  [`${FOLDER}/out/empty.html`]: ' \n',
  [`${FOLDER}/out/picture.html`]: 'GIF89a\uFFFD',
  [`${FOLDER}/out/large.html`]: 'x'.repeat(64 * 1024 + 1),
  [`${FOLDER}/out/page`]: 'x',
};

function loaded(outage: string) {
  return loadText(soundFile({ root: `gateway:\n  outage:\n    ${outage}\n` }), { files: FILES });
}

describe('pages for outages', () => {
  it('are read from files beside the configuration: one status before all, an application before all of them', () => {
    const { settings, diagnostics } = loaded(
      '{ page: out/sorry.html, statuses: { 503: out/full.txt }, applications: { shop: { statuses: { 504: out/shop.json } } } }',
    );
    expect(diagnostics).toEqual([]);
    const html = { type: 'text/html; charset=utf-8', text: '<h1>Sorry</h1>' };
    expect(settings?.gateway.outage).toEqual([
      { application: 'shop', status: 504, type: 'application/json', text: '{"sorry":true}' },
      { status: 503, type: 'text/plain; charset=utf-8', text: 'full' },
      { status: 502, ...html },
      { status: 504, ...html },
    ]);
  });

  it.each([
    ['out/none.html', 'cannot read the page: no such file'],
    ['out/page', 'its name does not say what it is'],
    ['out/empty.html', 'the page is empty'],
    ['out/picture.html', 'the page is not UTF-8 text'],
    ['out/broken.json', 'the page is not valid JSON'],
    ['out/large.html', 'the page has 65 KiB, more than the 64 KiB it may have'],
  ])('that cannot be used are named at their place: %s', (file, summary) => {
    const { settings, diagnostics } = loaded(`page: ${file}`);
    expect(settings).toBeUndefined();
    expect(diagnostics).toEqual([
      expect.objectContaining({
        severity: 'error',
        line: 9,
        column: 11,
        path: 'gateway.outage.page',
        summary,
      }),
    ]);
  });

  it('are for applications that exist and statuses that the gateway answers itself', () => {
    const file = (outage: string) => soundFile({ root: `gateway:\n  outage:\n    ${outage}\n` });
    expect(faultsOf(file('applications: { shep: { page: a.html } }'))).toEqual([
      expect.stringMatching(/no application has this name.*shop/),
    ]);
    expect(faultsOf(file('statuses: { 418: a.html }'))).toEqual([expect.stringContaining('418')]);
  });
});
