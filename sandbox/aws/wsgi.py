"""moto's WSGI application, made safe and fast to serve to many clients.

moto's backends are plain dictionaries without locks, and kops and the AWS layer
call from many goroutines at once: every request is handled under one lock. That
costs nothing in throughput (the interpreter has its own), as long as nobody
waits while holding it, so bodies are read before and answers are sent after.
"""

import functools
import io
import json
import re
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from moto import backends
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

# The services that kops, the AWS layer and the sandbox itself use. Their code is
# loaded before the port is opened, or the first request of each would wait for it.
SERVICES = ("autoscaling", "ec2", "elb", "elbv2", "events", "iam", "route53", "s3", "sqs", "ssm", "sts")

HEALTH = "/sandbox/health"
# How often each operation was asked for since the start.
REQUESTS = "/sandbox/requests"

# How the names of operations that change nothing begin.
READS = ("Describe", "Get", "Head", "List", "Lookup", "AssumeRole")


# moto reads its own folder and inspects the service's class anew for each request,
# a third of what a request takes; neither changes while it runs.
_modules = frozenset(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: _modules
responses.method_names_from_class = functools.cache(responses.method_names_from_class)


class Application:
    """Serves AWS's API and the sandbox's own pages."""

    def __init__(self, changed: Callable[[], None], health: Callable[[], dict[str, Any]]):
        self.lock = threading.RLock()
        self._changed = changed
        self._health = health
        self._requests: Counter[str] = Counter()
        self._moto = DomainDispatcherApplication(create_backend_app)

    def preload(self) -> None:
        for service in SERVICES:
            self._moto.app_instances[service] = create_backend_app(service)
        # moto makes a backend in us-east-1 to read a service's URLs from it: nobody's state.
        for service in BackendDict._instances:
            service.clear()
        BackendDict._instances.clear()

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        own = {HEALTH: self._health, REQUESTS: lambda: self._requests}.get(environ.get("PATH_INFO"))
        if own:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(own()).encode()]

        body = environ["wsgi.input"].getvalue()
        with self.lock:
            asked = action(environ, body)
            if asked:
                self._requests[asked] += 1
            before = _count_backends()
            try:
                return self._ask_moto(environ, start_response)
            finally:
                # A region's first request, even a read, makes its default VPC, with random IDs.
                if not reads_only(environ, body) or _count_backends() != before:
                    self._changed()

    def _ask_moto(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        answer = self._moto(environ, start_response)
        try:
            return list(answer)
        finally:
            close = getattr(answer, "close", None)
            if close:
                close()


def _count_backends() -> int:
    return sum(len(regions) for service in BackendDict._instances for regions in service.values())


def reads_only(environ: dict[str, Any], body: bytes) -> bool:
    """Says whether a request cannot have changed anything. When in doubt it can."""
    return environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS") or operation(environ, body).startswith(READS)


def operation(environ: dict[str, Any], body: bytes) -> str:
    """Returns the name of the operation, or the method where the protocol has no names (S3, Route 53)."""
    target = environ.get("HTTP_X_AMZ_TARGET")  # the JSON protocols: Service_Version.Operation
    if target:
        return target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        for pair in body.split(b"&"):  # the query protocols: …&Action=Operation&…
            if pair.startswith(b"Action="):
                return pair[len(b"Action=") :].decode("ascii", "replace")
    return environ["REQUEST_METHOD"]


def action(environ: dict[str, Any], body: bytes) -> str | None:
    """Returns service:operation of a signed request, nearly as IAM names it; None of an unsigned one."""
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    return f"{signed.group(1)}:{operation(environ, body)}" if signed else None


# What a client gets when moto fails or lacks an operation. Not 500, which SDKs
# retry for minutes: the same request fails the same way.
FAILURE = """<?xml version="1.0" encoding="UTF-8"?>
<ErrorResponse><Error><Code>NotImplemented</Code><Message>the sandbox's AWS cannot do this: {} (its log says more)</Message></Error></ErrorResponse>
"""


class _Handler(MotoRequestHandler):
    """Speaks HTTP/1.1 with connections that stay open, which werkzeug's own handler closes."""

    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet, and without waiting for the last
    # one's acknowledgement: Nagle's algorithm alone would cost 40 ms a request.
    wbufsize = -1
    disable_nagle_algorithm = True

    def handle_expect_100(self) -> bool:
        accepted = super().handle_expect_100()
        self.wfile.flush()
        return accepted

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self.close_connection = True  # what may follow the last chunk is not looked at
            body = environ["wsgi.input"].read()
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ["CONTENT_LENGTH"] = str(len(body))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ["wsgi.input"] = io.BytesIO(body)

        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable:
            answer.update(status=status, headers=headers)
            return lambda data: None

        try:
            content = b"".join(self.server.app(environ, start_response))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            content = FAILURE.format(escape(f"{type(error).__name__}: {error}")).encode()
            start_response("501 Not Implemented", [("Content-Type", "text/xml")])
        self._send(content, **answer)

    def _send(self, content: bytes, status: str, headers: list[tuple[str, str]]) -> None:
        code = int(status.split()[0])
        self.log_request(code, len(content))
        self.send_response_only(code, status.partition(" ")[2])
        names = set()
        for name, value in headers:
            names.add(name.lower())
            self.send_header(name, value)
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        if "content-length" not in names and code not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and code not in (204, 304):
            self.wfile.write(content)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs failures only: 3,000 lines a run help nobody, and a refusal is an answer."""
        if int(code) >= 500:
            super().log_request(code, size)


def listen(host: str, port: int, application: Application) -> BaseWSGIServer:
    server = make_server(host, port, application, threaded=True, request_handler=_Handler)
    server.daemon_threads = True  # idle connections must not hold up an exit
    server.block_on_close = False
    return server
