/** Commands of the design that later work builds: known by name, refused with a sentence. */
export const NOT_BUILT_COMMANDS = ['init', 'doctor'] as const;
