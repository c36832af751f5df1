"""What the process imports that support.ForkedServer forks its servers from."""

import sys

from support import SERVER

sys.path.insert(0, str(SERVER.parent))

import mends  # noqa: E402
import server  # noqa: E402,F401

mends.load()
