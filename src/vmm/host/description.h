// SPDX-License-Identifier: BSD-2-Clause
// What the system description passes to the VMM: symbols that the composer patches in the ELF file
// (guest_name, guest_rng and others, and setvar_vaddr, setvar_size and setvar_prefill_size of its
// maps). 0 means "not given".
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { GUEST_NAME_SIZE = 64 };

extern char guest_name[GUEST_NAME_SIZE]; // of the virtual machine, terminated
extern uint64_t guest_ram_vaddr, guest_ram_size; // mapped in the guest at address 0 as well
extern uint64_t guest_kernel_vaddr, guest_kernel_size;
extern uint64_t guest_initrd_vaddr, guest_initrd_size;
extern uint64_t guest_cmdline_vaddr, guest_cmdline_size;
extern uint64_t tsc_info_vaddr; // boot information chunk with the TSC's rate
extern uint64_t console_vaddr; // struct console shared with the serial port driver
extern bool guest_rng; // an entropy device is wanted
extern uint64_t peer_vaddr; // struct console shared with the component at the second serial port

// Of virtio devices, by their number; each points to its symbols, as queue_vaddr, queue1_vaddr.
enum {
	DESCRIPTION_DISKS = 4,
	DESCRIPTION_NETS = 2,
	DESCRIPTION_SOCKETS = 4,
	DESCRIPTION_PORTS = 4,
	DESCRIPTION_PASSED = 4,
};

struct description_disk {
	const uint64_t *queue; // struct block_queue shared with a driver of disks
	const uint64_t *data, *data_size; // shared with it; 0: it is the guest's RAM
};

struct description_socket {
	const uint64_t *stream; // struct stream shared with a component
	const uint64_t *port; // of the host, where the component listens
};

extern const struct description_disk description_disks[DESCRIPTION_DISKS];
// struct net_link shared with the switch.
extern const uint64_t *const description_links[DESCRIPTION_NETS];
extern const struct description_socket description_sockets[DESCRIPTION_SOCKETS];
// struct console shared with the component at a port of the virtio console.
extern const uint64_t *const description_ports[DESCRIPTION_PORTS];
// Registers of a device of the machine's that the guest drives, at one address in both.
extern const uint64_t *const description_passed[DESCRIPTION_PASSED];
extern uint64_t guest_cid; // address of the guest's sockets
extern bool guest_balloon; // a balloon is wanted
extern uint64_t control_vaddr; // struct guest_control shared with a component
// What follows when the guest ends: 1 that it starts again, 0 that it stays stopped.
extern uint64_t guest_on_reboot, guest_on_poweroff, guest_on_crash, guest_on_watchdog;
extern uint64_t guest_watchdog; // 1: a watchdog is wanted
extern uint64_t guest_restart_limit; // of restarts after crashes and power-offs
extern uint64_t guest_restart_backoff; // microseconds before the first of them
