# SPDX-License-Identifier: BSD-2-Clause
"""Which emulator a system gets, and what is said when an emulator cannot be what is asked for."""

import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import cli, places  # noqa: E402
from nacre.machine import bochs, emulator, kvm, models, qemu  # noqa: E402
from nacre.pack import product  # noqa: E402
from nacre.report import Failure  # noqa: E402

QEMU_LIST = """Available CPUs:
x86 486                   (alias configured by machine type)
x86 Skylake-Client-v1     Intel Core Processor (Skylake)
x86 host                  processor with all supported host features
x86 max                   Enables all features

Recognized CPUID flags:
  avx fsgsbase fsrm
  smep x2apic
"""
BOCHS_LIST = """00000000000i[      ] LTDL_LIBRARY_PATH not set
Supported CPU models:

bx_generic
corei7_skylake_x
tigerlake

00000000000i[SIM   ] quit_sim called with exit code 0
"""


class ChoiceTest(unittest.TestCase):
    def choose(self, wanted, has_guests, refusal):
        with mock.patch.object(kvm, "refusal", lambda: refusal), \
                mock.patch.object(emulator, "step") as step, \
                mock.patch.object(emulator, "warn") as warn:
            chosen = emulator.choose(emulator.Wanted(wanted, has_guests=has_guests))
            said = [call[0][0] for call in (*step.call_args_list, *warn.call_args_list)]
        return chosen, said

    def test_a_system_without_guest_runs_in_the_faster_emulator(self):
        chosen, said = self.choose("auto", False, "no KVM")
        self.assertEqual(chosen, ("qemu", "tcg"))
        self.assertRegex(said[0], "QEMU.*no guest")

    def test_a_person_who_wants_bochs_hears_what_is_faster(self):
        chosen, said = self.choose("bochs", False, "no KVM")
        self.assertEqual(chosen, ("bochs", None))
        self.assertRegex(said[0], "--emulator qemu.*times as fast")

    def test_guests_need_vtx(self):
        for has_guests in (True, None):
            self.assertEqual(self.choose("auto", has_guests, "no KVM")[0], ("bochs", None))
            chosen, said = self.choose("qemu", has_guests, "no KVM")
            self.assertEqual(chosen, ("qemu", "tcg"))
            self.assertRegex(said[0], "no KVM.*guests cannot")

    def test_kvm_is_for_everything(self):
        for has_guests in (True, False, None):
            self.assertEqual(self.choose("auto", has_guests, None), (("qemu", "kvm"), []))

    def test_descriptions_say_whether_they_have_guests(self):
        self.assertTrue(product.has_guests(places.DEMO))
        self.assertFalse(product.has_guests(
            places.ROOT / "examples" / "hello" / "hello.system"))


class CheckTest(unittest.TestCase):
    def refused(self, name, text, accelerator="tcg", **wanted):
        with mock.patch.object(models, "listed", lambda which: {
                "qemu": QEMU_LIST, "bochs": BOCHS_LIST}[which]):
            if text is None:
                emulator.check(name, emulator.Wanted(**wanted), accelerator)
                return
            with self.assertRaisesRegex(Failure, text):
                emulator.check(name, emulator.Wanted(**wanted), accelerator)

    def test_memory_and_cores_have_bounds(self):
        self.refused("qemu", "--memory 0: QEMU can have 64 to", memory=0)
        self.refused("bochs", "--memory 40000: Bochs can have 64 to 32768", memory=40000)
        self.refused("bochs", "--cores 9: Bochs can have 1 to 8", cores=9)
        self.refused("qemu", "--cores 0: QEMU", cores=0)
        self.refused("qemu", None, memory=4096, cores=9)

    def test_models_are_those_that_the_emulator_lists(self):
        self.refused("qemu", None, cpu="max,-fsgsbase,level=3")
        self.refused("qemu", "--cpu host: without KVM", cpu="host")
        self.refused("qemu", "--cpu host: without KVM", cpu="host,-smep")
        self.refused("bochs", "--cpu host: Bochs has no such model", cpu="host")
        self.refused("qemu", None, "kvm", cpu="host")
        self.refused("qemu", "no such model; did you mean Skylake-Client-v1", cpu="Skylake-Client")
        self.refused("qemu", "no flag '-fsgbase'.*did you mean fsgsbase", cpu="max,-fsgbase")
        self.refused("bochs", None, cpu="tigerlake")
        self.refused("bochs", "no such model; it has bx_generic, corei7", cpu="max")
        self.refused("bochs", "a model alone", cpu="tigerlake,-avx")


class MachineTest(unittest.TestCase):
    def test_options_reach_the_emulators(self):
        options = cli.parse(["run", "--memory", "2500", "--cores", "2", "--cpu", "tigerlake"])
        wanted = emulator.wanted(options, True)
        text = bochs.config_text(bochs.Settings(
            iso="a", serial="", memory=wanted.memory, cores=wanted.cores, cpu=wanted.cpu))
        self.assertIn("cpu: model=tigerlake, count=2", text)
        self.assertIn("memory: guest=2500, host=2048", text)
        with tempfile.TemporaryDirectory() as directory:
            words = qemu.prepare(qemu.Settings(
                port=1, iso="a", memory=wanted.memory, cores=wanted.cores, cpu="max,-smep",
                clock="emulated"), directory)
        for option, value in (("-m", "2500"), ("-smp", "2"), ("-cpu", "max,-smep,-x2apic")):
            self.assertEqual(words[words.index(option) + 1], value)


if __name__ == "__main__":
    unittest.main()
