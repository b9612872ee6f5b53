// SPDX-License-Identifier: BSD-2-Clause
// The objects of a round. Slot i of the supervisor's range holds the original of item i; the
// capability spaces of the fuzzing threads get copies with random rights and badges at index i, as
// far as the kind allows copies.
#pragma once

#include <sel4/sel4.h>
#include <stdbool.h>

#include "script.h"

// Kinds, as signatures name them (signature.h).
enum pool_kind {
	POOL_TCB = 'T',
	POOL_CNODE = 'C',
	POOL_ENDPOINT = 'E',
	POOL_NOTIFICATION = 'N',
	POOL_SCHED_CONTEXT = 'Y',
	POOL_REPLY = 'R',
	POOL_UNTYPED = 'U',
	POOL_FRAME = 'F',
	POOL_SPACE = 'S',
	POOL_PDPT = '3',
	POOL_PAGE_DIRECTORY = '2',
	POOL_PAGE_TABLE = '1',
	POOL_VCPU = 'V',
	POOL_GUEST_SPACE = 'G',
	POOL_GUEST_PDPT = '9',
	POOL_GUEST_DIRECTORY = '8',
	POOL_GUEST_TABLE = '7',
	POOL_ASID_CONTROL = 'A',
	POOL_ASID_POOL = 'P',
	POOL_SCHED_CONTROL = 'K',
	POOL_DOMAIN = 'D',
	POOL_IRQ_HANDLER = 'I',
	POOL_PORT_RANGE = 'O',
	POOL_NONE = '0',
};

enum {
	POOL_RADIX = 8, // of the fuzzing threads' capability spaces
	POOL_SLOTS = 1 << POOL_RADIX,
	POOL_SPACES = 3, // capability and address spaces, of SCRIPTS threads
};

// Slots and the untyped that all of it is made from. Once, at the start.
bool pool_init(const seL4_BootInfo *bootinfo);

// Makes everything for a round; a kernel that refuses is broken: the text of what it refused, or
// null.
const char *pool_make(void);

// Revokes and deletes everything, and checks that nothing is left.
const char *pool_clear(void);

// A random item of this kind that a capability space held when the round began; 0: there is none.
// The supervisor's own slots count as space POOL_SPACES.
seL4_Word pool_pick(char kind, unsigned space);

// A slot of the supervisor's range for a capability of no kind; until the round is over.
seL4_CPtr pool_take(void);

// The supervisor's slot of item.
seL4_CPtr pool_slot(seL4_Word item);

// The supervisor's slot of the nth item of a kind.
seL4_CPtr pool_nth(char kind, unsigned n);
