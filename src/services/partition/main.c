// SPDX-License-Identifier: BSD-2-Clause
// The partition service: a client of a disk's driver, and to its own clients the driver of a disk
// each: a partition or a range of sectors. Data of a client that lie in what the driver reaches are
// moved by the driver itself; those of others pass through a buffer.
#include <microkit.h>

#include <base/bits.h>
#include <base/memory.h>

#include <lib/block/grants.h>
#include <nacre/print.h>
#include <nacre/tsc.h>
#include <services/partition/choice.h>
#include <services/partition/disk.h>

enum {
	CHANNEL_DISK = 1, // of the disk's driver
	BUFFER_LEAST = BLOCK_MAXIMUM * BLOCK_SECTOR,
};

_Static_assert((int)TABLE_MOST <= (int)BLOCK_MAXIMUM && (int)TABLE_SECTOR == (int)BLOCK_SECTOR);

#define PATCHED __attribute__((section(".data")))
#define NOWHERE UINT64_MAX

// Patched by the composer: the queue with the driver, what the driver has as this client's data
// region, the service's own part of that, and the settings.
uint64_t disk_queue_vaddr PATCHED;
uint64_t disk_data_paddr PATCHED;
uint64_t disk_data_size PATCHED;
uint64_t buffer_vaddr PATCHED;
uint64_t buffer_size PATCHED;
uint64_t buffer_paddr PATCHED;
uint64_t settings_vaddr PATCHED;
uint64_t settings_size PATCHED;

enum phase {
	IDENTIFYING,
	READING_TABLE,
	SERVING,
};

// State of the service; one thread, written by the functions of this file only.
static enum phase phase;
static bool is_open; // the queue with the driver
static struct disk disk;
static struct table table;
static struct choice choices[BLOCK_CLIENTS];
static struct block_server server;
static bool is_disk_read_only;
static bool buffer_taken;
static struct block_job held; // waits for the buffer while `is_held`
static bool is_held;

// Where something is in the region that the driver reaches.
static uint64_t offset_of(uint64_t paddr, uint64_t bytes) {
	uint64_t offset = paddr - disk_data_paddr;

	if (paddr < disk_data_paddr || !range_fits(offset, bytes, disk_data_size)) return NOWHERE;
	return offset;
}

static bool is_described(void) {
	if (disk_queue_vaddr && buffer_vaddr && buffer_size >= BUFFER_LEAST && disk_data_paddr &&
		offset_of(buffer_paddr, buffer_size) != NOWHERE)
		return true;
	print("%s: the description lacks disk_queue_vaddr, disk_data_paddr, disk_data_size, or a "
	      "buffer of 0x%x bytes in that (buffer_vaddr, buffer_size, buffer_paddr)\n",
		microkit_name, (unsigned)BUFFER_LEAST);
	return false;
}

// A request of the service itself, into its buffer.
static void send_own(enum block_kind kind, uint64_t sector, uint32_t count) {
	struct block_request request = {.sector = sector,
		.data = offset_of(buffer_paddr, buffer_size),
		.count = count,
		.kind = kind};

	disk_send(&disk, &request, &(struct disk_request){.is_own = true});
}

static void grant_client(unsigned client) {
	struct block_grant *grant = &server.clients[client].grant;
	enum choice_status status = choice_find(
		&choices[client], &table, &grant->first, &grant->count);

	grant->read_only = grant->read_only || choices[client].read_only || is_disk_read_only;
	grant->absent = status != CHOICE_OK;
	if (grant->absent)
		print("%s: client %u has no disk: %s\n", microkit_name, client,
			choice_texts[status]);
	else
		print("%s: client %u has sectors %lu+%lu%s\n", microkit_name, client, grant->first,
			grant->count, grant->read_only ? ", read-only" : "");
}

static const char *const table_texts[] = {
	[TABLE_NONE] = "no partition table",
	[TABLE_IS_MBR] = "MBR",
	[TABLE_IS_GPT] = "GPT",
	[TABLE_IS_GPT_COPY] = "GPT, of which the first copy is damaged",
};

static void begin_to_serve(void) {
	print("%s: %lu sectors, %s%s\n", microkit_name, table.sectors, table_texts[table.kind],
		table.state == TABLE_DONE ? "" : ", which cannot be read");
	for (unsigned i = 0; i < BLOCK_CLIENTS; i++)
		if (server.clients[i].present) grant_client(i);
	phase = SERVING;
}

static void read_on(void) {
	if (table_wants(&table))
		send_own(BLOCK_READ, table.want, table.want_count);
	else
		begin_to_serve();
}

static void identified(enum block_status status) {
	struct block_information information;

	memcpy(&information, (const void *)buffer_vaddr, sizeof(information));
	// Without a disk the clients are answered that there is none.
	if (status != BLOCK_OK || information.sectors == 0 ||
		information.sector_size != BLOCK_SECTOR || information.maximum < BLOCK_MAXIMUM) {
		print("%s: there is no disk\n", microkit_name);
		phase = SERVING;
		return;
	}
	server.sectors = information.sectors;
	server.kinds = information.kinds;
	is_disk_read_only = information.read_only != 0;
	table_begin(&table, information.sectors);
	phase = READING_TABLE;
	read_on();
}

static void own_ended(enum block_status status) {
	if (phase == IDENTIFYING) {
		identified(status);
		return;
	}
	table_feed(&table, status == BLOCK_OK ? (const uint8_t *)buffer_vaddr : NULL);
	read_on();
}

static void client_ended(const struct disk_request *ended) {
	const struct block_job *job = &ended->job;
	bool is_ok = ended->status == BLOCK_OK;

	if (ended->is_copied) {
		buffer_taken = false;
		if (is_ok && job->kind == BLOCK_READ)
			memcpy(job->data, (const void *)buffer_vaddr,
				(size_t)job->count * BLOCK_SECTOR);
	}
	block_server_finish(&server, job, ended->status, is_ok ? job->count : 0);
}

// Sends a client's request on; false while it waits for the buffer.
static bool send(const struct block_job *job) {
	uint64_t bytes = job->data ? (uint64_t)job->count * BLOCK_SECTOR : 0;
	struct block_request request = {
		.sector = job->sector, .count = job->count, .kind = job->kind};
	struct disk_request kept = {.job = *job};

	if (job->data) {
		request.data = job->data_paddr ? offset_of(job->data_paddr, bytes) : NOWHERE;
		kept.is_copied = request.data == NOWHERE;
	}
	if (kept.is_copied) {
		if (buffer_taken) return false;
		buffer_taken = true;
		request.data = offset_of(buffer_paddr, buffer_size);
		if (job->kind == BLOCK_WRITE) memcpy((void *)buffer_vaddr, job->data, bytes);
	}
	disk_send(&disk, &request, &kept);
	return true;
}

// Without a disk the server answers by itself.
static bool may_take(void) {
	return phase == SERVING && (server.sectors == 0 || disk_has_room(&disk));
}

// Passes requests on as long as there is room for them at the driver. The first of all waits for
// that, too, if a predecessor's fill the ring.
static void pump(void) {
	struct block_job job;

	if (is_open && disk.sent == 0 && disk_has_room(&disk)) send_own(BLOCK_IDENTIFY, 0, 0);
	while (may_take()) {
		if (is_held)
			job = held;
		else if (!block_server_next(&server, &job))
			break;
		is_held = !send(&job);
		held = job;
		if (is_held) break;
	}
	if (is_open && disk_must_notify(&disk)) microkit_notify(CHANNEL_DISK);
	grants_notify(&server);
}

static void receive(void) {
	struct disk_request ended;
	bool more = is_open;

	while (more) {
		more = disk_receive(&disk);
		while (disk_next(&disk, &ended)) {
			if (ended.is_own)
				own_ended(ended.status);
			else
				client_ended(&ended);
		}
	}
}

void init(void) {
	struct settings settings = settings_of(settings_vaddr, settings_size);
	unsigned wrong = choices_read(choices, &settings);

	if (wrong > 0)
		print("%s: settings, line %u is not `client NUMBER number=|label=|type=|range=... "
		      "[read-only]`; it and those after it give nothing\n",
			microkit_name, wrong);
	grants_open(&server);
	is_open = is_described() &&
		disk_open(&disk, (struct block_queue *)disk_queue_vaddr, tsc_read());
	if (!is_open) phase = SERVING;
	// A predecessor's answers may be there, of which no notification will come.
	receive();
	pump();
}

void notified(microkit_channel) {
	receive();
	pump();
}
