/** Commands of the design that later work builds: known by name, refused with a sentence. */
export const NOT_BUILT_COMMANDS = [
  'init',
  'rollback',
  'scale',
  'logs',
  'drain',
  'undrain',
  'failover',
  'failback',
  'hold',
  'unhold',
  'fence',
  'unfence',
  'drill',
  'doctor',
] as const;
