// SPDX-License-Identifier: BSD-2-Clause
// Tests: domains on one core, with the one domain and two schedule slots of the default kernel, and
// with the several of the boot option `domains` (SCHED-26 to SCHED-28).
#include "world.h"

static struct message domain_set(struct words caps, struct words words) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SET, caps, words);
}

static struct message schedule_set(struct words words) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_CONFIGURE, CAPS(), words);
}

static struct message schedule_start_set(uint64_t index) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(index));
}

static uint64_t domain_count(void) {
	uint64_t count = 1, tcb = object_new(OBJECT_TCB, 0);

	while (domain_set(CAPS(tcb), WORDS(count)).label == ERROR_NONE)
		count++;
	return count;
}

static void need_one(void) {
	if (domain_count() > 1) test_skip("the kernel has several domains");
}

// Slot 90, of domain 0 alone, is where each test of several begins and ends.
static void schedule_of_one(void) {
	CHECK_OK(schedule_set(WORDS(90, 0, tsc_of(1000000))));
	CHECK_OK(schedule_start_set(90));
}

static void need_several(void) {
	if (domain_count() == 1) test_skip("the kernel has one domain: its option `domains`");
	schedule_of_one();
}

static void set(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	need_one();
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
	need_one();
	CHECK_ERROR(schedule_set(WORDS(0, 0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(schedule_set(WORDS(1, 0, 1)), ERROR_RANGE, 0, 0);
	CHECK_ERROR(schedule_set(WORDS(0, 1, 1)), ERROR_RANGE, 0, 0);
	CHECK_ERROR(schedule_set(WORDS(0, 0, 1ul << 56)), ERROR_INVALID_ARGUMENT, 2);
	CHECK_ERROR(schedule_set(WORDS(0, 0, 0)), ERROR_INVALID_ARGUMENT, 2);
	CHECK_OK(schedule_set(WORDS(0, 0, (1ul << 56) - 1)));
}

static void schedule_start(void) {
	need_one();
	CHECK_ERROR(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(2)),
		ERROR_RANGE, 0, 1);
	CHECK_ERROR(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(1)),
		ERROR_INVALID_ARGUMENT, 0);
	CHECK_OK(invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(0)));
}

static void several(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0), count = domain_count();

	need_several();
	CHECK_ERROR(domain_set(CAPS(tcb), WORDS(count)), ERROR_INVALID_ARGUMENT, 0);
	CHECK_OK(domain_set(CAPS(tcb), WORDS(count - 1)));
	CHECK_ERROR(schedule_set(WORDS(99, 0, 1)), ERROR_RANGE, 0, 98);
	CHECK_ERROR(schedule_set(WORDS(98, count, 1)), ERROR_RANGE, 0, count - 1);
	CHECK_ERROR(schedule_set(WORDS(98, count - 1, 1ul << 56)), ERROR_INVALID_ARGUMENT, 2);
	CHECK_ERROR(schedule_set(WORDS(98, count - 1, 0)), ERROR_INVALID_ARGUMENT, 1);
	CHECK_OK(schedule_set(WORDS(98, count - 1, 1)));
	CHECK_OK(schedule_set(WORDS(98, 0, 0)));
	CHECK_ERROR(schedule_set(WORDS(90, 0, 0)), ERROR_INVALID_ARGUMENT, 2);
	CHECK_ERROR(schedule_start_set(100), ERROR_RANGE, 0, 99);
	CHECK_ERROR(schedule_start_set(99), ERROR_INVALID_ARGUMENT, 0);
}

static void spin(struct helper *helper) {
	for (;;)
		helper->count++;
}

static struct helper *spinner(uint64_t domain) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	CHECK_OK(domain_set(CAPS(helper->tcb), WORDS(domain)));
	helper_start(helper, spin);
	return helper;
}

// What a thread counts in some time of this thread's domain.
static uint64_t counted(const struct helper *helper) {
	uint64_t before = helper->count;

	sleep_microseconds(5000);
	return helper->count - before;
}

// Slots of 3 ms in turn; the one behind the end marker is never reached.
static void alternate(void) {
	struct helper *zero, *one, *two;
	uint64_t begin = tsc_read();

	need_several();
	if (domain_count() < 3) test_skip("the kernel has two domains");
	zero = spinner(0), one = spinner(1), two = spinner(2);
	CHECK(counted(zero) > 0);
	CHECK(counted(one) == 0 && counted(two) == 0);
	CHECK_OK(schedule_set(WORDS(10, 0, tsc_of(3000))));
	CHECK_OK(schedule_set(WORDS(11, 1, tsc_of(3000))));
	CHECK_OK(schedule_set(WORDS(12, 0, 0)));
	CHECK_OK(schedule_set(WORDS(13, 2, tsc_of(3000))));
	CHECK_OK(schedule_start_set(10));
	CHECK_SOON(one->count > 0);
	begin = tsc_read();
	sleep_microseconds(60000);
	CHECK(tsc_read() - begin >= tsc_of(60000));
	CHECK_EQUAL(two->count, 0);
	CHECK_OK(schedule_set(WORDS(14, 0, tsc_of(1000000))));
	CHECK_OK(schedule_start_set(13));
	CHECK(two->count > 0);
	schedule_of_one();
}

// The slot that runs lasts as long as it was to last when it began.
static void configured_while_it_runs(void) {
	uint64_t begin;

	need_several();
	CHECK_OK(schedule_set(WORDS(10, 1, tsc_of(20000))));
	CHECK_OK(schedule_set(WORDS(11, 0, tsc_of(1000000))));
	CHECK_OK(schedule_set(WORDS(12, 0, 0)));
	begin = tsc_read();
	CHECK_OK(schedule_start_set(10));
	CHECK_BETWEEN(tsc_read() - begin, tsc_of(19000), tsc_of(60000));
	CHECK_OK(schedule_set(WORDS(11, 1, tsc_of(1000000))));
	sleep_microseconds(50000);
	CHECK(tsc_read() - begin < tsc_of(500000));
	schedule_of_one();
}

// It leaves for domain 1, which is on before and after it is in domain 0 again.
static void set_itself(void) {
	uint64_t begin;

	need_several();
	CHECK_OK(schedule_set(WORDS(10, 0, tsc_of(5000))));
	CHECK_OK(schedule_set(WORDS(11, 1, tsc_of(5000))));
	CHECK_OK(schedule_set(WORDS(12, 0, 0)));
	CHECK_OK(schedule_start_set(10));
	for (unsigned round = 0; round < 4; round++) {
		begin = tsc_read();
		CHECK_OK(domain_set(CAPS(ROOT_SLOT_TCB), WORDS(1)));
		CHECK_OK(domain_set(CAPS(ROOT_SLOT_TCB), WORDS(0)));
		CHECK_BETWEEN(tsc_read() - begin, tsc_of(4000), tsc_of(30000));
	}
	schedule_of_one();
}

static void yield_to_another(void) {
	struct helper *helper;

	need_several();
	helper = spinner(1);
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_YIELD_TO, CAPS(), WORDS()));
	CHECK_EQUAL(helper->count, 0);
	CHECK_OK(domain_set(CAPS(helper->tcb), WORDS(0)));
	CHECK(counted(helper) > 0);
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
	{"domain-several", "with several domains the same is checked by their number", several,
		"DomainScheduleConfigure/5"},
	{"domain-turns", "threads run in the slots of their domain, up to the end marker",
		alternate, NULL},
	{"domain-configure", "a slot that runs keeps its time", configured_while_it_runs, NULL},
	{"domain-itself", "a thread that leaves the present domain runs when its own is on",
		set_itself, NULL},
	{"domain-yield", "YieldTo to a thread of another domain returns at once", yield_to_another,
		NULL},
};

TEST_FILE_TIMED(domain);
