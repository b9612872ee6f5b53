// SPDX-License-Identifier: BSD-2-Clause
// The rows of each file.
#pragma once

#include "../check.h"

#include <base/compiler.h>

extern const struct tests accessors_tests;
extern const struct tests format_tests;
extern const struct tests memory_tests;
extern const struct tests elf_tests;
extern const struct tests ring_tests;
extern const struct tests block_tests;
extern const struct tests ata_tests;
extern const struct tests ahci_tests;
extern const struct tests nvme_tests;
extern const struct tests virtio_blk_tests;
extern const struct tests virtio_net_tests;
extern const struct tests multiplexer_tests;
extern const struct tests keyboard_tests;
extern const struct tests terminal_tests;
extern const struct tests keys_tests;
extern const struct tests display_tests;
extern const struct tests timer_tests;
extern const struct tests image_tests;
extern const struct tests journal_tests;
extern const struct tests symbols_tests;
extern const struct tests report_tests;
extern const struct tests pattern_tests;
extern const struct tests settings_tests;
extern const struct tests partition_tests;
extern const struct tests partition_disk_tests;
extern const struct tests pci_tests;
extern const struct tests e1000_tests;
extern const struct tests network_tests;
extern const struct tests mission_tests;
extern const struct tests network_large_tests;
extern const struct tests offload_tests;
extern const struct tests vswitch_tests;
extern const struct tests forward_tests;
extern const struct tests echo_tests;
