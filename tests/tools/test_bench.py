# SPDX-License-Identifier: BSD-2-Clause
"""Recorded figures are read, compared and refused with one clear line."""

import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from compose.problems import Problems  # noqa: E402
from compose.short.expand import expand  # noqa: E402
from compose.tree import read_tree  # noqa: E402
from nacre import cli, places  # noqa: E402
from nacre.bench import cores, marks, measure, questions, trace  # noqa: E402
from nacre.machine import machine, qemu  # noqa: E402
from nacre.report import Failure, Misuse  # noqa: E402

IPC = questions.load(questions.QUESTIONS["ipc"])
RING = questions.load(questions.QUESTIONS["ring"])


def figure(name, median, **fields):
    return {"bench": "ipc", "name": name, "median": median, **fields}


def before(*figures):
    return {(one["bench"], one["name"]): one for one in figures}


class Questions(unittest.TestCase):
    def test_each_can_be_measured(self):
        for path in questions.QUESTIONS.values():
            module = questions.load(path)
            self.assertTrue(callable(module.measure), path)
            self.assertTrue(set(module.EMULATORS) <= {"qemu", "bochs", "kvm"}, path)

    def chosen(self, *words):
        return set(questions.questions_of(cli.parse(["bench", *words])))

    def test_choice(self):
        self.assertEqual(self.chosen(), set(questions.QUESTIONS))
        self.assertEqual(self.chosen("ipc", "--emulator", "bochs"), {"ipc"})
        self.assertEqual(self.chosen("--emulator", "kvm"), {"ipc", "vm-exit"})

    def test_wrong_choices(self):
        for words, reason in (
                (("kernel-boot", "--emulator", "bochs"), "kernel-boot is measured in qemu"),
                (("vm-exit", "--only", "call"), "say `./nacre bench ipc --only TEXT`"),
                (("ipc", "--only", "call reply"), "--only 'call reply': names of figures"),
                (("ipc", "--only", "call,reply"), "names of figures"),
                (("ipc", "--only", "cal-two"), "--only cal-two: .*; near it: .*call-two-spaces"),
                (("ipc", "--operation", "call"), "--operation call: there is no such figure"),
                (("--operation", "call"), "say `./nacre bench ipc --operation NAME`"),
                (("vm-exit", "--cpu", "intel"), "say `./nacre bench ipc --cpu VENDOR`"),
                (("ipc", "--cpu", "intel", "--emulator", "bochs"), "--cpu needs QEMU"),
                (("ipc", "--cpu", "intel", "--iso", "x.iso"), "--cpu needs QEMU"),
                (("ipc", "--operation", "call", "--emulator", "bochs"), "needs QEMU")):
            with self.assertRaisesRegex(Misuse, reason) as caught:
                self.chosen(*words)
            self.assertEqual(caught.exception.status, 2)


class Emulators(unittest.TestCase):
    def test_missing_program(self):
        with self.assertRaisesRegex(Misuse, "no-such-emulator is not installed"):
            machine.Machine(lambda port, directory: ["no-such-emulator"])

    def replaced(self, owner, name, value):
        self.addCleanup(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)

    def test_program_that_cannot_be_installed(self):
        def refuse(*_):
            raise Failure("`apt-get update` failed\n    and more")

        self.replaced(measure.packages, "ensure", refuse)
        self.replaced(measure.shutil, "which", lambda _: None)
        with self.assertRaisesRegex(Misuse, "bochs is not installed, and cannot be: .*failed$"):
            measure.need("bochs")

    def test_no_kvm(self):
        """Nor is there one for guests where KVM offers no nested virtualisation."""
        self.replaced(measure.kvm, "DEVICE", "/no/such/device")
        for with_guests in (False, True):
            with self.assertRaisesRegex(Misuse, r"^--emulator kvm: .*\(/no/such/device: No such"):
                measure.need("kvm", with_guests)
        self.replaced(measure.kvm, "asked", lambda question: measure.kvm.maker_offered({}))
        with self.assertRaisesRegex(measure.kvm.Refusal, "nested virtualisation is off"):
            measure.need("kvm", with_guests=True)

    def test_names_are_those_of_the_sources(self):
        self.assertLessEqual(set(marks.MARKS), set(marks.names()))

    def test_options_ask_for_a_maker_and_rows(self):
        maker = sorted(qemu.VENDORS)[0]
        request = IPC.request_of(cli.parse(["bench", "ipc", "--cpu", maker, "--only", "call-"]))
        self.assertEqual((request.vendor, request.cpu, request.rows), (maker, "", ("call-",)))
        self.assertEqual(IPC.request_of(cli.parse(["bench", "ipc"])), measure.Request("qemu"))

    def test_rows_are_told_by_a_name(self):
        self.assertEqual(measure.Request("qemu").notes(), ())
        self.assertEqual(measure.Request("qemu", rows=("call-", "vm-")).notes(),
                         ("rows+call-+vm-",))
        # The kernel keeps 47 characters of a module's name.
        for rows in (marks.FAST, marks.GUESTS, marks.PAGE, *((name,) for name in marks.MARKS)):
            self.assertLess(len(measure.Request("qemu", rows=rows).notes()[0]), 48)


class Cores(unittest.TestCase):
    """The table of `./nacre bench smp`."""

    @staticmethod
    def figures(suffix="", more=12, shared=0, rate=2):
        found = [{"name": cores.local_name(name, count), "median": 135 + more * (count > 1)}
                 for name in cores.LOCAL for count in (1, cores.UP)]
        found += [{"name": name, "median": shared, "written_by_two": shared,
                   "written_and_read": 0, "locked_shared": 0} for name in cores.SHARED]
        found += [{"name": name, "median": 700} for name in cores.ACROSS]
        found += [{"name": f"{cores.RATE}{count}",
                   "median": (100 if count == 1 else 50 * rate) * count}
                  for count in cores.RATES]
        return [{**one, "name": one["name"] + suffix} for one in found]

    def table(self, **changes):
        return cores.table(self.figures(**changes), self.figures(cores.BIG_LOCK, more=200))

    def test_all_marks_met(self):
        table = self.table()
        self.assertNotIn("*", table)
        self.assertRegex(table, "Call, four up: more +12 +12 +200")
        self.assertRegex(table, "rate of 8 cores, share of linear +1.0 +0.98 +1.0")

    def test_missed(self):
        self.assertRegex(self.table(more=13), r"Call, four up: more +13 +12 \*")
        self.assertRegex(self.table(shared=1), r"VM exits .* written by both +1 +0 \*")
        self.assertRegex(self.table(rate=1.9), r"rate of 2 cores, .* 0.95 +0.98 \*")
        self.assertIn("* 2 of", self.table(more=13))

    def test_rows_fit_in_a_name(self):
        for rows in (*cores.LOCAL_ROWS, cores.SHARED_ROWS):
            self.assertLess(len(measure.Request("qemu", rows=rows).notes()[0]), 48)

    def test_rows_are_those_of_the_sources(self):
        names = set(marks.names())
        self.assertLessEqual({*cores.LOCAL, *cores.SHARED, *cores.ACROSS}, names)
        self.assertLessEqual({f"{cores.RATE}{count}" for count in cores.RATES}, names)
        for name in cores.LOCAL:
            self.assertTrue(any(name.startswith(rows) for rows in cores.LOCAL_ROWS), name)
        for name in (*cores.SHARED, *cores.ACROSS):
            self.assertTrue(name.startswith(cores.SHARED_ROWS), name)


class Trace(unittest.TestCase):
    def test_virtual_cpus(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "counted"
            path.write_text(
                "row instructions=9 kernel=7 code=1 data=1 branches=0 taken=0 lost=0\n"
                "cores waited=3 written-by-two=1 written-and-read=2 locked=4 locked-shared=5\n"
                "core 0 kernel=4 waited=3\ncore 2 kernel=3 waited=0\n"
                "i ffffffff80100000 3\nw ffffffff80200000 8\n"
                "l ffffffff80100000 3 cpu 2\nr ffffffff80200010 8 cpu 2\ni 1000 2 cpu 2\n"
                "w 2000 8 cpu 2\nend\n")
            row, = trace.rows_of(path)
        self.assertEqual(row.sharing, trace.Sharing(3, 1, 2, 4, 5))
        self.assertEqual(row.cores, {0: 1, 2: 3})
        self.assertEqual([(event.kind, event.cpu) for event, _ in trace.kernel_events(row)],
                         [("i", 0), ("w", 0), ("l", 2), ("r", 2)])


class Ring(unittest.TestCase):
    LINE = ('{"name": "%s", "batch": 32, "items": 100, "ticks": %d, "notifications": %d}\n')

    def verdict(self, name, ticks, notifications):
        return RING.verdict(RING.figures_of(
            "Nacre\n" + self.LINE % (name, ticks, notifications)))

    def test_share_of_an_item(self):
        figures = RING.figures_of(self.LINE % ("asleep-32", 4321, 4))
        self.assertEqual((figures[0]["median"], figures[0]["notifications"]), (43.2, 4))

    def test_marks(self):
        self.assertIn("under 60 instructions an item", self.verdict("asleep-32", 5990, 4))
        self.assertIn("asleep-32: 60.0 instructions, mark", self.verdict("asleep-32", 6000, 4))
        self.assertIn("awake was notified 1 times", self.verdict("awake-8", 100, 1))
        self.assertNotIn("*", self.verdict("asleep-1", 100000, 100))


class Recorded(unittest.TestCase):
    def refuse(self, text, reason):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures"
            path.write_text(text)
            with self.assertRaisesRegex(Misuse, reason) as caught:
                questions.recorded(path)
        self.assertEqual(len(str(caught.exception).splitlines()), 1)

    def test_wrong_files(self):
        self.refuse("", "holds no figures")
        self.refuse("{\n", ":1: not a figure")
        self.refuse(json.dumps(figure("call", 1)) + "\n[]\n", ":2: not a figure")
        self.refuse('{"bench": "ipc", "name": "call", "median": "many"}\n', ":1: not a figure")
        self.refuse('{"bench": "ipc", "name": [], "median": 1}\n', ":1: not a figure")
        self.refuse(json.dumps(figure("call", 1, taken="few")) + "\n", ":1: not a figure")

    def test_missing_file(self):
        with self.assertRaisesRegex(Misuse, "cannot be read"):
            questions.recorded(pathlib.Path("no/such/file"))

    def test_round_trip(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures"
            questions.write(path, [figure("call", 7), {"bench": "kernel-boot", "value": 1}])
            self.assertEqual(questions.recorded(path), before(figure("call", 7)))

    def test_kept_results(self):
        kept = questions.recorded(ROOT / "bench" / "results" / "ipc.json")
        guests = questions.recorded(ROOT / "bench" / "results" / "vm-exit.json")
        names = {name for _, name in kept}
        fast = {name for name in marks.MARKS if name.startswith(marks.FAST)}
        self.assertEqual({name for name in names if name.endswith(marks.SLOW)},
                         {name + marks.SLOW for name in fast})
        measured = {name.removesuffix(marks.UNMITIGATED) for _, name in guests
                    if not name.endswith(marks.AMD_V)}
        self.assertEqual({name.removesuffix(marks.SLOW) for name in names} | measured,
                         set(marks.MARKS))
        self.assertEqual({name for _, name in guests if name.endswith(marks.AMD_V)},
                         {name + marks.AMD_V for name in measured})
        self.assertEqual({name for _, name in guests if name.endswith(marks.UNMITIGATED)},
                         {name + marks.UNMITIGATED for name in measured
                          if name.startswith(marks.PAGE)})


class Start(unittest.TestCase):
    """The demo as it is measured."""

    def setUp(self):
        self.start = questions.load(questions.QUESTIONS["start"])
        self.system = xml.etree.ElementTree.parse(places.DEMO).getroot()
        self.start.remove_guests(self.system)
        self.start.add_meter(self.system)
        problems = Problems("start.system")
        self.root = expand(read_tree(xml.etree.ElementTree.tostring(self.system), problems),
                           problems, {})
        self.assertEqual(problems.texts(), [])

    def test_the_guest_is_taken_out(self):
        names = [child.attributes["name"] for child in self.root.children
                 if child.name == "protection_domain"]
        self.assertEqual(names, ["server", "client", "meter", "screen", "serial", "timer"])

    def test_the_meter_has_a_console(self):
        maps = [one.attributes for child in self.root.children for one in child.children
                if child.name == "protection_domain" and child.attributes["name"] == "meter"
                and one.name == "map"]
        self.assertEqual({one["setvar_vaddr"] for one in maps}, {"start_vaddr", "console_vaddr"})


class Comparison(unittest.TestCase):
    BEFORE = before(figure("call", 100), figure("gone", 5),
                    {"bench": "other", "name": "boot", "median": 1})

    def test_growth_fails(self):
        lines, grew = questions.comparison([figure("call", 103)], self.BEFORE)
        self.assertTrue(grew)
        self.assertEqual(lines, ["call: 100 -> 103 (+3.0%), GREW",
                                 "gone: recorded, no longer measured"])

    def test_less_or_new_is_well(self):
        lines, grew = questions.comparison(
            [figure("call", 90), figure("gone", 5), figure("new", 1)], self.BEFORE)
        self.assertFalse(grew)
        self.assertEqual(lines, ["call: 100 -> 90 (-10.0%)", "new: 1, not recorded before"])

    def test_equal(self):
        lines, grew = questions.comparison([figure("call", 100), figure("gone", 5)], self.BEFORE)
        self.assertEqual((lines, grew), (["everything is as recorded"], False))

    def test_lines_and_jumps(self):
        lines, grew = questions.comparison(
            [figure("call", 9, data_lines=15, taken=3, code_lines=8)],
            before(figure("call", 9, data_lines=14, taken=4, branches=7)))
        self.assertTrue(grew)
        self.assertEqual(lines, ["call: data lines 14 -> 15 (+7.1%), GREW",
                                 "call: jumps taken 4 -> 3 (-25.0%)"])
        self.assertTrue(questions.comparison([figure("call", 9, taken=1)],
                                         before(figure("call", 9, taken=0)))[1])

    def test_another_machine(self):
        for field in ("machine", "arguments"):
            with self.assertRaisesRegex(Misuse, f"recorded with {field} 'a', measured with 'b'"):
                questions.comparison([figure("call", 1, **{field: "b"})],
                                 before(figure("call", 1, **{field: "a"})))


class Table(unittest.TestCase):
    LINE = ('{"name": "null-syscall", "unit": "instructions", "min": 1, "median": 70, "p99": 70, '
            '"max": 70, "n": 1000, "machine": " CPU "}')

    def figures(self, text, clock="icount"):
        return measure.figures_of(text, clock, "log")

    def test_figures_among_other_output(self):
        found = self.figures(f"boot: done\r\n{self.LINE}\r\nbench done\r\n")
        self.assertEqual([(one["median"], one["unit"], one["machine"]) for one in found],
                         [(70, "instructions", "CPU, icount")])

    def test_damaged_figure(self):
        for line in (self.LINE[:70], self.LINE.replace("70,", '"70",', 1), '{"name": 1}'):
            with self.assertRaisesRegex(Misuse, "^log:2: a damaged figure"):
                self.figures(f"\n{line}\n")

    def test_log_of_a_machine(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "log"
            with self.assertRaisesRegex(Misuse, "cannot be read"):
                measure.figures_of_log(path)
            path.write_text(f"{self.LINE}\n")
            with self.assertRaisesRegex(Misuse, "ends before `bench done`"):
                measure.figures_of_log(path)
            path.write_text(f"{self.LINE}\nbench done\n")
            found = measure.figures_of_log(path, "fastpath=off")
        self.assertEqual([(one["machine"], one["arguments"]) for one in found],
                         [("CPU", "fastpath=off")])

    def test_star_above_mark(self):
        lines = marks.table(self.figures(self.LINE)).splitlines()
        self.assertEqual(lines[3].split(), ["null", "system", "call", "100", "70", "-", "60", "*",
                                            "-", "-", "-", "-"])
        self.assertIn("1 of 1", lines[4])

    def test_marks_are_of_one_machine(self):
        lines = marks.table(self.figures(self.LINE, "Bochs")).splitlines()
        self.assertEqual(lines[3].split()[3:7], ["-", "70", "-", "-"])
        self.assertEqual(len(lines), 4)

    def test_marks_of_an_intel_cpu(self):
        figure = {"name": "call-two-spaces", "machine": "CPU, Intel, icount"}
        self.assertEqual(marks.goal(figure), (226, 147))
        self.assertEqual(marks.goal({**figure, "arguments": "kpti=off"}), (212, None))

    def test_marks_of_vm_exits(self):
        figure = {"name": "vm-page-hlt", "machine": "CPU, Bochs", "median": 400}
        without = {"name": "vm-page-hlt-mitigations-off",
                   "arguments": f"log=none {marks.UNMITIGATED_ARGUMENTS}"}
        for fields, mark, missed in (({}, 450, False), (without, 360, True),
                                     ({"arguments": "kpti=off"}, 450, False),
                                     ({"machine": "CPU, KVM"}, None, False),
                                     ({"name": "vm-exit-hlt"}, None, False),
                                     ({"name": "vm-page-hlt-amd-v", "machine": "CPU, icount",
                                       "median": 451}, 450, True),
                                     ({"name": "vm-exit-hlt-amd-v"}, None, False)):
            one = {**figure, **fields}
            self.assertEqual((marks.goal(one), marks.missed(one)), ((None, mark), missed))
        self.assertEqual(marks.title({**figure, **without}), "VM exit by the state page, HLT")
        self.assertEqual(marks.title({"name": "vm-page-hlt-amd-v"}),
                         "VM exit by the state page, HLT, AMD-V")

    def test_slow_path_beside_the_fast(self):
        figures = self.figures(self.LINE)
        figures.append({**figures[0], "name": figures[0]["name"] + marks.SLOW, "median": 99})
        lines = marks.table(figures).splitlines()
        self.assertEqual(lines[3].split()[3:7], ["100", "70", "99", "60"])
        self.assertIn("1 of 1", lines[4])

    def test_counts_and_limits(self):
        figures = self.figures(self.LINE.replace("null-syscall", "call-two-spaces"))
        measure.count(figures, [trace.Row(70, 55, 12, 15, 20, 6, 0)])
        lines = marks.table(figures).splitlines()
        self.assertEqual(lines[3].split()[-4:], ["12", "15", "20", "6"])
        self.assertIn("Call, two address spaces: 12 lines of kernel code, at most 12", lines)
        self.assertIn("Call, two address spaces: 15 lines of kernel data, at most 14 *", lines)
        figures[0]["machine"] = "Intel, icount"
        self.assertNotIn("at most", marks.table(figures))

    def test_lost_events_are_not_counted(self):
        figures = self.figures(self.LINE)
        measure.count(figures, [trace.Row(70, 55, 12, 15, 20, 6, 1)])
        self.assertNotIn("code_lines", figures[0])

    def test_rows_that_do_not_match(self):
        with self.assertRaisesRegex(Failure, "saw 0 rows, the task 1"):
            measure.count(self.figures(self.LINE), [])

    def test_unknown_operation(self):
        with self.assertRaisesRegex(Misuse, "no operation calls; there are call-two-spaces"):
            IPC.operation_report("calls", self.figures(self.LINE), [None])

    def test_failure_is_told(self):
        with self.assertRaisesRegex(Failure, "gave up at ipc.c:1: error"):
            self.figures("bench failed: ipc.c:1: error\n")


if __name__ == "__main__":
    unittest.main()
