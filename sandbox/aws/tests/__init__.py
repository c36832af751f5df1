"""Makes the tests importable from the folder above, too (unittest discover -t)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
