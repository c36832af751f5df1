// What follows from a cluster's few particulars: its names, its versions, and
// what it says to kops and to AWS. See clusters/dev/this.libsonnet.
local certManager = import 'addons/cert-manager/iam.libsonnet';
local jenkins = import 'addons/jenkins/iam.libsonnet';
local logging = import 'addons/logging/iam.libsonnet';
local monitoring = import 'addons/monitoring/iam.libsonnet';
local storage = import 'addons/storage/iam.libsonnet';
local org = import 'clusters/org.libsonnet';
local aws = import 'lib/aws.libsonnet';
local kops = import 'lib/kops.libsonnet';

local matrix = import 'clusters/versions.json';

function(particulars) {
  local cluster = self,

  // Particulars ////////////////////////////////////////////////////////////////

  name: error "cluster: must provide 'name'",
  // `platform down` deletes a protected cluster only for those who insist.
  protected: true,
  networkCIDR: error "cluster: must provide 'networkCIDR'",
  zones: org.zones,
  controlPlane: error "cluster: must provide 'controlPlane'",
  nodes: error "cluster: must provide 'nodes'",
  clusterAutoscaler: false,
  // Networks that may reach the API, SSH on the machines, and the ingress.
  access: error "cluster: must provide 'access', as { api, ssh, ingress }",
  hasJenkins: true,
  // The clusters that its own nightly job reports on: see addons/monitoring.
  reportsOn: [],
  // AWS permissions of the stacks' service accounts, as lists of policy statements
  // by namespace/name.
  permissions: certManager.permissions(cluster, 'cert-manager') +
               (if cluster.hasJenkins then jenkins.permissions(cluster) else {}) +
               logging.permissions(cluster, 'logging') +
               monitoring.permissions(cluster, 'monitoring') +
               (if cluster.reportsOn == [] then {} else monitoring.driftPermissions(cluster, cluster.reportsOn, 'monitoring')) +
               storage.permissions(cluster, 'storage'),

  // Facts //////////////////////////////////////////////////////////////////////

  org:: org,
  region: org.region,
  fullName: self.name + '.' + org.domain,
  // Every host name of the ingress ends in it.
  hostSuffix: 'k.' + self.fullName,
  host(name):: name + '.' + self.hostSuffix,
  // Ports of the nodes that the ingress load balancer sends connections to.
  nodePorts: aws.nodePorts,
  roleARN(namespace, serviceAccount)::
    'arn:aws:iam::' + org.account + ':role/' + kops.roleName(self.fullName, namespace, serviceAccount),

  // Versions of this cluster by component.
  versions: { [component]: matrix[component][cluster.name] for component in std.objectFields(matrix) },

  // params are what every stack is given.
  params(namespace):: { namespace: namespace, cluster: cluster, versions: cluster.versions },

  // The declaration that cluster.jsonnet evaluates to.
  declaration:: {
    name: cluster.name,
    // Other credentials are refused.
    account: org.account,
    protected: cluster.protected,
    kops: kops.Cluster({
      name: cluster.fullName,
      stateStore: org.stateStore,
      discoveryStore: org.discoveryStore,
      kubernetesVersion: cluster.versions.kubernetes,
      image: cluster.versions['node-image'],
      zones: cluster.zones,
      networkCIDR: cluster.networkCIDR,
      apiAccess: cluster.access.api,
      sshAccess: cluster.access.ssh,
      controlPlane: cluster.controlPlane,
      nodes: cluster.nodes,
      clusterAutoscaler: cluster.clusterAutoscaler,
      tags: { Environment: cluster.name, Team: org.team },
      permissions: [
        local parts = std.split(key, '/');
        kops.serviceAccountPermission(parts[0], parts[1], cluster.permissions[key])
        for key in std.objectFields(cluster.permissions)
      ],
    }),
    aws: aws.Cluster({
      name: cluster.fullName,
      region: org.region,
      hostedZone: org.hostedZone,
      hostSuffix: cluster.hostSuffix,
      nodePorts: cluster.nodePorts,
      access: cluster.access.ingress,
    }),
  },
} + particulars
