import { describe, expect, it } from '@jest/globals';
import { createLook, isUtf8Locale, wantsColor } from '../../../dashboards/terminal/look.ts';

describe('the look', () => {
  it('is Unicode only where the locale in force says UTF-8', () => {
    expect(isUtf8Locale({ LANG: 'de_DE.UTF-8' })).toBe(true);
    expect(isUtf8Locale({ LANG: 'C', LC_CTYPE: 'en_US.utf8' })).toBe(true);
    expect(isUtf8Locale({ LANG: 'C.UTF-8', LC_ALL: 'POSIX' })).toBe(false);
    expect(isUtf8Locale({ LANG: 'C.UTF-8', LC_ALL: '' })).toBe(true);
    expect(isUtf8Locale({})).toBe(false);
  });

  it('has no colours where NO_COLOR says anything at all', () => {
    expect(wantsColor({})).toBe(true);
    expect(wantsColor({ NO_COLOR: '' })).toBe(true);
    expect(wantsColor({ NO_COLOR: '0' })).toBe(false);
  });

  it.each([true, false])('draws with signs of one cell (unicode %s)', (unicode) => {
    const look = createLook(unicode, () => '');
    const signs = [
      ...Object.values(look.icons),
      look.full,
      look.empty,
      look.rule,
      look.mark,
      look.cut,
      look.dot,
    ];
    for (const sign of [...signs, ...look.trend]) expect(look.clean(sign)).toBe(sign);
    for (const sign of signs) expect(sign).toHaveLength(1);
  });
});
