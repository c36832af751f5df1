// What monitoring may do in AWS.
{
  // Prometheus finds the virtual machines that it measures.
  permissions(cluster, namespace, name='monitoring-prometheus'):: {
    [namespace + '/' + name]: [
      { Effect: 'Allow', Action: ['ec2:DescribeInstances', 'ec2:DescribeAvailabilityZones'], Resource: ['*'] },
    ],
  },

  // The drift report reads all that `platform up` would change in some clusters, and
  // writes nothing but its reports. The state store has the keys of those clusters'
  // administrators: whoever becomes this role is one of them.
  driftPermissions(cluster, clusters, namespace, name='monitoring-drift')::
    local bucket(url) = 'arn:aws:s3:::' + std.substr(url, std.length('s3://'), std.length(url));
    local store(url) = std.split(bucket(url), '/')[0];
    local folders(url) = [bucket(url) + '/' + other + '.' + cluster.org.domain + '/*' for other in clusters];
    local state = cluster.org.stateStore;
    local discovery = cluster.org.discoveryStore;
    {
      [namespace + '/' + name]: [
        {
          Effect: 'Allow',
          Action: [
            'autoscaling:Describe*',
            'ec2:Describe*',
            'ec2:GetInstanceTypesFromInstanceRequirements',
            'elasticloadbalancing:Describe*',
            'events:DescribeRule',
            'events:List*',
            'iam:Get*',
            'iam:List*',
            'route53:Get*',
            'route53:List*',
            'sqs:GetQueueAttributes',
            'sqs:GetQueueUrl',
            'sqs:ListQueueTags',
            'sqs:ListQueues',
            'sts:GetCallerIdentity',
          ],
          Resource: ['*'],
        },
        { Effect: 'Allow', Action: ['ssm:GetParameter'], Resource: ['arn:aws:ssm:*::parameter/aws/service/*'] },
        {
          Effect: 'Allow',
          Action: [
            's3:GetBucketLocation',
            's3:GetBucketPolicyStatus',
            's3:GetBucketPublicAccessBlock',
            's3:GetEncryptionConfiguration',
            's3:ListBucket',
          ],
          Resource: [store(state), store(discovery)],
        },
        { Effect: 'Allow', Action: ['s3:GetObject', 's3:GetObjectAcl'], Resource: folders(state) + folders(discovery) },
        {
          Effect: 'Allow',
          Action: ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
          Resource: [bucket(state) + '/platform/drift/*'],
        },
      ],
    },
}
