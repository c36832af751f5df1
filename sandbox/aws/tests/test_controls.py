"""Shows that the tests can fail: without a mend, the tests that show it do.

A green test of a mend says nothing if moto alone would pass it too.
"""

import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import Case, ForkedServer

FOLDER = Path(__file__).parent


def tests_by_mend():
    """The marked tests: the mend's name to (class, method)s."""
    found = {}

    def walk(item):
        if isinstance(item, unittest.TestSuite):
            for inner in item:
                walk(inner)
        elif isinstance(item, Case):
            mend = getattr(getattr(item, item._testMethodName), "shows", None)
            if mend:
                found.setdefault(mend, []).append((type(item), item._testMethodName))

    for path in sorted(FOLDER.glob("test_*.py")):
        if path.stem != Path(__file__).stem:
            walk(unittest.defaultTestLoader.loadTestsFromName(path.stem))
    return found


class Controls(unittest.TestCase):
    def test_each_mend_is_shown_by_a_test(self):
        mends = {path.stem for path in (FOLDER.parent / "mends").glob("[!_]*.py")}
        self.assertEqual(mends, set(tests_by_mend()))

    def test_each_test_fails_without_its_mend(self):
        with ThreadPoolExecutor(2) as pool:  # a server's start is what takes the time
            for mend, passed in pool.map(self.run_without, *zip(*tests_by_mend().items())):
                with self.subTest(mend):
                    self.assertEqual([], passed, f"passes without {mend}")

    @staticmethod
    def run_without(mend, tests):
        """Runs a mend's tests on a server without it; returns those that pass."""
        server = ForkedServer(without=mend)
        passed = []
        try:
            for kind, method in tests:
                test = kind(method)
                test.server = server
                result = unittest.TestResult()
                test.run(result)
                if result.wasSuccessful():
                    passed.append(f"{kind.__name__}.{method}")
        finally:
            server.stop()
        return mend, passed
