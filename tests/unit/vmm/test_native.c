// SPDX-License-Identifier: BSD-2-Clause
// Instructions that reach a device do what this machine's CPU does with memory: registers, flags
// and bytes, over random instructions and operands.
#include "rig.h"

#include <vmm/vcpu/decode.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
	PLACE = 0x10000000, // of the operands, here and in the guest, where it has no memory
	PLACE_SIZE = 0x4000,
	ROUNDS = 400000,
	ALL_FLAGS = FLAGS_ARITHMETIC | FLAGS_DF,
	FIXED_REGISTERS = 1 << X86_RSP,
};

struct state {
	uint64_t registers[VCPU_GENERAL_REGISTERS];
	uint64_t flags;
	uint64_t stack; // of the caller
};

struct trial {
	uint8_t code[INSTRUCTION_MAX + 1];
	uint8_t length;
	uint64_t undefined; // flags
};

static uint8_t device[PLACE_SIZE];
static uint8_t *native;
static uint8_t *code_page;
static uint64_t seed = 7;

static uint64_t random64(void) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

static unsigned chance(unsigned limit) { return (unsigned)(random64() >> 33) % limit; }

static uint64_t device_read(void *, uint64_t offset, enum bus_width width) {
	uint64_t value = 0;

	memcpy(&value, device + offset, width);
	return value;
}

static void device_write(void *, uint64_t offset, enum bus_width width, uint64_t value) {
	memcpy(device + offset, &value, width);
}

static const struct bus_ops device_ops = {
	.name = "memory behind a device",
	.widths = BUS_WIDTH_1 | BUS_WIDTH_2 | BUS_WIDTH_4 | BUS_WIDTH_8,
	.read = device_read,
	.write = device_write,
};

static struct bus_window window = {&device_ops, device, PLACE, PLACE_SIZE, NULL};

// Loads all registers but RSP, calls the code and stores them again.
[[gnu::naked, gnu::noinline]] static void run_native(
	[[maybe_unused]] struct state *state, [[maybe_unused]] const void *code) {
	asm(".intel_syntax noprefix\n"
	    "push rbx\n push rbp\n push r12\n push r13\n push r14\n push r15\n"
	    "push rdi\n push rsi\n"
	    "push qword ptr [rdi + 128]\n popfq\n"
	    "mov rax, [rdi]\n mov rcx, [rdi + 8]\n mov rdx, [rdi + 16]\n mov rbx, [rdi + 24]\n"
	    "mov rbp, [rdi + 40]\n mov rsi, [rdi + 48]\n"
	    "mov r8, [rdi + 64]\n mov r9, [rdi + 72]\n mov r10, [rdi + 80]\n mov r11, [rdi + 88]\n"
	    "mov r12, [rdi + 96]\n mov r13, [rdi + 104]\n mov r14, [rdi + 112]\n"
	    "mov r15, [rdi + 120]\n mov rdi, [rdi + 56]\n"
	    "call [rsp]\n"
	    "pushfq\n cld\n push rdi\n mov rdi, [rsp + 24]\n"
	    "mov [rdi], rax\n mov [rdi + 8], rcx\n mov [rdi + 16], rdx\n mov [rdi + 24], rbx\n"
	    "mov [rdi + 40], rbp\n mov [rdi + 48], rsi\n pop qword ptr [rdi + 56]\n"
	    "pop qword ptr [rdi + 128]\n"
	    "mov [rdi + 64], r8\n mov [rdi + 72], r9\n mov [rdi + 80], r10\n mov [rdi + 88], r11\n"
	    "mov [rdi + 96], r12\n mov [rdi + 104], r13\n mov [rdi + 112], r14\n"
	    "mov [rdi + 120], r15\n"
	    "pop rsi\n pop rdi\n pop r15\n pop r14\n pop r13\n pop r12\n pop rbp\n pop rbx\n ret\n"
	    ".att_syntax");
}

static void map_places(void) {
	const int kind = MAP_PRIVATE | MAP_ANONYMOUS;

	native = mmap((void *)PLACE, PLACE_SIZE, PROT_READ | PROT_WRITE, kind | MAP_FIXED_NOREPLACE,
		-1, 0);
	check(native == (void *)PLACE);
	code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, kind, -1, 0);
	check(code_page != MAP_FAILED);
}

static void emit(struct trial *trial, uint64_t byte) {
	trial->code[trial->length++] = (uint8_t)byte;
}

// A ModRM operand that points into the place: [base + displacement], [base + index * 4 + 8 bits] or
// an absolute address. The registers that make it up are set to fit.
static uint8_t emit_operand(struct trial *trial, struct state *state, uint8_t reg, uint8_t rex) {
	static const uint8_t bases[] = {X86_RBX, X86_RBP, X86_RSI, X86_RDI, 9, 12, 13, 15};
	uint8_t base = bases[chance(8)];
	uint64_t target = PLACE + 0x800 + chance(0x2000);
	unsigned form = chance(4);

	rex |= base & 8 ? 1 : 0;
	if (form == 0) { // SIB with index R10 and an 8-bit displacement
		rex |= 2;
		state->registers[10] = chance(100);
		state->registers[base] = target - state->registers[10] * 4 - 5;
		emit(trial, 0x44 | reg << 3);
		emit(trial, 0x80 | (10 & 7) << 3 | (base & 7));
		emit(trial, 5);
	} else if (form == 1) { // absolute
		rex &= ~3;
		emit(trial, 0x04 | reg << 3);
		emit(trial, 0x25);
		for (unsigned i = 0; i < 4; i++)
			emit(trial, target >> 8 * i);
	} else { // 32-bit displacement
		uint32_t displacement = (uint32_t)chance(1 << 20) - (1 << 19);

		state->registers[base] = target - (uint64_t)(int32_t)displacement;
		emit(trial, 0x84 | reg << 3);
		if ((base & 7) != 4)
			trial->code[trial->length - 1] = (uint8_t)(0x80 | reg << 3 | (base & 7));
		else
			emit(trial, 0x24);
		for (unsigned i = 0; i < 4; i++)
			emit(trial, displacement >> 8 * i);
	}
	return rex;
}

enum form {
	FORM_LOCK = 1 << 0,
	FORM_IMMEDIATE = 1 << 1, // of operand size
	FORM_IMMEDIATE_8 = 1 << 2,
	FORM_BYTE = 1 << 3,
	FORM_TWO_BYTES = 1 << 4,
	FORM_MEMBER = 1 << 5, // reg is given
	FORM_BIT = 1 << 6, // the register's value may move the operand
	FORM_WIDE = 1 << 7, // needs REX.W
	FORM_NO_66 = 1 << 8,
	FORM_STRING = 1 << 9,
};

struct form_row {
	uint8_t opcode, member;
	uint16_t form;
	uint64_t undefined;
};

#define LOGIC FLAGS_AF
#define BITS (FLAGS_OF | FLAGS_SF | FLAGS_AF | FLAGS_PF)
#define MEMBER(number) (number), FORM_MEMBER

static const struct form_row forms[] = {
	{0x00, 0, FORM_LOCK | FORM_BYTE, 0},
	{0x01, 0, FORM_LOCK, 0},
	{0x02, 0, FORM_BYTE, 0},
	{0x0b, 0, 0, LOGIC},
	{0x11, 0, FORM_LOCK, 0},
	{0x12, 0, FORM_BYTE, 0},
	{0x18, 0, FORM_LOCK | FORM_BYTE, 0},
	{0x1b, 0, 0, 0},
	{0x21, 0, FORM_LOCK, LOGIC},
	{0x28, 0, FORM_LOCK | FORM_BYTE, 0},
	{0x2b, 0, 0, 0},
	{0x31, 0, FORM_LOCK, LOGIC},
	{0x39, 0, 0, 0},
	{0x3a, 0, FORM_BYTE, 0},
	{0x63, 0, FORM_WIDE, 0},
	{0x80, MEMBER(0) | FORM_LOCK | FORM_BYTE | FORM_IMMEDIATE, 0},
	{0x81, MEMBER(1) | FORM_LOCK | FORM_IMMEDIATE, LOGIC},
	{0x81, MEMBER(3) | FORM_LOCK | FORM_IMMEDIATE, 0},
	{0x83, MEMBER(2) | FORM_LOCK | FORM_IMMEDIATE_8, 0},
	{0x83, MEMBER(5) | FORM_LOCK | FORM_IMMEDIATE_8, 0},
	{0x83, MEMBER(7) | FORM_IMMEDIATE_8, 0},
	{0x84, 0, FORM_BYTE, LOGIC},
	{0x85, 0, 0, LOGIC},
	{0x86, 0, FORM_BYTE | FORM_LOCK, 0},
	{0x87, 0, FORM_LOCK, 0},
	{0x88, 0, FORM_BYTE, 0},
	{0x89, 0, 0, 0},
	{0x8a, 0, FORM_BYTE, 0},
	{0x8b, 0, 0, 0},
	{0xc6, MEMBER(0) | FORM_BYTE | FORM_IMMEDIATE, 0},
	{0xc7, MEMBER(0) | FORM_IMMEDIATE, 0},
	{0xf6, MEMBER(0) | FORM_BYTE | FORM_IMMEDIATE, LOGIC},
	{0xf6, MEMBER(2) | FORM_BYTE | FORM_LOCK, 0},
	{0xf6, MEMBER(3) | FORM_BYTE | FORM_LOCK, 0},
	{0xf7, MEMBER(1) | FORM_IMMEDIATE, LOGIC},
	{0xf7, MEMBER(2) | FORM_LOCK, 0},
	{0xf7, MEMBER(3) | FORM_LOCK, 0},
	{0xfe, MEMBER(0) | FORM_BYTE | FORM_LOCK, 0},
	{0xfe, MEMBER(1) | FORM_BYTE | FORM_LOCK, 0},
	{0xff, MEMBER(0) | FORM_LOCK, 0},
	{0xff, MEMBER(1) | FORM_LOCK, 0},
	{0xa3, 0, FORM_TWO_BYTES | FORM_BIT, BITS},
	{0xab, 0, FORM_TWO_BYTES | FORM_BIT | FORM_LOCK, BITS},
	{0xb3, 0, FORM_TWO_BYTES | FORM_BIT | FORM_LOCK, BITS},
	{0xbb, 0, FORM_TWO_BYTES | FORM_BIT | FORM_LOCK, BITS},
	{0xba, MEMBER(4) | FORM_TWO_BYTES | FORM_IMMEDIATE_8, BITS},
	{0xba, MEMBER(5) | FORM_TWO_BYTES | FORM_IMMEDIATE_8 | FORM_LOCK, BITS},
	{0xba, MEMBER(6) | FORM_TWO_BYTES | FORM_IMMEDIATE_8 | FORM_LOCK, BITS},
	{0xba, MEMBER(7) | FORM_TWO_BYTES | FORM_IMMEDIATE_8 | FORM_LOCK, BITS},
	{0xae, MEMBER(7) | FORM_TWO_BYTES, 0},
	{0xb0, 0, FORM_TWO_BYTES | FORM_BYTE | FORM_LOCK, 0},
	{0xb1, 0, FORM_TWO_BYTES | FORM_LOCK, 0},
	{0xb6, 0, FORM_TWO_BYTES, 0},
	{0xb7, 0, FORM_TWO_BYTES, 0},
	{0xbe, 0, FORM_TWO_BYTES, 0},
	{0xbf, 0, FORM_TWO_BYTES, 0},
	{0xc0, 0, FORM_TWO_BYTES | FORM_BYTE | FORM_LOCK, 0},
	{0xc1, 0, FORM_TWO_BYTES | FORM_LOCK, 0},
	{0xc3, 0, FORM_TWO_BYTES | FORM_NO_66, 0},
	{0xa4, 0, FORM_STRING | FORM_BYTE, 0},
	{0xa5, 0, FORM_STRING, 0},
	{0xa6, 0, FORM_STRING | FORM_BYTE, 0},
	{0xa7, 0, FORM_STRING, 0},
	{0xaa, 0, FORM_STRING | FORM_BYTE, 0},
	{0xab, 0, FORM_STRING, 0},
	{0xac, 0, FORM_STRING | FORM_BYTE, 0},
	{0xad, 0, FORM_STRING, 0},
	{0xae, 0, FORM_STRING | FORM_BYTE, 0},
	{0xaf, 0, FORM_STRING, 0},
};

// Few different bytes, so that comparisons also find equality.
static void fill_place(void) {
	bool plain = chance(2);

	for (unsigned i = 0; i < PLACE_SIZE; i += 8) {
		uint64_t word = plain ? 0x0101010101010101 * chance(2) : random64();

		memcpy(device + i, &word, 8);
	}
	memcpy(native, device, PLACE_SIZE);
}

static void make_state(struct state *state) {
	for (unsigned i = 0; i < VCPU_GENERAL_REGISTERS; i++) {
		state->registers[i] = random64() >> chance(64);
		if (chance(4) == 0) memcpy(&state->registers[i], device + 8 * chance(64), 8);
	}
	state->flags = (random64() & ALL_FLAGS) | FLAGS_FIXED | FLAGS_IF;
}

// Prefixes without effect: segments that 64-bit mode ignores, a REX prefix that another prefix
// follows, repetition of what is no string.
static void emit_idle_prefixes(struct trial *trial, const struct form_row *row, unsigned room) {
	static const uint8_t segments[] = {0x26, 0x2e, 0x36, 0x3e};
	bool repeats = !(row->form & (FORM_STRING | FORM_NO_66)) && row->opcode != 0xae;
	unsigned count = chance(4);

	if (count > room) count = room;
	for (unsigned i = 0; i < count; i++) {
		if (i + 1 < count && chance(4) == 0)
			emit(trial, 0x40 | chance(16));
		else if (repeats && chance(3) == 0)
			emit(trial, 0xf2 + chance(2));
		else
			emit(trial, segments[chance(4)]);
	}
}

static void make_string(struct trial *trial, struct state *state, const struct form_row *row) {
	unsigned repeat = chance(3);
	bool narrow = chance(3) == 0; // addresses and count

	emit_idle_prefixes(trial, row, 4);
	if (narrow) emit(trial, 0x67);
	if (chance(3) == 0) emit(trial, 0x66);
	if (repeat != 0) emit(trial, repeat == 1 ? 0xf2 : 0xf3);
	if (chance(2)) emit(trial, 0x48);
	emit(trial, row->opcode);
	state->registers[X86_RCX] = chance(60);
	state->registers[X86_RSI] = PLACE + 0xf00 + chance(0x1000);
	state->registers[X86_RDI] = PLACE + 0xf00 + chance(0x1000);
	if (!narrow || state->registers[X86_RCX] == 0) return;
	state->registers[X86_RCX] |= random64() << 32;
	state->registers[X86_RSI] |= random64() << 32;
	state->registers[X86_RDI] |= random64() << 32;
}

static void make_trial(struct trial *trial, struct state *state) {
	const struct form_row *row = &forms[chance(sizeof(forms) / sizeof(forms[0]))];
	struct trial rest = {0};

	*trial = (struct trial){.undefined = row->undefined};
	if (row->form & FORM_STRING) {
		make_string(trial, state, row);
		return;
	}
	bool word = !(row->form & (FORM_NO_66 | FORM_WIDE)) && chance(4) == 0;
	uint8_t reg = (uint8_t)(row->form & FORM_MEMBER ? row->member : chance(8));

	if (row->form & FORM_BIT) reg = X86_RAX; // no part of any address
	uint8_t rex = (uint8_t)(chance(2) ? 4 * (chance(2) && !(row->form & FORM_MEMBER)) : 0);
	bool wide = (row->form & FORM_WIDE) || chance(3) == 0;

	if (reg == X86_RSP && !(row->form & (FORM_MEMBER | FORM_BYTE))) reg = X86_RAX;
	if (reg == X86_RSP && (row->form & FORM_BYTE) && !(row->form & FORM_MEMBER)) rex = 0;
	bool high = reg == X86_RSP && (row->form & FORM_BYTE) && !(row->form & FORM_MEMBER);
	uint8_t before = rex | (wide ? 8 : 0);
	uint8_t needed = emit_operand(&rest, state, reg, before);

	if (high && needed != 0) {
		// AH cannot be had with a REX prefix: take CL.
		rest.code[0] = (rest.code[0] & ~0x38) | X86_RCX << 3;
		reg = X86_RCX;
	}
	if (row->form & FORM_BIT)
		state->registers[reg | (needed & 4 ? 8 : 0)] = chance(4000) - 2000ull;
	unsigned immediate = row->form & FORM_IMMEDIATE_8 ? 1 : 0;

	if (row->form & FORM_IMMEDIATE)
		immediate = row->form & FORM_BYTE ? 1 : word && !(needed & 8) ? 2 : 4;
	unsigned used = 6u + rest.length + immediate; // LOCK, 66h, 67h, REX, two of opcode

	emit_idle_prefixes(trial, row, INSTRUCTION_MAX > used ? INSTRUCTION_MAX - used : 0);
	if ((row->form & FORM_LOCK) && chance(4) == 0) emit(trial, 0xf0);
	if (chance(4) == 0) emit(trial, 0x67);
	if (word) emit(trial, 0x66);
	if (needed != 0) emit(trial, 0x40 | needed);
	if (row->form & FORM_TWO_BYTES) emit(trial, 0x0f);
	emit(trial, row->opcode);
	for (uint8_t i = 0; i < rest.length; i++)
		emit(trial, rest.code[i]);
	for (unsigned i = 0; i < immediate; i++)
		emit(trial, (uint8_t)random64());
}

static void give_registers(const struct state *state) {
	memcpy(fake.exit.registers, state->registers, sizeof(state->registers));
	fake.guest.registers[X86_RSP] = state->registers[X86_RSP];
	fake.exit.rflags = state->flags;
	fake.exit.rip = CODE;
	fake.exit.physical = PLACE;
	fake.exit.qualification = 0x181;
}

static void compare(const struct trial *trial, const struct state *native_state) {
	char text[64];
	size_t length = 0;

	for (unsigned i = 0; i < trial->length; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length, "%02x ", trial->code[i]);
	check_about(text);
	check_equal(event(), 0);
	check_equal(fake.guest.rip, CODE + trial->length);
	for (unsigned i = 0; i < VCPU_GENERAL_REGISTERS; i++)
		if (!(FIXED_REGISTERS >> i & 1))
			check_equal(fake.guest.registers[i], native_state->registers[i]);
	uint64_t defined = ALL_FLAGS & ~trial->undefined;

	check_equal(fake.guest.rflags & defined, native_state->flags & defined);
	check(memcmp(device, native, PLACE_SIZE) == 0);
	check_about(NULL);
}

static void test_native(void) {
	map_places();
	rig_fresh();
	check(bus_add(&machine.memory_bus, &window));
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct state state;
		struct trial trial;

		if (round % 64 == 0) fill_place();
		make_state(&state);
		make_trial(&trial, &state);
		memcpy(code_page, trial.code, trial.length);
		code_page[trial.length] = 0xc3;
		memcpy(machine.memory.bytes + CODE, trial.code, trial.length);
		give_registers(&state);
		leave(VCPU_EXIT_MEMORY);
		run_native(&state, code_page);
		compare(&trial, &state);
	}
}

int main(void) {
	static const struct test tests[] = {
		{"native.same", "what is emulated is what this CPU does", test_native},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
