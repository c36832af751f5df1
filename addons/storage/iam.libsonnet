// What the snapshotter may do in AWS: make snapshots of volumes, and delete those
// that it made.
{
  permissions(cluster, namespace, name='storage-snapshotter'):: {
    local tag = 'ebs.csi.aws.com/cluster',
    local ec2(kind) = 'arn:aws:ec2:*:*:' + kind + '/*',
    [namespace + '/' + name]: [
      {
        Effect: 'Allow',
        Action: ['ec2:DescribeAvailabilityZones', 'ec2:DescribeSnapshots', 'ec2:DescribeTags', 'ec2:DescribeVolumes'],
        Resource: ['*'],
      },
      { Effect: 'Allow', Action: ['ec2:CreateSnapshot'], Resource: [ec2('volume')] },
      {
        Effect: 'Allow',
        Action: ['ec2:CreateSnapshot'],
        Resource: [ec2('snapshot')],
        Condition: { StringEquals: { ['aws:RequestTag/' + tag]: 'true' } },
      },
      {
        Effect: 'Allow',
        Action: ['ec2:CreateTags'],
        Resource: [ec2('snapshot')],
        Condition: { StringEquals: { 'ec2:CreateAction': ['CreateSnapshot'] } },
      },
      {
        Effect: 'Allow',
        Action: ['ec2:DeleteSnapshot'],
        Resource: [ec2('snapshot')],
        Condition: { StringEquals: { ['aws:ResourceTag/' + tag]: 'true' } },
      },
    ],
  },
}
