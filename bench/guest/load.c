// SPDX-License-Identifier: BSD-2-Clause
// A program of the guest, without a C library: work between two marks, which tools/plugin/share.c
// counts by. Its arguments are what to do and how often:
//   mark
//   read FILE COUNT BLOCKS, write ...   requests of so many blocks of 4 KiB, one after the other,
//                                       past the page cache
//   scan FILE COUNT, fill FILE COUNT    blocks of 4 KiB through the page cache, then to the disk
//   echo                                answers the last datagram of each batch, without end
//   ask ADDRESS COUNT SIZE              sends batches of SIZE datagrams, the next when the last is
//                                       answered
#define _GNU_SOURCE // O_DIRECT
#include <arpa/inet.h>
#include <asm/unistd_64.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { STANDARD_ERROR = 2, BLOCK = 4096, MOST_BLOCKS = 64, PORT = 4000, LOSS = 100 };

struct datagram {
	unsigned batch;
	unsigned is_last; // of its batch
	unsigned received; // of the batch; in an answer
	unsigned padding[13];
};

static _Alignas(BLOCK) char buffer[MOST_BLOCKS * BLOCK];

static long call6(long number, long a, long b, long c, long d, long e, long f) {
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long result;

	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
}

static long call(long number, long a, long b, long c) { return call6(number, a, b, c, 0, 0, 0); }

static void mark(void) { asm volatile("nopl 0x7263614e(%%rax,%%rax,1)" ::: "memory"); }

static _Noreturn void end(int status) {
	call(__NR_exit, status, 0, 0);
	__builtin_unreachable();
}

static void check(_Bool good, const char *what) {
	long length = 0;

	if (good) return;
	while (what[length])
		length++;
	call(__NR_write, STANDARD_ERROR, (long)what, length);
	end(1);
}

static unsigned number(const char *text) {
	unsigned value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned)(*text - '0');
	return value;
}

static void transfer(int flags, const char *path, unsigned count, unsigned blocks) {
	long system_call = flags & O_WRONLY ? __NR_pwrite64 : __NR_pread64;
	long file = call(__NR_open, (long)path, flags, 0);
	long size = (long)blocks * BLOCK;

	check(file >= 0 && blocks > 0 && blocks <= MOST_BLOCKS, "load: cannot open the disk\n");
	mark();
	for (unsigned i = 0; i < count; i++)
		check(call6(system_call, file, (long)buffer, size, i * size, 0, 0) == size,
			"load: the disk fails\n");
	if (flags == O_WRONLY) call(__NR_fsync, file, 0, 0);
	mark();
}

static long socket_open(void) {
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	long made = call(__NR_socket, AF_INET, SOCK_DGRAM, 0);

	check(made >= 0 && call(__NR_bind, made, (long)&here, sizeof(here)) == 0,
		"load: there is no socket\n");
	return made;
}

static void send_to(long made, const struct sockaddr_in *there, const struct datagram *datagram) {
	long size = sizeof(*datagram);

	check(call6(__NR_sendto, made, (long)datagram, size, 0, (long)there, sizeof(*there)) ==
			size,
		"load: a datagram cannot be sent\n");
}

// False after a time without one.
static _Bool receive(long made, struct sockaddr_in *from, struct datagram *datagram) {
	unsigned length = sizeof(*from);
	long size = sizeof(*datagram);

	return call6(__NR_recvfrom, made, (long)datagram, size, 0, (long)from, (long)&length) ==
		size;
}

static _Noreturn void echo(void) {
	struct datagram datagram;
	struct sockaddr_in from;
	long made = socket_open();
	unsigned batch = 0;
	unsigned received = 0;

	for (;;) {
		if (!receive(made, &from, &datagram)) continue;
		if (datagram.batch != batch) received = 0;
		batch = datagram.batch;
		datagram.received = ++received;
		if (datagram.is_last) send_to(made, &from, &datagram);
	}
}

// Sends a batch until its last datagram is answered, and returns how many have arrived.
static unsigned batch_send(
	long made, const struct sockaddr_in *there, unsigned batch, unsigned size) {
	struct datagram datagram = {.batch = batch};
	struct datagram answer;
	struct sockaddr_in from;

	for (unsigned i = 1; i < size; i++)
		send_to(made, there, &datagram);
	datagram.is_last = 1;
	do {
		send_to(made, there, &datagram);
		while (receive(made, &from, &answer))
			if (answer.batch == batch) return answer.received;
	} while (1);
}

static void ask(const char *address, unsigned count, unsigned size) {
	const struct timeval patience = {.tv_usec = 200000};
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	long made = socket_open();
	char *bytes = (char *)&there.sin_addr;
	unsigned received = 0;

	for (unsigned i = 0; i < sizeof(there.sin_addr); i++) {
		bytes[i] = (char)number(address);
		while (*address && *address++ != '.') {
		}
	}
	check(call6(__NR_setsockopt, made, SOL_SOCKET, SO_RCVTIMEO, (long)&patience,
		      sizeof(patience), 0) == 0,
		"load: a socket takes no time-out\n");
	mark();
	for (unsigned batch = 1; batch <= count; batch++)
		received += batch_send(made, &there, batch, size);
	mark();
	// What is lost costs nothing at its receiver.
	check(received >= count * size - count * size / LOSS, "load: datagrams are lost\n");
}

static void work(long count, char **words) {
	switch (count > 1 ? *words[1] : 0) {
	case 'm': mark(); return;
	case 'r': transfer(O_DIRECT, words[2], number(words[3]), number(words[4])); return;
	case 'w':
		transfer(O_WRONLY | O_DIRECT, words[2], number(words[3]), number(words[4]));
		return;
	case 's': transfer(O_RDONLY, words[2], number(words[3]), 1); return;
	case 'f': transfer(O_WRONLY, words[2], number(words[3]), 1); return;
	case 'e': echo();
	case 'a': ask(words[2], number(words[3]), number(words[4])); return;
	default: check(0, "load: what is to be done?\n");
	}
}

// What the kernel puts on the stack: the count of arguments, and behind it these.
[[gnu::used]] static _Noreturn void start(long *stack) {
	work(*stack, (char **)(stack + 1));
	end(0);
}

asm(".globl _start\n_start:\tmovq %rsp, %rdi\n\tandq $-16, %rsp\n\tcall start\n");
