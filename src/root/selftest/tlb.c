// SPDX-License-Identifier: BSD-2-Clause
// A page that all cores have used is unmapped, and another is mapped there, while they wait: the
// first one that reads again must meet the fault, and then all the other page. Quick: once; full:
// with each core as the first.
#include <root/selftest/workers.h>

#include <user/slots.h>
#include <user/untyped.h>

enum { PAGES = 2 };

#define SHARED_ADDRESS 0x200000000000ul // of the workers
#define OWN_ADDRESS 0x300000000000ul // of this thread, where it writes the pages
#define MARK 0x5e1f7e57ul

static struct {
	seL4_CPtr shown; // a second capability, mapped for this thread
	seL4_CPtr frame;
} pages[PAGES];

static seL4_Word read_word(seL4_Word address) { return *(volatile seL4_Word *)address; }

static seL4_Error map(const struct space *space, seL4_CPtr frame, seL4_Word address) {
	struct mapping mapping = {
		.frame = frame,
		.address = address,
		.rights = seL4_AllRights,
		.bits = PAGE_BITS,
	};
	seL4_Error error = space_prepare(space, address, PAGE_BITS);

	return error ? error : space_map(space, &mapping);
}

static bool page_make(unsigned index) {
	const struct space own = space_own();
	seL4_Word address = OWN_ADDRESS + ((seL4_Word)index << PAGE_BITS);

	pages[index].frame = object_make(OBJECT_PAGE, 0);
	pages[index].shown = slots_allocate(1);
	if (!pages[index].frame || !pages[index].shown ||
		seL4_CNode_Copy(seL4_CapInitThreadCNode, pages[index].shown, seL4_WordBits,
			seL4_CapInitThreadCNode, pages[index].frame, seL4_WordBits,
			seL4_AllRights) ||
		map(&own, pages[index].shown, address))
		return false;
	*(volatile seL4_Word *)address = MARK + index;
	return true;
}

static bool show(unsigned index) {
	return !map(workers_space(), pages[index].frame, SHARED_ADDRESS);
}

static bool hide(unsigned index) { return !seL4_X86_Page_Unmap(pages[index].frame); }

static void check_word(struct selftest *run, const struct worker *worker, unsigned index) {
	if (worker->result == MARK + index) return;
	if (worker->result == MARK + 1 - index)
		selftest_fail_core(run, worker->core, "it reads a page that is unmapped");
	else
		selftest_fail_core(
			run, worker->core, "it reads 0x%lx from another page", worker->result);
}

static void check_read(struct selftest *run, seL4_Word core, unsigned index) {
	struct worker *worker = worker_of(core);

	if (selftest_may_use(run, core) && worker_does(run, worker, read_word, SHARED_ADDRESS))
		check_word(run, worker, index);
}

// No page is there: the core meets the fault, and goes on with this page.
static void check_fault(struct selftest *run, seL4_Word core, unsigned index) {
	struct worker *worker = worker_of(core);
	enum worker_outcome outcome = worker_do(worker, read_word, SHARED_ADDRESS);

	if (outcome == WORKER_FAULTED && worker_fault().label == seL4_Fault_VMFault &&
		worker_fault().address == SHARED_ADDRESS && show(index))
		outcome = worker_continue(worker);
	else if (outcome == WORKER_DONE)
		outcome = show(index) ? WORKER_DONE : WORKER_SILENT;
	if (outcome == WORKER_DONE) {
		check_word(run, worker, index);
		return;
	}
	run->faults.keeps_all = true;
	selftest_fail_core(run, core, "the fault of a page that is unmapped did not come");
}

// False: nothing could be tried.
static bool round_from(struct selftest *run, seL4_Word first) {
	seL4_Word cores = run->bootinfo->numNodes;

	if (!show(0)) return false;
	for (seL4_Word core = 0; core < cores; core++)
		check_read(run, core, 0);
	if (!hide(0)) return false;
	if (!selftest_may_use(run, first)) return true;
	check_fault(run, first, 1);
	for (seL4_Word core = 0; core < cores; core++)
		check_read(run, core, 1);
	return hide(1);
}

void selftest_tlb(struct selftest *run) {
	seL4_Word rounds = run->is_full ? run->bootinfo->numNodes : 1;

	if (!page_make(0) || !page_make(1)) {
		selftest_skip(run, "no memory for two pages");
		return;
	}
	for (seL4_Word first = 0; first < rounds; first++) {
		// The last core has been idle for the longest time.
		if (round_from(run, run->bootinfo->numNodes - 1 - first)) continue;
		selftest_fail(run, "the kernel does not map and unmap a page");
		return;
	}
}
