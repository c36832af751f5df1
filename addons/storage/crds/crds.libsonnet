// Written by addons/vendorcrds. The custom resource definitions by version.
{
  'v8.4.0': {
    volumesnapshotclasses: std.parseJson(importstr 'v8.4.0/volumesnapshotclasses.json'),
    volumesnapshotcontents: std.parseJson(importstr 'v8.4.0/volumesnapshotcontents.json'),
    volumesnapshots: std.parseJson(importstr 'v8.4.0/volumesnapshots.json'),
  },
}
