"""How mends are applied."""

import types
import unittest

import preloaded

Mend = preloaded.mends.Mend


def mend():
    return Mend("mends.sample", service="S", moto="m", aws="a", source="s")


class Patches(unittest.TestCase):
    def setUp(self):
        class Backend:
            def name(self):
                return "moto"

            @staticmethod
            def fixed():
                return "moto"

        self.backend = Backend

    def test_wrapper_and_replacement(self):
        sample = mend()
        sample.around(self.backend, "name")(lambda original, backend: original(backend) + ", wrapped")
        sample.around(self.backend, "fixed")(lambda original: original() + ", wrapped")
        sample.instead(self.backend, "name")(lambda backend: "ours")
        sample.new(self.backend, "added")("new")
        self.assertEqual("moto", self.backend().name(), "nothing changes before it is applied")
        sample.replace()
        sample.wrap()
        self.assertEqual(("ours, wrapped", "moto, wrapped", "new"), (self.backend().name(), self.backend().fixed(), self.backend.added))

    def test_moved_function_is_an_error(self):
        for kind in ("around", "instead"):
            sample = mend()
            getattr(sample, kind)(self.backend, "gone")(lambda *_: None)
            with self.subTest(kind), self.assertRaisesRegex(RuntimeError, "mend sample does not fit this version of moto: .*gone"):
                sample.replace()
                sample.wrap()

    def test_attribute_that_moto_has_got_is_an_error(self):
        sample = mend()
        sample.new(self.backend, "name")(None)
        with self.assertRaisesRegex(RuntimeError, "is the mend still needed"):
            sample.replace()


class All(unittest.TestCase):
    def test_say_what_they_are_about(self):
        for sample in preloaded.mends.load():
            with self.subTest(sample.name):
                self.assertIsInstance(sample, Mend)
                for text in (sample.service, sample.moto, sample.aws, sample.source):
                    self.assertTrue(text and "|" not in text and "\n" not in text, text)

    def test_importing_changes_nothing(self):
        from moto.autoscaling.models import InstanceState

        self.assertIsInstance(InstanceState.launch_template, property)
        self.assertIsInstance(InstanceState.launch_template.fget, types.FunctionType)
        self.assertTrue(InstanceState.launch_template.fget.__module__.startswith("moto."))
