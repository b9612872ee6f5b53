# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test`: the list of all tests. Those of the host run first, in order; then those with
emulators side by side, the longest first, so that none of these is left to run alone at the end."""

import concurrent.futures
import dataclasses
import functools
import sys
import time
import traceback
from collections.abc import Callable

from nacre import build, packages, places
from nacre.machine import machine
from nacre.pack import product
from nacre.report import Failure, step
from nacre.test import (bochs_warnings, dma_restarts, equivalence, fuzz, guest_image, guest_matrix,
                        guest_power, host_tests, machine_tests, mission, planted, releases, results,
                        several_cores, system_tests)

EMULATORS_AT_ONCE = 2
# A minute each or near it; all others take seconds.
LONG = ("fuzz", "system/guest-shell", "system/guest-talk", "system/guest-trace",
        "system/mission-small", "system/tutorial", "kernel-vtx", "equivalence")


@dataclasses.dataclass(frozen=True)
class Test:
    """A row of the suite: run() returns results; `alone` ones run before all others, in order.
    `on_demand` ones run only when they are named, or asked for by a pattern of their group, and
    bring all that they need, but for those of tests/system."""

    name: str
    sentence: str
    run: Callable
    alone: bool = True
    on_demand: bool = False
    is_asked_for: Callable = lambda pattern: False


def all_tests():
    return [
        *(Test(f"ci/{path.stem}", host_tests.first_sentence(path), lambda path=path:
               host_tests.run_check(path)) for path in host_tests.checks()),
        Test("unit", "the pure parts work on the host, under sanitizers", host_tests.run_unit),
        *(Test(f"tools/{path.stem}", host_tests.first_sentence(path), lambda path=path:
               host_tests.run_tool_tests(path)) for path in host_tests.tool_tests()),
        Test("equivalence", "fast paths leave what the slow path leaves, word for word",
             equivalence.run, alone=False),
        Test("interleave", "in every order of their steps cores leave what some order of whole "
             "system calls leaves", several_cores.run_interleave, alone=False),
        # Its cores yield while they wait, which beside other work takes minutes.
        Test("together", "cores that run at once race nowhere, by the thread sanitizer",
             several_cores.run_together),
        Test("kernel", "every object and system call answers as the ABI says, in QEMU",
             machine_tests.run_kernel, alone=False),
        Test("kernel-isolated", "the same with kpti=on, itlb-multihit=on and four cores, in QEMU",
             machine_tests.run_kernel_isolated, alone=False),
        Test("kernel-cores", "the same with four cores up, and what only they show, in QEMU",
             machine_tests.run_kernel_with_cores, alone=False),
        Test("cores-two", "what several cores show, with two of them",
             machine_tests.run_two_cores, alone=False),
        Test("cores-wall", "the same by the wall clock, each in a thread of the host",
             machine_tests.run_cores_by_the_wall, alone=False),
        Test("cores-vtx", "the same with four, with x2APIC and VT-x, in Bochs",
             machine_tests.run_cores_in_bochs, alone=False),
        Test("kernel-iommu", "the same with a unit that remaps DMA, and a device that tries all",
             machine_tests.run_kernel_with_iommu, alone=False),
        Test("kernel-plain", "the same without fast paths, with 16 domains, in QEMU",
             machine_tests.run_kernel_plain, alone=False),
        Test("kernel-no-fsgsbase", "the same on a CPU without FSGSBASE, in QEMU",
             machine_tests.run_kernel_without_fsgsbase, alone=False),
        Test("kernel-wall", "the same by the wall clock, and with x2APIC where QEMU has it",
             machine_tests.run_kernel_by_the_wall, alone=False),
        Test("fuzz", "random system calls never stop the kernel, in QEMU", fuzz.run_default,
             alone=False),
        Test("fuzz-cores", "nor do those of threads on four cores", fuzz.run_on_cores, alone=False),
        Test("kernel-vtx", "the same on a machine with VT-x, in Bochs",
             machine_tests.run_kernel_with_vtx, alone=False),
        Test("kernel-svm", "the same on a machine with AMD-V", machine_tests.run_kernel_with_svm,
             alone=False),
        Test("guests-svm", "small guests meet every VM exit with AMD-V",
             machine_tests.run_guests_with_svm, alone=False),
        Test("guests", "small guests meet every VM exit, in Bochs", machine_tests.run_guests,
             alone=False),
        Test("guests-ryzen", "so they do with AMD-V in Bochs, as far as that goes",
             machine_tests.run_guests_on_ryzen, alone=False),
        *(Test(f"system/{row.name}", row.sentence, row.check, alone=False,
               on_demand=row.on_demand) for row in system_tests.rows()),
        Test(bochs_warnings.NAME, "the demo's kernel warns on the bare machine in Bochs of what is "
             "recorded", bochs_warnings.run, on_demand=True),
        Test(guest_image.NAME, "the disk image of Debian boots on the bare emulator: login, ssh",
             guest_image.run, on_demand=True),
        Test(guest_image.GUEST_NAME, "it boots as a guest, from a virtio disk: login, ssh",
             guest_image.run_in_nacre, on_demand=True),
        Test(guest_image.PASSED_NAME, "it boots as a guest with an NVMe disk and a network card of "
             "its own", guest_image.run_with_passed, on_demand=True),
        Test(planted.NAME, "tests of several cores fail when a guard of the kernel is taken out",
             planted.run, on_demand=True),
        Test(mission.NAME, "ten minutes of the mission computer: both guests crash, no deadline is "
             "missed", mission.run, on_demand=True),
        Test(dma_restarts.NAME, f"a guest is restarted {dma_restarts.ROUNDS} times while its own "
             "disk is busy", dma_restarts.run, on_demand=True),
        Test(guest_power.NAME, "what a guest's ext4 has synced is there after "
             f"{sum(guest_power.ROUNDS.values())} power failures",
             guest_power.run, on_demand=True),
        *(Test(f"{guest_matrix.GROUP}/{row.title}", row.sentence,
               functools.partial(guest_matrix.check, row), alone=False, on_demand=not row.brief,
               is_asked_for=guest_matrix.is_asked_for) for row in guest_matrix.rows()),
        *(Test(*row, on_demand=True,
               is_asked_for=functools.partial(releases.is_asked_for, row[0]))
          for row in releases.rows()),
    ]


def is_of_releases(test):
    return test.name.startswith(f"{releases.GROUP}/")


def chosen(tests, pattern):
    """The test of that name; without one, those whose names contain it."""
    named = [test for test in tests if test.name == pattern]
    return named or [test for test in tests if pattern in test.name
            and (not test.on_demand or test.is_asked_for(pattern))]


def run_one(test, tally):
    """Whatever goes wrong in a test is a failed test, never the end of the run."""
    start = time.monotonic()
    try:
        found = test.run() or [results.failed(test.name, "it ran no test at all")]
    except Failure as failure:
        found = [results.failed(test.name, str(failure))]
    except Exception as error:
        found = [results.failed(test.name, f"{error!r}\n{traceback.format_exc()}")]
    tally.add(test, found, time.monotonic() - start)


def run_side_by_side(tests, tally):
    """Runs emulators in parallel; an interrupt ends those that are on."""
    place = {name: index for index, name in enumerate(LONG)}
    tests = sorted(tests, key=lambda test: place.get(test.name, len(LONG)))
    with concurrent.futures.ThreadPoolExecutor(EMULATORS_AT_ONCE) as pool:
        waiting = [pool.submit(run_one, test, tally) for test in tests]
        try:
            for future in concurrent.futures.as_completed(waiting):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            machine.close_all()
            raise


def prepare(tests):
    """Installs and builds what the chosen tests need; without a build there is nothing to test."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    of_systems = any(test.name.startswith("system/") for test in tests)
    if all(test.on_demand for test in tests) and not of_systems:
        return
    packages.ensure(packages.BUILD, packages.CHECK, packages.PACK, packages.EMULATE)
    build.compile_for_tests()
    if of_systems:
        product.guest_files()


def run(options):
    """Runs the tests whose name contains the pattern; 0 if none failed."""
    if options.list:
        for test in all_tests():
            if options.pattern in test.name:
                demand = " (only when named)" if test.on_demand else ""
                print(f"{test.name}: {test.sentence}{demand}")
        return 0
    tests = chosen(all_tests(), options.pattern)
    if not tests:
        raise Failure(f"no test's name contains {options.pattern!r}; see ./nacre test --list")
    if any(is_of_releases(test) for test in tests):
        releases.check()
    with build.testing_alone():
        return run_all(tests)


def run_all(tests):
    """The status of the tests, after their results were printed."""
    tally = results.Tally()
    try:
        prepare(tests)
    except Failure as failure:
        print(failure)
        tally.results.append(results.failed("build", str(failure)))
        print(tally.summary())
        return 1
    step(f"running {len(tests)} groups of tests")
    for test in tests:
        if test.alone:
            run_one(test, tally)
    run_side_by_side([test for test in tests if not test.alone], tally)
    sys.stdout.flush()
    print(tally.summary())
    return 1 if tally.count(results.FAILED) else 0
