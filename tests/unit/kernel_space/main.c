// SPDX-License-Identifier: BSD-2-Clause
// Runs every row of every file and prints a line each.
#include "test.h"
#include "world.h"

int main(void) {
	static const struct tests *const all[] = {&paging_tests, &mapping_tests, &guest_tests,
		&asid_tests, &port_tests, &row_tests, &stale_tests, &io_space_tests};
	int status = 0;

	for (size_t i = 0; i < array_count(all); i++) {
		for (size_t j = 0; j < all[i]->count; j++) {
			world_reset();
			status |= check_run(&all[i]->rows[j], 1);
		}
	}
	return status;
}
