// What cert-manager may do in AWS: write the TXT records by which a certificate
// authority sees that the cluster's names are ours, and nothing else.
{
  permissions(cluster, namespace, name='cert-manager')::
    local zone = 'arn:aws:route53:::hostedzone/' + (if cluster.org.hostedZoneID == null then '*' else cluster.org.hostedZoneID);
    {
      [namespace + '/' + name]: [
        { Effect: 'Allow', Action: ['route53:GetChange'], Resource: ['arn:aws:route53:::change/*'] },
        { Effect: 'Allow', Action: ['route53:ListResourceRecordSets'], Resource: [zone] },
        {
          Effect: 'Allow',
          Action: ['route53:ChangeResourceRecordSets'],
          Resource: [zone],
          Condition: {
            'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsRecordTypes': ['TXT'] },
            'ForAllValues:StringLike': {
              'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['_acme-challenge.*' + cluster.hostSuffix],
            },
          },
        },
      ] + (
        // The zone's ID is looked up by its name.
        if cluster.org.hostedZoneID != null then []
        else [{ Effect: 'Allow', Action: ['route53:ListHostedZonesByName'], Resource: ['*'] }]
      ),
    },
}
