// SPDX-License-Identifier: BSD-2-Clause
// tests-cores.elf: what only a machine with several cores shows.
#include "files.h"

#define FILES(FILE) \
	FILE(cores_place) \
	FILE(cores_time) \
	FILE(cores_ipc) \
	FILE(cores_signal) \
	FILE(cores_fault) \
	FILE(cores_donation) \
	FILE(cores_control) \
	FILE(cores_delete) \
	FILE(cores_domain) \
	FILE(cores_memory) \
	FILE(cores_state) \
	FILE(cores_guest)

TEST_FILES_DEFINE(FILES);
