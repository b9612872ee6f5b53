// SPDX-License-Identifier: BSD-2-Clause
// The monitor's side of a control page: what the controller writes there is read once.
#include <vmm/host/controller.h>

void controller_open(struct controller *controller, struct guest_control *shared) {
	controller->shared = shared;
	if (shared) controller->answered = __atomic_load_n(&shared->answer, __ATOMIC_ACQUIRE);
}

bool controller_take(struct controller *controller, uint32_t *command) {
	const struct guest_control *shared = controller->shared;

	if (!shared) return false;
	controller->taken = __atomic_load_n(&shared->request, __ATOMIC_ACQUIRE);
	if (controller->taken == controller->answered) return false;
	*command = __atomic_load_n(&shared->command, __ATOMIC_RELAXED);
	return true;
}

void controller_answer(struct controller *controller, enum guest_result result) {
	struct guest_control *shared = controller->shared;

	controller->answered = controller->taken;
	__atomic_store_n(&shared->result, result, __ATOMIC_RELAXED);
	__atomic_store_n(&shared->answer, controller->answered, __ATOMIC_RELEASE);
	controller->signal(controller->context);
}

void controller_tell(const struct controller *controller, uint64_t status) {
	if (!controller->shared) return;
	__atomic_store_n(&controller->shared->status, status, __ATOMIC_RELEASE);
	controller->signal(controller->context);
}
