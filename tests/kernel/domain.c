// SPDX-License-Identifier: BSD-2-Clause
// Tests: domains, with the one domain and two schedule slots of the default build (SCHED-26,
// SCHED-27).
#include "world.h"

static struct message domain_set(struct words caps, struct words words) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SET, caps, words);
}

static struct message schedule_set(struct words words) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_CONFIGURE, CAPS(), words);
}

static void set(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	CHECK_ERROR(invoke(ROOT_SLOT_DOMAIN, 0, CAPS(tcb), WORDS(0)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(domain_set(CAPS(tcb), WORDS()), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(domain_set(CAPS(tcb), WORDS(1)), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(domain_set(CAPS(), WORDS(255)), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(domain_set(CAPS(), WORDS(0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(domain_set(CAPS(ROOT_SLOT_CNODE), WORDS(0)), ERROR_INVALID_ARGUMENT, 1);
	CHECK_OK(domain_set(CAPS(tcb), WORDS(0)));
	CHECK_OK(domain_set(CAPS(ROOT_SLOT_TCB), WORDS(0)));
}

static void schedule_configure(void) {
	CHECK_ERROR(schedule_set(WORDS(0, 0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(schedule_set(WORDS(1, 0, 1)), ERROR_RANGE, 0, 0);
	CHECK_ERROR(schedule_set(WORDS(0, 1, 1)), ERROR_RANGE, 0, 0);
	CHECK_ERROR(schedule_set(WORDS(0, 0, 1ul << 56)), ERROR_INVALID_ARGUMENT, 2);
	CHECK_ERROR(schedule_set(WORDS(0, 0, 0)), ERROR_INVALID_ARGUMENT, 2);
	CHECK_OK(schedule_set(WORDS(0, 0, (1ul << 56) - 1)));
}

static void schedule_start(void) {
	CHECK_ERROR(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(2)),
		ERROR_RANGE, 0, 1);
	CHECK_ERROR(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(1)),
		ERROR_INVALID_ARGUMENT, 0);
	CHECK_OK(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(0)));
}

static const struct test tests[] = {
	{"domain-set", "threads are put into existing domains only", set,
		"DomainSetSet/0 DomainSetSet/1 DomainSetSet/2 DomainSetSet/3 DomainSetSet/4"},
	{"domain-schedule", "the first schedule slot is set, the last is the end marker",
		schedule_configure,
		"DomainScheduleConfigure/0 DomainScheduleConfigure/1 DomainScheduleConfigure/2 "
		"DomainScheduleConfigure/3 DomainScheduleConfigure/4 DomainScheduleConfigure/6"},
	{"domain-start", "the schedule starts at a slot that is no end marker", schedule_start,
		"DomainScheduleSetStart/0 DomainScheduleSetStart/1 DomainScheduleSetStart/2 "
		"DomainScheduleSetStart/3"},
};

TEST_FILE(domain);
