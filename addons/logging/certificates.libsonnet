// Certificates within the stack, from an authority of its own that cert-manager
// keeps in the namespace.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'logging';

function(p) {
  local this = platform.component(p, stack, 'certificates'),
  local issuer(name, spec) = kube._Object('cert-manager.io/v1', 'Issuer', name) + this { spec: spec },
  local certificate(name, by, spec) = kube._Object('cert-manager.io/v1', 'Certificate', name) + this {
    spec: { secretName: name, issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: by } } + spec,
  },
  local ca = p.name + '-ca',
  local elasticsearch = p.name + '-elasticsearch',

  root: issuer(p.name + '-root', { selfSigned: {} }),
  ca: certificate(ca, p.name + '-root', {
    isCA: true,
    commonName: p.cluster.name + ' ' + p.name,
    duration: '87600h',
    renewBefore: '8760h',
    privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Never' },
  }),
  issuer: issuer(ca, { ca: { secretName: ca } }),
  // Both between the nodes and towards clients.
  elasticsearch: certificate(elasticsearch, ca, {
    commonName: elasticsearch,
    dnsNames: [
      elasticsearch,
      elasticsearch + '.' + p.namespace + '.svc',
      '*.' + elasticsearch + '-nodes.' + p.namespace + '.svc',
      'localhost',
    ],
    duration: '2160h',
    renewBefore: '720h',
    usages: ['digital signature', 'key encipherment', 'server auth', 'client auth'],
    // Elasticsearch reads no other encoding.
    privateKey: { algorithm: 'RSA', size: 2048, encoding: 'PKCS8', rotationPolicy: 'Always' },
  }),
}
