// SPDX-License-Identifier: BSD-2-Clause
// Tests: all cores follow one domain schedule. The kernel has several domains by its option
// `domains`; the main thread is in domain 0.
#include "cores.h"

enum {
	SLOT_US = 4000,
	GAP_US = 1000, // a thread that did not run for that long was in no interval
	INTERVALS = 400,
	ROUNDS = 12,
};

// When a helper ran: readings of the TSC, first and last.
struct interval {
	uint64_t first, last;
};

static struct interval intervals[HELPERS][INTERVALS];

static struct message domain_set(uint64_t tcb, uint64_t domain) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SET, CAPS(tcb), WORDS(domain));
}

static struct message slot_set(uint64_t index, uint64_t domain, uint64_t microseconds) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_CONFIGURE, CAPS(),
		WORDS(index, domain, tsc_of(microseconds)));
}

static struct message start_set(uint64_t index) {
	return invoke(ROOT_SLOT_DOMAIN, LABEL_DOMAIN_SCHEDULE_SET_START, CAPS(), WORDS(index));
}

// Slot 90, of domain 0 alone, is where every test begins and ends.
static void schedule_of_one(void) {
	CHECK_OK(slot_set(90, 0, 1000000));
	CHECK_OK(start_set(90));
}

// In slots 0 and 1 the domains 0 and 1.
static void schedule_of_two(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	if (domain_set(helper->tcb, 1).label != ERROR_NONE)
		test_skip("the kernel has one domain: its option `domains`");
	schedule_of_one();
	CHECK_OK(slot_set(0, 0, SLOT_US));
	CHECK_OK(slot_set(1, 1, SLOT_US));
	CHECK_OK(slot_set(2, 0, 0));
	CHECK_OK(start_set(0));
}

static struct helper *start_in(
	uint64_t domain, unsigned core, uint64_t priority, void (*run)(struct helper *helper)) {
	struct helper *helper = core_helper(core, priority);

	CHECK_OK(domain_set(helper->tcb, domain));
	helper_start(helper, run);
	return helper;
}

// The count says how many intervals are over.
static void record(struct helper *helper) {
	struct interval *own = intervals[helper->index];
	uint64_t gap = tsc_of(GAP_US), last = tsc_read();

	for (own->first = last; helper->count < INTERVALS - 1;) {
		uint64_t now = tsc_read();

		if (now - last > gap) {
			own[helper->count].last = last;
			helper->count++;
			own[helper->count].first = now;
		}
		last = now;
		core_relax();
	}
	for (;;)
		core_relax();
}

static void check_apart(const struct helper *one, const struct helper *other) {
	for (uint64_t i = 0; i < one->count; i++) {
		const struct interval *a = &intervals[one->index][i];

		for (uint64_t j = 0; j < other->count; j++) {
			const struct interval *b = &intervals[other->index][j];

			if (a->first <= b->last && b->first <= a->last)
				test_fail(HERE, "together: %lu to %lu, and %lu to %lu", a->first,
					a->last, b->first, b->last);
		}
	}
}

// No thread of one domain runs on any core between two readings of a thread of the other.
static void apart(void) {
	unsigned cores = core_count() < 4 ? core_count() : 4;
	struct helper *helpers[2][4];

	schedule_of_two();
	for (unsigned core = 0; core < cores; core++)
		for (unsigned domain = 0; domain < 2; domain++)
			helpers[domain][core] = start_in(domain, core, PRIORITY_HELPER, record);
	for (unsigned core = 0; core < cores; core++)
		for (unsigned domain = 0; domain < 2; domain++)
			CHECK_SOON(helpers[domain][core]->count >= ROUNDS);
	schedule_of_one();
	for (unsigned core = 0; core < cores; core++)
		for (unsigned other = 0; other < cores; other++)
			check_apart(helpers[0][core], helpers[1][other]);
}

static void set_while_it_runs(void) {
	struct helper *helper;

	schedule_of_two();
	schedule_of_one();
	helper = start_in(0, core_other(0), PRIORITY_HELPER, core_spin);
	for (unsigned round = 0; round < 20; round++) {
		CHECK_COUNTS(helper, core_other(0));
		CHECK_OK(domain_set(helper->tcb, 1));
		CHECK_STANDS(helper);
		CHECK_OK(domain_set(helper->tcb, 0));
	}
	CHECK_COUNTS(helper, core_other(0));
}

static void set_while_ready(void) {
	struct helper *higher, *lower;

	schedule_of_two();
	schedule_of_one();
	higher = start_in(0, core_other(0), PRIORITY_HELPER + 1, core_spin);
	lower = start_in(0, core_other(0), PRIORITY_HELPER, core_spin);
	CHECK_COUNTS(higher, core_other(0));
	CHECK_STANDS(lower);
	CHECK_OK(domain_set(lower->tcb, 1));
	CHECK_OK(invoke(higher->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	CHECK_STANDS(lower);
	CHECK_OK(domain_set(lower->tcb, 0));
	CHECK_COUNTS(lower, core_other(0));
}

// A signal makes it ready, in its own domain; another core does too, to which it moves.
static void set_while_it_waits(void) {
	struct helper *helper;
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	schedule_of_two();
	schedule_of_one();
	helper = core_helper(core_other(0), PRIORITY_HELPER);
	helper->argument[0] = notification;
	helper_start(helper, core_wait_once);
	core_pass(1000);
	CHECK_OK(domain_set(helper->tcb, 1));
	ipc_signal(notification);
	core_pass(5000);
	CHECK_EQUAL(helper->done, 0);
	CHECK_OK(core_move(core_other(1), helper->sched_context));
	core_pass(5000);
	CHECK_EQUAL(helper->done, 0);
	CHECK_OK(start_set(0));
	CHECK_MEANWHILE(helper->done);
	CHECK_EQUAL(helper->result[0], core_id(core_other(1)));
	schedule_of_one();
}

// The slot of another domain begins at once, and its end is not a core's own.
static void starts_at_once(void) {
	struct helper *here, *there;
	uint64_t begin, passed, count;

	schedule_of_two();
	schedule_of_one();
	here = start_in(0, core_other(0), PRIORITY_HELPER, core_spin);
	there = start_in(1, core_other(0), PRIORITY_HELPER, core_spin);
	CHECK_COUNTS(here, core_other(0));
	CHECK_STANDS(there);
	CHECK_OK(slot_set(0, 1, 20000));
	CHECK_OK(slot_set(1, 0, 20000));
	count = there->count;
	begin = tsc_read();
	CHECK_OK(start_set(0));
	passed = tsc_read() - begin;
	CHECK(passed >= tsc_of(19000));
	CHECK(there->count > count);
	schedule_of_one();
	CHECK_COUNTS(here, core_other(0));
	CHECK_STANDS(there);
}

// A server of another domain answers in its own time.
static void call_to_another_domain(void) {
	struct helper *server, *client;
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	schedule_of_two();
	server = core_helper(core_other(0), PRIORITY_HELPER);
	server->argument[0] = endpoint;
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	CHECK_OK(domain_set(server->tcb, 1));
	helper_start(server, core_serve);
	client = core_helper(core_other(1), PRIORITY_HELPER);
	client->argument[0] = endpoint;
	helper_start(client, core_call_once);
	CHECK_MEANWHILE(client->done);
	CHECK_EQUAL(client->message.words[0], 8);
	CHECK_EQUAL(server->count, 1);
	schedule_of_one();
}

static const struct test tests[] = {
	{"cores-domain-apart", "threads of two domains never run at one time, on whatever cores",
		apart, NULL},
	{"cores-domain-running", "a thread that runs on another core changes its domain",
		set_while_it_runs, NULL},
	{"cores-domain-ready", "so does one that is ready", set_while_ready, NULL},
	{"cores-domain-waiting", "and one that waits, and is woken and moved in another's time",
		set_while_it_waits, NULL},
	{"cores-domain-start", "ScheduleSetStart takes all cores to the slot at once",
		starts_at_once, NULL},
	{"cores-domain-call", "a Call to a server of another domain is answered in its time",
		call_to_another_domain, NULL},
};

TEST_FILE_TIMED(cores_domain);
