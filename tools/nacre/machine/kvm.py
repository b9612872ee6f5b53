# SPDX-License-Identifier: BSD-2-Clause
"""Asks /dev/kvm whether a virtual machine here can itself run virtual machines, by VT-x or AMD-V.

That the file exists, or even answers, proves little: nested virtualisation may be switched off,
and some sandboxes offer a device that only pretends. So each thing that Nacre needs is asked for,
and a machine of one instruction is run.
"""

import ctypes
import fcntl
import mmap
import os
import struct

DEVICE = "/dev/kvm"
API_VERSION = 12

# Request numbers of <linux/kvm.h>: direction, size of the argument's fixed part, 0xAE, number.
GET_API_VERSION = 0xAE00
CREATE_VM = 0xAE01
GET_VCPU_MMAP_SIZE = 0xAE04
CREATE_VCPU = 0xAE41
RUN = 0xAE80
GET_SUPPORTED_CPUID = 0xC008AE05
GET_MSRS = 0xC008AE88
SET_USER_MEMORY_REGION = 0x4020AE46
GET_SREGS = 0x8138AE83
SET_SREGS = 0x4138AE84
SET_REGS = 0x4090AE82

CPUID_ENTRIES = 256
CPUID_ENTRY = struct.Struct("<10I")
LEAF_FEATURES, CPUID_1_ECX_VMX = 1, 1 << 5
LEAF_EXTENDED_FEATURES, EXTENDED_ECX_SVM = 0x80000001, 1 << 2
LEAF_SVM, SVM_EDX_NESTED_PAGING = 0x8000000A, 1 << 0

# Capability MSRs, SDM 3D, appendix A; allowed-1 settings are in the high half.
MSR_VMX_BASIC = 0x480
MSR_VMX_PROCBASED_CTLS = 0x482
MSR_VMX_PROCBASED_CTLS2 = 0x48B
SECONDARY_CONTROLS = 1 << (31 + 32)
ENABLE_EPT = 1 << (1 + 32)
UNRESTRICTED_GUEST = 1 << (7 + 32)

EXIT_HLT = 5
HLT = b"\xf4"


class Refusal(Exception):
    """What this machine's KVM lacks."""


def check_api(device):
    version = fcntl.ioctl(device, GET_API_VERSION, 0)
    if version != API_VERSION:
        raise Refusal(f"KVM answers API version {version}, not {API_VERSION}")


def leaves(device):
    """{leaf: (ECX, EDX)} of the virtual CPU."""
    buffer = bytearray(8 + CPUID_ENTRIES * CPUID_ENTRY.size)
    struct.pack_into("<I", buffer, 0, CPUID_ENTRIES)
    fcntl.ioctl(device, GET_SUPPORTED_CPUID, buffer)
    count = min(struct.unpack_from("<I", buffer)[0], CPUID_ENTRIES)
    entries = [CPUID_ENTRY.unpack_from(buffer, 8 + index * CPUID_ENTRY.size)
               for index in range(count)]
    return {entry[0]: (entry[5], entry[6]) for entry in entries}


def maker_offered(words):
    """"intel" or "amd": whose virtualisation the virtual CPU with these leaves offers to what runs
    in it."""
    if words.get(LEAF_FEATURES, (0, 0))[0] & CPUID_1_ECX_VMX:
        return "intel"
    if not words.get(LEAF_EXTENDED_FEATURES, (0, 0))[0] & EXTENDED_ECX_SVM:
        raise Refusal("KVM offers its guests neither VMX nor SVM (nested virtualisation is off)")
    if not words.get(LEAF_SVM, (0, 0))[1] & SVM_EDX_NESTED_PAGING:
        raise Refusal("KVM's nested SVM has no nested paging")
    return "amd"


def feature_msr(device, index):
    buffer = bytearray(struct.pack("<IIIIQ", 1, 0, index, 0, 0))
    if fcntl.ioctl(device, GET_MSRS, buffer) != 1:
        raise Refusal(f"KVM does not report MSR {index:#x}")
    return struct.unpack_from("<Q", buffer, 16)[0]


def check_controls(device):
    """EPT and unrestricted guests must be there in the nested VMX too."""
    if feature_msr(device, MSR_VMX_BASIC) == 0:
        raise Refusal("KVM's VMX capability MSRs read zero")
    if not feature_msr(device, MSR_VMX_PROCBASED_CTLS) & SECONDARY_CONTROLS:
        raise Refusal("KVM's nested VMX has no secondary controls")
    secondary = feature_msr(device, MSR_VMX_PROCBASED_CTLS2)
    for bit, name in ((ENABLE_EPT, "EPT"), (UNRESTRICTED_GUEST, "unrestricted guests")):
        if not secondary & bit:
            raise Refusal(f"KVM's nested VMX has no {name}")


def run_one_instruction(device):
    """Runs HLT in real mode at address 0 and expects the exit that a real KVM makes of it."""
    size = fcntl.ioctl(device, GET_VCPU_MMAP_SIZE, 0)
    machine = fcntl.ioctl(device, CREATE_VM, 0)
    memory = mmap.mmap(-1, mmap.PAGESIZE)
    cpu = -1
    try:
        memory[:len(HLT)] = HLT
        region = struct.pack("<IIQQQ", 0, 0, 0, mmap.PAGESIZE, address_of(memory))
        fcntl.ioctl(machine, SET_USER_MEMORY_REGION, region)
        cpu = fcntl.ioctl(machine, CREATE_VCPU, 0)
        special = bytearray(0x138)
        fcntl.ioctl(cpu, GET_SREGS, special)
        # The code segment comes first: base 0 and selector 0 replace the reset values.
        struct.pack_into("<Q", special, 0, 0)
        struct.pack_into("<H", special, 12, 0)
        fcntl.ioctl(cpu, SET_SREGS, bytes(special))
        fcntl.ioctl(cpu, SET_REGS, struct.pack("<18Q", *([0] * 17), 2))
        with mmap.mmap(cpu, size) as run:
            fcntl.ioctl(cpu, RUN, 0)
            reason = struct.unpack_from("<I", run, 8)[0]
    finally:
        if cpu >= 0:
            os.close(cpu)
        os.close(machine)
    if reason != EXIT_HLT:
        raise Refusal(f"KVM ran a HLT and reported exit {reason} instead of {EXIT_HLT}")


def address_of(memory):
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def why_not():
    """The reason why KVM cannot run Nacre without guests, or None."""
    return asked(lambda device: None)[1]


def probe():
    """(maker of the CPU, None) where KVM can run Nacre with its guests, else (None, the reason why
    it cannot)."""
    return asked(maker_with_controls)


def maker_with_controls(device):
    maker = maker_offered(leaves(device))
    if maker == "intel":
        check_controls(device)
    return maker


def asked(question):
    """(answer, None) of a KVM that runs an instruction, else (None, the reason why not)."""
    try:
        device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return None, f"{DEVICE}: {error.strerror}"
    try:
        check_api(device)
        answer = question(device)
        run_one_instruction(device)
    except Refusal as reason:
        return None, str(reason)
    except OSError as error:
        return None, f"{DEVICE} refuses a request: {error.strerror}"
    finally:
        os.close(device)
    return answer, None
