// SPDX-License-Identifier: BSD-2-Clause
// Every capability that was made is deleted, so that the kernel forgets the objects.
#include <root/scratch.h>

#include <root/physical.h>

#include <user/slots.h>
#include <user/space.h>
#include <user/untyped.h>

void scratch_end(void) {
	const struct space own = space_own();

	slots_delete_all();
	untyped_reset();
	physical_forget();
	space_forget_tables(&own);
}
