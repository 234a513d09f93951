import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { endpointsIn, helpText, KINDS } from './endpoints.ts';

const CF = {
  SLUICE_REAL_CF_API: 'https://api.cf.example.com',
  SLUICE_REAL_CF_ORG: 'shop',
  SLUICE_REAL_CF_SPACE: 'test',
  SLUICE_REAL_CF_DOMAIN: 'apps.cf.example.com',
  SLUICE_REAL_CF_USERNAME: 'ci',
  SLUICE_REAL_CF_PASSWORD: 'a-secret',
};

describe('endpoints in the environment', () => {
  it('are none where nothing is set', () => {
    expect(endpointsIn({ PATH: '/bin' })).toEqual([]);
  });

  it('are a platform’s block, with its secrets known as such', () => {
    expect(endpointsIn(CF)).toEqual([
      {
        endpoint: {
          kind: 'cloudfoundry',
          address: 'https://api.cf.example.com',
          options: {
            ...{
              api: 'https://api.cf.example.com',
              org: 'shop',
              space: 'test',
              domain: 'apps.cf.example.com',
            },
            credentials: { username: 'ci', password: 'a-secret' },
          },
          secrets: ['a-secret'],
        },
      },
    ]);
  });

  it('name the variable that is missing or wrong, and no value', () => {
    const { SLUICE_REAL_CF_ORG: _org, ...rest } = CF;
    const [found] = endpointsIn({ ...rest, SLUICE_REAL_CF_API: 'nowhere' });
    expect(found).toMatchObject({ kind: 'cloudfoundry' });
    const text = JSON.stringify(found);
    expect(text).toContain('SLUICE_REAL_CF_API');
    expect(text).toContain('SLUICE_REAL_CF_ORG');
    expect(text).not.toContain('a-secret');
  });

  it('say which file of an authority cannot be read', () => {
    const [found] = endpointsIn({ ...CF, SLUICE_REAL_CF_CA: '/nowhere/ca.pem' });
    expect(JSON.stringify(found)).toContain('SLUICE_REAL_CF_CA');
  });

  it('are all in the help, and in the documents', () => {
    const document = readFileSync(join(import.meta.dirname, '../../../docs/adding-a-provider.md'), 'utf8');
    for (const { name } of KINDS.flatMap(({ variables }) => variables)) {
      expect(helpText()).toContain(name);
      expect(document).toContain(name);
    }
  });
});
