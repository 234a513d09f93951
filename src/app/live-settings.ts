import type { Settings } from '../core/settings.ts';

/** Settings for parts that ask again each time: what they see changes when the configuration does. */
export interface LiveSettings {
  readonly settings: Settings;
  take(next: Settings): void;
}

export function createLiveSettings(first: Settings): LiveSettings {
  let now = first;
  return {
    settings: {
      get file() {
        return now.file;
      },
      get platforms() {
        return now.platforms;
      },
      get applications() {
        return now.applications;
      },
      get gateway() {
        return now.gateway;
      },
      get state() {
        return now.state;
      },
      get secrets() {
        return now.secrets;
      },
    },
    take(next) {
      now = next;
    },
  };
}
