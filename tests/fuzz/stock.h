// SPDX-License-Identifier: BSD-2-Clause
// The objects of a round. Slot i of the supervisor's window holds the original of item i; the
// capability spaces of the fuzzing threads get copies with random rights and badges at index i, as
// far as the kind allows copies.
#pragma once

#include <sel4/sel4.h>
#include <stdbool.h>

#include "seat.h"

// Kinds, as shapes name them (shape.h).
enum stock_kind {
	STOCK_TCB = 'T',
	STOCK_CNODE = 'C',
	STOCK_ENDPOINT = 'E',
	STOCK_NOTIFICATION = 'N',
	STOCK_SCHED_CONTEXT = 'Y',
	STOCK_REPLY = 'R',
	STOCK_UNTYPED = 'U',
	STOCK_FRAME = 'F',
	STOCK_SPACE = 'S',
	STOCK_PDPT = '3',
	STOCK_PAGE_DIRECTORY = '2',
	STOCK_PAGE_TABLE = '1',
	STOCK_VCPU = 'V',
	STOCK_GUEST_SPACE = 'G',
	STOCK_GUEST_PDPT = '9',
	STOCK_GUEST_DIRECTORY = '8',
	STOCK_GUEST_TABLE = '7',
	STOCK_ASID_CONTROL = 'A',
	STOCK_ASID_POOL = 'P',
	STOCK_SCHED_CONTROL = 'K',
	STOCK_DOMAIN = 'D',
	STOCK_IRQ_HANDLER = 'I',
	STOCK_PORT_RANGE = 'O',
	STOCK_NONE = '0',
};

enum {
	STOCK_RADIX = 8, // of the fuzzing threads' capability spaces
	STOCK_SLOTS = 1 << STOCK_RADIX,
	STOCK_SPACES = 3, // capability and address spaces, of SEATS threads
};

// Slots and the untyped that all of it is made from. Once, at the start.
bool stock_init(const seL4_BootInfo *bootinfo);

// Makes everything for a round; a kernel that refuses is broken: the text of what it refused, or
// null.
const char *stock_make(void);

// Revokes and deletes everything, and looks whether anything is left.
const char *stock_clear(void);

// A random item of this kind that a capability space held when the round began; 0: there is none.
// The supervisor's window counts as space STOCK_SPACES.
seL4_Word stock_pick(char kind, unsigned space);

// A slot of the supervisor's window for a capability of no kind; until the round is over.
seL4_CPtr stock_take(void);

// The supervisor's slot of item.
seL4_CPtr stock_slot(seL4_Word item);

// The supervisor's slot of the nth item of a kind.
seL4_CPtr stock_nth(char kind, unsigned n);
