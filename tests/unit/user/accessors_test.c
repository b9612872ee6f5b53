// SPDX-License-Identifier: BSD-2-Clause
// Fields of rights, CNode data and faults.
#include "test.h"

#include <sel4/sel4.h>

static void fields(void) {
	seL4_CapRights_t rights = {{0}};
	seL4_CNode_CapData_t data = {{~0ul}};

	rights = seL4_CapRights_set_capAllowRead(rights, 3);
	check(rights.words[0] == 2);
	seL4_CapRights_ptr_set_capAllowGrantReply(&rights, 1);
	check(rights.words[0] == 10 && seL4_CapRights_get_capAllowGrantReply(rights) == 1);
	check(seL4_CapRights_ptr_get_capAllowWrite(&rights) == 0);
	data = seL4_CNode_CapData_set_guard(data, 5);
	check(data.words[0] == (5 << 6 | 0x3f) && seL4_CNode_CapData_get_guard(data) == 5);
	seL4_CNode_CapData_ptr_set_guardSize(&data, 0x41);
	check(data.words[0] == (5 << 6 | 1) && seL4_CNode_CapData_ptr_get_guardSize(&data) == 1);
}

static void faults(void) {
	seL4_Fault_t fault = {{0}};

	fault = seL4_Fault_VMFault_set_Addr(fault, ~0ul);
	check(fault.words[seL4_VMFault_Addr] == ~0ul);
	check(seL4_Fault_VMFault_get_Addr(fault) == ~0ul && seL4_Fault_VMFault_get_IP(fault) == 0);
	seL4_Fault_Timeout_ptr_set_consumed(&fault, 7);
	check(fault.words[seL4_Timeout_Consumed] == 7);
	check(seL4_Fault_Timeout_ptr_get_consumed(&fault) == 7);
}

static const struct test rows[] = {
	{"user/accessors/fields", "a field is written within its bits and read back", fields},
	{"user/accessors/faults", "a word of a fault is written whole and read back", faults},
};

const struct tests accessors_tests = {rows, array_count(rows)};
