// What Elasticsearch may do in AWS: keep snapshots in its cluster's folder.
{
  permissions(cluster, namespace, name='logging-elasticsearch')::
    local bucket = 'arn:aws:s3:::' + cluster.org.snapshotBucket;
    {
      [namespace + '/' + name]: [
        {
          Effect: 'Allow',
          Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
          Resource: [bucket],
          Condition: { StringLike: { 's3:prefix': [cluster.name + '/*'] } },
        },
        { Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [bucket] },
        {
          Effect: 'Allow',
          Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
          Resource: [bucket + '/' + cluster.name + '/*'],
        },
      ],
    },
}
