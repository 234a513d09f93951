/** Equal to package.json's; a test compares the two. */
export const SLUICE_VERSION = '0.1.0';
