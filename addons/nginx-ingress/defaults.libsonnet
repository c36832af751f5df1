// What a plain Ingress leaves out, completed as it is created or changed: a host
// name (the Ingress' name and namespace, below the cluster's wildcard), a section
// for TLS and the annotation by which cert-manager issues the certificate. What an
// Ingress says for itself is left alone.
//
// Two Ingresses that share a host name (nginx.org/mergeable-ingress-type) say all
// of that themselves.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

function(p, component) {
  local all = self,

  // Annotations by which cert-manager is told about an issuer, or to keep off.
  local issuerAnnotations = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer', 'kubernetes.io/tls-acme'],

  policy: kube.MutatingAdmissionPolicy(platform.scoped(p, 'ingress-defaults')) + component {
    spec+: {
      matchConstraints: {
        resourceRules: [{
          apiGroups: ['networking.k8s.io'],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['ingresses'],
        }],
      },
      matchConditions: [
        {
          name: 'class',
          expression: "!has(object.spec.ingressClassName) || object.spec.ingressClassName == '" + p.class + "'",
        },
        {
          name: 'alone',
          expression: "!has(object.metadata.annotations) || !('nginx.org/mergeable-ingress-type' in object.metadata.annotations)",
        },
        {
          name: 'living',
          expression: '!has(object.metadata.deletionTimestamp)',
        },
      ],
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: |||
              !has(object.spec.rules) ? [] : object.spec.rules.transformList(i, rule,
                !has(rule.host) || rule.host == "",
                JSONPatch{
                  op: "add",
                  path: "/spec/rules/" + string(i) + "/host",
                  value: object.metadata.name.replace(".", "-") + "-" + object.metadata.namespace + ".%s"
                }
              )
            ||| % p.cluster.hostSuffix,
          },
        },
        {
          // In two steps: a list with an object in it as the value makes the API
          // server panic (1.36.1, CEL's conversion of lists).
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: |||
              (has(object.spec.tls) && size(object.spec.tls) > 0) || !has(object.spec.rules) ? [] : [
                JSONPatch{op: "add", path: "/spec/tls", value: []},
                JSONPatch{
                  op: "add",
                  path: "/spec/tls/-",
                  value: Object.spec.tls{
                    hosts: object.spec.rules.map(rule, rule.host),
                    secretName: object.metadata.name + "-tls"
                  }
                }
              ]
            |||,
          },
        },
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: |||
              !has(object.metadata.annotations) ? [
                JSONPatch{op: "add", path: "/metadata/annotations", value: {"kubernetes.io/tls-acme": "true"}}
              ] : %s.exists(key, key in object.metadata.annotations) ? [] : [
                JSONPatch{
                  op: "add",
                  path: "/metadata/annotations/" + jsonpatch.escapeKey("kubernetes.io/tls-acme"),
                  value: "true"
                }
              ]
            ||| % std.manifestJsonMinified(issuerAnnotations),
          },
        },
      ],
    },
  },

  binding: kube.MutatingAdmissionPolicyBinding(platform.scoped(p, 'ingress-defaults')) + component {
    policy:: all.policy,
  },
}
