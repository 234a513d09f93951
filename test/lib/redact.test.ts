// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SluiceError } from '../../src/core/errors.ts';
import { createRedactor, isSecretKey } from '../../src/lib/redact.ts';

const SECRET = 'k4n@ry+Ü b=1/x';
const redact = createRedactor([SECRET]);

describe('by value', () => {
  it.each([
    ['plain', SECRET],
    ['URL-encoded', encodeURIComponent(SECRET)],
    ['URL-encoded in lower case', encodeURIComponent(SECRET).toLowerCase()],
    ['form-encoded', encodeURIComponent(SECRET).replaceAll('%20', '+')],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64url', Buffer.from(SECRET).toString('base64url')],
    ['JSON-escaped', JSON.stringify({ a: SECRET })],
  ])('finds it %s', (_form, text) => {
    const shown = redact.text(`before ${text} after`);
    expect(shown).toContain('<redacted>');
    expect(shown).toMatch(/^before .*<redacted>.* after$/);
    expect(shown.toLowerCase()).not.toContain(encodeURIComponent(SECRET).toLowerCase());
    expect(shown).not.toContain(SECRET);
  });

  it.each(['a', 'ab', 'abc'])('finds it in Basic credentials behind the name %j', (name) => {
    const header = Buffer.from(`${name}:${SECRET}`).toString('base64');
    expect(redact.text(`x ${header}`)).toContain('<redacted>');
  });

  it('leaves no piece of any secret in any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 4, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        fc.string(),
        (secrets, around) => {
          const shown = createRedactor(secrets).text(`${around} ${secrets.join(' ')} ${around}`);
          for (const secret of secrets) {
            if (!'<redacted>'.includes(secret))
              expect(shown.includes(secret) && !leftByChance(shown, secret)).toBe(false);
          }
        },
      ),
    );
  });

  it('prefers the longer of two secrets', () => {
    expect(createRedactor(['abcd', 'abcdefgh']).text('abcdefgh')).toBe('<redacted>');
  });

  it('hides each line of a private key', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAAAAC3NzaC1lZDI1NTE5AAAA\n-----END KEY-----';
    expect(createRedactor([key]).text('bad line: AAAAC3NzaC1lZDI1NTE5AAAA')).toBe('bad line: <redacted>');
  });

  it('ignores what is too short to be told from ordinary text', () => {
    expect(createRedactor(['abc', '']).text('abc abcd')).toBe('abc abcd');
  });

  it('says where a secret came from when told', () => {
    const labelled = createRedactor([{ value: SECRET, label: '<redacted from ${PW}>' }]);
    expect(labelled.text(`redis://u:${encodeURIComponent(SECRET)}@h`)).not.toContain('4n%40ry');
    expect(labelled.value({ password: SECRET })).toEqual({ password: '<redacted from ${PW}>' });
  });

  it('hides credentials by the way they stand in a text', () => {
    const none = createRedactor([]);
    expect(none.text('GET https://user:hunter2@host/x')).toBe('GET https://user:<redacted>@host/x');
    expect(none.text('Authorization: Bearer eyJhbGciOi.J9')).toBe('Authorization: Bearer <redacted>');
    expect(none.text('the basic question')).toBe('the basic question');
  });
});

describe('by key', () => {
  it.each([
    'password',
    'DB_PASSWORD',
    'clientSecret',
    'set-cookie',
    'x-api-key',
    'credentials',
    'Authorization',
    'key',
  ])('knows %s', (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each(['tokens', 'keyboard', 'keys', 'author', 'path', 'secretEnv'])('lets %s pass', (key) => {
    expect(isSecretKey(key)).toBe(false);
  });

  it('hides every text below it and nothing beside it', () => {
    expect(
      createRedactor([]).value({
        user: 'ada',
        credentials: { username: 'ada', password: 'p', more: ['q', { deep: 'r' }], none: null },
        lease: { token: 7 },
        password: 1234,
        list: [{ token: 'abc' }],
      }),
    ).toEqual({
      user: 'ada',
      credentials: {
        username: '<redacted>',
        password: '<redacted>',
        more: ['<redacted>', { deep: '<redacted>' }],
        none: null,
      },
      lease: { token: 7 },
      password: '<redacted>',
      list: [{ token: '<redacted>' }],
    });
  });
});

describe('values of every kind', () => {
  it('redacts errors, their causes and their details', () => {
    const error = new SluiceError('BUG', `it says ${SECRET}`, { why: SECRET, cause: new Error(SECRET) });
    const shown = JSON.stringify(redact.value({ error }));
    expect(shown).toContain('it says <redacted>');
    expect(shown).not.toContain(JSON.stringify(SECRET).slice(1, -1));
  });

  it('redacts maps, sets, keys, and survives cycles', () => {
    const round: Record<string, unknown> = { name: SECRET };
    round['self'] = round;
    expect(redact.value(round)).toEqual({ name: '<redacted>', self: '[circular]' });
    expect(redact.value(new Map([[SECRET, new Set([SECRET])]]))).toEqual({ '<redacted>': ['<redacted>'] });
    expect(redact.value(Buffer.from(SECRET))).toBe(`<${Buffer.byteLength(SECRET)} bytes>`);
  });

  it('shows the same thing twice when it is only shared, not circular', () => {
    const shared = { a: 1 };
    expect(redact.value([shared, shared])).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it('takes a secret that is an ordinary word only as a whole one: a user may be called `admin`', () => {
    const { text, value } = createRedactor(['admin', 'platform']);
    expect(text('{"adminPort":9901,"user":"admin"}')).toBe('{"adminPort":9901,"user":"<redacted>"}');
    expect(text('admins administer; login=admin&x=y a%20admin%3D \\nadmin')).toBe(
      'admins administer; login=<redacted>&x=y a%20<redacted>%3D \\n<redacted>',
    );
    expect(value({ platform: 'of admin' })).toEqual({ platform: 'of <redacted>' });
    const encoded = Buffer.from('x:admin:y').toString('base64');
    expect(text(`see ${encoded}.`)).not.toContain(encoded);
  });

  it('redacts a number that is a secret and keeps one that merely contains it', () => {
    expect(createRedactor(['48151623']).value([48151623, 148151623])).toEqual(['<redacted>', 148151623]);
  });
});

/** Replacing can put characters side by side that form a secret by accident, e.g. `acte` out of `<redacted>`. */
function leftByChance(shown: string, secret: string): boolean {
  return !shown.split('<redacted>').join('\u0000').includes(secret);
}
