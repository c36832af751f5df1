"""The sandbox's AWS: moto, mended, served on loopback, with a memory.

    python server.py --port 4566 --state FILE

Prints one line when it serves, ends at SIGTERM or SIGINT with its state written
and exit code 0. GET /sandbox/health answers as soon as it serves.
"""

import argparse
import os
import signal
import sys
import threading
from importlib.metadata import version
from pathlib import Path

# Before moto is imported: its settings are read at import.
os.environ.setdefault("AWS_ACCESS_KEY_ID", "sandbox")  # moto calls AWS's client library within
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "sandbox")
# The images that kops' stable channel names; moto's own list ends in 2017.
os.environ.setdefault("MOTO_AMIS_PATH", str(Path(__file__).with_name("amis.json")))
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"  # no web page has business here

import mends
import snapshot
import wsgi

# Names of mends to leave out, separated by commas: for tests that show that a
# mend is needed, nothing else.
WITHOUT = "SANDBOX_AWS_WITHOUT"


def main() -> int:
    arguments = _arguments()
    if arguments.list_mends:
        print(mends_table())
        return 0

    without = [name for name in os.environ.get(WITHOUT, "").split(",") if name]
    try:
        applied = mends.apply(without)
    except (ImportError, RuntimeError, ValueError) as error:
        return _fail(f"mending moto: {error}")

    keeper = None

    def changed() -> None:
        if keeper:
            keeper.changed()

    def health() -> dict:
        return {
            "status": "ok",
            "moto": version("moto"),
            "mends": len(applied),
            "without": without,
            "snapshot": keeper.health() if keeper else None,
        }

    application = wsgi.Application(changed, health)
    application.preload()
    if arguments.state:
        keeper = snapshot.Keeper(arguments.state, application.lock)
        try:
            arguments.state.parent.mkdir(parents=True, exist_ok=True)
            keeper.restore()
        except (snapshot.StateError, OSError) as error:
            return _fail(
                f"restoring the state from {arguments.state}: {error}; "
                "delete the file to begin with an empty account (this forgets all clusters in the sandbox)"
            )
        keeper.start()

    try:
        server = wsgi.listen(arguments.host, arguments.port, application)
    except (OSError, SystemExit) as error:  # werkzeug exits when a port is taken
        return _fail(f"listening on {arguments.host}:{arguments.port}: {error}")

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True).start()
    print(f"serving AWS (moto {version('moto')}, {len(applied)} mends) on http://{arguments.host}:{server.port}", flush=True)

    stop.wait()
    server.shutdown()
    if keeper:
        try:
            keeper.close()
        except snapshot.StateError as error:
            return _fail(str(error))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="server.py", description="Serves the sandbox's AWS.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--state", type=Path, help="file that keeps the state over restarts (default: none)")
    parser.add_argument("--list-mends", action="store_true", help="print what is mended as a Markdown table, and exit")
    return parser.parse_args()


def mends_table() -> str:
    lines = ["| mend | service | moto | AWS | source |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| `{mend.name}` | {mend.service} | {mend.moto} | {mend.aws} | {mend.source} |" for mend in mends.load()]
    return "\n".join(lines)


def _fail(message: str) -> int:
    print(f"sandbox AWS: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
