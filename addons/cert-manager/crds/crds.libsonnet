// Written by addons/vendorcrds. The custom resource definitions by version.
{
  'v1.21.2': {
    certificaterequests: std.parseJson(importstr 'v1.21.2/certificaterequests.json'),
    certificates: std.parseJson(importstr 'v1.21.2/certificates.json'),
    challenges: std.parseJson(importstr 'v1.21.2/challenges.json'),
    clusterissuers: std.parseJson(importstr 'v1.21.2/clusterissuers.json'),
    issuers: std.parseJson(importstr 'v1.21.2/issuers.json'),
    orders: std.parseJson(importstr 'v1.21.2/orders.json'),
  },
}
