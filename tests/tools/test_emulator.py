# SPDX-License-Identifier: BSD-2-Clause
"""Which emulator a system gets, and what is said when an emulator cannot be what is asked for."""

import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre import cli, places  # noqa: E402
from nacre.machine import bochs, disks, emulator, kvm, models, qemu  # noqa: E402
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
    def choose(self, wanted, has_guests, maker=None, cpu="", **more):
        with mock.patch.object(kvm, "probe", lambda: (maker, None if maker else "no KVM")), \
                mock.patch.object(models, "listed", lambda which: {
                    "qemu": QEMU_LIST, "bochs": BOCHS_LIST}[which]), \
                mock.patch.object(emulator, "step") as step, \
                mock.patch.object(emulator, "warn") as warn:
            chosen = emulator.choose(emulator.Wanted(wanted, cpu=cpu, has_guests=has_guests,
                                                     **more))
            said = [call[0][0] for call in (*step.call_args_list, *warn.call_args_list)]
        self.assertEqual(len(said), 1)
        return chosen, said[0]

    def expect(self, chosen, text, *wanted, **more):
        found, said = self.choose(*wanted, **more)
        self.assertEqual(found, chosen)
        self.assertRegex(said, text)

    def test_a_system_without_guest_runs_in_the_faster_emulator(self):
        for wanted in ("auto", "qemu"):
            self.expect(("qemu", "tcg"), "QEMU.*no guest", wanted, False)

    def test_a_person_who_wants_bochs_hears_what_is_faster(self):
        for has_guests in (True, False, None):
            self.expect(("bochs", None), "--emulator qemu.*times as fast", "bochs", has_guests)

    def test_a_program_gets_the_emulator_that_is_named_and_why_is_said(self):
        for cpu, text in (("", "QEMU.*AMD-V"), ("intel", "no VT-x.*--emulator bochs has it")):
            with mock.patch.object(emulator, "step") as step, \
                    mock.patch.object(emulator, "warn") as warn:
                chosen = emulator.choose_for_program(emulator.Wanted("qemu", cpu=cpu))
            self.assertEqual(chosen, ("qemu", "tcg"))
            self.assertRegex((*step.call_args_list, *warn.call_args_list)[0][0][0], text)
        with mock.patch.object(emulator, "step") as step:
            self.assertEqual(emulator.choose_for_program(emulator.Wanted("bochs")),
                             ("bochs", None))
        step.assert_called_once()

    def test_kvm_comes_first(self):
        for has_guests in (True, False, None):
            self.expect(("qemu", "kvm"), "KVM.*VT-x", "auto", has_guests, "intel")
            self.expect(("qemu", "kvm"), "KVM.*AMD-V", "auto", has_guests, "amd")

    def test_guests_run_in_qemu_by_amd_v(self):
        for has_guests in (True, None):
            for wanted in ("auto", "qemu"):
                for cpu in ("", "amd"):
                    self.expect(("qemu", "tcg"), "QEMU.*AMD-V.*no KVM", wanted, has_guests,
                                cpu=cpu)

    def test_guests_on_an_intel_cpu_run_in_bochs(self):
        self.expect(("bochs", None), "Bochs.*VT-x.*no KVM", "auto", True, cpu="intel")
        self.expect(("qemu", "tcg"), "no KVM.*guests cannot", "qemu", True, cpu="intel")

    def test_kvm_has_the_cpu_of_the_host(self):
        self.expect(("qemu", "kvm"), "KVM", "auto", True, "intel", "intel")
        self.expect(("qemu", "tcg"), "AMD-V.*KVM has VT-x", "auto", True, "intel", "amd")
        self.expect(("bochs", None), "VT-x.*KVM has AMD-V", "auto", True, "amd", "intel")

    def test_kvm_counts_no_instructions(self):
        self.expect(("qemu", "tcg"), "AMD-V.*KVM's time is the host's", "auto", True, "intel",
                    clock="emulated")

    def test_a_model_chooses_the_emulator_that_has_it(self):
        self.expect(("bochs", None), "has the CPU tigerlake", "auto", True, "intel", "tigerlake")
        self.expect(("qemu", "tcg"), "CPU max has svm", "auto", True, cpu="max")

    def test_models_of_makers_are_the_emulators(self):
        self.assertEqual(emulator.model("qemu", "tcg", ""), "max")
        self.assertEqual(emulator.model("qemu", "tcg", "amd"), "max")
        self.assertIn("-svm,xlevel=0x80000008,vendor=GenuineIntel",
                      emulator.model("qemu", "tcg", "intel"))
        self.assertEqual(emulator.model("qemu", "kvm", "amd"), "")
        self.assertEqual(emulator.model("bochs", None, "intel"), "")
        self.assertEqual(emulator.model("bochs", None, "tigerlake"), "tigerlake")

    def test_kvm_must_offer_virtualisation_with_nested_paging(self):
        vmx, svm = {1: (1 << 5, 0)}, {1: (0, 0), 0x80000001: (1 << 2, 0)}
        self.assertEqual(kvm.maker_offered(vmx), "intel")
        self.assertEqual(kvm.maker_offered({**svm, 0x8000000a: (0, 1)}), "amd")
        for words, text in (({}, "neither VMX nor SVM"), (svm, "no nested paging"),
                            ({**svm, 0x8000000a: (0, 2)}, "no nested paging")):
            with self.assertRaisesRegex(kvm.Refusal, text):
                kvm.maker_offered(words)

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
        self.refused("qemu", "--memory 0: with less than 64 MiB there is no room", memory=0)
        self.refused("bochs", "--memory 40000: Bochs can have at most 32768", memory=40000)
        self.refused("bochs", "--cores 9: Bochs can have 1 to 8", cores=9)
        self.refused("qemu", "--cores 0: QEMU", cores=0)
        self.refused("qemu", None, memory=4096, cores=9)

    def test_bochs_has_neither_iommu_nor_devices_by_name(self):
        self.refused("bochs", "Bochs has nothing for --iommu: take --emulator qemu", iommu="intel")
        self.refused("bochs", "Bochs has nothing for --device", devices=("edu",))
        self.refused("qemu", None, iommu="intel", devices=("edu",))

    def test_an_ide_disk_is_not_in_the_machine_with_an_iommu(self):
        with mock.patch.object(emulator, "choose", lambda _: ("qemu", "tcg")):
            emulator.chosen(emulator.Wanted(iommu="intel"), disks.Disks(nvme="a"), None)
            with self.assertRaisesRegex(Failure, "--disk: .* no IDE"):
                emulator.chosen(emulator.Wanted(iommu="intel"), disks.Disks(ide="a"), None)

    def test_models_are_those_that_the_emulator_lists(self):
        self.refused("qemu", None, cpu="max,-fsgsbase,level=3")
        self.refused("qemu", "--cpu host: without KVM", cpu="host")
        self.refused("qemu", "--cpu host: without KVM", cpu="host,-smep")
        self.refused("bochs", "--cpu host: Bochs has no such model", cpu="host")
        self.refused("qemu", None, "kvm", cpu="host")
        self.refused("qemu", "no such model; did you mean Skylake-Client-v1", cpu="Skylake-Client")
        self.refused("qemu", "no such model; did you mean intel", cpu="intl")
        self.refused("qemu", "no such model; it has intel, amd, ", cpu="foo")
        self.refused("qemu", "no flag '-fsgbase'.*did you mean fsgsbase", cpu="max,-fsgbase")
        self.refused("bochs", None, cpu="tigerlake")
        self.refused("qemu", None, cpu="intel")
        self.refused("bochs", "--cpu amd.*--emulator qemu", cpu="amd")
        self.refused("bochs", None, cpu="intel")
        self.refused("bochs", "no such model; it has intel, bx_generic, corei7", cpu="max")
        self.refused("bochs", "a model alone", cpu="tigerlake,-avx")


class MachineTest(unittest.TestCase):
    def test_a_description_says_how_many_cores(self):
        with tempfile.TemporaryDirectory() as folder:
            description = pathlib.Path(folder) / "cores.system"
            for body, cores in (("", 1), ('<protection_domain cpu="0x3"/>', 4),
                                ('<virtual_machine cpu="1"/><switch cpu="2"/>', 3),
                                ('<protection_domain><irq cpu="4"/></protection_domain>', 5),
                                ('<protection_domain cpu="64"/><switch cpu="x"/>', 1), ("<", 1)):
                with self.subTest(body=body):
                    description.write_text(f"<system>{body}</system>")
                    self.assertEqual(product.cores(description), cores)

    def test_the_command_line_has_the_last_word_on_cores(self):
        for words, cores in (([], 4), (["--cores", "2"], 2), (["--cores", "0"], 0)):
            options = cli.parse(["run", *words])
            self.assertEqual(emulator.wanted(options, False, 4).cores, cores)
        self.assertEqual(emulator.wanted(cli.parse(["run"]), None).cores, 1)
        named = cli.parse(["run", "--emulator", "bochs"])
        self.assertEqual(emulator.wanted(named, False, 64).cores, 8)

    def test_options_reach_the_emulators(self):
        options = cli.parse(["run", "--memory", "2500", "--cores", "2", "--cpu", "tigerlake",
                             "--clock", "emulated"])
        wanted = emulator.wanted(options, True)
        text = bochs.config_text(bochs.Settings(
            iso="a", serial="", memory=wanted.memory, cores=wanted.cores, cpu=wanted.cpu))
        self.assertIn("cpu: model=tigerlake, count=2", text)
        self.assertIn("memory: guest=2500, host=2048", text)
        with tempfile.TemporaryDirectory() as directory:
            words = qemu.prepare(qemu.Settings(
                port=1, iso="a", memory=wanted.memory, cores=wanted.cores, cpu="max,-smep",
                clock=wanted.clock), directory)
        for option, value in (("-m", "2500"), ("-smp", "2"), ("-cpu", "max,-smep,-x2apic")):
            self.assertEqual(words[words.index(option) + 1], value)

    def test_an_iommu_comes_before_the_devices_that_it_is_for(self):
        for option, unit, accelerator, name in (
                ("--iommu", "intel-iommu,intremap=on", "tcg", "q35"),
                ("--iommu", "intel-iommu,intremap=on", "kvm", "q35,kernel-irqchip=split"),
                ("--amd-iommu", "amd-iommu", "tcg", "q35")):
            options = cli.parse(["run", option, "--device", "edu,addr=6"])
            settings = emulator.of_qemu(emulator.wanted(options, False))
            with tempfile.TemporaryDirectory() as directory:
                words = qemu.prepare(qemu.Settings(
                    port=1, iso="a", accelerator=accelerator, **settings), directory)
            self.assertEqual(words[words.index("-machine") + 1], name)
            self.assertLess(words.index(unit), words.index("edu,addr=6"))
        plain = emulator.of_qemu(emulator.wanted(cli.parse(["run"]), False))
        with tempfile.TemporaryDirectory() as directory:
            words = qemu.prepare(qemu.Settings(port=1, iso="a", **plain), directory)
        self.assertNotIn("-machine", words)


if __name__ == "__main__":
    unittest.main()
