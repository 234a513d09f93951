import type { Clock } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/settings.ts';
import type { Wire } from '../wire.ts';

/** The compat wire, loaded when it is asked to listen: its libraries are 20 MB that no other worker shall carry. */
export function createLateCompatWire(settings: GatewaySettings, clock: Clock): Wire {
  let wire: Wire | undefined;

  function loaded(): Wire {
    if (wire === undefined) throw new Error('a wire is used before it listens');
    return wire;
  }

  return {
    async listen(at, accept, refused) {
      const { createCompatWire } = await import('./wire.ts');
      wire ??= createCompatWire(settings, clock);
      return wire.listen(at, accept, refused);
    },
    relisten: (changed) => loaded().relisten(changed),
    get tally() {
      return wire?.tally;
    },
    attempt: (request, handler) => loaded().attempt(request, handler),
    retire: (origin) => wire?.retire(origin),
    drain: (patiently) => wire?.drain(patiently),
    async close() {
      await wire?.close();
    },
  };
}
