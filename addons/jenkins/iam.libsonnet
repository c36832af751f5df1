// What builds may do in AWS: become the role that deploys, which people make (see
// docs/aws.md), and nothing else.
{
  role(cluster):: 'arn:aws:iam::' + cluster.org.account + ':role/' + cluster.org.deployRole,

  permissions(cluster, namespace='jenkins-agents', name='jenkins-agent'):: {
    [namespace + '/' + name]: [
      { Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: [$.role(cluster)] },
    ],
  },
}
