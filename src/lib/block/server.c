// SPDX-License-Identifier: BSD-2-Clause
// Checks and answers the requests of block clients. A request stays in its ring until it is
// answered; a client that does not take its completions is not served until there is room for one.
#include <lib/block/server.h>

#include <base/bits.h>
#include <base/memory.h>

#include <nacre/ring_ahead.h>

bool block_server_add(
	struct block_server *server, unsigned client, const struct block_grant *grant) {
	struct block_client *added = &server->clients[client];

	added->grant = *grant;
	added->present = block_serve(&added->end, grant->queue);
	return added->present;
}

// Sectors of the device that belong to the client.
static uint64_t client_sectors(
	const struct block_server *server, const struct block_client *client) {
	uint64_t rest;

	if (client->grant.first >= server->sectors) return 0;
	rest = server->sectors - client->grant.first;
	return client->grant.count == 0 || client->grant.count > rest ? rest : client->grant.count;
}

static bool data_fits(const struct block_client *client, uint64_t offset, uint64_t bytes) {
	return is_aligned(offset, BLOCK_SECTOR) &&
		range_fits(offset, bytes, client->grant.data_size);
}

static enum block_status identify(const struct block_server *server,
	const struct block_client *client, const struct block_request *request) {
	const struct block_information information = {
		.sectors = client_sectors(server, client),
		.sector_size = BLOCK_SECTOR,
		.maximum = BLOCK_MAXIMUM,
		.read_only = client->grant.read_only,
		.kinds = server->kinds,
	};

	if (!data_fits(client, request->data, sizeof(information))) return BLOCK_BAD_DATA;
	memcpy(client->grant.data + request->data, &information, sizeof(information));
	return BLOCK_OK;
}

static enum block_status check_transfer(const struct block_server *server,
	const struct block_client *client, const struct block_request *request) {
	if (request->count == 0 || request->count > BLOCK_MAXIMUM) return BLOCK_BAD_REQUEST;
	if (!range_fits(request->sector, request->count, client_sectors(server, client)))
		return BLOCK_OUT_OF_RANGE;
	if (!data_fits(client, request->data, (uint64_t)request->count * BLOCK_SECTOR))
		return BLOCK_BAD_DATA;
	if (request->kind == BLOCK_WRITE && client->grant.read_only) return BLOCK_READ_ONLY;
	return BLOCK_OK;
}

static enum block_status check_range(const struct block_server *server,
	const struct block_client *client, const struct block_request *request) {
	if (!(server->kinds & BIT(request->kind)) || request->count == 0) return BLOCK_BAD_REQUEST;
	if (!range_fits(request->sector, request->count, client_sectors(server, client)))
		return BLOCK_OUT_OF_RANGE;
	return client->grant.read_only ? BLOCK_READ_ONLY : BLOCK_OK;
}

// Whether the request needs the device; if not, `status` is the answer.
static bool needs_device(const struct block_server *server, const struct block_client *client,
	const struct block_request *request, enum block_status *status) {
	*status = BLOCK_NO_DEVICE;
	if (server->sectors == 0 || client->grant.absent) return false;
	switch (request->kind) {
	case BLOCK_IDENTIFY: *status = identify(server, client, request); return false;
	case BLOCK_FLUSH: *status = BLOCK_OK; return true;
	case BLOCK_READ:
	case BLOCK_WRITE:
		*status = check_transfer(server, client, request);
		return *status == BLOCK_OK;
	case BLOCK_DISCARD:
	case BLOCK_WRITE_ZEROES:
		*status = check_range(server, client, request);
		return *status == BLOCK_OK;
	default: *status = BLOCK_BAD_REQUEST; return false;
	}
}

static void answer(struct block_client *client, const struct block_completion *completion) {
	// There is room: that was checked before taking the request, and only this side fills it.
	(void)ring_put(&client->end.completions, completion);
	ring_skip(&client->end.requests);
	client->answered = true;
}

static struct block_job job_of(
	const struct block_server *server, unsigned index, const struct block_request *request) {
	const struct block_grant *grant = &server->clients[index].grant;
	bool moves = request->kind == BLOCK_READ || request->kind == BLOCK_WRITE;
	bool has_range = request->kind != BLOCK_FLUSH;

	return (struct block_job){
		.client = index,
		.kind = (enum block_kind)request->kind,
		.tag = request->tag,
		.sector = has_range ? grant->first + request->sector : 0,
		.count = has_range ? request->count : 0,
		.data = moves ? grant->data + request->data : NULL,
		.data_paddr = moves && grant->data_paddr ? grant->data_paddr + request->data : 0,
	};
}

// The client's next job; at most a ring of other requests is answered before it is another's turn.
static bool client_next(struct block_server *server, unsigned index, struct block_job *job) {
	struct block_client *client = &server->clients[index];
	struct block_request request;
	enum block_status status;

	for (unsigned i = 0; client->present && i < BLOCK_CAPACITY; i++) {
		if (ring_room(&client->end.completions) <= client->taken) return false;
		if (!ring_peek_ahead(&client->end.requests, client->taken, &request)) return false;
		if (needs_device(server, client, &request, &status)) {
			*job = job_of(server, index, &request);
			client->taken++;
			return true;
		}
		// The answer removes the oldest request, so those before this one come first.
		if (client->taken > 0) return false;
		answer(client, &(struct block_completion){request.tag, status, 0});
	}
	return false;
}

// Whether the client will notify when it has something to do. While an answer is due to it this
// does not matter, as it is asked anew after that.
static bool client_rests(struct block_client *client) {
	if (!client->present) return true;
	if (client->taken > 0) {
		(void)ring_may_sleep_ahead(&client->end.requests, client->taken);
		return true;
	}
	if (ring_room(&client->end.completions) == 0)
		return ring_may_wait(&client->end.completions);
	return ring_may_sleep(&client->end.requests);
}

static bool all_rest(struct block_server *server) {
	bool rest = true;

	for (unsigned i = 0; i < BLOCK_CLIENTS; i++)
		rest = client_rests(&server->clients[i]) && rest;
	return rest;
}

bool block_server_next(struct block_server *server, struct block_job *job) {
	do {
		for (unsigned i = 0; i < BLOCK_CLIENTS; i++) {
			unsigned index = (server->turn + i) % BLOCK_CLIENTS;

			if (!client_next(server, index, job)) continue;
			server->turn = (index + 1) % BLOCK_CLIENTS;
			return true;
		}
	} while (!all_rest(server));
	return false;
}

void block_server_finish(struct block_server *server, const struct block_job *job,
	enum block_status status, uint32_t count) {
	server->clients[job->client].taken--;
	answer(&server->clients[job->client], &(struct block_completion){job->tag, status, count});
}

uint32_t block_server_to_notify(struct block_server *server) {
	uint32_t clients = 0;

	for (unsigned i = 0; i < BLOCK_CLIENTS; i++) {
		struct block_client *client = &server->clients[i];

		if (!client->answered) continue;
		client->answered = false;
		// A sleeping client is notified of answers, one that waits with requests is
		// notified of room.
		if (ring_must_notify(&client->end.completions)) clients |= (uint32_t)BIT(i);
		if (ring_must_notify_producer(&client->end.requests)) clients |= (uint32_t)BIT(i);
	}
	return clients;
}
