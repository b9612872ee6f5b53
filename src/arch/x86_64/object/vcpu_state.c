// SPDX-License-Identifier: BSD-2-Clause
// Invocations that read and write what a guest's registers hold (VCPU-15 to VCPU-22).
#include <object/vcpu.h>

#include <cap/invocation.h>

static struct guest *guest_of(const struct invocation *invocation) {
	struct guest *guest = &((struct vcpu *)cap_object(&invocation->slot->cap))->guest;

	guest_load(guest);
	return guest;
}

const uint8_t vcpu_register_order[VCPU_REGISTERS] = {
	0, 3, 1, 2, 6, 7, 5, 8, 9, 10, 11, 12, 13, 14, 15};

enum error vcpu_write_registers(struct invocation *invocation) {
	const struct guest *guest = guest_of(invocation);

	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		guest->registers[vcpu_register_order[i]] = invocation_word(invocation, i);
	return ERROR_NONE;
}

enum error vcpu_read_vmcs(struct invocation *invocation) {
	uint64_t field = invocation_word(invocation, 0), value;

	if (!invocation->length || !guest_field_read(guest_of(invocation), field, &value))
		return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, value);
}

enum error vcpu_write_vmcs(struct invocation *invocation) {
	uint64_t field = invocation_word(invocation, 0), value = invocation_word(invocation, 1);

	if (invocation->length < 2 || !guest_field_write(guest_of(invocation), field, &value))
		return ERROR_ILLEGAL_OPERATION;
	return invocation_return(invocation, value);
}

// The value is in word 0 of the answer, but the answer's length is 0 (VCPU-22).
static enum error answer_msr(const struct invocation *invocation, uint64_t value) {
	struct thread *caller = invocation->caller;

	if (caller->message_flags & MESSAGE_CALL) caller->context.words[0] = value;
	return ERROR_NONE;
}

enum error vcpu_read_msr(struct invocation *invocation) {
	uint64_t msr = invocation_word(invocation, 0), value;

	if (msr == MSR_VMX_MISC && invocation->length && feature_has(FEATURE_VMX))
		return answer_msr(invocation, msr_read(MSR_VMX_MISC));
	if (!invocation->length ||
		!guest_field_read(guest_of(invocation), guest_msr_field(msr), &value))
		return ERROR_ILLEGAL_OPERATION;
	return answer_msr(invocation, value);
}

// What WRMSR would fault on is changed here, where WriteVMCS refuses it.
enum error vcpu_write_msr(struct invocation *invocation) {
	uint64_t msr = invocation_word(invocation, 0), value = invocation_word(invocation, 1);

	if (msr == MSR_LSTAR || msr == MSR_CSTAR) value = context_clean_address(value);
	if (msr == MSR_FMASK) value = (uint32_t)value;
	if (invocation->length < 2 ||
		!guest_field_write(guest_of(invocation), guest_msr_field(msr), &value))
		return ERROR_ILLEGAL_OPERATION;
	return answer_msr(invocation, value);
}

enum error vcpu_set_msr_access(struct invocation *invocation) {
	uint64_t msr = invocation_word(invocation, 0), access = invocation_word(invocation, 1);

	if (access & ~(uint64_t)(VCPU_MSR_READ | VCPU_MSR_WRITE))
		return error_argument(invocation, 1);
	return guest_msr_set_access(guest_of(invocation), msr, (uint8_t)access)
		? ERROR_NONE
		: error_argument(invocation, 0);
}

enum error vcpu_save_state(struct invocation *invocation) {
	struct guest *guest = guest_of(invocation);
	uint64_t wanted = invocation_word(invocation, 0);

	if (!guest->page) return ERROR_ILLEGAL_OPERATION;
	guest_page_save(guest, wanted);
	guest->page->saved |= wanted;
	return ERROR_NONE;
}
