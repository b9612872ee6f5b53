// SPDX-License-Identifier: BSD-2-Clause
// The vCPU between an exit and the next entry.
#include <vmm/vcpu/vcpu.h>

#include <x86/cr.h>

enum { SHADOW = VCPU_BLOCKED_BY_STI | VCPU_BLOCKED_BY_MOV_SS };

// Of these the page has the VMM's own words, or those of the exit.
enum { NEVER_FETCHED = VCPU_GROUP_WINDOWS | VCPU_GROUP_EVENT };

static void fetch(const struct vcpu *vcpu, uint64_t groups) {
	uint64_t missing = groups & ~(vcpu->page->saved | vcpu->page->dirty | NEVER_FETCHED);

	if (missing) host_vcpu_save(vcpu->number, missing);
}

const struct vcpu_state_page *vcpu_view(const struct vcpu *vcpu, uint64_t groups) {
	fetch(vcpu, groups);
	return vcpu->page;
}

struct vcpu_state_page *vcpu_edit(struct vcpu *vcpu, uint64_t groups) {
	fetch(vcpu, groups);
	return vcpu_replace(vcpu, groups);
}

struct vcpu_state_page *vcpu_replace(struct vcpu *vcpu, uint64_t groups) {
	vcpu->page->dirty |= groups;
	return vcpu->page;
}

void vcpu_set_nmi_blocking(struct vcpu *vcpu, bool blocked) {
	struct vcpu_state_page *page = vcpu_edit(vcpu, VCPU_GROUP_RFLAGS);

	page->interruptibility &= ~(uint32_t)VCPU_BLOCKED_BY_NMI;
	page->interruptibility |= blocked ? VCPU_BLOCKED_BY_NMI : 0;
}

// Only an NMI that was injected blocks others, until an IRET (SDM 3C 26.3, virtual NMIs). Bochs 2.7
// keeps the block of another guest, which would be in force here without end.
void vcpu_left(struct vcpu *vcpu) {
	uint32_t interruptibility = vcpu_view(vcpu, VCPU_GROUP_RFLAGS)->interruptibility;

	// A notification may have come before the guest ran.
	if (vcpu->page->reason != VCPU_EXIT_NOTIFICATION) vcpu->debug_pending = false;
	if ((interruptibility & VCPU_BLOCKED_BY_NMI) && !vcpu->nmi_blockable)
		vcpu_set_nmi_blocking(vcpu, false);
}

// AMD-V knows no pending debug exceptions, and an injected one leaves DR6 and DR7 as they are.
static void inject_debug(struct vcpu *vcpu) {
	const uint64_t causes = DR6_BREAKPOINTS | PENDING_DEBUG_STEP;
	struct vcpu_state_page *page = vcpu_edit(
		vcpu, VCPU_GROUP_DEBUG_CONTROL | VCPU_GROUP_BREAKPOINTS);

	page->dr6 = (page->dr6 & ~(uint64_t)DR6_BREAKPOINTS) | (page->pending_debug & causes);
	page->dr7 &= ~(uint64_t)DR7_GENERAL_DETECT;
	page->pending_debug = 0;
	vcpu_inject(vcpu, VCPU_EVENT_EXCEPTION | VECTOR_DEBUG);
}

void vcpu_enter(struct vcpu *vcpu) {
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_RFLAGS);
	uint32_t event = page->event.information & (VCPU_EVENT_VALID | VCPU_EVENT_TYPE);

	if (vcpu_by_amd_v(vcpu) && vcpu->debug_pending && !event) inject_debug(vcpu);
	vcpu->nmi_blockable = (page->interruptibility & VCPU_BLOCKED_BY_NMI) ||
		event == (VCPU_EVENT_VALID | VCPU_EVENT_NMI);
}

uint64_t vcpu_register(const struct vcpu *vcpu, unsigned number) {
	return vcpu_view(vcpu, number == X86_RSP ? VCPU_GROUP_RSP : 0)->registers[number];
}

void vcpu_set_register(struct vcpu *vcpu, unsigned number, uint64_t value) {
	vcpu_replace(vcpu, number == X86_RSP ? VCPU_GROUP_RSP : 0)->registers[number] = value;
}

void vcpu_set_rflags(struct vcpu *vcpu, uint64_t rflags) {
	if (vcpu_view(vcpu, VCPU_GROUP_RFLAGS)->rflags == rflags) return;
	vcpu_edit(vcpu, VCPU_GROUP_RFLAGS)->rflags = rflags;
}

bool vcpu_in_64_bit_mode(const struct vcpu *vcpu) {
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_CODE | VCPU_GROUP_PAGING);

	return (page->segments[VCPU_CS].attributes & VCPU_SEGMENT_CODE_64) &&
		(page->efer & EFER_LMA);
}

unsigned vcpu_privilege(const struct vcpu *vcpu) {
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_CODE);

	return page->segments[VCPU_SS].attributes >> VCPU_SEGMENT_PRIVILEGE_SHIFT & 3;
}

// The shadow of STI and MOV SS covers one instruction.
static bool in_shadow(const struct vcpu *vcpu) {
	return vcpu_view(vcpu, VCPU_GROUP_RFLAGS)->interruptibility & SHADOW;
}

static void leave_shadow(struct vcpu *vcpu) {
	const uint64_t met = PENDING_DEBUG_ENABLED | PENDING_DEBUG_STEP;
	struct vcpu_state_page *page = vcpu->page;

	if (!in_shadow(vcpu)) return;
	// MOV SS holds back the data breakpoint that it met.
	if (page->interruptibility & VCPU_BLOCKED_BY_MOV_SS)
		vcpu->debug_pending |= (vcpu_view(vcpu, VCPU_GROUP_DEBUG_CONTROL)->pending_debug &
					       met) != 0;
	vcpu_edit(vcpu, VCPU_GROUP_RFLAGS)->interruptibility &= ~(uint32_t)SHADOW;
}

void vcpu_add_pending_debug(struct vcpu *vcpu, uint64_t causes) {
	vcpu_edit(vcpu, VCPU_GROUP_DEBUG_CONTROL)->pending_debug |= causes;
	vcpu->debug_pending = true;
}

// No instruction emulated here is a branch, which is all that BTF lets trap.
bool vcpu_single_steps(const struct vcpu *vcpu) {
	return (vcpu_view(vcpu, VCPU_GROUP_RFLAGS)->rflags & FLAGS_TF) &&
		!(vcpu_view(vcpu, VCPU_GROUP_DEBUG_CONTROL)->debugctl & DEBUGCTL_BTF);
}

static void retire(struct vcpu *vcpu, uint64_t resume) {
	uint64_t rflags = vcpu_view(vcpu, VCPU_GROUP_RFLAGS)->rflags;

	vcpu_set_rflags(vcpu, (rflags & ~(uint64_t)FLAGS_RF) | resume);
	leave_shadow(vcpu);
	if (vcpu_single_steps(vcpu)) vcpu_add_pending_debug(vcpu, PENDING_DEBUG_STEP);
}

void vcpu_advance(struct vcpu *vcpu, uint32_t length) {
	uint64_t rip = vcpu_view(vcpu, VCPU_GROUP_RIP)->rip;
	uint64_t next = rip + length;

	// Only 64-bit mode has more than 32 bits of instruction pointer, and VM entry refuses them
	// elsewhere. What comes behind a segment's limit or a canonical address is the CPU's.
	if ((next ^ rip) >> 32 != 0 && !vcpu_in_64_bit_mode(vcpu)) next &= UINT32_MAX;
	vcpu_replace(vcpu, VCPU_GROUP_RIP)->rip = next;
	retire(vcpu, 0);
}

void vcpu_iterate(struct vcpu *vcpu) { retire(vcpu, FLAGS_RF); }

struct paging vcpu_paging(const struct vcpu *vcpu) {
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_PAGING);
	struct paging paging = {
		page->cr0, page->cr3, page->cr4, page->efer, {0}, vcpu_by_amd_v(vcpu)};

	if (!paging_is_pae(&paging) || paging.directory_in_memory) return paging;
	page = vcpu_view(vcpu, VCPU_GROUP_PDPTES);
	for (unsigned i = 0; i < PAGING_DIRECTORY; i++)
		paging.directory[i] = page->pdpte[i];
	return paging;
}

void vcpu_inject(struct vcpu *vcpu, uint32_t information) {
	vcpu_replace(vcpu, VCPU_GROUP_EVENT)->event.information = information | VCPU_EVENT_VALID;
}

void vcpu_redeliver(struct vcpu *vcpu) {
	struct vcpu_event interrupted = vcpu->page->interrupted;
	uint32_t type = interrupted.information & VCPU_EVENT_TYPE;
	struct vcpu_state_page *page;

	if (!(interrupted.information & VCPU_EVENT_VALID)) return;
	page = vcpu_replace(vcpu, VCPU_GROUP_EVENT);
	page->event = interrupted;
	// The CPU says it for the events of instructions only (SDM 3C 28.2.5).
	page->event_length = type >= VCPU_EVENT_SOFTWARE ? page->instruction_length : 0;
	// The delivery of an NMI blocks NMIs, and VM entry injects none while they are blocked.
	if (type == VCPU_EVENT_NMI) vcpu_set_nmi_blocking(vcpu, false);
}

// A fault is pushed with RF set, so that its handler does not return into an instruction breakpoint
// again (SDM 3B 18.3.1.1).
void vcpu_raise(struct vcpu *vcpu, enum exception_vector exception) {
	vcpu_set_rflags(vcpu, vcpu_view(vcpu, VCPU_GROUP_RFLAGS)->rflags | FLAGS_RF);
	vcpu_inject(vcpu, VCPU_EVENT_EXCEPTION | exception);
}

void vcpu_raise_with_code(struct vcpu *vcpu, enum exception_vector exception, uint32_t error_code) {
	vcpu_raise(vcpu, exception);
	// Real mode has no error codes, and VM entry refuses one there (SDM 3C 27.2.1.3).
	if (!(vcpu_view(vcpu, VCPU_GROUP_PAGING)->cr0 & CR0_PE)) return;
	vcpu->page->event.information |= VCPU_EVENT_ERROR_CODE;
	vcpu->page->event.error_code = error_code;
}

void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error_code) {
	vcpu_replace(vcpu, VCPU_GROUP_CR2)->cr2 = linear;
	vcpu_raise_with_code(vcpu, VECTOR_PAGE_FAULT, error_code);
}

// Traps of the instruction before come first, and an entry that injects forgets them (SDM 3A 6.9,
// 3C 27.7.3).
static bool event_possible(const struct vcpu *vcpu) {
	return !(vcpu->page->event.information & VCPU_EVENT_VALID) && !vcpu->debug_pending;
}

bool vcpu_interruptible(const struct vcpu *vcpu) {
	return event_possible(vcpu) && !in_shadow(vcpu) &&
		(vcpu_view(vcpu, VCPU_GROUP_RFLAGS)->rflags & FLAGS_IF);
}

bool vcpu_nmi_possible(const struct vcpu *vcpu) {
	return event_possible(vcpu) && !in_shadow(vcpu) &&
		!(vcpu->page->interruptibility & VCPU_BLOCKED_BY_NMI);
}

void vcpu_window(struct vcpu *vcpu, uint32_t wanted) {
	if (vcpu->page->windows == wanted) return;
	vcpu_replace(vcpu, VCPU_GROUP_WINDOWS)->windows = wanted;
}
