import type { Cloud } from '../cloud.ts';
import type { SpaceRow } from '../state.ts';
import { type Includes, related } from './include.ts';
import { presentOrganization } from './organizations.ts';
import { presentSpace } from './spaces.ts';

/** `include=space,space.organization`, which most of what lies in a space offers. */
export function spaceIncludes<T>(cloud: Cloud, spaceGuidOf: (row: T) => string): Includes<T> {
  const { state } = cloud;
  const spaceOf = (row: T): SpaceRow | undefined => state.spaces.get(spaceGuidOf(row));
  return {
    space: (row) => related('spaces', spaceOf(row), (space) => presentSpace(cloud, space)),
    'space.organization': (row) =>
      related(
        'organizations',
        state.organizations.get(spaceOf(row)?.organizationGuid ?? ''),
        (organization) => presentOrganization(cloud, organization),
      ),
  };
}
