// What Prometheus may do in AWS: find the virtual machines that it measures.
{
  permissions(cluster, namespace, name='monitoring-prometheus'):: {
    [namespace + '/' + name]: [
      { Effect: 'Allow', Action: ['ec2:DescribeInstances', 'ec2:DescribeAvailabilityZones'], Resource: ['*'] },
    ],
  },
}
