// SPDX-License-Identifier: BSD-2-Clause
// The patched symbols. They are in .data, because the composer needs bytes in the file.
#include <vmm/host/description.h>

#define PATCHED [[gnu::section(".data")]]

// Another tool than Nacre's leaves the name as it is.
PATCHED char guest_name[GUEST_NAME_SIZE] = "guest";
PATCHED uint64_t guest_ram_vaddr = 0, guest_ram_size = 0;
PATCHED uint64_t guest_kernel_vaddr = 0, guest_kernel_size = 0;
PATCHED uint64_t guest_initrd_vaddr = 0, guest_initrd_size = 0;
PATCHED uint64_t guest_cmdline_vaddr = 0, guest_cmdline_size = 0;
PATCHED uint64_t tsc_info_vaddr = 0;
PATCHED uint64_t console_vaddr = 0;
PATCHED uint64_t peer_vaddr = 0;
PATCHED bool guest_rng = false;
PATCHED bool guest_balloon = false;
PATCHED uint64_t guest_cid = 3;
PATCHED uint64_t control_vaddr = 0;
PATCHED uint64_t guest_on_reboot = 1, guest_on_poweroff = 0;
PATCHED uint64_t guest_on_crash = 0, guest_on_watchdog = 1;
PATCHED uint64_t guest_watchdog = 0;
PATCHED uint64_t guest_restart_limit = 5, guest_restart_backoff = 100000;

// What is left out is 0.
uint64_t queue_vaddr PATCHED, data_vaddr PATCHED, data_size PATCHED;
uint64_t queue1_vaddr PATCHED, data1_vaddr PATCHED, data1_size PATCHED;
uint64_t queue2_vaddr PATCHED, data2_vaddr PATCHED, data2_size PATCHED;
uint64_t queue3_vaddr PATCHED, data3_vaddr PATCHED, data3_size PATCHED;
uint64_t link_vaddr PATCHED, link1_vaddr PATCHED;
uint64_t stream_vaddr PATCHED, stream_port PATCHED, stream1_vaddr PATCHED, stream1_port PATCHED;
uint64_t stream2_vaddr PATCHED, stream2_port PATCHED, stream3_vaddr PATCHED, stream3_port PATCHED;
uint64_t port_vaddr PATCHED, port1_vaddr PATCHED, port2_vaddr PATCHED, port3_vaddr PATCHED;
uint64_t passed_vaddr PATCHED, passed1_vaddr PATCHED;
uint64_t passed2_vaddr PATCHED, passed3_vaddr PATCHED;

const struct description_disk description_disks[DESCRIPTION_DISKS] = {
	{&queue_vaddr, &data_vaddr, &data_size},
	{&queue1_vaddr, &data1_vaddr, &data1_size},
	{&queue2_vaddr, &data2_vaddr, &data2_size},
	{&queue3_vaddr, &data3_vaddr, &data3_size},
};
const uint64_t *const description_links[DESCRIPTION_NETS] = {&link_vaddr, &link1_vaddr};
const struct description_socket description_sockets[DESCRIPTION_SOCKETS] = {
	{&stream_vaddr, &stream_port},
	{&stream1_vaddr, &stream1_port},
	{&stream2_vaddr, &stream2_port},
	{&stream3_vaddr, &stream3_port},
};
const uint64_t *const description_ports[DESCRIPTION_PORTS] = {
	&port_vaddr, &port1_vaddr, &port2_vaddr, &port3_vaddr};
const uint64_t *const description_passed[DESCRIPTION_PASSED] = {
	&passed_vaddr, &passed1_vaddr, &passed2_vaddr, &passed3_vaddr};
