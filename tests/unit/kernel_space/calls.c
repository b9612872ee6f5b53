// SPDX-License-Identifier: BSD-2-Clause
// Map operations with all rights, and what they may answer.
#include "calls.h"

enum error map(struct slot *frame, struct slot *root, uint64_t address) {
	return world_call(frame_map, (struct call){frame, root, {address, RW}});
}

enum error map_guest(struct slot *frame, struct slot *root, uint64_t address) {
	return world_call(frame_map_ept, (struct call){frame, root, {address, RW, 6}});
}

enum error map_table(struct slot *table, struct slot *root, uint64_t address) {
	return world_call(table_map, (struct call){table, root, {address}});
}

uint64_t payload(void) { return world.invocation.results[0]; }

bool is_capability(enum error error, uint64_t number) {
	return error == ERROR_INVALID_CAPABILITY && payload() == number;
}

bool is_argument(enum error error, uint64_t number) {
	return error == ERROR_INVALID_ARGUMENT && payload() == number;
}

bool is_missing(enum error error, uint64_t bits) {
	return error == ERROR_FAILED_LOOKUP && world.failure == LOOKUP_MISSING_CAPABILITY &&
		payload() == bits;
}

bool is_invalid_root(enum error error) {
	return error == ERROR_FAILED_LOOKUP && world.failure == LOOKUP_INVALID_ROOT;
}

struct slot *robbed_space(enum object_type type) {
	struct slot *root = world_space(type);

	((struct asid_pool *)cap_object(&world.pool.cap))->words[root->cap.map.asid] =
		world_space(OBJECT_PML4)->cap.word;
	return root;
}

struct slot *lost_space(enum object_type type) {
	struct slot *root = world_space(type);

	((struct asid_pool *)cap_object(&world.pool.cap))->words[root->cap.map.asid] = 0;
	return root;
}
