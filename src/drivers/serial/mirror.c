// SPDX-License-Identifier: BSD-2-Clause
// The serial driver's end at the screen's component.
#include <drivers/serial/mirror.h>

#include <base/format.h>

enum { NOTE = 64 }; // bytes of the line that counts those which are missing

void mirror_open(struct mirror *mirror, struct screen_link *link) {
	*mirror = (struct mirror){.typist = MIRROR_SERIAL};
	mirror->is_there = screen_open(&mirror->end, link);
}

static void put(struct mirror *mirror, unsigned place, uint8_t byte) {
	struct screen_item item = {(uint8_t)place, byte};

	mirror->is_fed = true;
	if (!ring_put(&mirror->end.out, &item)) mirror->lost[place]++;
}

static void note_lost(struct mirror *mirror, unsigned place) {
	char note[NOTE];

	(void)format_text(note, sizeof(note), "\r\n[%u characters are missing here]\r\n",
		mirror->lost[place]);
	mirror->lost[place] = 0;
	for (const char *next = note; *next; next++)
		put(mirror, place, (uint8_t)*next);
}

void mirror_put(struct mirror *mirror, unsigned place, uint8_t byte) {
	if (!mirror->is_there) return;
	if (mirror->lost[place] > 0) {
		if (ring_room(&mirror->end.out) <= NOTE) {
			mirror->lost[place]++;
			return;
		}
		note_lost(mirror, place);
	}
	put(mirror, place, byte);
}

bool mirror_get(struct mirror *mirror, unsigned *place, uint8_t *byte) {
	struct screen_item item;

	while (mirror->is_there) {
		if (!ring_get(&mirror->end.in, &item)) {
			if (ring_may_sleep(&mirror->end.in)) return false;
			continue;
		}
		*place = item.place & ~SCREEN_ANSWER;
		*byte = item.byte;
		if (*place >= SCREEN_PLACES) continue;
		if (!(item.place & SCREEN_ANSWER))
			mirror->typist = (int)*place;
		else if (mirror->typist != (int)*place)
			continue;
		return true;
	}
	return false;
}

bool mirror_must_notify(struct mirror *mirror) {
	bool is_fed = mirror->is_fed;

	mirror->is_fed = false;
	return is_fed && ring_must_notify(&mirror->end.out);
}
