// SPDX-License-Identifier: BSD-2-Clause
// Invocations that read and write what a guest's registers hold (VCPU-15 to VCPU-22).
#include <object/vcpu.h>

#include <cap/invocation.h>

static struct guest *guest_of(const struct invocation *invocation) {
	return &((struct vcpu *)cap_object(&invocation->slot->cap))->guest;
}

const uint8_t vcpu_register_order[VCPU_REGISTERS] = {
	0, 3, 1, 2, 6, 7, 5, 8, 9, 10, 11, 12, 13, 14, 15};

enum error vcpu_write_registers(struct invocation *invocation) {
	const struct guest *guest = guest_of(invocation);

	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		guest->registers[vcpu_register_order[i]] = invocation_word(invocation, i);
	return ERROR_NONE;
}

typedef bool guest_access(struct guest *guest, uint64_t number, uint64_t *value);

// Word 0 is the number of a register, word 1, where there is one, its value.
static enum error reach_register(
	struct invocation *invocation, unsigned words, guest_access *access, uint64_t *value) {
	*value = invocation_word(invocation, 1);
	if (invocation->length >= words &&
		access(guest_of(invocation), invocation_word(invocation, 0), value))
		return ERROR_NONE;
	return ERROR_ILLEGAL_OPERATION;
}

static enum error reach_field(struct invocation *invocation, unsigned words, guest_access *access) {
	uint64_t value;
	enum error error = reach_register(invocation, words, access, &value);

	return error ? error : invocation_return(invocation, value);
}

enum error vcpu_read_vmcs(struct invocation *invocation) {
	return reach_field(invocation, 1, guest_field_read);
}

enum error vcpu_write_vmcs(struct invocation *invocation) {
	return reach_field(invocation, 2, guest_field_write);
}

// The value is in word 0 of the answer, but the answer's length is 0 (VCPU-22).
static enum error reach_msr(struct invocation *invocation, unsigned words, guest_access *access) {
	struct thread *caller = invocation->caller;
	uint64_t value;
	enum error error = reach_register(invocation, words, access, &value);

	if (!error && caller->message_flags & MESSAGE_CALL) caller->context.words[0] = value;
	return error;
}

enum error vcpu_read_msr(struct invocation *invocation) {
	return reach_msr(invocation, 1, guest_msr_read);
}

enum error vcpu_write_msr(struct invocation *invocation) {
	return reach_msr(invocation, 2, guest_msr_write);
}

enum error vcpu_read_state(struct invocation *invocation) {
	uint64_t field = invocation_word(invocation, 0);

	if (!guest_has_state(field)) return error_argument(invocation, 0);
	return invocation_return(
		invocation, guest_state_read(guest_of(invocation), (enum vcpu_state_field)field));
}

enum error vcpu_write_state(struct invocation *invocation) {
	uint64_t field = invocation_word(invocation, 0), value = invocation_word(invocation, 1);

	if (!guest_has_state(field)) return error_argument(invocation, 0);
	if (field == VCPU_STATE_XCR0_ALLOWED) return ERROR_ILLEGAL_OPERATION;
	return guest_state_write(guest_of(invocation), (enum vcpu_state_field)field, value)
		? ERROR_NONE
		: error_argument(invocation, 1);
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
	guest_load(guest);
	guest_page_save(guest, wanted);
	guest->page->saved |= wanted;
	return ERROR_NONE;
}
