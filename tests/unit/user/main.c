// SPDX-License-Identifier: BSD-2-Clause
// Runs the tests of base helpers, components and the initial task's pure parts; a line each.
#include "test.h"

static const struct tests *const groups[] = {&accessors_tests, &format_tests, &memory_tests,
	&elf_tests, &ring_tests, &block_tests, &ata_tests, &ahci_tests, &nvme_tests,
	&virtio_blk_tests, &virtio_net_tests, &multiplexer_tests, &keyboard_tests, &terminal_tests,
	&keys_tests, &display_tests, &timer_tests, &image_tests, &journal_tests, &symbols_tests,
	&report_tests, &pattern_tests, &settings_tests, &partition_tests, &partition_disk_tests,
	&pci_tests, &e1000_tests, &network_tests, &network_large_tests, &offload_tests,
	&vswitch_tests, &forward_tests, &mission_tests, &echo_tests};

int main(void) {
	int status = 0;

	for (size_t i = 0; i < array_count(groups); i++)
		status |= check_run(groups[i]->rows, groups[i]->count);
	return status;
}
