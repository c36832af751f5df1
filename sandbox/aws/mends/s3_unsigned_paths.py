"""Unsigned requests for public objects."""

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from . import Mend

mend = Mend(
    __name__,
    service="S3",
    moto="takes every unsigned request for a path that ends like an OpenID discovery document for one to Cognito",
    aws="serves the public objects of a service account issuer's bucket to everybody, by their path",
    source="S3 User Guide: Path-style requests; kops: serviceAccountIssuerDiscovery",
)


@mend.around(DomainDispatcherApplication, "get_service_from_unsigned_path")
def get_service_from_unsigned_path(original, path_info):
    bucket = path_info.strip("/").partition("/")[0]
    if "_" not in bucket:
        return None, None  # a user pool's ID has an underscore, a bucket's name has none
    return original(path_info)
