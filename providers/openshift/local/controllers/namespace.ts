import { type Cluster, type Controller, delayOf, workQueue } from '../cluster.ts';
import { deleteObject } from '../deletion.ts';
import { CONFIG_MAPS, NAMESPACES, RESOURCES, SERVICE_ACCOUNTS } from '../resources.ts';

const ACCOUNTS = ['default', 'builder', 'deployer'];
/** The authorities every pod can mount; they count against a quota of config maps. */
const AUTHORITIES = { 'kube-root-ca.crt': 'ca.crt', 'openshift-service-ca.crt': 'service-ca.crt' };

/** Gives a new project its service accounts, a moment later; empties and removes a terminating one. */
export function createNamespaceController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const births = workQueue(clock, delayOf(cluster, 'builderAccount'), equip);
  const deaths = workQueue(clock, delayOf(cluster, 'namespaceEnd'), empty);
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (type.plural !== NAMESPACES.plural) return;
    if (change === 'ADDED') births.add(object.metadata.name);
    else if (object.metadata.deletionTimestamp !== undefined) deaths.add(object.metadata.name);
  });

  function equip(namespace: string): void {
    if (store.get(NAMESPACES, undefined, namespace)?.status.phase !== 'Active') return;
    for (const [name, key] of Object.entries(AUTHORITIES)) {
      if (store.get(CONFIG_MAPS, namespace, name)) continue;
      store.create(CONFIG_MAPS, {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { name, namespace },
        data: { [key]: cluster.authority },
      });
    }
    for (const name of ACCOUNTS) {
      if (store.get(SERVICE_ACCOUNTS, namespace, name)) continue;
      store.create(SERVICE_ACCOUNTS, {
        kind: 'ServiceAccount',
        apiVersion: 'v1',
        metadata: { name, namespace },
      });
    }
  }

  function empty(namespace: string): void {
    if (store.get(NAMESPACES, undefined, namespace)?.status.phase !== 'Terminating') return;
    let left = 0;
    for (const type of RESOURCES) {
      if (!type.namespaced) continue;
      for (const object of store.list(type, namespace)) {
        if (deleteObject(store, type, object, 'Background')) left += 1;
      }
    }
    if (left === 0) store.remove(NAMESPACES, undefined, namespace);
    else deaths.add(namespace);
  }

  return {
    name: 'namespace',
    close() {
      unsubscribe();
      births.close();
      deaths.close();
    },
  };
}
