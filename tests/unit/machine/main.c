// SPDX-License-Identifier: BSD-2-Clause
// What the kernel believes of the machine, on the host: the devices are the tests'.
#include "test.h"

#include <base/compiler.h>

int main(void) {
	static const struct tests *const files[] = {&acpi_tests, &console_tests, &clock_tests,
		&screen_tests, &dmar_tests, &ivrs_tests, &remap_tests};
	int status = 0;

	for (size_t i = 0; i < array_count(files); i++)
		status |= check_run(files[i]->rows, files[i]->count);
	return status;
}
