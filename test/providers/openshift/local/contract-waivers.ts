/** In what the local platform knowingly differs from the recorded control plane. Data: each with its reason, and none may be stale. */
export interface Waiver {
  readonly exchange: RegExp;
  /** Matched against a difference; left out, the exchange is not made at all and does not count as covered. */
  readonly difference?: RegExp;
  readonly why: string;
  /** The difference depends on timing and may be absent. */
  readonly chance?: boolean;
}

export const WAIVERS: readonly Waiver[] = [
  {
    exchange: /golden-openshift\/(40-route-host|43-route-ssa)/,
    why: 'the recorded control plane had no ingress configuration: golden-openshift-routes has the same requests with one',
  },
  {
    exchange: /golden-openshift\/(06-resources-apps|50-dc-create)/,
    why: 'DeploymentConfigs are deprecated since 4.14 and not served',
  },
  { exchange: /golden-openshift\/07-resources-template/, why: 'templates are not served' },
  {
    exchange: /06-apis|01-apigroups/,
    difference:
      /^[-+] \.groups\.(apiregistration|events|certificates|storage|admissionregistration|apiextensions|scheduling|coordination|node|flowcontrol|apps\.openshift|authorization\.openshift|template|config|operator|quota|security)\S*/,
    why: 'groups nobody deploys applications with are not served; security constraints are, in both modes with routes',
  },
  {
    exchange: /01-apigroups/,
    difference: /^\+ \.groups\.metrics\.k8s\.io /,
    why: 'nobody measured anything on the recorded control plane; ours does, as a cluster with monitoring',
  },
  {
    exchange: /06-apis|01-apigroups/,
    difference: /autoscaling\.versions\[1\]/,
    why: 'autoscalers are served in their current version only',
  },
  {
    exchange: /0[2-5]-resources|07-route-resources/,
    difference: /storageVersionHash/,
    why: 'storage versions are not told',
  },
  {
    exchange: /02-resources-build|03-resources-image/,
    difference:
      /resources\.(buildconfigs\/webhooks|images |imagesignatures|imagestreamimages|imagestreamimports|imagestreams\/layers|imagestreams\/secrets|imagetags)/,
    why: 'what serves registries, webhooks and imports is not there',
  },
  {
    exchange: /13-deploy-get-early/,
    difference: /\.status|\.annotations/,
    why: 'the controllers may have begun by then',
    chance: true,
  },
  {
    exchange: /-rs|20-endpointslices/,
    difference: /eneration \d+ is \d+/,
    why: 'how often a controller wrote an object is its own affair',
    chance: true,
  },
  {
    exchange: /21-events|24-events/,
    difference: /./,
    why: 'the simulated kubelet of the recording told no events; ours does, and pages begin with them',
  },
  {
    exchange: /37-pods-crash/,
    difference: /back-off|unready status/,
    why: 'the simulated kubelet of the recording shortened the messages of a real one',
  },
  {
    exchange: /37-pods-crash/,
    difference: /\.annotations/,
    why: 'from which of two equal templates an old pod came is a matter of timing',
    chance: true,
  },
  {
    exchange: /52-watch-too-old/,
    difference: /\.(MODIFIED|DELETED)\./,
    why: 'how far a pod had come when it first changed and last was seen is a matter of timing',
  },
  {
    exchange: /1[78]-buildconfig|20-buildconfig-ssa|28-buildconfig-after/,
    difference: /fieldsV1\.f:spec\.f:(postCommit|resources)|managedFields\[0\]\.time/,
    why: 'the aggregated server does not own empty structures to anybody, nor date what was applied',
  },
  {
    exchange: /golden-s2i\/(11-build-log|22-pod-log-read)/,
    difference: /log line 1/,
    why: 'what a program prints is its own',
  },
  {
    exchange: /12-build-complete/,
    difference: /imageDigest/,
    why: 'the recorded builder pushed nothing, so it knew no digest',
  },
  {
    exchange: /26-build-set-error|31-build-set-cancelled/,
    difference: /f:status\.f:conditions/,
    why: 'the recorded body repeats conditions with times that are not ours, so they are written anew',
  },
  { exchange: /13-build-pod/, why: 'builds run without a pod object' },
  {
    exchange: /golden-watch\/01-list/,
    difference: /\.items/,
    why: 'the first pod of the recording was a build pod',
  },
  {
    exchange: /57-watch-stream/,
    difference: /\.BOOKMARK\.(spec|status)/,
    why: 'a bookmark of a built-in kind carries empty fields in Go',
  },
];
