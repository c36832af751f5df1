"""Keeps moto's state in a file, so that the sandbox's AWS survives a restart.

moto keeps everything in Python objects: one backend per service, account and
region, which refer to each other (an Auto Scaling group holds its EC2 backend).
All backends go into one pickle, which keeps those references. Pickling takes a
few milliseconds, so that a full snapshot after every burst of changes costs less
than a log of changes would.

The alternative, moto's recorder, replays requests: IDs, addresses and names are
random, so that a replayed cluster is another one than the clients know.
"""

import contextlib
import io
import marshal
import os
import pickle
import threading
import time
import types
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.backends import get_backend
from moto.core.base_backend import BackendDict

# Raise it when a mend changes what it keeps in moto's objects.
FORMAT = 1


class StateError(Exception):
    """The state file cannot be used."""


# --- pickling what moto holds ---


def _make_function(code: bytes, module: str, name: str, defaults: tuple | None) -> types.FunctionType:
    return types.FunctionType(marshal.loads(code), import_module(module).__dict__, name, defaults)


def _load_key(pem: bytes) -> Any:
    return serialization.load_pem_private_key(pem, password=None)


class _Pickler(pickle.Pickler):
    """Pickles what moto's objects hold besides data: locks, lambdas and keys."""

    _LOCKS = {
        type(threading.Lock()): threading.Lock,
        type(threading.RLock()): threading.RLock,
        threading.Condition: threading.Condition,
    }

    def reducer_override(self, value: Any) -> Any:
        lock = self._LOCKS.get(type(value))
        if lock:
            return lock, ()  # nobody holds one: the snapshot is taken between requests
        if isinstance(value, rsa.RSAPrivateKey):
            pem = value.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            return _load_key, (pem,)
        if isinstance(value, types.FunctionType) and "<locals>" in value.__qualname__ and not value.__closure__:
            return _make_function, (
                marshal.dumps(value.__code__),
                value.__module__,
                value.__name__,
                value.__defaults__,
            )
        return NotImplemented


def dump() -> bytes:
    """Returns the state of all backends."""
    state = {
        "format": FORMAT,
        "moto": version("moto"),
        "backends": {
            service.service_name: {account: dict(regions) for account, regions in service.items()}
            for service in BackendDict._instances
        },
    }
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(state)
    return buffer.getvalue()


def load(data: bytes) -> None:
    """Puts a dumped state in the place of the current one."""
    try:
        state = pickle.loads(data)
        written = (state["format"], state["moto"])
        backends = state["backends"]
    except Exception as error:
        raise StateError(f"it cannot be read ({type(error).__name__}: {error})") from error
    if written != (FORMAT, version("moto")):
        raise StateError(
            f"it was written by moto {written[1]}, format {written[0]}; this is moto {version('moto')}, format {FORMAT}"
        )
    for service, accounts in backends.items():
        for account, regions in accounts.items():
            current = get_backend(service)[account]
            for region, backend in regions.items():
                current[region] = backend


# --- the file ---


class Keeper:
    """Writes the state some time after it changed, and at the end.

    A burst of changes is written once, when it pauses (`idle` seconds) or at the
    latest `latest` seconds after its first change: that much a crash can lose.
    """

    def __init__(self, path: Path, lock: threading.RLock, *, idle: float = 0.25, latest: float = 2.0):
        self._path = path
        self._lock = lock  # held by whoever handles a request
        self._idle = idle
        self._latest = latest
        self._wake = threading.Condition()
        self._first: float | None = None  # when the oldest unwritten change was made
        self._last = 0.0  # when the newest one was
        self._writing = False
        self._closed = False
        self._error: str | None = None
        self._written = 0
        self._milliseconds = 0.0
        self._thread = threading.Thread(target=self._run, name="snapshot", daemon=True)

    def restore(self) -> bool:
        """Loads the file; says whether there was one."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return False
        load(data)
        return True

    def start(self) -> None:
        self._thread.start()

    def changed(self) -> None:
        with self._wake:
            self._last = time.monotonic()
            if self._first is None:
                self._first = self._last
                self._wake.notify()

    def close(self) -> None:
        """Writes what is still unwritten; raises if that fails."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._write()
        if self._error:
            raise StateError(self._error)

    def health(self) -> dict[str, Any]:
        with self._wake:
            return {
                "pending": self._writing or self._first is not None,
                "written": self._written,
                "milliseconds": round(self._milliseconds, 1),
                "error": self._error,
            }

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._closed and self._first is None:
                    self._wake.wait()
                while not self._closed and (wait := self._due() - time.monotonic()) > 0:
                    self._wake.wait(wait)
                if self._closed:
                    return
            self._write()

    def _due(self) -> float:
        return min(self._last + self._idle, self._first + self._latest)

    def _write(self) -> None:
        try:
            with self._lock:
                with self._wake:
                    if self._first is None:
                        return
                    self._first = None
                    self._writing = True
                begin = time.perf_counter()
                data = dump()
                self._milliseconds = (time.perf_counter() - begin) * 1000
            _replace(self._path, data)
        except Exception as error:
            # The sandbox is of use without its file, so it goes on, and says so in its health.
            self._error = f"writing the state to {self._path}: {type(error).__name__}: {error}"
        else:
            self._error = None
            self._written += 1
        finally:
            self._writing = False


def _replace(path: Path, data: bytes) -> None:
    """Writes a file so that it is there either as before or in full."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
